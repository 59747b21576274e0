"""The shipped topologies that teach addresses and routes: each scenario holds, and does not where the lesson is broken."""
import json

import pytest
from explained import assert_explained

SCENARIOS = {
    "point-to-point": ["one-cable", "cable-out"],
    "three-routers": ["there-and-back"],
    "ring": ["around", "link-fails"],
    "dual-stack": ["three-clients", "old-server"],
    "nat": ["outside", "no-way-in", "port-forwarding", "active-mode", "one-address"],
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_holds(sim, name):
    ended = sim("run", name)
    if "no nf_tables" in ended.stderr:
        pytest.skip("this kernel has no nf_tables")
    ended.all_held()
    results = json.loads((ended.folder / "result.json").read_text())
    assert [row["scenario"] for row in results["scenarios"]] == SCENARIOS[name]
    assert_explained(ended.folder)


def test_a_link_of_two_addresses(sim):
    """RFC 3021: a /31 has no address that names the subnet, and none for broadcasts."""
    ended = sim("plan", "point-to-point", "--set", "subnet=10.0.0.0/31", "--json")
    ends = [node["interfaces"][0]["ipv4"] for node in json.loads(ended.stdout)["nodes"]]
    assert sorted(ends) == ["10.0.0.0/31", "10.0.0.1/31"]


# What is broken, and the step that says so.
@pytest.mark.parametrize("name, scenario, wrong, step", [
    ("point-to-point", "one-cable", "subnet=10.0.0.4/30", "1 address: 10.0.0.6"),
    ("three-routers", "there-and-back", "r2=none", "Alice fetches Bob's letter"),
    ("three-routers", "there-and-back", "r3=none", "Alice fetches Bob's letter"),
    ("ring", "link-fails", "cut=r4", "h1 does not reach h2 any more"),
    ("nat", "outside", "nat=accept", "server get page.txt"),
    ("nat", "active-mode", "mode=--quiet", "active"),
    ("dual-stack", "three-clients", "listen=0.0.0.0:21", "run ftp-client"),
])
def test_a_broken_lesson_does_not_hold(sim, name, scenario, wrong, step):
    ended = sim("run", name, scenario, "--set", wrong)
    assert ended.status == 1, ended.stdout + ended.stderr
    failed = [row for row in ended.result(scenario)["steps"] if not row["held"]]
    assert len(failed) == 1 and step in json.dumps(failed[0], ensure_ascii=False)
