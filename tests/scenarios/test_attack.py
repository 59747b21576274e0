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
