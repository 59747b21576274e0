"""What many nodes cost: no descriptor for a node that is idle, one for a command that runs.

    h1 ... h150 --- lan1 (10.8.0.0/24) --- r --- lan2 (10.9.0.0/24) --- h151 ... h300
"""
import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from conftest import BIN, TREE, eventually, lab_namespaces, left_of
from explained import assert_explained

HOSTS = 300
FEW = 40  # of sim and of its observer, whatever runs

TOPOLOGY = f"""
name: many
topology:
  nodes:
    lan1: {{kind: switch, ipv4: 10.8.0.0/24}}
    lan2: {{kind: switch, ipv4: 10.9.0.0/24}}
    r: {{kind: router}}
    "h[1-{HOSTS}]": {{}}
  links:
    - {{endpoints: [r, "lan[1-2]"]}}
    - {{endpoints: ["h[1-{HOSTS}]", "lan[1-2]"]}}
capture: CAPTURE
scenarios:
  all-run:
    title: A command runs on every host
    steps:
      - {{on: "h[1-{HOSTS}]", start: sh -c 'echo here; exec sleep 1000', as: s, ready: {{log: here}}, timeout: 300}}
      - {{on: h1, watch: s, expect: {{output: never}}, timeout: 600}}
"""


@pytest.fixture
def running(tmp_path):
    """Start `sim run` of the topology; wait until all commands run and all are heard."""
    started = []

    def start(capture):
        path = tmp_path / "many.yaml"
        path.write_text(TOPOLOGY.replace("CAPTURE", capture))
        process = subprocess.Popen([BIN / "sim", "run", "--results", tmp_path / "results", path], cwd=TREE,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append(process)
        logs = tmp_path / "results" / "many"

        def printed():
            assert process.poll() is None, process.stdout.read()
            return sum(log.stat().st_size > 0 for log in logs.glob("*/all-run/logs/*.log"))

        eventually(printed, HOSTS, seconds=300)
        return process.pid, json.loads(subprocess.check_output([BIN / "sim", "plan", "--json", path]))["needs"]

    yield start
    for process in started:
        process.kill()
        process.wait()
    eventually(lambda: left_of(set(), tmp_path), set(), seconds=60)


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def children(pid, name):
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found if Path(f"/proc/{child}/comm").read_text().strip() == name]


def test_a_node_costs_no_descriptor_and_a_command_one(running):
    pid, needs = running("[r]")
    assert len(children(pid, "sleep")) == HOSTS
    assert HOSTS <= descriptors(pid) <= min(HOSTS + FEW, needs["open_files"])
    # Of the nodes the observer listens to one, and captures at its two links.
    [observer] = children(pid, "sim-observer")
    assert descriptors(observer) <= FEW


def test_the_observer_holds_one_descriptor_a_node_and_a_link(running):
    pid, needs = running("all")
    [observer] = children(pid, "sim-observer")
    nodes, links = HOSTS + 3, HOSTS + 2
    assert nodes + links <= descriptors(observer) <= min(nodes + links + FEW, needs["open_files"])


def test_killed_with_all_running_nothing_is_left(running, tmp_path):
    pid, _ = running("none")
    namespaces = lab_namespaces(pid)
    # A network namespace a node; a mount and a UTS namespace where something runs.
    assert len([one for one in namespaces if one.startswith("net:")]) >= HOSTS + 3
    assert len([one for one in namespaces if one.startswith("mnt:")]) >= HOSTS
    killed = time.clock_gettime(time.CLOCK_BOOTTIME)
    os.kill(pid, 9)
    eventually(lambda: left_of(namespaces, tmp_path, killed), set(), seconds=60)


def test_five_hundred_hosts_lease_through_four_relays(sim):
    ended = sim("run", "campus", timeout=600)
    ended.all_held()
    assert_explained(ended.folder)


def test_a_campus_whose_relay_knows_no_server_has_no_addresses(sim):
    ended = sim("run", "campus", "a-relay-fails", "--set", "dhcp_relay=dhcp-relay ${floors} --server 10.0.0.11",
                "--set", "wait=2", timeout=600)
    assert ended.status == 1, ended.stdout + ended.stderr
    [failed] = [row for row in ended.result("a-relay-fails")["steps"] if not row["held"]]
    assert failed["step"] == "the west does" and "exit status 4" in failed["seen"]


def test_ten_thousand_nodes_are_planned(sim):
    """Too many to be run by every test: `./sim run campus-10k` is for hand."""
    ended = sim("plan", "campus-10k", "--json")
    assert ended.status == 0, ended.stderr
    plan = json.loads(ended.stdout)
    assert len(plan["nodes"]) > 10_000
    # A descriptor each for the hosts' clients, and hardly more: a process may have 20,000.
    assert plan["needs"]["processes"] > 10_000 and plan["needs"]["open_files"] < 10_200
