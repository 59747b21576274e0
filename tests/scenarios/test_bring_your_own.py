"""A student's program in the place of ours, found from where the student stands.

    server --- lan-a --- router --- lan-b --- client1 ... client25
"""
import os
import shutil

import pytest
from conftest import TREE

SAMPLES = TREE / "tests" / "submissions"
ARGUMENTS = "--pool ${pool} --lease ${lease} --bind 02:00:00:00:00:19=${bound}"


def failed(run, scenario, expected, seen):
    assert run.status == 1, run.stdout + run.stderr
    step = next(step for step in run.result(scenario)["steps"] if not step["held"])
    assert expected in step["expected"] and seen in step["seen"], step
    assert step["seen"] in run.stdout


@pytest.mark.parametrize("name", ["dhcp_server.py", "my server's.py"])
def test_a_file_where_the_caller_stands(sim, tmp_path, name):
    """Also one whose name needs quotes, and below /tmp, which nodes have of their own."""
    shutil.copy(SAMPLES / "right" / "dhcp_server.py", tmp_path / name)
    word = f'"{name}"'
    run = sim("run", TREE / "topologies" / "two-subnets.yaml", "lease-and-fetch",
              "--set", f"dhcp_server=python3 {word} {ARGUMENTS}", cwd=tmp_path)
    run.all_held()
    assert "DISCOVER 02:4c:00:00:04:01 -> 10.0.2.100" in run.log("lease-and-fetch", "server.dhcp")


def test_a_file_elsewhere_and_one_that_is_run_itself(sim, tmp_path):
    program = tmp_path / "away" / "server"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec python3 " + str(SAMPLES / "wrong" / "ftp_server.py"))
    program.chmod(0o755)
    os.mkdir(tmp_path / "here")
    run = sim("run", TREE / "topologies" / "two-subnets.yaml", "lease-and-fetch",
              "--set", "ftp_server=../away/server", cwd=tmp_path / "here")
    failed(run, "lease-and-fetch", "equal byte for byte", "shorter: it ends after 65536 bytes")


def test_a_parameter_is_no_file(sim, topology, tmp_path):
    """Only the command's own words are: what another variable says stays as it is."""
    (tmp_path / "x.txt").write_text("not meant")
    path = topology("name: t\nvars: {what: y.txt, tool: ls}\ntopology: {nodes: {a: {}}}\nscenarios:\n"
                    "  s: {title: S, steps: [{on: a, run: 'echo ${what}', expect: {output: \"x.txt\\n\"}},"
                    " {on: a, run: '${tool} ${what}', expect: {exit: 2}}]}\n")
    run = sim("run", path, "--set", "what=x.txt", "--set", "tool=ls", cwd=tmp_path)
    run.all_held()
    assert run.log("s", "a.1-echo") == "x.txt\n"


def test_variables_of_variables(sim, topology):
    path = topology("name: t\nvars: {a: '1', b: '${a}2', c: '${b}3$$'}\n"
                    "topology: {nodes: {n: {}}}\nscenarios:\n"
                    "  s: {title: S, steps: [{on: n, run: 'echo ${c}', expect: {output: '${b}3$'}}]}\n")
    run = sim("run", path, "--set", "b=<${a}>")
    run.all_held()
    bad = topology("name: t\nvars: {a: '${b}', b: x}\ntopology: {nodes: {n: {}}}\n", "bad.yaml")
    assert "names no entry of vars" in sim("validate", bad).stderr


def test_crashed(sim):
    run = sim("run", "two-subnets", "pool-exhaustion", "--set",
              "dhcp_server=python3 -c 'print(1 / 0)'")
    failed(run, "pool-exhaustion", "a program at port 67 within 10 s",
           "it ended with exit status 1; last printed 'ZeroDivisionError: division by zero'")


def test_crashed_later(sim):
    crash = ("import socket; s = socket.socket(2, 2); s.bind((\"\", 67)); s.recv(99);"
             " raise SystemExit(\"what was that?\")")
    run = sim("run", "two-subnets", "pool-exhaustion", "--set", f"dhcp_server=python3 -c '{crash}'")
    failed(run, "pool-exhaustion", "exit status 0 on 20 nodes",
           "dhcp of server: it ended with exit status 1; last printed 'what was that?'")


def test_in_the_background(sim):
    """A service that leaves its place: what stays behind is no service of the topology."""
    run = sim("run", "two-subnets", "release", "--set", "dhcp_server=sh -c 'echo off; sleep 60 &'")
    failed(run, "release", "a program at port 67",
           "it ended with exit status 0, and a service has to stay; last printed 'off'")


def test_lying(sim):
    """A client that says it has an address: the kernel knows better."""
    run = sim("run", "two-subnets", "lease-and-fetch", "--set", "dhcp_client=echo bound to 10.0.2.100")
    failed(run, "lease-and-fetch", "1 address within 10.0.2.100-10.0.2.119", "0 addresses")


def test_slow_and_talkative(sim):
    """Never ready, and output without an end: the wait has one, and the log is cut."""
    run = sim("run", "two-subnets", "release", "--set", "ftp_server=yes loading", timeout=60)
    failed(run, "release", "a program at port 21 within 10 s",
           "it still runs and is not ready; last printed 'loading'")
    log = run.folder / "release" / "logs" / "server.ftp.log"
    assert log.stat().st_size < 17 * 2**20
