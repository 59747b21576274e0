"""Labs that stay up: sim up, ps, exec, shell, down. Real namespaces, a real terminal.

    client1 ----+
                lan (10.7.0.0/24) ---- server: a service that writes a file and sleeps
    client2 ----+

What differs for an ordinary user is done as one, too, where the tests are root's.
"""
import errno
import fcntl
import json
import os
import pty
import secrets
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
from pathlib import Path

import pytest

from conftest import BIN, TREE, eventually, host_state, lab_namespaces, left_of, need

SCENARIOS = """
scenarios:
  first: {title: Holds, steps: [{on: client1, run: "true"}]}
  second: {title: Does not, steps: [{on: client2, run: "false"}]}
  third: {title: Holds again, steps: [{on: client1, run: "true"}]}
"""
TOPOLOGY = """
name: small
topology:
  nodes:
    lan: {kind: switch, ipv4: 10.7.0.0/24}
    server:
      run: [{name: steady, cmd: sh -c 'echo here; echo READY; exec sleep infinity', ready: {log: READY}}]
    client[1-2]: {env: {COLOUR: green}}
  links:
    - {endpoints: ["server:eth0", lan], ipv4: [10.7.0.10/24]}
    - {endpoints: ["client[1-2]:eth0", lan]}
"""
NOBODY = 65534
AS_EVERYBODY = pytest.mark.parametrize("labs", ["self", "user"], indirect=True)


