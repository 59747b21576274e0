"""The plugin's fixtures, as whoever writes tests uses them."""
import json
import os
import pty
import select
import signal
import subprocess
import time
import xml.etree.ElementTree as Xml

import pytest
from conftest import BIN, eventually, lab_namespaces, left_of, need
from outside import folder  # noqa: F401

PAIR = """
PAIR = '''
name: pair
vars: {greeting: hello}
topology:
  nodes:
    a: {}
    b: {files: {note.txt: "${greeting}"}}
  links: [{endpoints: ["a:eth0", "b:eth0"], ipv4: [10.0.0.1/30, 10.0.0.2/30]}]
'''
"""


def labs_below(path):
    """The labs that are up and whose files are below this folder."""
    # Its status tells of anybody's lab that goes at this moment.
    ps = subprocess.run([BIN / "sim", "ps", "--json"], capture_output=True, text=True, timeout=120, check=False)
    return [lab for lab in json.loads(ps.stdout)["labs"] if lab["folder"].startswith(str(path))]


def passed(ended, count):
    assert ended.returncode == 0 and f"{count} passed" in ended.stdout, ended.stdout + ended.stderr


def test_a_lab_and_what_can_be_done_in_it(folder):
    need("ping", "ip")
    folder.test(PAIR + """
pytestmark = pytest.mark.topology(PAIR)

def test_run(lab):
    assert [node.name for node in lab] == ["a", "b"] and "a" in lab and "c" not in lab
    assert lab["a"].run("ping -c1 -W9 b").status == 0
    assert lab["a"].run("sh", "-c", "echo $SIM_NODE $X; echo e >&2; exit 3", exit=3, env={"X": "x y"}).output == "a x y\\ne\\n"
    assert lab["a"].run("cat", input="through").stdout == "through"
    assert lab["a"].run("false", exit=None).status == 1

def test_files(lab):
    assert lab["b"].read("note.txt") == "hello"
    lab["a"].write("mine", "one\\ntwo")
    assert lab["a"].read("mine") == "one\\ntwo" == (lab["a"].folder / "mine").read_text()
    assert "10.0.0.2" in lab["a"].read("/etc/hosts")

def test_popen(lab):
    with lab["a"].popen("sh -c 'echo ready; read line; echo got-$line; exec sleep 1000'") as process:
        process.expect("ready")
        assert process.status is None
        process.type("this\\n")
        process.expect("got-this")
    assert process.status == 128 + 15
    process = lab["b"].popen("sh -c 'trap \\"exit 4\\" INT; echo up; while :; do sleep 0.05; done'")
    process.expect("up")
    process.signal(2)
    assert process.wait(exit=4) == "up\\n"
    process = lab["b"].popen("sh -c 'sleep 1000 & trap \\"\\" TERM; echo up; wait'")
    process.expect("up")
    process.kill()
    assert process.status == 128 + 9

def test_what_is_seen(lab, eventually):
    with lab.capture("a:eth0") as frames:
        lab["a"].run("ping -c1 -W9 b")
    assert sum(frame[12:14] == b"\\x08\\x00" for frame in frames.frames()) == 2  # request, reply
    lab["a"].run("ip address add 10.9.9.9/32 dev eth0")
    eventually(lambda: [each["change"] for each in lab.events(node="a", address="10.9.9.9/32")], ["added"])
    assert lab["a"].addresses("eth0") == ["10.0.0.1/30", "10.9.9.9/32"]
    assert lab.messages() == []
""")
    passed(folder("-q", "test_it.py", "--results", "kept"), 4)
    up, = (folder.path / "kept/test_it/pair").glob("2*/up")
    assert "a$ false\n[exit status 1" in (up / "commands.log").read_text()
    assert (up / "capture.pcapng").stat().st_size > 0
    assert labs_below(folder.path) == []


def test_messages_are_decoded(folder):
    folder.test("""
pytestmark = pytest.mark.topology("two-subnets", pool="10.0.2.100-10.0.2.101")

def test_a_lease(lab):
    lab["client1"].run("dhcp-client --interface eth0 --once")
    said = lambda: [each["message"] for each in lab.messages(protocol="dhcp", node="client1")]
    eventually(said, ["DHCPDISCOVER", "DHCPREQUEST"])
    assert lab.messages(message="DHCPACK", node="server")[0]["giaddr"] == "10.0.2.1"
    for number in (2, 3):
        status = {2: 0, 3: 4}[number]
        lab[f"client{number}"].run("dhcp-client --interface eth0 --once --wait 2", exit=status)
    assert "10.0.2.101" in lab["server"].log("dhcp")
    lab.down()
    assert len(lab.messages("dhcp", message="DHCPDISCOVER", node="client1")) == 1
""")
    passed(folder("-q", "test_it.py"), 1)


