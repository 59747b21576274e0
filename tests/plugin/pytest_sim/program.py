"""The program `sim`, which does all the work."""
from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def find_sim() -> str:
    """The program: $SIM, the build of the tree this file lies in, or the one in PATH."""
    tree = Path(__file__).resolve().parents[3]
    build = tree / os.environ.get("SIM_BUILD", "build") / "bin/sim"
    found = os.environ.get("SIM") or (build if build.exists() else shutil.which("sim"))
    if not found:
        raise pytest.UsageError("there is no program 'sim': run make, or make install")
    return str(found)


def sim(*words: object, **options) -> subprocess.CompletedProcess:
    """Run it to its end; its output is text."""
    return subprocess.run([find_sim(), *map(str, words)], capture_output=True, text=True, errors="replace",
                          check=False, stdin=subprocess.DEVNULL, **options)


def settings(config: pytest.Config) -> list[str]:
    """The --set of pytest's command line, as sim takes them."""
    return [word for each in config.getoption("sim_set") for word in ("--set", each)]
