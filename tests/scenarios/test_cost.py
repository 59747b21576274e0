"""What a node costs, counted and not timed: system calls of `sim up` for each node of a star.

    host1 .. hostN --- lan
"""
import os
import secrets
import subprocess

import pytest
from conftest import BIN, TREE, need

STAR = """name: star
topology:
  nodes:
    lan: {{kind: switch, ipv4: 10.0.0.0/16}}
    host[1-{count}]: {{}}
  links:
    - {{endpoints: ["host[1-{count}]", lan]}}
"""
# More than are shown when it is up: those are asked for what they have.
SMALL, LARGE = 45, 85
# For each node, as it is now: one namespace, entered once to be visited, with one socket and one batch.
MOST = {"unshare": 1, "setns": 1, "socket": 1, "sendto": 1, "recvfrom": 1, "clone3": 0, "fsopen": 0.05}
ALL_MOST = 16
# Of these there are as many as the machine has processes: the table of sim up looks at all of them.
ELSEWHERE = {"total", "openat", "newfstatat", "close", "read", "getdents64"}


def calls_of_up(path, folder):
    """System calls of sim and of the lab's supervisor, by name, while the lab comes up and goes."""
    name, counts = f"t{secrets.token_hex(6)}", folder / "counts"
    # Where nobody else finds it: who lists labs has each of them look at itself.
    (folder / "run").mkdir(mode=0o700, exist_ok=True)
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder / "run")}
    words = ["strace", "-f", "-qq", "-c", "-o", counts, BIN / "sim", "up", path, "--name", name,
             "--results", folder / "results"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          cwd=TREE, env=environment) as traced:
        try:
            said = []
            for line in traced.stdout:
                said.append(line)
                if line.startswith("end it:"):
                    break
        finally:
            subprocess.run([BIN / "sim", "down", name], capture_output=True, timeout=60, check=False,
                           env=environment)
        assert said and said[-1].startswith("end it:"), "".join(said)
        traced.wait(timeout=60)
    lines = [line.split() for line in counts.read_text().splitlines()[2:]]
    return {words[-1]: int(words[3]) for words in lines if len(words) >= 5 and words[3].isdigit()}


def test_a_node_more_costs_a_batch_more(topology, tmp_path):
    need("strace")
    if subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False,
                      capture_output=True).returncode:
        pytest.skip("processes may not be traced here")
    small, large = (calls_of_up(topology(STAR.format(count=count)), tmp_path)
                    for count in (SMALL, LARGE))
    each = {name: (large[name] - small.get(name, 0)) / (LARGE - SMALL) for name in large}
    assert small["unshare"] > SMALL and each["unshare"] >= 1, "it counts what builds the lab"
    for name, most in MOST.items():
        assert each.get(name, 0) <= most + 0.1, (name, each)
    assert sum(count for name, count in each.items() if name not in ELSEWHERE) <= ALL_MOST, each
