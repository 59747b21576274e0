"""`sim grade`: other people's programs, each in the place of ours, and none of them trusted.

    server --- lan-a --- router --- lan-b --- client1 ... client25
      |                 10.0.1.0/24         10.0.2.0/24
      '- the submission's DHCP or FTP server, in a cell
"""
import csv
import html.parser
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest
from conftest import BIN, TREE, eventually, host_state, lab_namespaces, left_of, need

SAMPLES = TREE / "tests" / "submissions"
TOPOLOGY = TREE / "topologies" / "two-subnets.yaml"
# The hostile one has all the time it wants.
MISDEEDS = """name: misdeeds
vars: {dhcp_server: dhcp-server}
topology:
  nodes: {lan: {kind: switch, ipv4: 10.0.1.0/24}, client: {},
          server: {run: [{name: dhcp, cmd: "${dhcp_server}", ready: {port: 67}}]}}
  links: [{endpoints: [server, lan]}, {endpoints: [client, lan]}]
scenarios:
  all:
    title: It does what it can
    steps: [{on: server, watch: dhcp, expect: {output: nothing more to do}, timeout: 150}]
"""
NOBODYS = range(61184, 65520)  # users that root lends a submission


def snapshot(folder):
    """Everything below, with what would change if it were written to."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        status = path.lstat()
        found[str(path)] = (status.st_mode, status.st_uid, status.st_size, status.st_mtime_ns)
    return found


def kernel_settings():
    return {path: Path("/proc/sys", path).read_text()
            for path in ("kernel/hostname", "net/ipv4/ip_forward", "kernel/core_pattern",
                         "user/max_user_namespaces", "vm/swappiness")}


def control_groups(pid):
    """Those that the sim of this number has made; others may grade at the same time."""
    return [path for path in Path("/sys/fs/cgroup").rglob(f"sim.{pid}") if path.is_dir()]


class Graded:
    """A finished `sim grade` and what it wrote."""

    def __init__(self, process, results):
        self.status, self.stdout, self.stderr = process.returncode, process.stdout, process.stderr
        self.folder = next(iter(results.glob("*/latest"))).resolve()
        self.json = json.loads((self.folder / "result.json").read_text())

    def of(self, name):
        return next(entry for entry in self.json["submissions"] if entry["submission"] == name)

    def reason(self, name):
        return self.of(name)["problem"] or next(check["seen"] for check in self.of(name)["checks"]
                                                if check["verdict"] == "failed")


def grade(results, *arguments, prefix=(), env=None, cwd=TREE):
    words = [*prefix, BIN / "sim", "grade", *arguments, "--results", results]
    process = subprocess.Popen(list(map(str, words)), cwd=cwd, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True,
                               env={**os.environ, **(env or {})})
    stdout, stderr = process.communicate(timeout=200)
    if "user namespaces" in stderr or "Linux 5.12" in stdout:
        pytest.skip(stderr.strip() or stdout)
    assert list(results.glob("*/latest")), stdout + stderr
    ended = Graded(subprocess.CompletedProcess(words, process.returncode, stdout, stderr), results)
    ended.pid = process.pid
    return ended


class Census(threading.Thread):
    """How many processes there are at most while something runs."""

    def __init__(self):
        super().__init__(daemon=True)
        self.most, self.over = 0, threading.Event()

    def run(self):
        while not self.over.wait(0.01):
            self.most = max(self.most, sum(name.isdigit() for name in os.listdir("/proc")))


def machine():
    """What no submission may change."""
    return snapshot(Path("/etc")), kernel_settings(), host_state(), snapshot(SAMPLES)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """All four samples, with the machine before and afterwards."""
    results = tmp_path_factory.mktemp("graded")
    before = machine()
    ended = grade(results, "two-subnets", "release", "--submissions", SAMPLES)
    ended.before, ended.after = before, machine()
    return ended


@pytest.fixture(scope="module")
def misdeeds(tmp_path_factory):
    """The hostile one alone, to the end of what it does, and how many processes there were at most."""
    folder = tmp_path_factory.mktemp("misdeeds")
    (folder / "misdeeds.yaml").write_text(MISDEEDS)
    shutil.copytree(SAMPLES / "hostile", folder / "all" / "hostile")
    before = machine()
    processes = sum(name.isdigit() for name in os.listdir("/proc"))
    census = Census()
    census.start()
    ended = grade(folder / "results", folder / "misdeeds.yaml", "--submissions", folder / "all")
    census.over.set()
    census.join()
    ended.before, ended.after = before, machine()
    ended.more_processes = census.most - processes
    return ended


def hostile_log(ended):
    return (ended.folder / "submissions/hostile/all/logs/server.dhcp.log").read_text()


def test_verdicts(graded):
    assert graded.status == 1
    assert {entry["submission"]: entry["held"] for entry in graded.json["submissions"]} == {
        "hanging": 0, "hostile": 0, "right": 1, "wrong": 1}
    assert "it runs; last printed 'now I wait'" in graded.reason("hanging")
    assert "dhcp of server" in graded.reason("hostile")
    assert not graded.json["held"] and not any(e["refused"] for e in graded.json["submissions"])


def test_one_line_a_submission(graded):
    lines = graded.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:4]] == [
        ["FAILED", "hanging"], ["FAILED", "hostile"], ["held", "right"], ["held", "wrong"]]
    assert re.match(r"2 of 4 submissions held in all checks, in [\d.]+ s", lines[4])
    assert lines[5].endswith("/grades.html") and len(lines) == 6
    assert "\x1b" not in graded.stdout and graded.stderr == ""


def test_hostile_managed_nothing(misdeeds):
    log = hostile_log(misdeeds)
    assert "DONE" not in log, log
    for path in ("/etc/passwd", "/etc/hosts", "/proc/sys/net/ipv4/ip_forward", "/usr/bin/hostile",
                 "/run/sim/submission/dhcp_server.py"):
        assert f"kept from writing {path}" in log
    for what in ("seeing other submissions", "seeing results", "seeing other nodes",
                 "seeing other processes", "a user namespace", "mounting", "tracing",
                 "speaking for sim"):
        assert f"kept from {what}" in log
    assert "capabilities 0000000000002400" in log  # low ports and packets, no more


def test_hostile_is_bounded(misdeeds):
    log = hostile_log(misdeeds)
    assert 32 <= int(re.search(r"filled (\d+) MiB", log).group(1)) <= 64
    most = 256 if "256 processes (control group)" in misdeeds.json["limits"] else 512
    assert int(re.search(r"forked (\d+)", log).group(1)) <= most
    assert misdeeds.more_processes < 800
    assert log.endswith("nothing more to do\n")
    assert "hoarding ended with" in log  # and not the machine's memory with it
    kept = sum(path.lstat().st_size for path in misdeeds.folder.rglob("*"))
    assert kept < 80 * 2**20


def test_the_machine_is_as_it_was(graded, misdeeds):
    for ended in (graded, misdeeds):
        for before, after in zip(ended.before, ended.after):
            assert before == after
        assert control_groups(ended.pid) == []
        assert left_of(set(), ended.folder.parent.parent) == set()


def test_table_as_csv(graded):
    with open(graded.folder / "grades.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["submission"], row["check"], row["verdict"]) for row in rows] == [
        ("hanging", "release", "failed"), ("hostile", "release", "failed"),
        ("right", "release", "held"), ("wrong", "release", "held")]
    assert rows[0]["expected"] == "1 address within 10.0.2.100-10.0.2.119"
    assert all((graded.folder / row["report"]).is_file() for row in rows)


def test_table_as_markdown(graded):
    text = (graded.folder / "grades.md").read_text()
    assert "**All checks held for 2 of 4 submissions.**" in text
    assert "| [right](submissions/right/report.md) | 1 of 1 | held |" in text
    assert "| [hanging](submissions/hanging/report.md) | 0 of 1 | **failed** |" in text
    assert "processes (" in text and "MiB of memory" in text and "300 s" in text


def test_table_as_html(graded):
    links = []

    class Links(html.parser.HTMLParser):
        def handle_starttag(self, tag, attributes):
            links.extend(value for name, value in attributes if name in ("href", "src"))

    Links().feed((graded.folder / "grades.html").read_text())
    assert "submissions/right/report.html" in links
    assert [link for link in links if not (graded.folder / link).is_file()] == []


def test_each_has_a_report_like_a_run(graded):
    folder = graded.folder / "submissions" / "right"
    assert {"report.md", "report.html", "result.json", "manifest.json", "release"} <= {
        path.name for path in folder.iterdir()}
    assert "DISCOVER" in (folder / "release" / "logs" / "server.dhcp.log").read_text()
    assert (folder / "release" / "capture.pcapng").stat().st_size > 10000
    owners = {path.lstat().st_uid for path in graded.folder.rglob("*")}
    assert owners == {os.geteuid()}


def test_wrong_in_one_behaviour(sim, tmp_path):
    """And what the instructor sets is not the submission's: our own DHCP server runs as ever."""
    shutil.copytree(SAMPLES / "wrong", tmp_path / "all" / "wrong")
    ended = grade(tmp_path / "results", TOPOLOGY, "lease-and-fetch", "--submissions",
                  tmp_path / "all", "--set", "lease=60")
    check = ended.of("wrong")["checks"][0]
    assert check["verdict"] == "failed" and check["step"].startswith("same-files")
    assert check["seen"].startswith("client1:random.bin is shorter: it ends after 65536 bytes")