def test_what_a_failure_says(folder):
    """Where, which command, how it ended and what it said; and where the evidence lies."""
    folder.test(PAIR + """
pytestmark = pytest.mark.topology(PAIR)

def test_status(lab):
    lab["a"].run("sh -c 'echo out; echo err >&2; exit 5'")

def test_time(lab):
    lab["a"].run("sh -c 'echo begun; exec sleep 1000'", seconds=0.5)

def test_node(lab):
    lab["aa"].run("true")

def test_never_said(lab):
    lab["b"].popen("sh -c 'echo other'").expect("this")

def test_eventually():
    eventually(lambda: 3, 4, seconds=0.1)
""")
    ended = folder("-q", "test_it.py", "--junitxml", "junit.xml")
    assert ended.returncode == 1 and "5 failed" in ended.stdout
    for words in ("a: sh -c 'echo out; echo err >&2; exit 5'", "exit status 5 after ", "expected 0  (lab ",
                  "standard output:", "    out", "standard error:", "    err", "evidence: ",
                  "it did not end and was killed", "    begun", "has no node 'aa'; did you mean 'a'?",
                  "it never said 'this'", "expected 4 within 0.1 s, last saw 3"):
        assert words in ended.stdout, ended.stdout
    case = Xml.parse(folder.path / "junit.xml").find(".//testcase[@name='test_status']")
    told = {each.get("name"): each.get("value") for each in case.iter("property")}
    assert os.path.isdir(told["evidence"])


@pytest.mark.parametrize("text, words", [
    ("def test_it(lab): pass", ["say which topology: pytestmark = pytest.mark.topology("]),
    ("pytestmark = pytest.mark.topology('nothing-of-that-name')\ndef test_it(lab): pass",
     ["nothing-of-that-name"]),
    ("pytestmark = pytest.mark.topology('lesson.yaml', wrod='x')\ndef test_it(lab): pass", ["wrod"]),
    ("pytestmark = pytest.mark.topology(" + repr(
        "name: t\ntopology: {nodes: {a: {run: [{name: s, cmd: sh -c 'echo no luck; exit 4', ready: true}]}}}\n")
     + ")\ndef test_it(lab): pass", ["exit status 4", "no luck"]),
])
def test_a_lab_that_cannot_be(folder, text, words):
    folder.test(text)
    ended = folder("-q", "test_it.py")
    assert ended.returncode == 1 and "1 error" in ended.stdout, ended.stdout
    for word in words:
        assert word in ended.stdout


def test_who_shares_a_lab(folder):
    """A module, a class, a test; what lab_factory makes goes with the test, or at the end of its `with`."""
    folder.test(PAIR + """
pytestmark = pytest.mark.topology(PAIR)
names = []

def test_one(lab): names.append(lab.name)
def test_two(lab): assert names == [lab.name]

@pytest.mark.topology(PAIR, greeting="class")
class TestClass:
    def test_three(self, lab): names.append(lab.name); assert lab["b"].read("note.txt") == "class"
    def test_four(self, lab): assert names[1:] == [lab.name]

@pytest.mark.topology(PAIR, greeting="own")
def test_five(lab): assert lab.name not in names and lab["b"].read("note.txt") == "own"

def test_six(lab, lab_factory):
    assert lab.name == names[0]
    one, two = lab_factory(PAIR), lab_factory(PAIR)
    one["a"].write("mine", "1")
    two["a"].run("test ! -e mine")
    names.extend([one, two])

def test_seven(lab_factory):
    assert not names[2].is_up and not names[3].is_up
    with lab_factory(PAIR) as made: assert made.is_up
    assert not made.is_up

@pytest.fixture(scope="class")
def made(lab_factory):
    with lab_factory(PAIR) as lab: yield lab

class TestOther:
    def test_eight(self, made): names.append(made.name)
    def test_nine(self, made): assert names[-1] == made.name
""")
    passed(folder("-q", "test_it.py"), 9)
    assert labs_below(folder.path) == []


def test_workers_side_by_side(folder):
    """Two labs with the same addresses, at the same time."""
    pytest.importorskip("xdist")
    for number in (1, 2):
        other = 3 - number
        folder.test(PAIR + f"""
pytestmark = pytest.mark.topology(PAIR)

def test_it(lab, tmp_path_factory):
    lab["b"].write("who", "{number}")
    open("{folder.path}/up-{number}", "w").close()
    eventually(lambda: os.path.exists("{folder.path}/up-{other}"), True)
    assert lab["b"].read("who") == "{number}"
    lab["a"].run("ping -c1 -W9 b")
""", f"test_{number}.py")
    passed(folder("-q", "-n", "2", "--dist", "loadfile", "--results", "kept"), 4)


def up_and_waiting(folder, *words):
    """pytest with a lab that is up and a test that waits in it; and the lab's namespaces."""
    folder.test(PAIR + """
pytestmark = pytest.mark.topology(PAIR)

def test_it(lab):
    waiting = lab["b"].popen("sleep 1000")
    lab["a"].run("sh -c 'echo begun > begun; exec sleep 1000'")
""")
    run = folder.start("-q", "test_it.py", *words)
    eventually(lambda: len(labs_below(folder.path)), 1, seconds=60)
    lab, = labs_below(folder.path)
    eventually(lambda: os.path.exists(f"{lab['folder']}/nodes/a/begun"), True)
    found = lab_namespaces(lab["supervisor"])
    assert found
    return run, found


