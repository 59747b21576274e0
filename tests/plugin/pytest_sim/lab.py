"""A lab that is up: its nodes, what runs in them, and what was seen on the wires.

A lab lives as long as the pytest that made it. It hangs on a pipe, the lifeline (`sim up --lifeline`),
whose other end only this process holds: however pytest ends, also by kill -9, the kernel closes the
pipe, and the lab goes with it.
"""
from __future__ import annotations

import difflib
import json
import os
import secrets
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Optional, Union

from .commands import MARK, Capture, CommandFailed, Ended, Process, split, told
from .program import find_sim, sim
from .waiting import scaled

NAME_MOST = 64  # characters of a lab's name
UP_SECONDS, DOWN_SECONDS = 120.0, 30.0
PATIENCE = 60.0  # seconds that a command may take where nothing is said

Message = dict  # a line of messages.jsonl: results/README.md tells its fields


class LabFailed(AssertionError):
    """A lab that cannot be built, whose services did not get ready, or that is gone; in sim's words."""


def unique_name(stem: str) -> str:
    """Of a lab: nobody else has it, so that labs side by side never meet."""
    plain = "".join(each if each.isalnum() and each.isascii() else "-" for each in stem).strip("-") or "lab"
    return f"{plain[:NAME_MOST - 9]}-{secrets.token_hex(4)}"


class Node:
    """A node of a lab. Commands run in its namespaces and in its own folder, as by `sim exec`."""

    def __init__(self, lab: Lab, name: str):
        self.lab, self.name = lab, name

    def __repr__(self) -> str:
        return f"<node {self.name} of {self.lab.name}>"

    def words(self, command: tuple, env: Optional[Mapping[str, object]] = None) -> list[str]:
        """What to execute on this machine so that the command runs in the node."""
        given = ["env", *(f"{name}={value}" for name, value in env.items())] if env else []
        return [find_sim(), "exec", f"{self.lab.name}:{self.name}", *given, *split(command)]

    def run(self, *command: object, exit: Optional[int] = 0, input: Optional[str] = None,  # noqa: A002
            seconds: float = PATIENCE, env: Optional[Mapping[str, object]] = None) -> Ended:
        """Run a command to its end and return what it said.

            lab["client1"].run("ping -c1 server")
            lab["client1"].run("sh", "-c", "echo $SIM_NODE > here")
            lab["client25"].run("dhcp-client --interface eth0 --once --wait 2", exit=4)

        command: one text that is split into words as a shell does it, but without a shell; or words.
        exit: the exit status it has to have, else CommandFailed is raised; None: any will do.
        input: what it reads. seconds: how long it may take. env: variables besides the node's own.
        """
        __tracebackhide__ = True
        self.lab.touched = self
        began, limit = time.monotonic(), scaled(seconds)
        options: dict[str, Any] = {"input": input} if input is not None else {"stdin": subprocess.DEVNULL}
        try:
            done = subprocess.run(self.words(command, env), capture_output=True, text=True, errors="replace",
                                  check=False, timeout=limit, **options)
            ended = Ended(self.name, told(command), done.returncode, done.stdout, done.stderr,
                          time.monotonic() - began)
        except subprocess.TimeoutExpired as late:
            said = [(each or b"").decode(errors="replace") for each in (late.stdout, late.stderr)]
            ended = Ended(self.name, told(command), None, *said, time.monotonic() - began)
        self.lab.note(ended)
        if ended.status is None or exit not in (None, ended.status):
            raise CommandFailed(ended, exit, self.lab.name)
        return ended

    def popen(self, *command: object, env: Optional[Mapping[str, object]] = None) -> Process:
        """Start a command and go on: it runs until it is ended, or the lab is.

            with lab["client1"].popen("dhcp-client --interface eth0 --release-on-exit") as client:
                client.expect("bound to")
        """
        self.lab.touched = self
        log = self.lab.command_log(self, command)
        mark = f"{self.lab.name}/{log.stem}"
        words = self.words(command, {**(env or {}), MARK: mark})
        return self.lab.hold(Process(self.name, told(command), words, log, mark))

    def read(self, path: Union[str, Path]) -> str:
        """The text of a file as the node sees it; relative to its folder."""
        __tracebackhide__ = True
        return self.run("cat", "--", path).stdout

    def write(self, path: Union[str, Path], text: str) -> None:
        """Write a file in the node; relative to its folder."""
        __tracebackhide__ = True
        self.run("sh", "-c", 'cat >"$1"', "sh", path, input=text)

    def addresses(self, interface: Optional[str] = None) -> list[str]:
        """The addresses that the node's kernel has now: ["10.0.2.100/24"]; of all interfaces or of one."""
        self.lab.touched = self
        return [each["address"] for each in self.lab.described(self.name)["addresses"]
                if interface in (None, each["interface"])]

    @property
    def folder(self) -> Path:
        """Its working directory, as this machine sees it."""
        return self.lab.folder / "nodes" / self.name

    def log(self, service: str) -> str:
        """What a service of the topology (`run: [{name: ...}]`) has printed until now."""
        return (self.lab.folder / "logs" / f"{self.name}.{service}.log").read_text(errors="replace")


