"""Scenarios of topology files as tests: `pytest topologies/two-subnets.yaml -k pool`.

Each scenario of a topology file is a test item. One that does not hold fails with what was expected
and what was seen; where the evidence lies is told, and stands in the JUnit file as properties.

options: --results DIR, --set NAME=VALUE (repeatable), as `sim run` has them.
"""
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

VERDICTS = {0, 1}  # exit statuses of `sim run` that come with a result
SUFFIXES = {".yaml", ".yml"}
BEGINNING = 65536  # of a file, in which a topology file says `topology:`


def pytest_addoption(parser):
    group = parser.getgroup("sim", "topology files")
    group.addoption("--results", metavar="DIR",
                    help="where the evidence of scenarios is kept; default: a folder of this session")
    group.addoption("--set", metavar="NAME=VALUE", action="append", default=[], dest="sim_set",
                    help="give an entry of a topology's vars another value; repeatable")


def find_sim():
    """The program: $SIM, the build of the tree this file lies in, or the one in PATH."""
    tree = Path(__file__).resolve().parents[2]
    build = tree / os.environ.get("SIM_BUILD", "build") / "bin/sim"
    found = os.environ.get("SIM") or (build if build.exists() else shutil.which("sim"))
    if not found:
        raise pytest.UsageError("there is no program 'sim': run make, or make install")
    return str(found)


def sim(*words, **options):
    return subprocess.run([find_sim(), *map(str, words)], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, **options)


def is_topology(path):
    """Whether this is meant to be one; other YAML files are none of our business."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return any(line.startswith("topology:") for line in file.read(BEGINNING).splitlines())
    except OSError:
        return False


def pytest_collect_file(file_path, parent):
    if file_path.suffix in SUFFIXES and is_topology(file_path):
        return TopologyFile.from_parent(parent, path=file_path)
    return None


def settings(config):
    return [word for each in config.getoption("sim_set") for word in ("--set", each)]


class FaultyTopology(Exception):
    """What `sim validate` says of it."""


class TopologyFile(pytest.File):
    """One topology file."""

    def collect(self):
        seen = sim("validate", self.path, "--json", *settings(self.config))
        if seen.returncode != 0:
            raise FaultyTopology(seen.stderr.strip())
        for name in json.loads(seen.stdout)["scenarios"]:
            yield Scenario.from_parent(self, name=name)

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, FaultyTopology):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class DidNotHold(Exception):
    """The scenario's result, of result.json, and the folder of its evidence."""


class Scenario(pytest.Item):
    """One scenario: built, run and taken down by `sim run`, on a topology of its own."""

    def runtest(self):
        results = self.results_folder()
        ended = sim("run", self.path, self.name, "--json", "--results", results,
                    *settings(self.config))
        if ended.returncode not in VERDICTS:
            raise DidNotHold(None, ended.stderr.strip() or f"sim: exit status {ended.returncode}")
        result = json.loads(ended.stdout)["scenarios"][0]
        evidence = next(Path(results).glob(f"*/latest/{self.name}")).resolve()
        for name, path in (("evidence", evidence), ("report", evidence.parent / "report.md"),
                           ("capture", evidence / "capture.pcapng")):
            if path.exists():
                self.user_properties.append((name, str(path)))
        if not result["held"]:
            raise DidNotHold(result, str(evidence))

    def results_folder(self):
        """A folder for this item alone: items of several workers never share a `latest`."""
        given = self.config.getoption("results")
        if given:
            folder = Path(given).resolve() / self.path.stem / self.name
            folder.mkdir(parents=True, exist_ok=True)
            return folder
        return self.config._tmp_path_factory.mktemp(self.name)

    def repr_failure(self, excinfo, style=None):
        if not isinstance(excinfo.value, DidNotHold):
            return super().repr_failure(excinfo, style)
        result, evidence = excinfo.value.args
        if result is None:
            return evidence
        lines = [result["title"], ""]
        for step in result["steps"]:
            if step["held"]:
                lines.append(f"  held      {step['step']}")
                continue
            lines += [f"> FAILED    {step['step']}  ({self.path.name}:{step['line']})",
                      f"  expected  {step['expected']}", f"  saw       {step['seen']}"]
            if step["log"]:
                lines.append(f"  read      {evidence}/{step['log']}")
        return "\n".join([*lines, "", f"evidence: {evidence}"])

    def reportinfo(self):
        return self.path, None, f"{self.path.name}: {self.name}"
