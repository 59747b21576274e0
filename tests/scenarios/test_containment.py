"""What runs wild in a node: it stays within its bounds, that is told, and nothing of it is left.

    a ------ b      10.0.0.0/30, for `run` and for `up`, as root and as an ordinary user
"""
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from conftest import BIN, eventually, host_state, lab_namespaces, left_of, need

NOBODY = 65534
TEXT = """name: %(name)s
topology:
  nodes: {a: {%(a)s}, b: {%(b)s}}
  links: [{endpoints: [a, b], ipv4: 10.0.0.0/30}]
scenarios:
  x: {title: X, steps: [%(steps)s]}
"""
# It never makes more than two thousand, whatever holds it.
BOMB = """use POSIX; $| = 1; print "begun\\n";
for ($count = 0; $count < 2000; $count++) {
    $child = fork;
    if (!defined $child) { print "stopped at $count: $!\\n"; last; }
    if (!$child) { POSIX::setsid(); sleep 1000; exit; }
}
print "through\\n"; sleep %d;
"""
PROCESSES = 1024 + 2 * 64
DEAF = """{name: deaf, cmd: "sh -c 'trap : TERM HUP INT; echo up; while :; do sleep 1; done'", ready: {log: up}}"""
CROWD = rf"all of the {PROCESSES} processes that may be in this lab were there, and more were refused: " \
        r"something(?: in a)? starts processes without end"


def control_groups(name):
    """Those of labs that the test's own sim made: their folders hold nothing of others."""
    return [path for path in Path("/sys/fs/cgroup").rglob(f"sim.{name}") if path.is_dir()]


def read(path):
    try:
        return path.read_text()
    except OSError:
        return ""


class Wild:
    def __init__(self, folder, ordinary):
        self.folder = folder
        self.name = f"t{secrets.token_hex(6)}"
        self.prefix = []
        self.environment = dict(os.environ, XDG_RUNTIME_DIR=str(folder / "run"), HOME=str(folder))
        (folder / "run").mkdir(mode=0o700)
        if ordinary:
            self.prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
            for path in (folder, folder / "run"):
                os.chown(path, NOBODY, NOBODY)

    def write(self, a="", b="", steps="{on: a, run: 'true'}"):
        path = self.folder / "t.yaml"
        path.write_text(TEXT % {"name": self.name, "a": a, "b": b, "steps": steps})
        return path

    def write_bomb(self, seconds):
        (self.folder / "bomb.pl").write_text(BOMB % seconds)

    def __call__(self, verb, *words, timeout=120):
        results = ["--results", self.folder / "results"] if verb in ("run", "up") else []
        return subprocess.run([*self.prefix, BIN / "sim", verb, *results, *words], capture_output=True,
                              text=True, timeout=timeout, cwd="/", env=self.environment)

    def log(self, name):
        return next((self.folder / "results").rglob(name)).read_text()


@pytest.fixture(params=["root", "ordinary"])
def wild(request):
    if request.param == "ordinary":
        if os.geteuid() != 0:
            pytest.skip("we are an ordinary user already")
        need("setpriv", "unshare")
    folder = Path(tempfile.mkdtemp(prefix="wild-"))
    try:
        made = Wild(folder, request.param == "ordinary")
        tried = subprocess.run([*made.prefix, "unshare", "-Urn", "true"], capture_output=True, text=True)
        if made.prefix and tried.returncode:
            pytest.skip(f"user namespaces are not for ordinary users here: {tried.stderr.strip()}")
        if made.prefix and subprocess.run([*made.prefix, BIN / "sim", "--version"], capture_output=True).returncode:
            pytest.skip("the build folder cannot be read by an ordinary user")
        yield made
        made("down", made.name)
    finally:
        shutil.rmtree(folder)


def bounded(wild, said):
    """Skip where this machine cannot limit processes: then that is what must have been said."""
    if "how many processes start in the lab is not limited" in said:
        pytest.skip("no control group, and root: nothing holds it, and that was said")
    assert re.search(CROWD, said), said


def test_a_step_that_forks_without_end(wild):
    wild.write_bomb(0)
    path = wild.write(a="binds: ['bomb.pl:/run/bomb.pl']", b="run: [{name: s, cmd: sleep 999}]",
                      steps="{on: a, run: perl /run/bomb.pl, timeout: 100}, {on: a, run: ip address}")
    ended = wild("run", path)
    bounded(wild, ended.stdout)
    stopped = int(re.search(r"stopped at (\d+)", wild.log("a.1-perl.log")).group(1))
    assert 500 < stopped <= PROCESSES + 256
    assert "service" not in ended.stdout, "b's service lives on"
    report = next((wild.folder / "results").rglob("report.md")).read_text()
    assert "**Note**" in report and f"all of the {PROCESSES} processes" in report
    eventually(lambda: left_of(set(), wild.folder / "results"), set())


