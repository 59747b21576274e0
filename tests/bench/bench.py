"""make bench: our servers beside those people use, in one run, and their ratios.

bench.py [dhcp] [options], bench.py ftp [options], bench.py lab [options]; without any word all three,
one after the other (ftp_bench.py, lab_bench.py). What follows is DHCP's.

Each server stands in a network namespace; the load (dhcp_load, a relay with many clients) in
another; a veth pair joins them. Each case gets a fresh server with an empty database (or one with
a million leases), then new clients, 64 exchanges in flight, for some seconds or until nine tenths
of the pool are leased. The cases are gone through in rounds, so that what else the machine does
meets all of them; told are the medians. `floor` is what the machine can do at all.
"""
import argparse
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import frame
import ftp_bench
import lab_bench
import net
import report
from frame import Failed
from servers import BUILD, CASES, LOAD, SERVER, TREE

LOADER, PREFILL = BUILD / "bench" / "dhcp_load", BUILD / "bench" / "dhcp_prefill"
READY_SECONDS = 60
SYNCS_SECONDS = 1
# Twenty bits of the seed's range a round: no two runs share a client.
CHANCE = random.SystemRandom()


def load(space, *options, timeout):
    """One dhcp_load; returns what it printed."""
    words = space.command(LOADER, "--server", SERVER, "--local", LOAD, "--seed",
                          CHANCE.getrandbits(60), *options)
    ended = subprocess.run(words, capture_output=True, text=True, timeout=timeout, check=False)
    if ended.returncode not in (0, 1):
        raise Failed(ended.stderr.strip() or f"dhcp_load: exit status {ended.returncode}")
    return json.loads(ended.stdout)