TEXT_SERVER = """import socket
given, port = [], socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
port.bind(("", 20001))
while True:
    text, peer = port.recvfrom(2048)
    address = text.decode()
    if address == "Give me IP":
        free = [a for a in (f"10.0.0.{n}" for n in range(1, 21)) if a not in given]
        port.sendto(f"IP:{free[0]}".encode() if free else b"No IPs left", peer)
        given += free[:1]
    elif address in given:
        given.remove(address)  # whoever says so
"""


def test_text_protocol(tmp_path):
    """The report's own mistake: any peer gives back what is another's."""
    (tmp_path / "all" / "report").mkdir(parents=True)
    (tmp_path / "all" / "report" / "dhcp_server.py").write_text(TEXT_SERVER)
    ended = grade(tmp_path / "results", "report", "twenty-addresses", "not-its-own",
                  "--submissions", tmp_path / "all")
    assert [check["verdict"] for check in ended.of("report")["checks"]] == ["held", "failed"]
    assert "output with '10.0.0.2'" in ended.of("report")["checks"][1]["expected"]


def test_lying_client(tmp_path):
    """It may set its node's address, and it does: without having asked anybody."""
    (tmp_path / "all" / "liar").mkdir(parents=True)
    (tmp_path / "all" / "liar" / "dhcp_client.sh").write_text(
        "ip address add 10.0.2.105/24 dev eth0 && ip route add default via 10.0.2.1 && echo bound\n")
    ended = grade(tmp_path / "results", TOPOLOGY, "lease-and-fetch", "--submissions",
                  tmp_path / "all")
    check = ended.of("liar")["checks"][0]
    assert check["verdict"] == "failed" and "DHCPDISCOVER" in check["expected"], check
    assert check["seen"].startswith("0"), check