class Labs:
    """sim with its labs and results below the test's own folder, and names nobody else has."""

    def __init__(self, folder, as_user):
        self.folder = folder
        self.name = f"t{secrets.token_hex(6)}"
        self.prefix = []
        self.environment = dict(os.environ, HOME=str(folder / "home"), TERM="xterm")
        for variable in ("SUDO_UID", "SUDO_GID", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"):
            self.environment.pop(variable, None)
        (folder / "home").mkdir()
        (folder / "run").mkdir(mode=0o700)
        self.environment["XDG_RUNTIME_DIR"] = str(folder / "run")
        self.topology = folder / "small.yaml"
        self.topology.write_text(TOPOLOGY)
        if as_user:
            self.prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
            for path in (folder, folder / "home", folder / "run"):
                os.chown(path, NOBODY, NOBODY)

    def words(self, *arguments):
        words = [str(word) for word in arguments]
        if words[0] == "up" and "--results" not in words:
            words += ["--results", str(self.folder / "results")]
        return [*self.prefix, str(BIN / "sim"), *words]

    def __call__(self, *arguments, timeout=60, **options):
        options.setdefault("env", self.environment)
        options.setdefault("stderr", subprocess.PIPE)
        return subprocess.run(self.words(*arguments), stdout=subprocess.PIPE, text=True, timeout=timeout,
                              **options)

    def start(self, *arguments, **options):
        return subprocess.Popen(self.words(*arguments), env=self.environment, **options)

    def up(self, *arguments, name=None):
        up = self("up", self.topology, "--name", name or self.name, *arguments)
        assert up.returncode == 0, up.stdout + up.stderr
        return up

    def listed(self):
        """By name, with the labs of others on this machine left out."""
        labs = json.loads(self("ps", "--json").stdout)["labs"]
        return {lab["name"]: lab for lab in labs if lab["folder"].startswith(str(self.folder))}

    def lab(self):
        return self.listed()[self.name]

    def at(self, node):
        return f"{self.name}:{node}"

    def end(self):
        for name in self.listed():
            self("down", name)


def refused(labs):
    """Why an ordinary user cannot have a lab here, or None."""
    tried = subprocess.run([*labs.prefix, "unshare", "-Urn", "true"], capture_output=True, text=True)
    if tried.returncode:
        return f"user namespaces are not for ordinary users here: {tried.stderr.strip()}"
    tried = subprocess.run([*labs.prefix, str(BIN / "sim"), "--version"], capture_output=True)
    return None if tried.returncode == 0 else "the build folder cannot be read by an ordinary user"


@pytest.fixture
def labs(request, tmp_path):
    as_user = getattr(request, "param", "self") == "user"
    if as_user and os.getuid() != 0:
        pytest.skip("we are an ordinary user already")
    if as_user:
        need("setpriv", "unshare")
    # Another session of pytest closes the folder of all sessions to others than itself.
    folder = Path(tempfile.mkdtemp(prefix="labs-")) if as_user else tmp_path
    try:
        made = Labs(folder, as_user)
        why = refused(made) if as_user else None
        if why:
            pytest.skip(why)
        yield made
        made.end()
        if as_user:
            shutil.copytree(folder / "results", tmp_path / "results", dirs_exist_ok=True)
    finally:
        if as_user:
            shutil.rmtree(folder)


@AS_EVERYBODY
def test_up_ps_exec_down(labs):
    before = host_state()
    up = labs.up()
    assert "server" in up.stdout and "10.7.0.10/24" in up.stdout and "steady" in up.stdout
    assert f"sim down {labs.name}" in up.stdout
    lab = labs.lab()
    nodes = {node["name"]: node for node in lab["nodes"]}
    assert nodes["server"]["addresses"] == [{"interface": "eth0", "address": "10.7.0.10/24"}]
    assert [process["name"] for process in nodes["server"]["processes"]] == ["steady"]
    assert nodes["client1"]["processes"] == []
    assert (Path(lab["folder"]) / "logs/server.steady.log").read_text().startswith("here")

    ran = labs("exec", labs.at("client1"), "sh", "-c", 'echo "$SIM_NODE $COLOUR $(hostname)"; exit 7')
    assert (ran.returncode, ran.stdout) == (7, "client1 green client1\n")
    ran = labs("exec", labs.at("client1"), "ping", "-c1", "-W5", "server")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    # Addresses are the kernel's, asked now.
    assert labs("exec", labs.at("client2"), "ip", "address", "add", "10.7.0.77/24", "dev",
                "eth0").returncode == 0
    nodes = {node["name"]: node for node in labs.lab()["nodes"]}
    assert {"interface": "eth0", "address": "10.7.0.77/24"} in nodes["client2"]["addresses"]

    found = lab_namespaces(lab["supervisor"])
    assert found
    down = labs("down", labs.name)
    assert (down.returncode, down.stdout, down.stderr) == (0, "", "")
    eventually(lambda: left_of(found, labs.folder / "results"), set())
    assert labs.listed() == {} and host_state() == before
    again = labs("down", labs.name)
    assert again.returncode == 2 and f"no lab '{labs.name}' is up" in again.stderr


def test_a_lab_that_goes_while_ps_asks_is_no_fault(labs):
    """Labs come and go beside `sim ps`, which tells of those that stand."""
    for number in range(3):
        labs.up()
        down = labs.start("down", labs.name)
        while down.poll() is None:
            for form in ((), ("--json",), ("--names",)):
                listed = labs("ps", *form)
                assert (listed.returncode, listed.stderr) == (0, ""), number
        assert down.returncode == 0


def test_exec_streams_and_words(labs):
    labs.up()
    ran = labs("exec", labs.at("client1"), "cat", input="through\nand through\n")
    assert ran.stdout == "through\nand through\n"
    ran = labs("exec", labs.at("client1"), "sh", "-c", "echo out; echo err >&2; kill -TERM $$")
    assert (ran.returncode, ran.stdout, ran.stderr) == (128 + signal.SIGTERM, "out\n", "err\n")
    # What looks like an option is the command's own, and words stay as they are.
    ran = labs("exec", labs.at("client1"), "printf", "[%s]", "--json", "", "a  b", "ä\n")
    assert ran.stdout == "[--json][][a  b][ä\n]"
    ran = labs("exec", labs.at("client1"), "no-such-command")
    assert ran.returncode == 127 and "the command 'no-such-command' does not exist" in ran.stderr
    ran = labs("exec", labs.at("cleint1"), "true")
    assert ran.returncode == 2 and "has no node 'cleint1'; did you mean 'client1'?" in ran.stderr
    ran = labs("exec", labs.at("client1"), "true", "x" * 130_000)
    assert ran.returncode == 3 and "the command is too long" in ran.stderr
    ran = labs("exec", labs.at("client1"), "head", "-c", "3000000", "/dev/zero")
    assert len(ran.stdout) == 3_000_000


@AS_EVERYBODY
def test_signals_reach_the_command_and_a_client_that_dies_leaves_none(labs):
    labs.up()
    trap = "trap 'echo told; exit 3' INT; echo ready; while :; do sleep 0.05; done"
    client = labs.start("exec", labs.at("client1"), "sh", "-c", trap, stdout=subprocess.PIPE, text=True)
    assert client.stdout.readline() == "ready\n"
    client.send_signal(signal.SIGINT)
    assert client.stdout.read() == "told\n" and client.wait(20) == 3
    # One that a signal ends, ends sim by it: a loop of a shell around it ends as well.
    client = labs.start("exec", labs.at("client1"), "sleep", "infinity")
    eventually(lambda: len(processes(labs, "client1")), 1)
    client.send_signal(signal.SIGINT)
    assert client.wait(20) == -signal.SIGINT
    # SIGKILL is not handed on; the command is ended all the same, also one that ignores SIGHUP.
    client = labs.start("exec", labs.at("client1"), "sh", "-c", "trap '' HUP TERM; while :; do sleep 0.05; done")
    eventually(lambda: bool(processes(labs, "client1")), True)
    client.kill()
    client.wait(20)
    eventually(lambda: processes(labs, "client1"), [])


def processes(labs, node):
    nodes = {entry["name"]: entry for entry in labs.lab()["nodes"]}
    return [process["command"] for process in nodes[node]["processes"]]


def test_several_labs_and_copies(labs):
    labs.up()
    taken = labs("up", labs.topology, "--name", labs.name)
    assert taken.returncode == 2
    assert f"a lab '{labs.name}' is up already" in taken.stderr and "--name" in taken.stderr
    other = labs.name + "-b"
    labs.up(name=other)
    assert set(labs.listed()) == {labs.name, other}
    ran = labs("exec", "client1", "true")
    assert ran.returncode == 2 and "several labs are up" in ran.stderr and other in ran.stderr
    # Copies of one lab do not meet, although their addresses are the same.
    for name, colour in ((labs.name, "red"), (other, "blue")):
        labs("exec", f"{name}:client1", "sh", "-c", f"echo {colour} >mine")
    assert labs("exec", f"{labs.name}:client1", "cat", "mine").stdout == "red\n"
    assert labs("down", other).returncode == 0
    assert set(labs.listed()) == {labs.name}
    names = labs("ps", labs.name, "--names").stdout.split()
    assert labs.at("client1") in names and labs.at("client2:eth0") in names
    for wrong in ("a:b", "-x", "", "x" * 65, "a/b"):
        assert labs("up", labs.topology, f"--name={wrong}").returncode == 2


def test_one_name_at_the_same_moment(labs):
    """Of many that want one name one gets it, and the others say so."""
    tries = [labs.start("up", labs.topology, "--name", labs.name, stdout=subprocess.DEVNULL,
                        stderr=subprocess.PIPE, text=True) for _ in range(5)]
    ends = [(one.wait(60), one.stderr.read()) for one in tries]
    assert sorted(status for status, _ in ends) == [0, 2, 2, 2, 2], ends
    assert all("is up already" in said for status, said in ends if status == 2)


@AS_EVERYBODY
def test_a_killed_supervisor_leaves_nothing_and_is_told_once(labs):
    labs.up()
    lab = labs.lab()
    client = labs.start("exec", labs.at("client1"), "sleep", "infinity", stderr=subprocess.PIPE, text=True)
    eventually(lambda: len(processes(labs, "client1")), 1)
    found = lab_namespaces(lab["supervisor"])
    os.kill(lab["supervisor"], signal.SIGKILL)
    assert client.wait(20) == 3 and "the lab was taken down" in client.stderr.read()
    eventually(lambda: left_of(found, labs.folder / "results"), set())
    ps = labs("ps")
    assert f"the supervisor of the lab '{labs.name}' was killed" in ps.stderr
    assert labs.name not in labs("ps").stderr
    labs.up()
    assert labs.name in labs.listed()


def test_a_name_of_a_killed_lab_is_free_at_once(labs):
    labs.up()
    os.kill(labs.lab()["supervisor"], signal.SIGKILL)
    labs.up()


def test_a_supervisor_that_does_not_answer_is_killed(labs):
    labs.up()
    lab = labs.lab()
    found = lab_namespaces(lab["supervisor"])
    os.kill(lab["supervisor"], signal.SIGSTOP)
    down = labs("down", labs.name)
    assert down.returncode == 0 and "did not answer and was killed" in down.stderr
    eventually(lambda: left_of(found, labs.folder / "results"), set())


@pytest.mark.parametrize("word, stays", [(b"", False), (b"x", True)], ids=["closed", "let go"])
def test_a_lab_ends_with_its_lifeline(labs, word, stays):
    """With the last one who holds its other end; a byte before lets the lab go its own way."""
    heard, held = os.pipe()
    labs.start("up", labs.topology, "--name", labs.name, "--lifeline", heard, pass_fds=[heard],
               stdout=subprocess.DEVNULL).wait(60)
    os.close(heard)
    found = lab_namespaces(labs.lab()["supervisor"])
    assert found
    os.write(held, word)
    os.close(held)
    if stays:
        assert labs("exec", labs.at("client1"), "true").returncode == 0
        return
    eventually(lambda: left_of(found, labs.folder / "results"), set())
    assert labs.listed() == {}


def test_a_lifeline_that_ends_while_the_lab_comes_up(labs):
    slow = labs.folder / "slow.yaml"
    slow.write_text(TOPOLOGY.replace("echo READY; ", ""))
    heard, held = os.pipe()
    up = labs.start("up", slow, "--name", labs.name, "--lifeline", heard, pass_fds=[heard],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log = labs.folder / "results/small"
    eventually(lambda: bool(list(log.glob("*/up/logs/server.steady.log"))), True)
    os.close(held)
    assert up.wait(30) != 0
    os.close(heard)
    assert labs.listed() == {}


@pytest.mark.parametrize("words, sentence", [
    (["--lifeline", "77"], "--lifeline 77: Bad file descriptor"),
    (["--lifeline", "me"], "needs a descriptor's number, not 'me'"),
    (["--lifeline", "0"], "neither a pipe nor a socket"),
])
def test_what_is_no_lifeline(labs, words, sentence):
    with open(os.devnull, "rb") as nothing:
        up = labs("up", labs.topology, "--name", labs.name, *words, stdin=nothing)
    assert up.returncode == 2 and sentence in up.stderr
    assert labs.listed() == {}


def test_a_lab_that_is_observed(labs):
    """What was said and what the kernel changed can be read while it stands."""
    labs.up("--observe")
    folder = Path(labs.lab()["folder"])
    assert labs("exec", labs.at("client1"), "ip", "address", "add", "10.7.0.99/24", "dev", "eth0").returncode == 0

    def added():
        lines = (folder / "events.jsonl").read_text().splitlines()
        return ["client1" for line in map(json.loads, lines) if line.get("address") == "10.7.0.99/24"]

    eventually(added, ["client1"])
    assert labs("down", labs.name).returncode == 0
    assert (folder / "capture.pcapng").read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"


def test_interrupted_on_its_way_up(labs):
    slow = labs.folder / "slow.yaml"
    slow.write_text(TOPOLOGY.replace("echo READY; ", ""))
    up = labs.start("up", slow, "--name", labs.name, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log = labs.folder / "results/small"
    eventually(lambda: bool(list(log.glob("*/up/logs/server.steady.log"))), True)
    up.send_signal(signal.SIGINT)
    assert up.wait(30) == -signal.SIGINT
    assert labs.listed() == {}


def test_a_service_that_does_not_get_ready(labs):
    broken = labs.folder / "broken.yaml"
    broken.write_text(TOPOLOGY.replace("echo READY; exec sleep infinity", "echo no luck; exit 4"))
    up = labs("up", broken, "--name", labs.name)
    assert up.returncode == 1
    assert "service steady of server" in up.stderr and "exit status 4" in up.stderr
    assert "no luck" in up.stderr and "taken down again" in up.stderr
    assert labs.listed() == {}


def test_the_lab_goes_with_its_files(labs):
    """A user's folder in /run goes when he logs out: what could not be found again must not stay."""
    labs.up()
    lab = labs.lab()
    found = lab_namespaces(lab["supervisor"])
    lock = list(labs.folder.rglob(f"{labs.name}.lock")) or [Path(f"/run/sim/0/{labs.name}.lock")]
    lock[0].unlink()
    eventually(lambda: left_of(found, labs.folder / "results"), set())
    eventually(lambda: lock[0].with_suffix(".sock").exists(), False)


def test_what_runs_wild_is_contained(labs):
    """A thousand children, one that hears no signal, one that prints without end: down is quick all
    the same, and nothing is left."""
    labs.up()
    lab = labs.lab()
    forks = "i=0; while [ $i -lt 1000 ]; do setsid sleep 1000 >/dev/null 2>&1 & i=$((i+1)); done; echo forked"
    assert "forked" in labs("exec", labs.at("client1"), "sh", "-c", forks).stdout
    deaf = labs.start("exec", labs.at("client2"), "sh", "-c", "trap '' HUP INT TERM QUIT; echo deaf; while :; do sleep 1; done",
                      stdout=subprocess.PIPE, text=True)
    assert deaf.stdout.readline() == "deaf\n"
    loud = labs.start("exec", labs.at("client1"), "yes", stdout=subprocess.DEVNULL)
    shown = labs("ps", labs.name).stdout
    assert "and " in shown and " more" in shown
    found = lab_namespaces(lab["supervisor"])
    began = time.monotonic()
    assert labs("down", labs.name).returncode == 0
    assert time.monotonic() - began < 15
    assert deaf.wait(20) != 0 and loud.wait(20) != 0
    eventually(lambda: left_of(found, labs.folder / "results"), set())


def test_a_lab_of_sudo(labs):
    """It lies in root's folder. Who called sudo sees it and takes it down, works in it with sudo
    only, and has its files; others do not even see it."""
    if os.getuid() != 0:
        pytest.skip("only root can do as sudo does")
    need("setpriv")
    labs.environment.pop("XDG_RUNTIME_DIR")
    caller, other = Labs.__new__(Labs), Labs.__new__(Labs)
    for user, uid in ((caller, NOBODY), (other, NOBODY - 1)):
        user.__dict__ = dict(labs.__dict__, environment=dict(labs.environment, HOME="/nonexistent"),
                             prefix=["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"])
    if caller("--version").returncode:
        pytest.skip("the build folder cannot be read by an ordinary user")
    labs.environment.update(SUDO_UID=str(NOBODY), SUDO_GID=str(NOBODY))
    labs.up()
    folder = Path(labs.lab()["folder"])
    assert "as root" in caller("ps", labs.name).stdout
    assert "no lab is up" in other("ps").stdout
    ran = caller("exec", labs.at("client1"), "true")
    assert ran.returncode == 3 and "to work in it needs sudo, too" in ran.stderr
    ran = caller("capture", labs.at("client1:eth0"), "-w", "/dev/null")
    assert ran.returncode == 3 and "needs sudo" in ran.stderr
    assert labs("exec", labs.at("client1"), "id", "-u").stdout == "0\n"
    assert caller("down", labs.name).returncode == 0
    assert labs.listed() == {}
    eventually(lambda: {path.stat().st_uid for path in (folder, *folder.rglob("*.log"))}, {NOBODY})


def test_a_full_run_folder(labs):
    """No room for a file in /run is no reason to fail, while a person has a home."""
    if os.getuid() != 0:
        pytest.skip("mounting over /run is root's")
    need("unshare")
    labs.environment.pop("XDG_RUNTIME_DIR")
    script = ('mount -t tmpfs -o nr_inodes=4,size=64k none /run; i=0; '
              'while touch /run/$i 2>/dev/null; do i=$((i+1)); done; sim=$1; shift; '
              '"$sim" "$@" && "$sim" ps "$4" && "$sim" down "$4"')
    words = labs.words("up", labs.topology, "--name", labs.name)
    ran = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", words[0], *words[1:]],
                         env=labs.environment, capture_output=True, text=True, timeout=60)
    assert "steady" in ran.stdout, ran.stdout + ran.stderr
    labs.environment["HOME"] = "/proc"
    ran = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", words[0], *words[1:]],
                         env=labs.environment, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 3 and "/run/sim" in ran.stderr and "No space left" in ran.stderr, ran.stderr


@AS_EVERYBODY
def test_capture(labs):
    """Into a file until an interrupt, and through a pipe until its reader has enough; the frames are
    those that were sent, also behind a link that went down and came back."""
    need("tshark")
    labs.up()
    path = labs.folder / "run/frames.pcapng"
    capture = labs.start("capture", labs.at("client1:eth0"), "-w", path, stderr=subprocess.PIPE, text=True)
    assert "capturing at client1:eth0" in capture.stderr.readline()

    def ping(node, count):
        ran = labs("exec", labs.at(node), "ping", "-c", str(count), "-i", "0.05", "-W5", "10.7.0.10")
        assert ran.returncode == 0, ran.stdout

    ping("client1", 3)
    for way in ("down", "up"):
        assert labs("exec", labs.at("client1"), "ip", "link", "set", "eth0", way).returncode == 0
    ping("client1", 2)
    capture.send_signal(signal.SIGINT)
    assert capture.wait(20) == 0
    echoes = subprocess.run(["tshark", "-r", path, "-Y", "icmp.type == 8", "-T", "fields", "-e", "ip.dst"],
                            capture_output=True, text=True).stdout.split()
    assert echoes == ["10.7.0.10"] * 5
    piped = subprocess.Popen(["tshark", "-i", "-", "-c", "1", "-f", "", "-T", "fields", "-e", "frame.number"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    capture = labs.start("capture", labs.at("client1"), stdout=piped.stdin, stderr=subprocess.PIPE, text=True)
    piped.stdin.close()
    assert "capturing at client1:eth0" in capture.stderr.readline()
    ping("client1", 2)
    assert piped.wait(30) == 0 and piped.stdout.read().strip() == "1"
    assert capture.wait(20) == 0
    wrong = labs("capture", labs.at("client1:eth7"))
    assert wrong.returncode == 2 and "no interface 'eth7', but: eth0" in wrong.stderr
    gone = labs("capture", labs.at("client2:eth0"), "-w", "/no/such/folder/x")
    assert gone.returncode == 3 and "cannot write '/no/such/folder/x'" in gone.stderr
    capture = labs.start("capture", labs.at("client2"), "-w", path, stderr=subprocess.PIPE, text=True)
    capture.stderr.readline()
    assert labs("down", labs.name).returncode == 0
    assert capture.wait(20) in (0, 3)


def test_frames_are_not_written_to_a_terminal(labs):
    labs.up()
    terminal = Terminal(labs.words("capture", labs.at("client1:eth0")), labs.environment)
    terminal.see("frames are nothing for a terminal")
    assert terminal.wait() == 2


def run_words(labs, *arguments):
    path = labs.folder / "checked.yaml"
    path.write_text(TOPOLOGY + SCENARIOS)
    return ("run", path, *arguments, "--name", labs.name, "--results", labs.folder / "results")


@AS_EVERYBODY
def test_keep(labs):
    """The lab in which a check failed stays; the report is there when it is taken down."""
    # A sanitizer's build reports to standard error as long as the lab stands: no pipe, whose end we await.
    with open(labs.folder / "stderr.log", "w") as errors:
        ran = labs(*run_words(labs, "--keep"), stderr=errors)
    assert ran.returncode == 1, ran.stdout
    assert "held    first" in ran.stdout and "FAILED  second" in ran.stdout and "third" not in ran.stdout
    assert "the lab stays up" in ran.stdout
    lab = labs.lab()
    assert lab["folder"].endswith("/second")
    assert labs("exec", labs.at("client2"), "hostname").stdout == "client2\n"
    found = lab_namespaces(lab["supervisor"])
    assert labs("down", labs.name).returncode == 0
    eventually(lambda: left_of(found, labs.folder / "results"), set())
    result = json.loads((Path(lab["folder"]).parent / "result.json").read_text())
    assert [scenario["held"] for scenario in result["scenarios"]] == [True, False]
    with open(labs.folder / "stderr.log", "a") as errors:
        kept = labs(*run_words(labs, "first", "third", "--keep"), stderr=errors)
    assert kept.returncode == 0 and labs.lab()["folder"].endswith("/third")
    again = labs(*run_words(labs, "first", "--keep"))
    assert again.returncode == 2 and "is up already" in again.stderr
    lab = labs.lab()
    found = lab_namespaces(lab["supervisor"])
    os.kill(lab["supervisor"], signal.SIGKILL)
    eventually(lambda: left_of(found, labs.folder / "results"), set())
    assert labs.listed() == {}


def test_shell_on_failure(labs):
    need("bash")
    refused = labs(*run_words(labs, "--shell-on-failure"), stdin=subprocess.DEVNULL)
    assert refused.returncode == 2 and "--shell-on-failure needs a terminal" in refused.stderr
    terminal = Terminal(labs.words(*run_words(labs, "--shell-on-failure")), labs.environment)
    terminal.see("FAILED")
    terminal.see("this is a shell in client2")
    terminal.see("client2")
    assert labs("exec", labs.at("client1"), "hostname").stdout == "client1\n"
    terminal.type("echo on-$(hostname)\n")
    terminal.see("on-client2")
    terminal.type("exit\n")
    terminal.see("2 of 3 scenarios held")
    assert terminal.wait() == 1
    assert labs.listed() == {}


class Terminal:
    """A program on a terminal of its own, in a session of its own."""

    def __init__(self, words, environment, rows=40, columns=100):
        self.shown = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(words[0], words, environment)
        self.resize(rows, columns)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text.encode())

    def read(self):
        while select.select([self.fd], [], [], 0)[0]:
            try:
                some = os.read(self.fd, 65536)
            except OSError as error:
                assert error.errno == errno.EIO
                break
            if not some:
                break
            self.shown += some.decode(errors="replace")
        return self.shown

    def see(self, text, seconds=30.0):
        """Wait until `text` is shown behind what was seen last; returns what came before it."""
        try:
            eventually(lambda: text in self.read(), True, seconds)
        except AssertionError:
            raise AssertionError(f"{text!r} is not in {self.shown!r}") from None
        before, _, self.shown = self.shown.partition(text)
        return before

    def wait(self):
        def ended():
            self.read()
            return os.waitpid(self.pid, os.WNOHANG)
        result = []
        eventually(lambda: bool((result.append(ended()) or result[-1])[0]), True)
        return os.waitstatus_to_exitcode(result[-1][1])

    def settings(self):
        return termios.tcgetattr(self.fd)


@AS_EVERYBODY
def test_exec_on_a_terminal(labs):
    labs.up()
    terminal = Terminal(labs.words("exec", labs.at("client1"), "sh", "-c",
                                   "stty size; tty; read line; echo \"<$line>\"; trap 'stty size; exit 5' WINCH;"
                                   "echo waiting; while :; do sleep 0.05; done"), labs.environment)
    terminal.see("40 100")
    terminal.see("/dev/pts/")
    terminal.type("typed\n")
    terminal.see("<typed>")
    terminal.see("waiting")
    terminal.resize(33, 77)
    terminal.see("33 77")
    assert terminal.wait() == 5
    # Ctrl-C goes to the command, through its own terminal.
    terminal = Terminal(labs.words("exec", labs.at("client1"), "sh", "-c",
                                   "trap 'echo heard; exit 9' INT; echo go; while :; do sleep 0.05; done"),
                        labs.environment)
    terminal.see("go")
    terminal.type("\x03")
    terminal.see("heard")
    assert terminal.wait() == 9


def test_job_control_of_a_shell_outside(labs):
    """Ctrl-Z stops the command in the node and gives the terminal back as it was; fg goes on."""
    need("bash")
    labs.up()
    words = " ".join(labs.words("exec", labs.at("client1"), "sh", "-c", "'echo begun; read line; echo got-$line'"))
    terminal = Terminal(["bash", "--norc", "--noediting", "-i"], dict(labs.environment, PS1="outer> "))
    terminal.see("outer> ")
    before = terminal.settings()
    terminal.type(words + "\n")
    terminal.see("begun\r\n")
    assert terminal.settings() != before
    terminal.type("\x1a")
    terminal.see("Stopped")
    terminal.see("outer> ")
    assert terminal.settings() == before
    terminal.type("jobs\n")
    terminal.see("Stopped")
    terminal.see("outer> ")
    terminal.type("fg\n")
    terminal.see("\n")
    eventually(lambda: terminal.settings() != before, True)
    terminal.type("more\n")
    terminal.see("got-more")
    terminal.see("outer> ")
    assert terminal.settings() == before
    # In the background it gets no keys, and the shell keeps them.
    terminal.type(" ".join(labs.words("exec", labs.at("client1"), "cat")) + " & wait; echo status-$?\n")
    terminal.see("status-0")
    terminal.see("outer> ")
    terminal.type("exit\n")
    assert terminal.wait() == 0


@AS_EVERYBODY
def test_shell(labs):
    need("bash")
    labs.up()
    terminal = Terminal(labs.words("shell", labs.at("client1")), labs.environment)
    terminal.see("client1")
    terminal.type("echo $((6*7)) $(hostname)\n")
    terminal.see("42 client1")
    # Job control inside: Ctrl-Z stops the job in the shell, not the shell.
    terminal.type("sleep 1000\n")
    eventually(lambda: any("sleep 1000" in command for command in processes(labs, "client1")), True)
    terminal.type("\x1a")
    terminal.see("Stopped")
    terminal.type("kill %1; cd /etc; echo in-$PWD\n")
    terminal.see("in-/etc")
    terminal.see("client1")
    terminal.type("exit 6\n")
    assert terminal.wait() == 6
    eventually(lambda: processes(labs, "client1"), [])


def test_a_terminal_that_goes_takes_the_shell_with_it(labs):
    need("bash")
    labs.up()
    terminal = Terminal(labs.words("shell", labs.at("client1")), labs.environment)
    terminal.see("client1")
    terminal.type("trap '' HUP; sleep 1000\n")
    eventually(lambda: any("sleep 1000" in command for command in processes(labs, "client1")), True)
    os.close(terminal.fd)
    eventually(lambda: [one for one in processes(labs, "client1") if "bash" in one], [])
    os.waitpid(terminal.pid, 0)


def test_down_while_a_shell_is_open_restores_the_terminal(labs):
    need("bash")
    labs.up()
    terminal = Terminal(labs.words("shell", labs.at("client1")), labs.environment)
    before = terminal.settings()
    terminal.see("client1")
    eventually(lambda: terminal.settings() != before, True)
    assert labs("down", labs.name).returncode == 0
    assert terminal.wait() != 0
