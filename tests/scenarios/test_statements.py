"""The report this project grew out of: its statements lead to scenarios, and its programs run here.

    server --- lan-a --- router --- lan-b --- client1 ... client21      topologies/report.yaml
             10.0.1.0/24         10.0.2.0/24
"""
import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from conftest import BIN, TREE
from explained import assert_explained, rows, section, sentences

README = (TREE / "topologies" / "README.md").read_text()
COMMANDS = re.findall(r"`\./sim run ([^`]+)`", README.split("## The form")[0])
STATEMENTS = re.findall(r"^\| (\d+) \|.*`\./sim run ([^`]+)`", README, re.M)


class Plain(yaml.SafeLoader):
    """`on` is a word here, as for libyaml's users."""


Plain.yaml_implicit_resolvers = {first: [one for one in resolvers if not one[0].endswith(":bool")]
                                 for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def scenarios_of(name):
    return yaml.load((TREE / "topologies" / f"{name}.yaml").read_text(), Plain)["scenarios"]


def test_every_statement_has_its_scenario():
    assert [int(number) for number, _ in STATEMENTS] == list(range(1, 15))


@pytest.mark.parametrize("command", sorted(set(COMMANDS)))
def test_a_command_of_the_tables_runs_what_there_is(command):
    """Across subnets, with two sentences and something that is counted in the capture."""
    topology, *names = command.split()
    assert names
    for name in names:
        scenario = scenarios_of(topology)[name]
        assert len(sentences(scenario["explains"])) == 2
        assert any("messages" in step and str(step["expect"].get("count", 1)) != "0"
                   for step in scenario["steps"])
    plan = json.loads(subprocess.run([BIN / "sim", "plan", topology, "--json"], cwd=TREE, check=True,
                                     capture_output=True, text=True, timeout=30).stdout)
    assert sum(node["kind"] == "switch" for node in plan["nodes"]) >= 2
    assert sum(node["kind"] == "router" for node in plan["nodes"]) >= 1


def test_the_reports_programs(sim):
    ended = sim("run", "report")
    ended.all_held()
    assert_explained(ended.folder)
    assert {one.split()[1] for one in COMMANDS if one.startswith("report ")} < set(scenarios_of("report"))
    report = (ended.folder / "report.md").read_text()
    assert "kept: client at 10.0.2.3:" in section(report, "not-its-own")
    proof = rows(section(report, "twenty-addresses"), "The frames that prove it")
    assert [row[4] for row in proof if row[4].startswith("No IPs")] == ["No IPs left"]


# What is broken, and the step that says so.
BROKEN = [
    ("twenty-addresses", "dhcp_server=dhcp-server --protocol text --pool 10.0.0.1-10.0.0.19", "client[1-20]"),
    ("given-again", "dhcp_client=dhcp-client --protocol text --server 10.0.1.10 --once", "client1: start"),
    ("files", "ftp_server=ftp-server --protocol text --root .", "two files"),
    ("three-and-two", "ftp_server=ftp-server --protocol text --root files --waiting 1", "client5: watch ftp"),
    ("beyond-the-directory", "ftp_server=ftp-server --protocol text --root / --listen 0.0.0.0:12345", "/etc/passwd"),
]


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """All of them at once: some wait for what does not come."""
    folder = tmp_path_factory.mktemp("broken")

    def run(number):
        name, value, _ = BROKEN[number]
        return subprocess.run([BIN / "sim", "run", "--results", folder / str(number), "report", name, "--set", value],
                              cwd=TREE, capture_output=True, text=True, timeout=120)

    with ThreadPoolExecutor(len(BROKEN)) as pool:
        return list(pool.map(run, range(len(BROKEN))))


@pytest.mark.parametrize("number", range(len(BROKEN)), ids=[f"{number}-{one[0]}" for number, one in enumerate(BROKEN)])
def test_broken_lesson_fails_where_it_shows(broken, number):
    ended, step = broken[number], BROKEN[number][2]
    assert ended.returncode == 1, ended.stdout + ended.stderr
    failed = re.search(r"step +(.*)", ended.stdout).group(1)
    assert step in failed, ended.stdout


def test_what_failed_shows_the_frames_too(sim, topology):
    """Nothing is called a proof of what did not hold."""
    ended = sim("run", topology("""name: t
topology:
  nodes: {lan: {kind: switch, ipv4: 10.0.1.0/24}, c: {},
          s: {files: {a.txt: x}, run: [{name: ftp, cmd: ftp-server --root ., ready: true}]}}
  links: [{endpoints: [s, lan]}, {endpoints: [c, lan]}]
scenarios:
  x:
    title: It does not hold
    explains: One. Two.
    steps:
      - {on: c, run: ftp-client s get a.txt}
      - {name: one transfer, on: s, messages: "226", expect: {count: 1}}
      - {name: no good-bye, on: c, messages: QUIT, expect: {count: 0}}
"""))
    assert ended.status == 1
    text = section((ended.folder / "report.md").read_text(), "x")
    assert "> **What is seen when it holds.** One. Two." in text and "prove" not in text
    assert [row[5] for row in rows(text, "The frames that were counted")] == [
        "one transfer", "no good-bye (**failed**)"]
