"""make bench, labs: how long building a lab takes, by us, by a floor, and by what people use.

All build the same: the nodes, links, addresses and routes of our plan. `floor` is a C program that
does nothing but ask the kernel for them, with every trick we know of (lab_floor.c); it is handed the
plan and need not check, keep or explain anything. Ours is all of `sim up`, from the command to its
end. The labs are gone through in rounds; before each one the kernel has to be done with freeing
the one before, which it does in the background: unreclaimable memory has to be back. Told are the
medians, and the ratio to the floor of the same round. What each leaves behind is counted in the first
round, after a kill -9 of what it runs. Builders that take minutes build in the first round alone.
"""
import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import frame
import lab_report
from frame import Failed
from lab_builders import BUILDERS, LABS, SHORT, TRIAL, Plan
from servers import BUILD, TREE

FREED_SECONDS, CALM_SECONDS, SLACK_KIB, LEFT_SECONDS = 180, 6, 8192, 3


def kernel_kib():
    """Memory that the kernel has for itself, as network namespaces are."""
    lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    fields = dict(line.split()[:2] for line in lines)
    return sum(int(fields.get(name + ":", 0)) for name in ("SUnreclaim", "Percpu"))


def processes():
    return {int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()}


def links():
    told = subprocess.run(["ip", "-j", "link"], capture_output=True, text=True, check=True)
    return {link["ifname"] for link in json.loads(told.stdout)}