def test_a_service_that_forks_without_end(wild):
    """The lab can still be looked at, and taken down at once."""
    wild.write_bomb(999)
    path = wild.write(a="binds: ['bomb.pl:/run/bomb.pl'],"
                        " run: [{name: bomb, cmd: perl /run/bomb.pl, ready: {log: begun}}]")
    up = wild("up", path)
    assert up.returncode == 0, up.stderr
    eventually(lambda: "through" in wild.log("a.bomb.log"), True, seconds=100)
    seen = wild("exec", f"{wild.name}:a", "cat", "/proc/loadavg")
    assert seen.returncode == 0, seen.stderr
    began = time.monotonic()
    down = wild("down", wild.name)
    assert down.returncode == 0 and time.monotonic() - began < 60
    bounded(wild, up.stderr + down.stderr)
    assert re.search(r"^note: all of the", wild.log("supervisor.log"), re.M)
    eventually(lambda: left_of(set(), wild.folder / "results"), set())


def test_what_is_deaf_and_what_is_loud(wild):
    path = wild.write(a=f"run: [{DEAF}, {{name: loud, cmd: yes}}]",
                      steps="{on: b, run: sleep 1}, {on: a, watch: loud, timeout: 0.5, expect: {output: y}}")
    ended = wild("run", path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "note      deaf of a did not end within 1 s of SIGTERM and had to be killed" in ended.stdout
    log = next((wild.folder / "results").rglob("a.loud.log"))
    if log.stat().st_size < 16 << 20:
        pytest.skip("a machine too slow to print 16 MiB in a second and a half")
    assert "note      loud of a printed more than a log may hold: the rest is lost" in ended.stdout
    assert log.stat().st_size < 17 << 20
    assert "[sim: the log is cut here: over 16777216 bytes]" in log.read_text()[-100:]


def test_down_tells_of_the_deaf(wild):
    up = wild("up", wild.write(a=f"run: [{DEAF}]"))
    assert up.returncode == 0, up.stderr
    down = wild("down", wild.name)
    assert down.returncode == 0
    assert "sim: note: deaf of a did not end within 1 s of SIGTERM and had to be killed\n" in down.stderr


def test_limits_of_a_node(wild):
    """Half of a processor and 40 MB, or a sentence that they do not hold here."""
    path = wild.write(a="cpu: 0.3, memory: 40MB", steps=(
        "{on: a, run: python3 -c 'x = bytearray(200000000)', expect: {exit: 137}},"
        "{on: a, run: \"python3 -c 'import time; t, p = time.monotonic(), time.process_time()\\nwhile time.monotonic() < t + 2: pass\\n"
        "print(time.process_time() - p)'\"}"))
    told = wild("validate", path)
    ended = wild("run", path)
    said = "'memory' of a does not hold; 'cpu' of a does not hold: this machine lets us make no control group"
    assert told.returncode == 0
    assert (said in told.stderr) == (said in ended.stdout), "validate and run agree"
    assert said not in wild("validate", wild.write()).stderr
    if said in ended.stdout:
        return
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "a wanted more than its memory (40000000 bytes): the kernel ended 1 of its processes" in ended.stdout
    assert float(wild.log("a.2-python3.log")) < 1.2


@pytest.mark.parametrize("verb", ["run", "up"])
@pytest.mark.parametrize("b, sentence", [
    ("sysctls: {net.ipv4.no_such: 1}", "node b: sysctl net.ipv4.no_such"),
    ("exec: ['false']", "exec of b: false"),
    ("run: [{name: s, cmd: 'false', ready: true}]", "service s of b starts"),
])
def test_failing_half_way_leaves_nothing(wild, verb, b, sentence):
    before = host_state()
    path = wild.write(a="run: [{name: s, cmd: sleep 999}], cpu: 1", b=b)
    ended = wild(verb, path)
    assert ended.returncode in (1, 3)
    assert sentence in ended.stdout + ended.stderr
    assert host_state() == before
    eventually(lambda: left_of(set(), wild.folder / "results"), set())


def test_control_groups_go_with_a_supervisor_that_is_killed(wild):
    """They are all of a lab that no process holds."""
    path = wild.write(a="cpu: 0.5", b="run: [{name: s, cmd: sleep 999}]")
    assert wild("up", path).returncode == 0
    # Not by `sim ps`: it buries the labs of root that other tests have killed, too.
    supervisor = next(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()
                      and read(entry / "comm") == "sim-lab\n" and str(wild.folder) in read(entry / "cmdline"))
    found = lab_namespaces(supervisor)
    if not wild.prefix and any(os.access(f"/sys/fs/cgroup/{part}", os.W_OK) for part in ("pids", "cgroup.procs")):
        assert control_groups(supervisor)
    os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: left_of(found, wild.folder / "results"), set())
    eventually(lambda: control_groups(supervisor), [])


def test_a_node_fills_its_own_run_and_tmp(wild):
    """They are in memory, and have an end."""
    path = wild.write(steps="{on: a, run: sh -c 'cat /dev/zero > /run/x', expect: {exit: 1, output: No space left}},"
                            "{on: a, run: sh -c 'cat /dev/zero > /tmp/x', expect: {exit: 1, output: No space left}},"
                            "{on: b, run: sh -c 'echo fine > /run/x'}")
    ended = wild("run", path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
