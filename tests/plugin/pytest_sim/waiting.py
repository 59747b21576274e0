"""Waiting for facts, and how long: the one place that knows how fast the machine is."""
from __future__ import annotations

import os
import time
from typing import Callable, TypeVar

T = TypeVar("T")
SCALE = "SIM_TIME_SCALE"  # how many times slower than usual this machine is


class Limit(float):
    """Seconds that are scaled already."""


def scaled(seconds: float) -> Limit:
    """A time limit for this machine: SIM_TIME_SCALE times as long (an emulated processor needs 20 to 60).

    Limits only say when to give up: a longer one makes no test that passes slower.
    """
    if isinstance(seconds, Limit):
        return seconds
    text = os.environ.get(SCALE, "") or "1"
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor < 1e6:
        raise ValueError(f"{SCALE} is a number above 0, not {text!r}")
    return Limit(seconds * factor)


class NotInTime(AssertionError):
    """A fact that did not hold in time; with the last that was seen."""


def eventually(probe: Callable[[], T], expected: T, seconds: float = 30.0, every: float = 0.02) -> None:
    """Ask `probe` until it answers what is expected; after `seconds` fail with its last answer.

        eventually(lambda: lab["client1"].addresses(), ["10.0.2.100/24"])

    Never sleep in a test: too short a sleep fails on a slow machine, and too long a one is slow on all.
    """
    __tracebackhide__ = True
    limit = scaled(seconds)
    deadline = time.monotonic() + limit
    while (seen := probe()) != expected:
        if time.monotonic() > deadline:
            raise NotInTime(f"expected {expected!r} within {limit:g} s, last saw {seen!r}")
        time.sleep(every)