def mounts():
    """Where namespaces lie, in our mount namespace."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return [line.split()[4] for line in lines if " - nsfs " in line]


def moment():
    """Let a tenth of a second go by for the kernel."""
    signal.sigtimedwait([signal.SIGUSR1], 0.1)


class Machine:
    """What there is before anything is built."""

    def __init__(self):
        self.processes, self.links = processes(), links()
        self.kernel_kib = kernel_kib()

    def wait_freed(self):
        """Until the kernel has freed what was built, or frees nothing more."""
        most = kernel_kib()
        least, deadline = most, time.monotonic() + FREED_SECONDS
        calm = time.monotonic() + CALM_SECONDS
        while time.monotonic() < min(deadline, calm):
            seen = kernel_kib()
            if seen <= self.kernel_kib + SLACK_KIB + (most - self.kernel_kib) // 20:
                return
            if seen < least - 256:
                least, calm = seen, time.monotonic() + CALM_SECONDS
            moment()

    def left(self):
        """What is there that was not: network namespaces, processes, links."""
        alive, spaces = set(), set()
        for pid in processes() - self.processes - {os.getpid()}:
            try:
                spaces.add(os.readlink(f"/proc/{pid}/ns/net"))
                alive.add(pid)
            except OSError:
                continue  # it has ended, and waits for us, who are the first process here
        spaces.discard(os.readlink("/proc/self/ns/net"))
        return {"namespaces": len(spaces) + len(mounts()), "processes": len(alive),
                "links": len(links() - self.links)}

    def left_in_the_end(self):
        """What is left when nothing goes any more."""
        seen, since = self.left(), time.monotonic()
        while any(seen.values()) and time.monotonic() < since + LEFT_SECONDS:
            moment()
            before, seen = seen, self.left()
            since = since if seen == before else time.monotonic()
        return seen

    def clear(self):
        """Remove it all: everything here is of this bench, in namespaces of its own."""
        for pid in processes() - self.processes - {os.getpid()}:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except OSError:
                continue  # gone, or another's child
        for place in mounts():
            subprocess.run(["umount", place], check=True)
            Path(place).unlink(missing_ok=True)
        for name in links() - self.links:
            subprocess.run(["ip", "link", "delete", name], check=False, capture_output=True)


class Bench:
    def __init__(self, options, skipped):
        self.options, self.skipped = options, skipped
        self.scratch = Path(tempfile.mkdtemp(prefix="lab-", dir=BUILD / "bench"))
        self.plans = {}
        self.measured = {}  # (lab, builder) -> one dictionary a round
        self.machine = Machine()

    def plan(self, lab):
        if lab.name not in self.plans:
            self.plans[lab.name] = Plan(lab, self.scratch)
        return self.plans[lab.name]

    def end(self, builder, first, seen):
        """Take the lab away: killed in the first round, in the others as it should be."""
        if first or not hasattr(builder, "down_seconds"):
            builder.kill()
        else:
            seen["down_seconds"] = builder.down_seconds()
        if first:
            seen["left"] = self.machine.left_in_the_end()

    def measure(self, lab, builder, first):
        plan, seen = self.plan(lab), {}
        if hasattr(builder, "prepare"):
            builder.prepare(plan)
        if hasattr(builder, "plan_seconds"):
            seen["plan_seconds"] = builder.plan_seconds(plan)
        self.machine.wait_freed()
        try:
            before = kernel_kib()
            seen["seconds"] = builder.build(plan)
            seen["kernel_kib"] = kernel_kib() - before
            self.end(builder, first, seen)
        finally:
            self.machine.clear()
        return seen

    def run(self, cases):
        for number, (lab, builder) in frame.rounds(self.options, cases):
            name = f"{lab.name}, {builder.word}"
            first = (lab, builder) not in self.measured
            if name in self.skipped or builder.once and not first:
                continue
            try:
                seen = self.measure(lab, builder, first)
            except (Failed, OSError, subprocess.SubprocessError) as error:
                self.skipped[name] = str(error)
                continue
            self.measured.setdefault((lab, builder), []).append({"round": number, **seen})
            print(f"round {number + 1}  {lab.name:<13} {builder.word:<9} {seen['seconds']:>8.3f} s",
                  file=sys.stderr, flush=True)

    def ratio(self, lab, builder):
        """The median of the ratios to the floor of the same round, or to its median."""
        floors = {seen["round"]: seen["seconds"] for (one, by), rounds in self.measured.items()
                  for seen in rounds if one is lab and by.word == "floor"}
        if not floors:
            return None
        middle = statistics.median(floors.values())
        return statistics.median(seen["seconds"] / floors.get(seen["round"], middle)
                                 for seen in self.measured[lab, builder])

    def rows(self, cases):
        for lab, builder in cases:
            rounds = self.measured.get((lab, builder))
            if not rounds:
                continue
            row = {"lab": lab.name, "label": lab.label, "nodes": len(self.plan(lab).nodes),
                   "builder": builder.word, "name": builder.label, "rounds": rounds,
                   "ratio": self.ratio(lab, builder), "left": rounds[0].get("left")}
            for key in ("seconds", "plan_seconds", "down_seconds", "kernel_kib"):
                values = [seen[key] for seen in rounds if key in seen]
                row[key] = statistics.median(values) if values else None
            yield row

    def close(self):
        self.machine.clear()
        shutil.rmtree(self.scratch, ignore_errors=True)


def choose(options):
    """The cases that can run, and why others cannot."""
    every = {lab.name: lab for lab in (*TRIAL, *SHORT, *LABS)}
    labs = [lab for lab in (every.values() if options.only else SHORT if options.short else LABS)
            if not options.only or lab.name in options.only]
    builders = [one for one in BUILDERS if not options.builders or one.word in options.builders]
    if not labs or not builders:
        sys.exit("bench: no such lab or builder; there are: "
                 f"{' '.join(every)}; "
                 f"{' '.join(one.word for one in BUILDERS)}")
    missing = {one.word: one.missing() for one in builders}
    skipped = {word: reason for word, reason in missing.items() if reason}
    return [(lab, one) for lab in labs for one in builders
            if not missing[one.word] and (options.all or lab.count <= one.largest)], skipped


def arguments(words):
    parser = argparse.ArgumentParser(prog="bench.py lab", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", metavar="LAB",
                        help=" ".join({lab.name: lab for lab in (*TRIAL, *SHORT, *LABS)}))
    parser.add_argument("--builders", nargs="+", metavar="BUILDER",
                        help=" ".join(one.word for one in BUILDERS))
    parser.add_argument("--short", action="store_true",
                        help="smaller labs, in less than two minutes")
    parser.add_argument("--all", action="store_true",
                        help="the largest lab also by those that take a quarter of an hour for it")
    parser.add_argument("--results", type=Path, default=TREE / "results")
    return parser.parse_args(words)


def main(words):
    """Inside the namespaces of net.enter(). Returns an exit status."""
    options = arguments(words)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)  # names of namespaces
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    cases, skipped = choose(options)
    rows = frame.measure(Bench(options, skipped), cases, lab_report)
    if rows is None:
        return 130
    return 1 if not rows or any(name.endswith("ours") for name in skipped) else 0