def test_pytest_that_is_killed_leaves_no_lab(folder):
    run, found = up_and_waiting(folder)
    run.kill()
    run.communicate(timeout=60)
    eventually(lambda: left_of(found, folder.path), set())


def test_workers_that_are_killed_leave_no_lab(folder):
    """Whoever of them: the one that has the lab, or the one that has the workers."""
    pytest.importorskip("xdist")
    run, found = up_and_waiting(folder, "-n", "1")
    os.kill(run.pid, signal.SIGKILL)
    run.communicate(timeout=60)
    eventually(lambda: left_of(found, folder.path), set(), seconds=60)


def test_an_interrupt_leaves_no_lab(folder):
    run, found = up_and_waiting(folder)
    run.send_signal(signal.SIGINT)
    said = run.communicate(timeout=60)[0]
    assert "KeyboardInterrupt" in said, said
    eventually(lambda: left_of(found, folder.path), set())


FAILS = PAIR + """
pytestmark = pytest.mark.topology(PAIR)
def test_holds(lab): lab["a"].run("true")
def test_fails(lab): lab["b"].run("false")
def test_fails_too(lab_factory): lab_factory(PAIR)["b"].run("false")
"""


@pytest.mark.parametrize("chosen, status", [("fails", 1), ("holds", 0)], ids=["the first that fails", "else the last"])
def test_keep(folder, chosen, status):
    folder.test(FAILS)
    ended = folder("-q", "test_it.py", "--keep", "-k", chosen)
    assert ended.returncode == status, ended.stdout + ended.stderr
    lab, = labs_below(folder.path)
    try:
        assert f"`sim down {lab['name']}` takes it down" in ended.stdout
        ran = subprocess.run([BIN / "sim", "exec", f"{lab['name']}:a", "hostname"], capture_output=True, text=True,
                             timeout=60, check=True)
        assert ran.stdout == "a\n"
    finally:
        subprocess.run([BIN / "sim", "down", lab["name"]], timeout=60, check=True)


@pytest.mark.parametrize("word, kept", [("goodbye", "says-it"), ("hello", "ends-so")])
def test_keep_of_a_scenario(folder, word, kept):
    """As of a test in Python: the first that fails, else the last."""
    ended = folder("-q", "lesson.yaml", "--keep", "--set", f"word={word}")
    assert ended.returncode == (word != "hello"), ended.stdout + ended.stderr
    lab, = labs_below(folder.path)
    subprocess.run([BIN / "sim", "down", lab["name"]], timeout=60, check=True)
    assert lab["folder"].endswith(kept) and lab["name"] in ended.stdout


def test_shell_on_failure(folder):
    need("bash")
    folder.test(FAILS)
    refused = folder("-q", "test_it.py", "--shell-on-failure")
    assert refused.returncode == 4 and "--shell-on-failure needs a terminal" in refused.stderr
    words = folder.words("-q", "test_it.py", "--shell-on-failure", "-k", "test_holds or test_fails")
    terminal = Terminal(words, folder.environment(TERM="dumb"), folder.path)
    for _ in range(2):
        terminal.see("this is a shell in b; its end lets the tests go on")
        terminal.see("b:.")
        terminal.type("echo on-$(hostname)\n")
        terminal.see("on-b")
        terminal.type("exit\n")
    terminal.see("2 failed, 1 passed")
    assert terminal.end() == 1


def test_shell_on_failure_of_a_scenario(folder):
    need("bash")
    words = folder.words("-q", "lesson.yaml", "--shell-on-failure", "--set", "word=x")
    terminal = Terminal(words, folder.environment(TERM="dumb"), folder.path)
    terminal.see("this is a shell in one")
    terminal.type("exit\n")
    terminal.see("1 failed, 1 passed")
    assert terminal.end() == 1


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, words, environment, folder):
        self.shown = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(words[0], words, environment)

    def see(self, text):
        deadline = time.monotonic() + 60
        while text not in self.shown:
            assert time.monotonic() < deadline and self.more(), f"no {text!r} in {self.shown!r}"
        self.shown = self.shown.partition(text)[2]

    def more(self):
        if not select.select([self.fd], [], [], 0.1)[0]:
            return True
        try:
            self.shown += os.read(self.fd, 65536).decode(errors="replace")
        except OSError:
            return False
        return True

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        while self.more():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_limits_scale_with_the_machine(folder):
    folder.test("""
import time
from pytest_sim import scaled
def test_it():
    assert scaled(2) == 5
    with pytest.raises(AssertionError, match="within 0.5 s"):
        eventually(lambda: 1, 2, seconds=0.2)
""")
    passed(folder("-q", "test_it.py", SIM_TIME_SCALE="2.5"), 1)
    wrong = folder("-q", "test_it.py", SIM_TIME_SCALE="fast")
    assert "SIM_TIME_SCALE is a number above 0, not 'fast'" in wrong.stdout
