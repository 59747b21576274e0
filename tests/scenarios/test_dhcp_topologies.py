"""The shipped topologies that teach DHCP: each scenario holds, and does not where the lesson is broken."""
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import BIN, TREE
from explained import assert_explained

SCENARIOS = {
    "leases": ["allocation", "dynamic-database", "negotiated-time", "expiry-and-reuse", "former-address", "renewal",
               "duplicate-address"],
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
    assert_explained(ended.folder)


# No lease is longer than two seconds.
SHORT = ("dhcp_server=dhcp-server --subnet 10.0.2.0/24 --pool ${pool} --router 10.0.2.1 --lease ${lease}"
         " --bind 02:00:00:00:00:50=${printer}")

# What is broken, and the step that says so.
BROKEN = [
    ("leases", "allocation", SHORT, "automatic: from the pool, for ever"),
    ("leases", "dynamic-database", "rows=cat rows", "the databases after, with one row more"),
    ("leases", "negotiated-time", SHORT, "1 × DHCPACK with lease 600 s about pc2 sent by server"),
    ("leases", "expiry-and-reuse", "lease=60", "pc3 asks until one is free"),
    ("leases", "former-address", "pool=10.0.2.101-10.0.2.102", "output with 'bound to 10.0.2.100'"),
    ("leases", "renewal", "marked=10.0.2.101", "the operator marks the lease"),
    ("leases", "duplicate-address", "careful=", "pc1 asks the segment"),
    ("relays", "moving", "behind=--interface eth1", "and is told no"),
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
