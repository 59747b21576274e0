"""What one pytest process knows of its labs, and how it speaks with people."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Optional, Union

import pytest

from .lab import Lab
from .program import settings


class Session:
    """What is known of all labs of this process."""

    def __init__(self, config: pytest.Config):
        self.config = config
        self.labs: list[Lab] = []
        self.shared: dict[pytest.Item | pytest.Collector, Lab] = {}  # by whose marker it is
        self.test: Optional[pytest.Item] = None  # that is set up, run or torn down now
        self.called: Optional[pytest.Item] = None  # that runs now, itself
        self.last = False  # no test comes after this one
        self.kept: list[str] = []  # sentences

    def make(self, topology: Union[str, Path], variables: dict, near: Path) -> Lab:
        """A lab that is up. near: where relative paths begin."""
        options = [word for name, value in variables.items() for word in ("--set", f"{name}={value}")]
        lab = Lab(topology, results=self.results(near), cwd=near, options=(*options, *settings(self.config)))
        self.labs.append(lab)
        lab.touched = next(iter(lab), None)
        return lab

    def results(self, near: Path) -> Path:
        """A folder for the evidence of one lab: below --results, or of this session."""
        given = self.config.getoption("results")
        if not given:
            return self.config._tmp_path_factory.mktemp("lab")  # type: ignore[attr-defined]
        name = self.test.path.stem if self.test else near.name
        return Path(given).resolve() / name

    def end(self, lab: Lab) -> None:
        """Take it down, or leave it up where --keep wants it."""
        if lab in self.labs:
            self.labs.remove(lab)
        self.shared = {node: other for node, other in self.shared.items() if other is not lab}
        wanted = lab.failed or (self.last and not self.labs)
        if self.config.getoption("sim_keep") and wanted and not self.kept and lab.is_up:
            lab.keep()
            self.kept.append(kept_sentence(lab.name))
        lab.down()

    def used(self) -> list[Lab]:
        """The labs that this test has worked in, or was given."""
        given = list(getattr(self.test, "funcargs", {}).values())
        return [lab for lab in self.labs if lab in given or lab.touched]


def kept_sentence(name: str) -> str:
    return f"the lab {name} stays up: `sim shell {name}:NODE` works in it, `sim down {name}` takes it down"


SESSION = pytest.StashKey[Session]()


def on_terminal(config: pytest.Config, call: Callable[[], Any]) -> Any:
    """Do something with the real terminal: pytest's capture stands aside."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture:
        capture.suspend(in_=True)
    try:
        return call()
    finally:
        if capture:
            capture.resume()