class Process:
    """One server, started in an empty folder of its own."""

    def __init__(self, space, server, pool, folder, around=()):
        self.space, self.log, self.folder = space, folder / "log", folder
        words = [*around, *map(str, server.command(folder, pool))]
        began = time.monotonic()
        with self.log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder,
                env={**os.environ, **server.environment(folder)})
        try:
            self.wait_ready()
        except Failed:
            self.end()
            raise
        self.start_seconds = time.monotonic() - began

    def wait_ready(self):
        """Ready is who served one client."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            served = load(self.space, "--count", 1, "--timeout", "0.02", "--tries", 10, timeout=60)
            if served["done"] == 1:
                return
            if self.process.poll() is not None:
                break
        lines = self.log.read_text(errors="replace").splitlines()
        raise Failed(lines[-1] if lines else "it never served a client")

    def children(self):
        """The server, also where strace is around it."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [self.process.pid, *map(int, path.read_text().split())]

    def pss_kib(self):
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        if self.process.poll() is None:
            for pid in reversed(self.children()):
                os.kill(pid, signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Bench:
    def __init__(self, options, skipped):
        self.options = options
        self.space = net.LoadNamespace()
        self.scratch = Path(tempfile.mkdtemp(prefix="run-", dir=BUILD / "bench"))
        self.measured = {}  # case name -> one dictionary a round
        self.skipped = skipped  # case name -> reason

    def standing_database(self, pool):
        """Made once, copied for each round."""
        path = self.scratch / f"standing-{pool.standing}.db"
        if not path.exists():
            subprocess.run([PREFILL, "--database", path, "--first", str(pool.first), "--count",
                            str(pool.standing), "--seed", str(CHANCE.getrandbits(60))], check=True)
        return path

    def start(self, server, pool, around=()):
        folder = Path(tempfile.mkdtemp(prefix=f"{server.word}-", dir=self.scratch))
        if pool.standing:
            shutil.copyfile(self.standing_database(pool), folder / "leases.db")
        os.sync()  # nobody pays for what another wrote
        return Process(self.space, server, pool, folder, around)

    def measure(self, server, pool):
        process = self.start(server, pool)
        try:
            limit = self.options.count or pool.exchanges()
            before, cpu = process.pss_kib(), process.cpu_seconds()
            seen = load(self.space, "--seconds", self.options.seconds, "--count", limit,
                        timeout=self.options.seconds + 120)
            cpu = process.cpu_seconds() - cpu
            seen.update(start_seconds=process.start_seconds, pss_before_kib=before,
                        pss_after_kib=process.pss_kib(),
                        cpu_us=1e6 * cpu / seen["done"] if seen["done"] else None)
        finally:
            process.end()
            shutil.rmtree(process.folder)
        if seen["done"] == 0:
            raise Failed("it acknowledged nothing under load")
        return seen

    def count_syncs(self, server, pool):
        """Syncs of files for 1,000 exchanges, as strace counts them; None without strace."""
        if not shutil.which("strace"):
            return None
        calls = "trace=fsync,fdatasync,sync_file_range,msync"
        output = self.scratch / "strace"
        process = self.start(server, pool, ("strace", "-f", "-qq", "-e", calls, "-o", str(output)))
        try:
            before = len(output.read_text().splitlines())
            seen = load(self.space, "--seconds", SYNCS_SECONDS, "--count",
                        min(pool.exchanges(), 5000), timeout=120)
        finally:
            process.end()
        counted = sum("= 0" in line for line in output.read_text().splitlines()[before:])
        shutil.rmtree(process.folder)
        return 1000 * counted / seen["done"] if seen["done"] else None

    def attempt(self, name, doing, *arguments):
        """Skip the case, with the reason, where it fails."""
        try:
            return doing(*arguments)
        except (Failed, OSError, subprocess.SubprocessError) as error:
            self.skipped[name] = str(error)
            return None

    def run(self, cases):
        for number, (name, server, pool) in frame.rounds(self.options, cases):
            if name in self.skipped:
                continue
            seen = self.attempt(name, self.measure, server, pool)
            if seen:
                self.measured.setdefault(name, []).append(seen)
                print(f"round {number + 1}  {name:<14} {seen['rate']:>9,.0f}/s",
                      file=sys.stderr, flush=True)

    def rows(self, cases):
        for name, server, pool in cases:
            rounds = self.measured.get(name)
            if not rounds:
                continue
            row = {"name": name, "server": server.label, "version": server.version(),
                   "pool": pool.size, "standing": pool.standing, "promise": server.promise,
                   "rounds": rounds}
            row["rate"] = statistics.median(seen["rate"] for seen in rounds)
            for part in ("p50", "p99", "p99.9"):
                row[f"{part}_us"] = statistics.median(s["whole_us"][part] for s in rounds)
            for key in ("start_seconds", "cpu_us", "pss_before_kib", "pss_after_kib"):
                row[key] = statistics.median(seen[key] for seen in rounds)
            for key in ("lost", "refused", "duplicates", "wrong"):
                row[key] = sum(seen[key] for seen in rounds)
            if not self.options.no_syncs:
                row["syncs_per_1000"] = self.attempt(name, self.count_syncs, server, pool)
            yield row

    def close(self):
        shutil.rmtree(self.scratch, ignore_errors=True)


def choose(options):
    """The cases that can run, and why the others cannot."""
    chosen = [case for case in CASES if not options.only or
              any(case[0] == word or case[0].startswith(word + "-") for word in options.only)]
    if not chosen:
        sys.exit(f"bench: no such case; there are: {' '.join(name for name, _, _ in CASES)}")
    skipped = {name: server.missing() for name, server, _ in chosen if server.missing()}
    return [case for case in chosen if case[0] not in skipped], skipped


def arguments(words):
    parser = argparse.ArgumentParser(prog="bench.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="of load, a case and round")
    parser.add_argument("--count", type=int, help="exchanges a case and round, at most")
    parser.add_argument("--only", nargs="+", metavar="CASE", help="these, or all of a server")
    parser.add_argument("--no-syncs", action="store_true", help="count no syncs (strace)")
    parser.add_argument("--results", type=Path, default=TREE / "results")
    return parser.parse_args(words)


def measure_dhcp(words):
    """Inside the namespaces of net.enter(). Returns an exit status."""
    options = arguments(words)
    cases, skipped = choose(options)
    rows = frame.measure(Bench(options, skipped), cases, report)
    if rows is None:
        return 130
    broken = [row["name"] for row in rows if row["duplicates"] or row["wrong"]]
    return 1 if any(name.startswith("ours") for name in broken) or not rows else 0


def main():
    words = sys.argv[1:]
    protocols = {"dhcp": (measure_dhcp, arguments), "ftp": (ftp_bench.main, ftp_bench.arguments),
                 "lab": (lab_bench.main, lab_bench.arguments)}
    chosen = [words.pop(0)] if words and words[0] in protocols else ["dhcp"]
    every = not words and len(sys.argv) == 1
    if not net.is_inside():
        protocols[chosen[0]][1](words)  # a wrong option is told before anything is set up
        # Each in namespaces of its own, so that one leaves nothing to the other.
        return max(net.enter([sys.argv[0], name, *words])
                   for name in (protocols if every else chosen))
    return protocols[chosen[0]][0](words)


if __name__ == "__main__":
    sys.exit(main())
