"""The shipped topologies that teach DHCP: each scenario holds, and does not where the lesson is broken."""
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import BIN, TREE

SCENARIOS = {
    "leases": ["expiry-and-reuse", "former-address", "renewal-agreed", "renewal-refused", "duplicate-address"],
    "relays": ["moving", "relay-fails"],
    "starvation": ["starvation"],
    "two-dhcp-servers": ["two-offers", "shared-work", "one-fails"],
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_holds(sim, name):
    ended = sim("run", name)
    ended.all_held()
    results = json.loads((ended.folder / "result.json").read_text())
    assert [row["scenario"] for row in results["scenarios"]] == SCENARIOS[name]


# What is broken, and the step that says so.
BROKEN = [
    ("leases", "expiry-and-reuse", "lease=60", "a third one asks until one of the two leases has ended"),
    ("leases", "former-address", "pool=10.0.1.101-10.0.1.102", "output with 'bound to 10.0.1.100'"),
    ("leases", "renewal-agreed", "lease=60", "after half of its time it asks the server"),
    ("leases", "renewal-refused", "marked=10.0.1.101", "the operator marks the lease"),
    ("leases", "duplicate-address", "careful=", "pc1 asks the segment"),
    ("relays", "moving", "behind=--interface eth1", "it wants to go on with the address it has"),
    ("relays", "relay-fails", "lease=600", "pc1 renews its lease all the same"),
    ("starvation", "starvation", "port-leases=3", "as a third one it gets none"),
    ("two-dhcp-servers", "one-fails", "second=10.0.1.200-10.0.1.206", "exit status 0 on 8 nodes"),
]


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """All of them at once: each waits for what does not come."""
    folder = tmp_path_factory.mktemp("broken")

    def run(number):
        name, scenario, value, _ = BROKEN[number]
        return subprocess.run([BIN / "sim", "run", "--results", folder / str(number), name, scenario, "--set", value],
                              cwd=TREE, capture_output=True, text=True, timeout=120)

    with ThreadPoolExecutor(len(BROKEN)) as pool:
        return list(pool.map(run, range(len(BROKEN))))


@pytest.mark.parametrize("number", range(len(BROKEN)), ids=[f"{name}-{scenario}" for name, scenario, *_ in BROKEN])
def test_broken_lesson_fails_where_it_shows(broken, number):
    ended, step = broken[number], BROKEN[number][3]
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert step in ended.stdout
