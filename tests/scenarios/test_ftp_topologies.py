"""The shipped topology that teaches FTP: each scenario holds, and does not where the lesson is broken."""
import json
import re

import pytest
from explained import assert_explained, rows, section

SCENARIOS = ["two-connections", "commands-during-transfer", "several-files", "file-names", "representation", "directories"]


def test_every_scenario_holds(sim):
    ended = sim("run", "ftp")
    ended.all_held()
    results = json.loads((ended.folder / "result.json").read_text())
    assert [row["scenario"] for row in results["scenarios"]] == SCENARIOS
    assert_explained(ended.folder)
    report = (ended.folder / "report.md").read_text()
    data = [row for row in rows(section(report, "two-connections"), "TCP connections") if row[0].endswith("data")]
    assert len(data) == 2 and all(re.fullmatch(r"told by 229 in frame \d+: port \d+", row[2]) for row in data)
    _, ends, port, opened, _, closed = rows(section(report, "commands-during-transfer"), "TCP connections")[1]
    high, low, number = map(int, re.search(r"(\d+) × 256 \+ (\d+) = (\d+)$", port).groups())
    assert high * 256 + low == number and ends.endswith(f":{number}")
    assert re.fullmatch(r"SYN \d+, SYN-ACK \d+, ACK \d+", opened) and closed.count("FIN") == 2


def test_the_other_way_round_holds_too(sim):
    """The server connects to the client: the same lesson."""
    sim("run", "ftp", "two-connections", "--set", "way=--active", "--set", "ways=PORT").all_held()


# What is broken, and the step that says so.
@pytest.mark.parametrize("scenario, wrong, step", [
    ("two-connections", "way=--active", "two data connections are prepared"),
    ("commands-during-transfer", "by-hand=true", "220 "),
    ("several-files", "way=--user nobody --password x", "550"),
    ("representation", "text=--quiet", "as text each line ends with CR LF on the way"),
    ("directories", "user=--user anna --password wrong", "thesis"),
    ("directories", "user=--quiet", "thesis"),
])
def test_a_broken_lesson_does_not_hold(sim, scenario, wrong, step):
    ended = sim("run", "ftp", scenario, "--set", wrong)
    assert ended.status == 1, ended.stdout + ended.stderr
    failed = [row for row in ended.result(scenario)["steps"] if not row["held"]]
    assert len(failed) == 1 and step in json.dumps(failed[0], ensure_ascii=False)