def test_submissions_as_they_come(tmp_path):
    """Folders from archives, single files, names with blanks, and all that a student forgets."""
    given = tmp_path / "given"
    shutil.copytree(SAMPLES / "right", given / "Anna Müster, 1 (file)" / "homework")
    (given / "Anna Müster, 1 (file)" / "__MACOSX").mkdir()
    (given / "bert").mkdir()
    (given / "bert" / "run.yaml").write_text("dhcp_sever: python3 x.py\n")
    (given / "carl").mkdir()
    (given / "carl" / "run.yaml").write_text("pool: 10.0.2.1-10.0.2.200\n")
    (given / "dora").mkdir()
    (given / "dora" / "run.yaml").write_text("dhcp_server: python3 \"x.py\n")
    (given / "emil").mkdir()
    (given / "emil" / "dhcp_server.py").symlink_to("/etc/shadow")
    (given / "fred").mkdir()
    (given / "gina.py").write_text("import nothing")
    (given / "hugo").mkdir()
    (given / "hugo" / "dhcp-server").write_text("#!/bin/sh\necho here; pwd; exit 3\n")
    (given / "ida").mkdir()
    with open(given / "ida" / "dhcp_server.py", "wb") as file:
        file.truncate(65 * 2**20)
    (given / "juri").symlink_to("/root")
    ended = grade(tmp_path / "results", TOPOLOGY, "release", "--submissions", given,
                  "--program", "dhcp_server")
    assert ended.of("Anna Müster, 1 (file)")["held"] == 1, ended.stdout
    assert "'dhcp_sever' is no program of two-subnets; did you mean 'dhcp_server'?" in ended.reason("bert")
    assert "'pool' is no program" in ended.reason("carl")
    assert "run.yaml:1:14: dhcp_server: a quote is not closed" in ended.reason("dora")
    assert "links are not followed" in ended.reason("emil")
    assert "no program" in ended.reason("fred")
    assert "No module named 'nothing'" in ended.reason("gina.py")
    assert "it ended with exit status 3; last printed '/run/sim/nodes/server'" in ended.reason("hugo")
    assert "more than 64 MiB" in ended.reason("ida")
    assert "is a link, and none is followed" in ended.reason("juri")
    assert ended.status == 1
    link = re.search(r"\((submissions/Anna\S+)\)", (ended.folder / "grades.md").read_text()).group(1)
    assert "%20" in link and "(" not in link


