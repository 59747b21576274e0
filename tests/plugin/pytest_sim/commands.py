"""Commands in a node: one that has ended, one that runs, and a capture."""
from __future__ import annotations

import os
import shlex
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from .waiting import NotInTime, eventually, scaled

SHOWN_LINES = 40  # of an output, in a failure's text
WAIT_SECONDS = 30.0
GRACE_SECONDS = 10.0  # to end when asked to
MARK = "SIM_COMMAND"  # the environment variable by which a process is found on this machine


def split(command: tuple) -> list[str]:
    """One text becomes words as a shell makes them, but there is no shell; several are words already."""
    words = shlex.split(command[0]) if len(command) == 1 and isinstance(command[0], str) else list(map(str, command))
    if not words:
        raise ValueError("there is no command")
    return words


def told(command: tuple) -> str:
    """The command as one would type it."""
    return command[0] if len(command) == 1 and isinstance(command[0], str) else shlex.join(map(str, command))


def shown(title: str, text: str) -> list[str]:
    """The end of an output, with a heading, for a failure's text."""
    lines = text.splitlines()
    if not lines:
        return [f"  {title}: nothing"]
    cut = [f"    ... {len(lines) - SHOWN_LINES} lines before"] if len(lines) > SHOWN_LINES else []
    return [f"  {title}:", *cut, *(f"    {line}" for line in lines[-SHOWN_LINES:])]


@dataclass(frozen=True)
class Ended:
    """A command that has ended. status: its exit status, 128 and more: a signal; None: it did not end in time."""

    node: str
    command: str
    status: Optional[int]
    stdout: str
    stderr: str
    seconds: float

    @property
    def output(self) -> str:
        """All it said: standard output, then standard error."""
        return self.stdout + self.stderr


class CommandFailed(AssertionError):
    """A command did not end as it should: the text says where, which, how, and what it said."""

    def __init__(self, ended: Ended, expected: Optional[int], lab: str):
        self.ended = ended
        how = (f"exit status {ended.status}" if ended.status is not None else "it did not end and was killed")
        wanted = f"expected {expected}" if expected is not None else "expected its end"
        super().__init__("\n".join([
            f"{ended.node}: {ended.command}", f"  {how} after {ended.seconds:.2f} s, {wanted}  (lab {lab})",
            *shown("standard output", ended.stdout), *shown("standard error", ended.stderr)]))


class Process:
    """A command that runs in a node. At the end of a `with` it is asked to end (SIGTERM), and killed
    where it does not hear. Its output goes to a file of the lab's folder: `path`."""

    def __init__(self, node: str, command: str, words: list[str], path: Path, mark: str):
        """words: what to execute here; the command in the node has MARK=mark in its environment."""
        self.node, self.command, self.path, self._mark = node, command, path, mark
        with path.open("wb") as log:
            self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
                                             start_new_session=True)
        self._at = 0

    def __repr__(self) -> str:
        return f"<{self.node}: {self.command}>"

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def output(self) -> str:
        """What it has said until now, on standard output and standard error."""
        return self.path.read_text(errors="replace")

    @property
    def status(self) -> Optional[int]:
        """Its exit status (128 and more: a signal ended it), or None as long as it runs."""
        status = self._process.poll()
        return 128 - status if status is not None and status < 0 else status

    def expect(self, text: str, seconds: float = WAIT_SECONDS) -> None:
        """Wait until it says this text, behind what was expected before."""
        __tracebackhide__ = True

        def there() -> bool:
            ended = self.status is not None  # before the output is read: there will be no more
            found = self.output.find(text, self._at)
            if found < 0 and ended:
                self._fail(f"it never said {text!r}")
            self._at = found + len(text) if found >= 0 else self._at
            return found >= 0

        try:
            eventually(there, True, seconds)
        except NotInTime:
            self._fail(f"it has not said {text!r} within {scaled(seconds):g} s")

    def type(self, text: str) -> None:
        """Write to its standard input."""
        assert self._process.stdin
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def close_input(self) -> None:
        """It reads the end of its standard input."""
        assert self._process.stdin
        self._process.stdin.close()

    def signal(self, number: int) -> None:
        """Send it a signal, such as signal.SIGTERM or signal.SIGINT."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9: it and what it has started end without a word; their kernel closes their connections."""
        mine = f"{MARK}={self._mark}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mine in (process / "environ").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:  # it has ended, or is somebody else's
                continue
        self.wait(exit=128 + signal.SIGKILL)

    def wait(self, exit: Optional[int] = 0, seconds: float = WAIT_SECONDS) -> str:  # noqa: A002
        """Wait for its end and return its output. exit: the exit status it has to have; None: any."""
        __tracebackhide__ = True
        try:
            self._process.wait(scaled(seconds))
        except subprocess.TimeoutExpired:
            self._fail("it did not end")
        if exit not in (None, self.status):
            self._fail(f"exit status {self.status}, expected {exit}")
        return self.output

    def end(self) -> None:
        """Ask it to end, and kill it where it does not hear. Again is fine."""
        if self._process.stdin:
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                pass
        if self._process.poll() is not None:
            return
        self.signal(signal.SIGTERM)
        try:
            self._process.wait(scaled(GRACE_SECONDS))
        except subprocess.TimeoutExpired:
            self._process.kill()  # what it stood for in the node ends as well
            self._process.wait()

    def _fail(self, why: str) -> None:
        __tracebackhide__ = True
        raise AssertionError("\n".join([f"{self.node}: {self.command}", f"  {why}", *shown("output", self.output)]))


class Capture:
    """Frames of an interface on their way into a file (`path`), which is whole after the `with`."""

    def __init__(self, where: str, words: list[str], path: Path):
        self.where, self.path = where, path
        self._process = subprocess.Popen([*words, "-w", str(path)], stdin=subprocess.DEVNULL, text=True,
                                         stderr=subprocess.PIPE, start_new_session=True)
        assert self._process.stderr
        begun = self._process.stderr.readline()
        if "capturing at" not in begun:
            self._process.wait()
            raise AssertionError(f"cannot capture at {where}: {begun.strip() or 'sim capture ended'}")

    def __enter__(self) -> Capture:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """No frame more; the file is whole. Again is fine."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(scaled(GRACE_SECONDS))
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stderr:
            self._process.stderr.close()

    def frames(self) -> list[bytes]:
        """The frames, byte for byte: of a pcapng file, its enhanced packet blocks."""
        data, at, found = self.path.read_bytes(), 0, []
        while at + 12 <= len(data):
            kind, length = (int.from_bytes(data[at + i:at + i + 4], "little") for i in (0, 4))
            if length < 12 or at + length > len(data):
                break  # its end is still to come
            if kind == 6:
                captured = int.from_bytes(data[at + 20:at + 24], "little")
                found.append(data[at + 28:at + 28 + captured])
            at += length
        return found

    def __len__(self) -> int:
        return len(self.frames())
