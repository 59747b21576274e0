"""What all tests share: our binaries, a run of sim and its results, and polling.

SIM_BUILD names the build to test (default: build), so the same suite judges a sanitizer build.
"""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pytest_sim import eventually, scaled  # noqa: F401 - eventually: for all tests

TREE = Path(__file__).resolve().parent.parent
BUILD = TREE / os.environ.get("SIM_BUILD", "build")
BIN = BUILD / "bin"

# Two hosts on one segment; holes: what `a` runs, and the steps of the one scenario.
PAIR = """name: t
topology:
  nodes:
    s: {kind: switch, ipv4: 10.0.0.0/24}
    a: {run: [%s]}
    b: {}
  links:
    - {endpoints: ["a:eth0", s], ipv4: [10.0.0.1/24]}
    - {endpoints: ["b:eth0", s], ipv4: [10.0.0.2/24]}
scenarios:
  x: {title: X, steps: [%s]}
"""


def scale_limits(name):
    """Every time limit of a process that a test waits for: most of them are plain numbers."""
    original = getattr(subprocess.Popen, name)

    def limited(self, *words, timeout=None, **others):
        if name == "wait" and words:
            timeout, words = words[0], words[1:]
        return original(self, *words, timeout=None if timeout is None else scaled(timeout), **others)

    setattr(subprocess.Popen, name, limited)


if scaled(1) != 1:
    for method in ("wait", "communicate"):
        scale_limits(method)


@pytest.fixture(scope="session", autouse=True)
def no_sanitizer_reports(tmp_path_factory):
    """A sanitizer build must have found nothing in any process of any lab."""
    yield
    found = [f"{path}: {line}" for path in tmp_path_factory.getbasetemp().rglob("*.log")
             for line in path.read_text(errors="replace").splitlines()
             if "Sanitizer" in line or "runtime error:" in line]
    assert not found, "\n".join(found[:20])


class Run:
    """One finished `sim`: what it said, how it ended, and the folder it wrote."""

    def __init__(self, process, results):
        self.status = process.returncode
        self.stdout = process.stdout
        self.stderr = process.stderr
        self.results = results

    @property
    def folder(self):
        latest = list(self.results.glob("*/latest"))
        assert len(latest) == 1, f"one run, one `latest`: {latest}\n{self.stdout}{self.stderr}"
        return latest[0].resolve()

    def result(self, scenario):
        return json.loads((self.folder / scenario / "result.json").read_text())

    def lines(self, scenario, name):
        text = (self.folder / scenario / name).read_text()
        return [json.loads(line) for line in text.splitlines()]

    def log(self, scenario, name):
        return (self.folder / scenario / "logs" / f"{name}.log").read_text()

    def all_held(self):
        assert self.status == 0, f"exit status {self.status}\n{self.stdout}{self.stderr}"


@pytest.fixture
def sim(tmp_path):
    """sim("run", "two-subnets", ...) with the results below the test's own folder."""

    def run(*arguments, timeout=120, **options):
        results = tmp_path / "results"
        words = [str(BIN / "sim"), *map(str, arguments)]
        if arguments and arguments[0] in ("run", "list") and "--results" not in arguments:
            words[2:2] = ["--results", str(results)]
        process = subprocess.run(words, capture_output=True, text=True, timeout=timeout,
                                 cwd=options.pop("cwd", TREE), **options)
        return Run(process, results)

    return run


@pytest.fixture
def topology(tmp_path):
    """Write a topology file; returns its path."""

    def write(text, name="t.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def need(*commands):
    """Skip, with the reason, where a stranger that judges us is not installed."""
    for command in commands:
        if not shutil.which(command):
            pytest.skip(f"{command} is not installed")


def shelf_of(descriptor):
    """The name of a shelf (kernel/shelf.h), where a process's descriptor may be one."""
    try:
        return f"shelf:{os.stat(descriptor).st_dev}"
    except OSError:
        return ""


def shelved(descriptor):
    """The namespaces that lie on it, and itself."""
    found = {shelf_of(descriptor)}
    try:
        for entry in os.scandir(descriptor):
            kind = re.fullmatch(r"(net|mnt|uts|ipc)[0-9]+", entry.name)
            if kind:
                found.add(f"{kind[1]}:[{os.stat(entry.path).st_ino}]")
    except OSError:
        pass
    return found if len(found) > 1 else set()


def lab_namespaces(pid):
    """The namespaces a running sim has made: those it or its children hold and we are not in."""
    found = set()
    children = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        family = [pid, *map(int, children.read_text().split())]
    except OSError:
        family = []
    for member in family:
        for folder in ("ns", "fd"):
            try:
                entries = list(Path(f"/proc/{member}/{folder}").iterdir())
            except OSError:
                continue
            for entry in entries:
                try:
                    target = os.readlink(entry)
                except OSError:
                    continue
                if target.split(":")[0] in ("net", "mnt", "uts", "pid", "user"):
                    found.add(target)
                elif target == "/":
                    found |= shelved(entry)
    ours = {os.readlink(f"/proc/self/ns/{name}") for name in ("net", "mnt", "uts", "pid", "user")}
    return found - ours


def left_of(namespaces, marker, born_by=None):
    """What is still there of a lab: processes that name `marker` or live in its namespaces. A zombie
    is dead: when the machine's own init collects it is not the lab's doing. Numbers of namespaces are
    given again: born_by, in seconds since the boot, leaves out whoever came later."""
    left = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "stat").read_text().rpartition(")")[2].split()
            if words[0] == "Z" or (born_by and int(words[19]) / os.sysconf("SC_CLK_TCK") > born_by):
                continue
            if str(marker) in (entry / "cmdline").read_text():
                left.add((entry.name, "process"))
            for held in [*(entry / "ns").iterdir(), *(entry / "fd").iterdir()]:
                try:
                    target = os.readlink(held)
                except OSError:
                    continue
                if target in namespaces or (target == "/" and shelf_of(held) in namespaces):
                    left.add((entry.name, target))
        except OSError:
            continue
    return left


def host_state():
    """The links and mounts of our own namespaces: a lab must never touch them."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return set(os.listdir("/sys/class/net")), sorted(mounts)
