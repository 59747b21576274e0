"""What hostile programs, files and circumstances do to a run: it ends, says so, and leaves nothing."""
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import BIN, TREE, eventually

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


def run_on_b(*commands):
    """A topology whose only scenario runs the shell commands on b, one after another."""
    steps = ", ".join("{on: b, run: %s}" % json.dumps(f"sh -c '{one}'") for one in commands)
    return PAIR % ("", steps)


def test_service_that_ignores_sigterm(sim, topology):
    """The lab's init cannot end before its maker has reaped what it started in there."""
    service = """{name: p, cmd: "sh -c 'trap : TERM; echo up; while :; do sleep 0.1; done'", ready: {log: up}}"""
    sim("run", topology(PAIR % (service, "{on: b, run: 'true'}")), timeout=20).all_held()


def test_lab_init_that_is_killed(tmp_path, topology):
    """With it dies all that runs in the lab; the next command cannot be born there."""
    path = topology(PAIR % ("", "{on: b, run: sleep 60, expect: {exit: 137}}, {on: b, run: 'true'}"))
    run = subprocess.Popen([BIN / "sim", "run", path, "--results", tmp_path / "results"], cwd=TREE,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def children(name):
        family = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        return [pid for pid in family if Path(f"/proc/{pid}/comm").read_text() == f"{name}\n"]

    eventually(lambda: len(children("sleep")), 1)
    os.kill(int(children("lab-init")[0]), signal.SIGKILL)
    _, errors = run.communicate(timeout=20)
    assert run.returncode == 3, errors
    assert errors == "sim: x: b: the lab's first process was killed, and all that ran in the lab with it\n"
