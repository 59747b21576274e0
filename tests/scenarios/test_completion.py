"""Completion: what sim says can follow, and a real bash on a terminal that a TAB is typed into.

The lab is that of test_labs.py: server, client1 and client2 at a switch, lan.
"""
import os
import re
import subprocess

import pytest
from conftest import BIN, TREE, need
from test_labs import AS_EVERYBODY, Terminal, labs  # noqa: F401

COMPLETION = TREE / "core/cli/completion.bash"
PACKAGE = "/usr/share/bash-completion/bash_completion"


def complete(*words, sim=BIN / "sim", **options):
    seen = subprocess.run([sim, "complete", *words], capture_output=True, text=True, check=True, cwd=TREE, timeout=60,
                          **options)
    assert seen.stderr == ""
    return seen.stdout.splitlines()


def verbs():
    helped = subprocess.run([BIN / "sim", "help"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^  ([a-z]+) ", re.search(r"^verbs:\n(.*?)\n\n", helped, re.M | re.S)[1], re.M)


def test_verbs():
    assert complete("") == complete() == [*verbs(), "help", "--help", "--version"]
    assert complete("va") == ["validate"]
    assert complete("help", "") == verbs() and complete("help", "run", "") == []
    assert complete("nosuch", "") == []


@pytest.mark.parametrize("verb", verbs())
def test_options_of_a_verb_are_those_of_its_help(verb):
    helped = subprocess.run([BIN / "sim", verb, "--help"], capture_output=True, text=True, check=True).stdout
    named = {frozenset(re.findall(r"--?[\w-]+", head)) for head in re.findall(r"^  (-.*?)(?:  | [A-Z]|$)", helped, re.M)}
    offered = complete(verb, "-")
    assert len(offered) == len(set(offered)) and "--help" in offered
    for option in set(offered) - {"--help"}:
        assert any(option in names for names in named), option
    for names in named:
        assert names & set(offered), f"one of {set(names)}"


@pytest.mark.parametrize("words, answer", [
    (["run", "two-s"], ["two-subnets", ":topologies"]),
    (["run", "two-subnets", "r"], ["release"]),
    (["run", "two-subnets", "release", "p"], ["pool-exhaustion"]),
    (["run", "two-subnets", "release", "r"], []),
    (["run", "topologies/two-subnets.yaml", "rel"], ["release"]),
    (["run", "--json", "--set", "lease=9", "two-subnets", "rel"], ["release"]),
    (["run", "nosuch", ""], []),
    (["plan", "two-subnets", "--set", "po"], ["pool="]),
    (["plan", "two-subnets", "--set", "pool="], ["pool=10.0.2.100-10.0.2.119"]),
    (["plan", "two-subnets", "--set=po"], ["--set=pool="]),
    (["plan", "two-subnets", "--set=pool="], ["--set=pool=10.0.2.100-10.0.2.119"]),
    (["plan", "two-subnets", "--set", "dhcp_server="], []),  # more than a word: it would need quotes
    (["plan", "--js"], ["--json"]),
    (["plan", "--json", "--js"], []),
    (["plan", "--set", "a=b", "--se"], ["--set"]),
    (["plan", "two-subnets", ""], ["--set", "--json", "--help"]),
    (["plan", "--", "--js"], [":topologies"]),
    (["grade", "two-subnets", "--program", "ftp_"], ["ftp_server", "ftp_client"]),
    (["grade", "two-subnets", "--submissions", ""], [":folders"]),
    (["grade", "two-subnets", "--time", ""], []),
    (["run", "two-subnets", "--results=x"], [":folders"]),
    (["export", "two-subnets", "--format", "g"], ["graphviz"]),
    (["capture", "x", "-w", ""], [":files"]),
    (["exec", "x", "dhcp"], [":command 2"]),
    (["exec", "x", "dhcp-client", "--in"], [":command 2"]),
    (["down", "nosuch:"], []),
], ids=" ".join)
def test_words(words, answer):
    assert complete(*words) == answer


def test_a_faulty_file_is_completed_as_far_as_it_can_be_read(topology):
    path = topology("name: t\nnoway: 1\nvars: {depth: 3}\ntopology:\n  nodes: {a: {}}\n"
                    "scenarios:\n  deep: {title: T, steps: [{on: a, run: 'true'}]}\n")
    assert complete("run", str(path), "") == ["deep"]
    assert complete("run", str(path), "--set", "") == ["depth="]


class Bash(Terminal):
    """A bash that has read our completion, and nothing else but what `before` says."""

    def __init__(self, folder, environment=None, before="", prefix=()):
        (folder / "inputrc").write_text("set enable-bracketed-paste off\nset bell-style none\n"
                                        "set show-all-if-ambiguous on\nset completion-query-items 0\n")
        environment = dict(environment or os.environ, INPUTRC=str(folder / "inputrc"), TERM="dumb", PS1="ready> ",
                           PATH=f"{BIN}:{os.environ['PATH']}")
        super().__init__([*prefix, "bash", "--norc", "--noprofile", "-i"], environment, columns=500)
        self.type(f"cd {TREE}; {before}. {COMPLETION}; echo it is 're'ad\n")
        self.see("it is read\r\nready> ")

    def tab(self, typed, shown):
        """What is typed becomes what is shown; the line is thrown away."""
        self.type(typed + "\t")
        self.see(shown)
        self.type("\x05\x15\n")  # not Ctrl-C, which throws away what is typed behind it as well
        self.see("ready> ")


@pytest.fixture
def bash(tmp_path):
    return Bash(tmp_path)


def test_a_tab(bash):
    bash.tab("sim val", "sim validate ")
    bash.tab("sim run two-s", "sim run two-subnets ")
    bash.tab("sim run two-subnets static", "sim run two-subnets static-binding ")
    bash.tab("sim run two-subnets --set poo", "sim run two-subnets --set pool=")
    bash.tab("sim run two-subnets --set pool=", "pool=10.0.2.100-10.0.2.119 ")
    bash.tab("sim run two-subnets --set=poo", "--set=pool=")
    bash.tab("sim run two-subnets --set=pool=", "--set=pool=10.0.2.100-10.0.2.119 ")
    bash.tab("sim run two-subnets --results to", "--results topologies/")
    bash.tab("sim run ./topologies/two-su", "./topologies/two-subnets.yaml ")
    bash.tab("build/../sim plan dual", "sim plan dual-stack ")  # the launcher, by its path
    bash.tab("sim plan two-", "\r\ntwo-dhcp-servers  two-subnets")
    # In the middle of a line: what stands behind the cursor stays.
    bash.tab("sim va two-subnets" + "\x02" * 12, "lidate two-subnets")


def test_a_tab_behind_sudo_and_in_a_command(tmp_path):
    """With the package bash-completion, which completes what sudo and `sim exec` run."""
    need("bash")
    if not os.path.exists(PACKAGE):
        pytest.skip("bash-completion is not installed")
    bash = Bash(tmp_path, before=f". {PACKAGE}; ")
    bash.tab("sudo ./sim run two-subnets static", "static-binding ")
    bash.tab("sudo ./sim plan two-subnets --set lea", "--set lease=")
    bash.tab("sim exec lab:node dhcp-client --release", "dhcp-client --release-on-exit ")
    bash.tab("sim exec lab:node dhcp-cl", "sim exec lab:node dhcp-client ")


def test_a_tab_for_our_programs(bash):
    bash.tab("dhcp-server --ignore", "dhcp-server --ignore-client-id ")
    bash.tab("dhcp-server allow", "dhcp-server allow-renewal ")
    bash.tab("ftp-client --password-", "--password-file ")
    bash.tab("dhcp-relay --config README", "--config README.md ")


@AS_EVERYBODY
def test_labs_nodes_and_interfaces(labs):  # noqa: F811
    labs.up()

    def words(*arguments):
        seen = labs("complete", *arguments)
        assert (seen.returncode, seen.stderr) == (0, "")
        return seen.stdout.splitlines()

    nodes = [labs.at(node) for node in ("lan", "server", "client1", "client2")]
    assert words("shell", labs.at("")) == words("exec", labs.at("")) == nodes
    assert words("shell", labs.at("cl")) == nodes[2:]
    assert words("down", labs.name[:-1]) == [labs.name]
    # A switch has a port for each link; of one interface the name can be left out.
    assert words("capture", labs.at("")) == [nodes[0] + ":", *nodes[1:]]
    assert words("capture", labs.at("client1:")) == [labs.at("client1:eth0")]
    assert len(words("capture", labs.at("lan:"))) == 3
    bash = Bash(labs.folder, labs.environment, prefix=labs.prefix)
    bash.tab(f"sim shell {labs.name}:ser", f"{labs.name}:server ")
    bash.tab(f"sim capture {labs.name}:client2:", f"{labs.name}:client2:eth0 ")
    bash.tab(f"sim exec {labs.name}:cl", "client1  ")


@pytest.mark.parametrize("labs", ["user"], indirect=True)
def test_one_lab_needs_no_name_and_of_several_the_name_comes_first(labs):  # noqa: F811
    """An ordinary user's: root's are all that there are on this machine."""
    labs.up()
    asked = labs("complete", "shell", "")
    assert asked.stdout.split() == ["lan", "server", "client1", "client2"]
    assert labs("complete", "capture", "client1:").stdout == "client1:eth0\n"
    labs.up(name=labs.name + "b")
    assert labs("complete", "shell", "").stdout.split() == [f"{labs.name}:", f"{labs.name}b:"]
    assert labs("complete", "shell", "cl").stdout == ""


def test_nodes_are_completed_in_a_nodes_shell(labs):  # noqa: F811
    need("bash")
    labs.up()
    (labs.folder / "inputrc").write_text("set enable-bracketed-paste off\n")
    terminal = Terminal(labs.words("shell", labs.at("client1")),
                        dict(labs.environment, TERM="dumb", INPUTRC=str(labs.folder / "inputrc")))
    terminal.see("client1:.")
    for typed, *shown in (("frobnicate ser\t", "frobnicate server "), ("ping cli\t\t\t", "client1", "client2"),
                          ("dhcp-client --release\t", "dhcp-client --release-on-exit ")):
        terminal.type(typed)
        for text in shown:
            terminal.see(text)
        terminal.type("\x05\x15\n")
        terminal.see("client1:.")
    terminal.type("exit\n")
    assert terminal.wait() == 0