class Lab:
    """A topology that is up. `lab["client1"]` is a node; a `with` takes the lab down at its end.

    name: unique on this machine, as `sim ps` shows it. folder: of everything that is left as evidence:
    logs, the nodes' files, messages.jsonl, events.jsonl, capture.pcapng, commands.log.
    """

    def __init__(self, topology: Union[str, Path], *, results: Path, cwd: Optional[Path] = None,
                 options: tuple = ()):
        """Bring it up. Made by the fixtures; by itself it works outside of pytest, too.

        topology: a name that sim knows, a path (relative to cwd), or the text of a topology file.
        options: further words for `sim up`, such as --set.
        """
        results.mkdir(parents=True, exist_ok=True)
        file = str(topology)
        if "\n" in file:
            written = results / "topology.yaml"
            written.write_text(file)
            file = str(written)
        self.name = unique_name(Path(file).stem)
        self.touched: Optional[Node] = None  # the node that was last used in this test
        self.failed = False  # a test failed that used it
        self.stays = False  # after pytest: keep()
        self.is_up = False
        self.of_test: Any = None  # the pytest item that made it, and takes it down
        self.ending: Callable[[Lab], None] = Lab.down  # what the end of a `with` does
        self._held: list[Union[Process, Capture]] = []
        self._commands = 0
        heard, self._lifeline = os.pipe()
        try:
            up = sim("up", file, "--name", self.name, "--results", results.resolve(), "--observe",
                     "--lifeline", heard, "--json", *options, cwd=cwd, pass_fds=[heard],
                     timeout=scaled(UP_SECONDS))
        except BaseException:
            os.close(self._lifeline)
            raise
        finally:
            os.close(heard)
        if up.returncode != 0:
            os.close(self._lifeline)
            raise LabFailed(f"{topology_word(topology)}: {up.stderr.strip() or f'sim: exit status {up.returncode}'}")
        told_lab = json.loads(up.stdout)["labs"][0]
        self.is_up = True
        self.topology: str = told_lab["topology"]
        self.folder = Path(told_lab["folder"])
        self.supervisor: int = told_lab["supervisor"]
        self._nodes = {each["name"]: Node(self, each["name"]) for each in told_lab["nodes"]}

    def __repr__(self) -> str:
        return f"<lab {self.name}>"

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_: object) -> None:
        self.ending(self)

    def __getitem__(self, name: str) -> Node:
        __tracebackhide__ = True
        if name not in self._nodes:
            near = difflib.get_close_matches(name, self._nodes, 1)
            raise LookupError(f"{self.topology} has no node {name!r}"
                              + (f"; did you mean {near[0]!r}?" if near else ""))
        return self._nodes[name]

    def __iter__(self) -> Iterator[Node]:
        """Its nodes, in the order of the file."""
        return iter(self._nodes.values())

    def __contains__(self, name: str) -> bool:
        return name in self._nodes

    # --- what is seen ---

    def messages(self, protocol: Optional[str] = None, node: Optional[str] = None, **fields: object) -> list[Message]:
        """What was said until now, decoded from the frames, in order of time.

            lab.messages(protocol="dhcp", node="client1")               # what client1 has sent
            lab.messages(message="DHCPACK", giaddr="10.0.2.1")

        protocol: dhcp, ftp or tcp. node: who sent it. Further fields are those of messages.jsonl. A frame
        is decoded some milliseconds after it was sent: wait for one by eventually(), and ask for what was
        *not* said when the lab is down.
        """
        return [line for line in self._lines("messages.jsonl")
                if (protocol is None or line["protocol"] == protocol.upper())
                and (node is None or line["sent_at"].partition(":")[0] == node)
                and all(line.get(name) == value for name, value in fields.items())]

    def events(self, node: Optional[str] = None, **fields: object) -> list[Message]:
        """What kernels changed until now: addresses, routes, links, neighbours (events.jsonl)."""
        return [line for line in self._lines("events.jsonl")
                if (node is None or line["node"] == node)
                and all(line.get(name) == value for name, value in fields.items())]

    def _lines(self, name: str) -> list[Message]:
        text = (self.folder / name).read_text(errors="replace")
        lines = [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]
        if lines and "cut" in lines[-1]:
            raise LabFailed(f"{self.folder / name} was cut: {lines[-1]['cut']}")
        return lines

    def capture(self, where: str, path: Union[str, Path, None] = None) -> Capture:
        """Write the frames at an interface into a file for Wireshark, until the end of the `with`.

            with lab.capture("client1:eth0") as frames:
                lab["client1"].run("ping -c1 server")
            assert len(frames) >= 2

        where: NODE:INTERFACE, or NODE where it has one. path: of the file; default: in the lab's folder.
        (capture.pcapng there has all frames of the lab.)
        """
        self.touched = self[where.partition(":")[0]]
        self._commands += 1
        default = self.folder / f"{where.replace(':', '-')}.{self._commands}.pcapng"
        return self.hold(Capture(where, [find_sim(), "capture", f"{self.name}:{where}"], Path(path or default)))

    def described(self, node: Optional[str] = None) -> dict:
        """The lab, or one node of it, as `sim ps --json` tells it now."""
        ps = sim("ps", self.name, "--json", timeout=scaled(PATIENCE))
        if ps.returncode != 0:
            raise LabFailed(ps.stderr.strip())
        lab = json.loads(ps.stdout)["labs"][0]
        return lab if node is None else next(each for each in lab["nodes"] if each["name"] == node)

    # --- what is kept ---

    def hold(self, running: Any) -> Any:
        """It ends with the lab."""
        self._held.append(running)
        return running

    def command_log(self, node: Node, command: tuple) -> Path:
        """A file for the output of one more command."""
        self._commands += 1
        folder = self.folder / "commands"
        folder.mkdir(exist_ok=True)
        return folder / f"{node.name}.{self._commands}-{Path(split(command)[0]).name}.log"

    def note(self, ended: Ended) -> None:
        """Commands and what they said are evidence as well."""
        with (self.folder / "commands.log").open("a") as log:
            log.write(f"{ended.node}$ {ended.command}\n{ended.stdout}{ended.stderr}"
                      f"[exit status {ended.status}, {ended.seconds:.2f} s]\n\n")

    # --- its end ---

    def keep(self) -> None:
        """It stays up after pytest, for work by hand; `sim down` takes it down."""
        os.write(self._lifeline, b"k")
        self.stays = True

    def down(self) -> None:
        """Take it down; nothing of it is left but its folder. Again is fine."""
        if not self.is_up:
            return
        self.is_up = False
        for running in self._held:
            running.end()
        try:
            down = None if self.stays else sim("down", self.name, timeout=scaled(DOWN_SECONDS))
        finally:
            os.close(self._lifeline)
        if down and down.returncode != 0:
            raise LabFailed(f"lab {self.name}: {down.stderr.strip()}")


def topology_word(topology: Union[str, Path]) -> str:
    """How to call it in a sentence."""
    text = str(topology)
    return "the topology" if "\n" in text else text
