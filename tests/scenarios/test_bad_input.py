"""Every wrong input ends with one clear sentence, the right exit status, and nothing left behind."""
import os
import subprocess
import threading

import pytest
from conftest import BIN, PAIR, TREE, eventually, host_state, left_of, need

HEAD = "name: t\ntopology:\n  nodes:\n    s: {kind: switch, ipv4: 10.0.0.0/24}\n"


@pytest.mark.parametrize("arguments, status, sentence", [
    ([], 2, "usage: sim VERB"),
    (["rum", "two-subnets"], 2, "unknown verb 'rum'; did you mean 'run'?"),
    (["run"], 2, "usage: sim run TOPOLOGY"),
    (["run", "two-subnet"], 2, "there is no topology 'two-subnet'; did you mean 'two-subnets'?"),
    (["run", "./nothing.yaml"], 2, "cannot read './nothing.yaml': No such file or directory"),
    (["run", "two-subnets", "releas"], 2,
     "'releas' is no scenario of two-subnets; did you mean 'release'?"),
    (["run", "two-subnets", "release", "release"], 2, "the scenario 'release' is named twice"),
    (["run", "two-subnets", "--set", "pol=1"], 2, "did you mean 'pool'?"),
    (["run", "two-subnets", "--jsn"], 2, "run: unknown option '--jsn'; did you mean '--json'?"),
    (["plan", "two-subnets", "--results", "x"], 2, "plan does not take --results"),
    (["run", "two-subnets", "--set"], 2, "run: '--set' needs its value"),
    (["validate", "/dev/null"], 2, "'/dev/null' is not a regular file"),
])
def test_misuse(sim, arguments, status, sentence):
    ended = sim(*arguments)
    assert ended.status == status
    assert sentence in ended.stderr
    assert ended.stdout == ""
    if arguments:
        assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("verb", ["run", "validate", "plan"])
@pytest.mark.parametrize("text, sentence", [
    ("", ": the file is empty"),
    ("name: t\ntopology: {nodes: {a: {}", "did not find expected ',' or '}'"),
    (HEAD + "    a: {knd: host}\n", ":5:9: unknown key 'knd' in a node; did you mean 'kind'?"),
    (HEAD + "    a: {}\n    a: {}\n", ":6:5: 'a' is given twice in nodes"),
    (HEAD + "    a: {}\n  links: [{endpoints: [a, b]}]\n", "leads to 'b', which is no node"),
    (HEAD + "    a: {}\n  links: [{endpoints: [a, s], ipv4: [10.9.0.1/24]}]\n",
     "10.9.0.1/24 is not of this segment's subnet 10.0.0.0/24 (line 4)"),
    (HEAD + "    " + "n" * 65 + ": {}\n", "has 65 characters; 64 are allowed"),
])
def test_faulty_file(sim, topology, verb, text, sentence):
    ended = sim(verb, topology(text))
    assert ended.status == 2
    assert sentence in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def failed_step(ended, expected, seen):
    assert ended.status == 1, ended.stdout + ended.stderr
    assert f"expected  {expected}" in ended.stdout
    assert seen in ended.stdout
    assert ended.stderr == ""


def test_service_that_does_not_exist(sim, topology):
    ended = sim("run", topology(PAIR % ("{name: p, cmd: no-such-command --x}", "{on: b, run: 'true'}")))
    failed_step(ended, "to run within 10 s", "the command 'no-such-command' does not exist")


def test_command_of_a_step_that_does_not_exist(sim, topology):
    ended = sim("run", topology(PAIR % ("", "{on: b, run: no-such-command}")))
    failed_step(ended, "the command to start", "the command 'no-such-command' does not exist")


def test_service_that_never_gets_ready(sim, topology):
    ended = sim("run", topology(PAIR % ("{name: p, cmd: sleep 60, ready: true}",
                                        "{on: b, run: 'true'}")))
    failed_step(ended, "READY=1 from it within 10 s", "it still runs and is not ready")


def test_service_that_ends_before_it_is_ready(sim, topology):
    ended = sim("run", topology(PAIR % ("{name: p, cmd: \"sh -c 'echo broken; exit 7'\", ready: true}",
                                        "{on: b, run: 'true'}")))
    failed_step(ended, "READY=1 from it", "it ended with exit status 7; last printed 'broken'")


