"""Scenarios of topology files as tests: `pytest topologies/two-subnets.yaml -k pool`.

Each scenario of a topology file is a test item. One that does not hold fails with what was expected
and what was seen; where the evidence lies is told, and stands in the JUnit file as properties.
"""
from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from .lab import unique_name
from .program import find_sim, settings, sim
from .session import SESSION, kept_sentence, on_terminal

VERDICTS = {0, 1}  # exit statuses of `sim run` that come with a result
BEGINNING = 65536  # of a file, in which a topology file says `topology:`


def is_topology(path):
    """Whether this is meant to be one; other YAML files are none of our business."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return any(line.startswith("topology:") for line in file.read(BEGINNING).splitlines())
    except OSError:
        return False


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
    """The scenario's result, of result.json, and the folder of its evidence; or None and what sim said."""


class Scenario(pytest.Item):
    """One scenario: built, run and taken down by `sim run`, on a topology of its own."""

    def runtest(self):
        results = self.results_folder()
        words = ["run", self.path, self.name, "--results", results, *settings(self.config)]
        if self.config.getoption("sim_keep") and not self.config.stash[SESSION].kept:
            self.run_and_keep(words)
            return
        ended = self.run_with_shell(words) if self.config.getoption("sim_shell") else sim(*words)
        if ended.returncode not in VERDICTS:
            raise DidNotHold(None, (ended.stderr or "").strip() or f"sim: exit status {ended.returncode}")
        evidence = next(results.glob(f"*/latest/{self.name}")).resolve()
        self.tell_evidence(evidence)
        if ended.returncode != 0:
            raise DidNotHold(json.loads((evidence / "result.json").read_text()), str(evidence))

    def run_with_shell(self, words):
        """sim opens the shell by itself, and needs the terminal for it."""
        return on_terminal(self.config, lambda: subprocess.run(
            [find_sim(), *map(str, words), "--shell-on-failure"], check=False))

    def run_and_keep(self, words):
        """As --keep of sim run: the lab stays up if this is the first that fails, or the last test."""
        session = self.config.stash[SESSION]
        name = unique_name(self.path.stem)
        ended = sim(*words, "--keep", "--name", name)
        if ended.returncode not in VERDICTS:
            raise DidNotHold(None, ended.stderr.strip())
        self.tell_evidence(Path(json.loads(sim("ps", name, "--json").stdout)["labs"][0]["folder"]))
        if ended.returncode == 0 and not session.last:
            sim("down", name)
            return
        session.kept.append(kept_sentence(name))
        if ended.returncode != 0:
            raise DidNotHold(None, ended.stdout.strip())

    def tell_evidence(self, evidence):
        """In the JUnit file."""
        for name, path in (("evidence", evidence), ("report", evidence.parent / "report.md"),
                           ("capture", evidence / "capture.pcapng")):
            if path.exists():
                self.user_properties.append((name, str(path)))

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
