"""sim list: every topology with what it teaches, and how its last run ended."""
import json
import re

from conftest import PAIR, TREE

SHIPPED = sorted(path.stem for path in (TREE / "topologies").glob("*.yaml"))


def test_shipped_topologies(sim):
    ended = sim("list")
    assert (ended.status, ended.stderr) == (0, "")
    assert re.findall(r"^(\S+) {2,}\S", ended.stdout, re.M) == SHIPPED
    assert ended.stdout.endswith(f"{len(SHIPPED)} topologies, 0 runs in {ended.results}\n")
    assert "ring              A ring of routers, one link of which fails\n" in ended.stdout
    assert "                  In a ring there are two ways to everywhere.\n" in ended.stdout
    assert "                  scenarios: around, link-fails\n" in ended.stdout
    assert "last run" not in ended.stdout


def test_json(sim):
    listed = json.loads(sim("list", "--json").stdout)
    assert [row["name"] for row in listed["topologies"]] == SHIPPED and listed["runs"] == []
    for row in listed["topologies"]:
        assert set(row) == {"name", "topology", "title", "lesson", "nodes", "scenarios", "last"}
        assert row["title"] and row["lesson"].endswith(".") and row["nodes"] > 1 and row["last"] is None


def test_last_run(sim, topology):
    """The newest of several, held or not; one of another file; one that did not end."""
    sim("run", "point-to-point", "one-cable").all_held()
    assert sim("run", "point-to-point", "one-cable", "--set", "subnet=10.0.0.4/30").status == 1
    assert sim("run", topology(PAIR % ("", "{on: a, run: 'true'}"))).status == 0
    folder = sim("list").results / "ring" / "2026-01-01T00-00-00Z"
    folder.mkdir(parents=True)
    ended = sim("list")
    assert re.search(r"^point-to-point .*\n.*\n.*\n +last run: 0 of 1 held, 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC$",
                     ended.stdout, re.M), ended.stdout
    assert re.search(r"^ring .*\n.*\n.*\n +last run: did not end, 2026-01-01T00-00-00Z$", ended.stdout, re.M)
    assert re.search(r"^runs of other files\nt {17}1 of 1 held, ", ended.stdout, re.M)
    assert "topologies, 4 runs in " in ended.stdout
    listed = json.loads(sim("list", "--json").stdout)
    last = {row["name"]: row["last"] for row in listed["topologies"]}
    assert last["point-to-point"]["held"] is False and last["point-to-point"]["scenario_count"] == 1
    assert len(listed["runs"]) == 4 and last["two-subnets"] is None
