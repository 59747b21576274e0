"""The shipped topology that teaches FTP: each scenario holds, and does not where the lesson is broken."""
import json

import pytest

SCENARIOS = ["two-connections", "file-names", "representation", "directories"]


def test_every_scenario_holds(sim):
    ended = sim("run", "ftp")
    ended.all_held()
    results = json.loads((ended.folder / "result.json").read_text())
    assert [row["scenario"] for row in results["scenarios"]] == SCENARIOS


def test_the_other_way_round_holds_too(sim):
    """The server connects to the client: the same lesson."""
    sim("run", "ftp", "two-connections", "--set", "way=--active", "--set", "ways=PORT").all_held()


# What is broken, and the step that says so.
@pytest.mark.parametrize("scenario, wrong, step", [
    ("two-connections", "way=--active", "two data connections are prepared"),
    ("representation", "text=--quiet", "as text each line ends with CR LF on the way"),
    ("directories", "user=--user anna --password wrong", "thesis"),
    ("directories", "user=--quiet", "thesis"),
])
def test_a_broken_lesson_does_not_hold(sim, scenario, wrong, step):
    ended = sim("run", "ftp", scenario, "--set", wrong)
    assert ended.status == 1, ended.stdout + ended.stderr
    failed = [row for row in ended.result(scenario)["steps"] if not row["held"]]
    assert len(failed) == 1 and step in json.dumps(failed[0], ensure_ascii=False)