@pytest.mark.parametrize("arguments, words", [
    ([], "grade needs --submissions DIR"),
    (["--submissions", "/nonexistent"], "cannot read the submissions in '/nonexistent'"),
    (["--submissions", "EMPTY"], "there is no submission in"),
    (["--submissions", SAMPLES, "--program", "pool"], "'pool' is no program of two-subnets"),
    (["--submissions", SAMPLES, "--time", "soon"], "--time needs a number of seconds"),
    (["nosuch", "--submissions", SAMPLES], "'nosuch' is no scenario of two-subnets"),
])
def test_misuse(sim, tmp_path, arguments, words):
    arguments = [tmp_path if word == "EMPTY" else word for word in arguments]
    run = sim("grade", "two-subnets", *arguments)
    assert run.status == 2 and words in run.stderr, run.stderr


def test_the_time_is_over(tmp_path):
    shutil.copytree(SAMPLES / "hanging", tmp_path / "all" / "hanging")
    ended = grade(tmp_path / "results", TOPOLOGY, "lease-and-fetch", "--submissions",
                  tmp_path / "all", "--time", "4.5")
    assert ended.reason("hanging") == "the time of 4.5 s was over in lease-and-fetch"
    assert ended.of("hanging")["checks"][0]["verdict"] == "not judged"
    assert (ended.folder / "submissions" / "hanging" / "report.md").is_file()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_ended_from_outside(tmp_path, number):
    """In order, or killed: nothing of what it began goes on."""
    shutil.copytree(SAMPLES / "hanging", tmp_path / "all" / "hanging")
    process = subprocess.Popen([BIN / "sim", "grade", TOPOLOGY, "lease-and-fetch", "--submissions",
                                tmp_path / "all", "--results", tmp_path / "results"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log = "results/two-subnets/*/submissions/hanging/lease-and-fetch/logs/server.dhcp.log"
    eventually(lambda: "".join(path.read_text() for path in tmp_path.glob(log)), "now I wait\n")
    worker = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    namespaces = lab_namespaces(process.pid) | {
        os.readlink(f"/proc/{child}/ns/{kind}") for child in worker for kind in ("pid", "mnt", "user")}
    namespaces -= {os.readlink(f"/proc/self/ns/{kind}") for kind in ("pid", "mnt", "user")}
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == -number
    eventually(lambda: left_of(namespaces, tmp_path / "all"), set())
    eventually(lambda: control_groups(process.pid), [])
    if number == signal.SIGTERM:
        table = next(tmp_path.glob("results/two-subnets/latest/grades.md")).read_text()
        assert "the grading was interrupted" in table


def test_as_an_ordinary_user(tmp_path):
    """No control groups then: limits of the user, and what cannot be limited is said."""
    if os.geteuid() != 0:
        pytest.skip("the whole suite runs as an ordinary user already")
    need("setpriv")
    user = 65534
    home = Path(tempfile.mkdtemp(prefix="sim-user."))
    try:
        shutil.copytree(BIN, home / "build" / "bin")
        (home / "topologies").mkdir()
        (home / "topologies" / "misdeeds.yaml").write_text(MISDEEDS)
        shutil.copytree(SAMPLES / "hostile", home / "all" / "hostile")
        home.chmod(0o755)
        for path in [home, *home.rglob("*")]:
            os.chown(path, user, user)
        ended = subprocess.run(
            ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--bounding-set=-all",
             "--inh-caps=-all", home / "build" / "bin" / "sim", "grade", "misdeeds",
             "--submissions", home / "all"],
            capture_output=True, text=True, timeout=300, cwd=home)
        if "user namespaces" in ended.stderr:
            pytest.skip(ended.stderr.strip())
        graded = Graded(ended, home / "results")
        log = hostile_log(graded)
        assert "DONE" not in log and log.endswith("nothing more to do\n"), log
        assert int(re.search(r"filled (\d+)", log).group(1)) <= 64
        assert int(re.search(r"forked (\d+)", log).group(1)) <= 512
        assert "about 256 processes (a limit of the user" in graded.json["limits"]
        assert "cannot be limited on this machine" in graded.json["limits"]
    finally:
        shutil.rmtree(home, ignore_errors=True)


def test_under_sudo(tmp_path):
    """From folders that only the caller of sudo can read; the results are his."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    shutil.copytree(SAMPLES / "right", tmp_path / "home" / "all" / "right")
    for path in [tmp_path / "home", *(tmp_path / "home").rglob("*")]:
        os.chown(path, 1234, 1234)
        path.chmod(0o700 if path.is_dir() else 0o600)
    ended = grade(tmp_path / "home" / "results", TOPOLOGY, "release", "--submissions",
                  tmp_path / "home" / "all", env={"SUDO_UID": "1234", "SUDO_GID": "1234"})
    assert ended.status == 0, ended.stdout
    assert {path.lstat().st_uid for path in ended.folder.rglob("*")} == {1234}