def test_service_that_dies_on_the_way(sim, topology):
    ended = sim("run", topology(PAIR % (
        "{name: p, cmd: \"sh -c 'read line < go'\", ready: {log: up}}".replace(
            "read line < go", "echo up; exit 3"), "{on: b, run: sleep 0.3}")))
    assert ended.status == 1
    assert "ended with exit status 3" in ended.stdout


@pytest.mark.parametrize("command, port", [
    ("dhcp-server --subnet 10.0.0.0/24 --pool 10.0.0.50-10.0.0.60", "67"),
    ("ftp-server --root . --clients 1 --waiting 0", "21"),
])
def test_port_in_use(sim, topology, command, port):
    services = (f"{{name: first, cmd: {command}, ready: true}},"
                f" {{name: second, cmd: {command}, ready: true}}")
    ended = sim("run", topology(PAIR % (services, "{on: b, run: 'true'}")))
    failed_step(ended, "READY=1 from it", "it ended with exit status 3")
    assert "port" in ended.stdout and port in ended.stdout


def test_command_that_does_not_end_is_ended(sim, topology):
    ended = sim("run", topology(PAIR % ("", "{on: b, run: sleep 60, timeout: 0.3}")))
    failed_step(ended, "exit status 0 on 1 node", "still running on 1 node")


def test_output_that_is_no_text(sim, topology):
    ended = sim("run", topology(PAIR % (
        "", "{on: b, run: \"printf '\\\\377\\\\000\\\\033[31m|'\", expect: {output: never}}")))
    assert ended.status == 1
    assert "\x1b[31m" not in ended.stdout
    ended.result("x")  # and the JSON is JSON


@pytest.mark.parametrize("blocks", [16, 200, 600])
def test_full_disk_under_results(tmp_path, blocks):
    """A file system of a few KiB, mounted in a namespace of the test's own."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system for the results needs root")
    need("unshare", "mount")
    (tmp_path / "small").mkdir()
    host = host_state()
    ended = subprocess.run(
        ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size="$1"k tmpfs "$2" && '
         'exec "$3" run two-subnets lease-and-fetch --results "$2/results"', "sh", str(blocks),
         tmp_path / "small", BIN / "sim"], capture_output=True, text=True, timeout=120, cwd=TREE)
    assert ended.returncode == 3, ended.stdout + ended.stderr
    assert ended.stderr.startswith("sim: ") and "No space left on device" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    eventually(lambda: left_of(set(), tmp_path), set())
    assert host_state() == host


def test_results_that_cannot_be_written(sim, tmp_path):
    (tmp_path / "file").write_text("")
    ended = sim("run", "two-subnets", "lease-and-fetch", "--results", tmp_path / "file")
    assert ended.status == 3
    assert "Not a directory" in ended.stderr and len(ended.stderr.splitlines()) == 1


def test_two_runs_at_once(tmp_path):
    """Same topology, same names, same second: they never see each other."""
    words = [BIN / "sim", "run", "two-subnets", "lease-and-fetch", "--results", tmp_path / "results"]
    ended = []
    threads = [threading.Thread(target=lambda: ended.append(subprocess.run(
        words, capture_output=True, text=True, timeout=120, cwd=TREE))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.returncode for one in ended] == [0, 0, 0], [one.stdout + one.stderr for one in ended]
    runs = [path for path in (tmp_path / "results" / "two-subnets").iterdir() if path.name != "latest"]
    assert len(runs) == 3


def test_standard_output_that_is_full(sim):
    with open("/dev/full", "w") as full:
        ended = subprocess.run([BIN / "sim", "plan", "two-subnets"], stdout=full, timeout=30, cwd=TREE,
                               stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 3
    assert ended.stderr == "sim: cannot write to standard output: No space left on device\n"


def test_reading_verbs_need_no_privilege():
    if os.geteuid() != 0:
        pytest.skip("the whole suite runs as an ordinary user already")
    need("setpriv")
    if any(not path.stat().st_mode & 0o001 for path in BIN.parents):
        pytest.skip("the tree lies in a folder that others cannot enter")
    for words in (["validate", "two-subnets"], ["plan", "two-subnets"], ["list"]):
        ended = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                BIN / "sim", *words], capture_output=True, text=True, timeout=30, cwd="/")
        assert ended.returncode == 0, ended.stderr
