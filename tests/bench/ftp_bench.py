"""make bench, FTP: our server beside the servers people use and a floor, in one run, with ratios.

Each server stands in a network namespace, the load (ftp_load, many clients in one thread) in
another; a veth pair joins them; all files are on a tmpfs. Each server is started anew for a round,
and goes through everything that is measured. `floor` is a bare epoll server without any check.
CPU is that of the server and all its processes. Memory of idle sessions: the proportional set size
of those processes, and what the kernel's slabs, stacks and page tables grew by on the whole machine,
less half of what the floor's grew by: the load's own ends are in the same kernel.
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
import ftp_report
import net
from frame import Failed
from ftp_servers import SERVERS, prepare_user
from servers import BUILD, SERVER, TREE

LOADER = BUILD / "bench" / "ftp_load"
GIB = 1 << 30
SMALL_BYTES = 1024
READY_SECONDS, LOAD_SECONDS, SETTLE_SECONDS = 20, 40, 5
SHORT = ("floor", "ours", "pure-ftpd")
KERNEL_FIELDS = ("Slab", "KernelStack", "PageTables")
# A data connection leaves its port in TIME_WAIT for a minute: some seconds of small files use up
# all that there are. So there are more of them, and not many wait.
SYSCTLS = ("net.ipv4.ip_local_port_range=1024 65535", "net.ipv4.tcp_max_tw_buckets=2048")


def kernel_kib():
    lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    fields = dict(line.split()[:2] for line in lines)
    return sum(int(fields[name + ":"]) for name in KERNEL_FIELDS)


class Process:
    """One server and all that it forks."""

    def __init__(self, bench, server):
        self.bench = bench
        self.folder = Path(tempfile.mkdtemp(prefix=f"{server.word}-", dir=bench.scratch))
        self.folder.chmod(0o755)
        words = [*bench.around(), *map(str, server.command(self.folder, bench.files))]
        with (self.folder / "log").open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder,
                env={**os.environ, **server.environment(bench.files)})
        try:
            self.wait_ready()
        except Failed:
            self.end()
            raise

    def wait_ready(self):
        """Ready is who lets one client in."""
        deadline = time.monotonic() + READY_SECONDS
        reason = "it never answered"
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.bench.load("--mode", "login", "--count", 1)
                return
            except Failed as error:
                reason = str(error)
            self.moment()
        lines = (self.folder / "log").read_text(errors="replace").splitlines()
        raise Failed(" ".join([reason, *lines[-1:]]))

    def moment(self):
        """Let some time go by, less where the server ends."""
        try:
            self.process.wait(timeout=0.02)
        except subprocess.TimeoutExpired:
            pass

    def tree(self):
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            try:
                for path in Path(f"/proc/{pid}/task").glob("*/children"):
                    todo += map(int, path.read_text().split())
                found.append(pid)
            except OSError:
                continue  # it has ended in the meantime
        return found

    def settle(self):
        """Wait until the processes of clients that left are gone, and counted as their parent's."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while len(self.tree()) > self.calm and time.monotonic() < deadline:
            self.moment()

    def remember_calm(self):
        """So many processes there are without a client; those of the first one end soon."""
        counts = [len(self.tree())]
        while len(counts) < 10 or len(set(counts[-5:])) > 1:
            self.moment()
            counts.append(len(self.tree()))
        self.calm = counts[-1]

    def cpu_seconds(self):
        ticks = 0
        for pid in self.tree():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += sum(map(int, fields[11:15]))
            except OSError:
                continue
        return ticks / os.sysconf("SC_CLK_TCK")

    def pss_kib(self):
        total = 0
        for pid in self.tree():
            try:
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                total += next(int(line.split()[1]) for line in text.splitlines()
                              if line.startswith("Pss:"))
            except (OSError, StopIteration):
                continue
        return total

    def end(self):
        for pid in reversed(self.tree()):
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                continue
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Bench:
    def __init__(self, options, skipped):
        self.options = options
        self.space = net.LoadNamespace()
        for setting in SYSCTLS:
            for words in (["sysctl", "-qw", setting], self.space.command("sysctl", "-qw", setting)):
                subprocess.run(words, check=True)
        # /run is a tmpfs of our own mount namespace.
        self.scratch = Path(tempfile.mkdtemp(prefix="bench-", dir="/run"))
        self.scratch.chmod(0o755)
        self.files = self.scratch / "files"
        self.inbox = self.files / "in"
        self.inbox.mkdir(parents=True)
        self.inbox.chmod(0o777)
        (self.files / "small").write_bytes(os.urandom(SMALL_BYTES))
        self.write_big(self.files / "big")
        if os.geteuid() == 0:
            prepare_user(self.scratch)
        self.measured = {}  # server's word -> {figure: [one a round]}
        self.skipped = skipped  # "word" or "word: figure" -> reason

    def write_big(self, path):
        part = os.urandom(1 << 20)
        with path.open("wb") as big:
            for at in range(0, self.options.bytes, len(part)):
                big.write(part[:self.options.bytes - at])

    def around(self):
        return ["chrt", "-r", "10"] if self.options.realtime else []

    def words(self, *options):
        return self.space.command(*self.around(), LOADER, "--server", SERVER, *options)

    def load(self, *options):
        """One ftp_load to its end; returns what it printed."""
        try:
            ended = subprocess.run(self.words(*options), capture_output=True, text=True,
                                   stdin=subprocess.DEVNULL, timeout=LOAD_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"no end within {LOAD_SECONDS} s") from error
        if ended.returncode not in (0, 1):
            raise Failed(ended.stderr.strip() or f"ftp_load: exit status {ended.returncode}")
        seen = json.loads(ended.stdout)
        if seen["failed"]:
            raise Failed(seen["failure"] or "a session ended early")
        return seen

    def big(self, process, *options):
        """One large file; (MB/s, CPU seconds of a GiB)."""
        process.settle()
        cpu = process.cpu_seconds()
        seen = self.load(*options, "--count", 1)
        process.settle()
        if seen["bytes"] != self.options.bytes:
            raise Failed(f"{seen['bytes']} bytes of {self.options.bytes}")
        cpu = process.cpu_seconds() - cpu
        return seen["bytes"] / seen["seconds"] / 1e6, cpu * GIB / seen["bytes"]

    def measure_retr(self, process):
        rate, cpu = self.big(process, "--mode", "get", "--file", "big")
        return {"retr_mb_s": rate, "retr_cpu_s": cpu}

    def measure_stor(self, process):
        # A virtual machine's memory is dear when it is touched for the first time, and whoever came
        # first would pay for all: each server's first upload is not counted, its second takes the
        # same memory again.
        for _ in range(2):
            rate, cpu = self.stor(process)
        return {"stor_mb_s": rate, "stor_cpu_s": cpu}

    def stor(self, process):
        try:
            seen = self.big(process, "--mode", "put", "--file", "in/big", "--bytes",
                            self.options.bytes)
            stored = [path for path in self.inbox.iterdir() if not path.name.startswith(".")]
            if [path.stat().st_size for path in stored] != [self.options.bytes]:
                raise Failed("what it stored is not what was sent")
            return seen
        finally:
            for path in self.inbox.iterdir():
                path.unlink()

    def rate(self, *options):
        seen = self.load(*options, "--seconds", self.options.seconds)
        return seen["done"] / seen["seconds"] if seen["done"] else 0

    def measure_small(self, _process):
        small = ("--mode", "get", "--file", "small", "--sessions")
        return {"small_1": self.rate(*small, 1), "small_8": self.rate(*small, 8),
                "small_8_stalled": self.rate(*small, 8, "--stalled", "big")}

    def measure_logins(self, _process):
        return {"logins": self.rate("--mode", "login", "--sessions", 16)}

    def idle(self, process, sessions):
        """KiB of its processes, and of the kernel, for so many who are logged in and silent."""
        process.settle()
        before = process.pss_kib(), kernel_kib()
        holder = subprocess.Popen(self.words("--mode", "idle", "--sessions", sessions), text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            seen = json.loads(holder.stdout.readline() or "{}")
            if seen.get("done") != sessions:
                raise Failed(f"{seen.get('done')} of {sessions} logged in: {seen.get('failure')}")
            return process.pss_kib() - before[0], kernel_kib() - before[1]
        finally:
            holder.stdin.close()
            holder.wait(timeout=LOAD_SECONDS)
            process.settle()

    def measure_idle(self, process):
        pss, kernel = self.idle(process, self.options.idle)
        return {"idle_pss_kib": pss, "idle_kernel_kib": kernel}

    def measure_many(self, process):
        pss, kernel = self.idle(process, self.options.many)
        return {"many_pss_kib": pss, "many_kernel_kib": kernel}

    def steps(self, server, number):
        steps = [self.measure_retr, self.measure_stor, self.measure_small, self.measure_logins]
        if self.options.short:
            return steps
        if number == 0:
            steps.append(self.measure_idle)
        # A process a client would take gigabytes.
        if number == 0 and server.word in ("floor", "ours"):
            steps.append(self.measure_many)
        return steps

    def measure(self, server, number):
        process = Process(self, server)
        figures = self.measured.setdefault(server.word, {})
        try:
            process.remember_calm()
            for step in self.steps(server, number):
                try:
                    seen = step(process)
                except Failed as error:
                    self.skipped[f"{server.word}, {step.__name__}"] = str(error)
                    continue
                for name, value in seen.items():
                    figures.setdefault(name, []).append(value)
        finally:
            process.end()
        print(f"round {number + 1}  {server.word:<10} " +
              "  ".join(f"{name} {values[-1]:,.6g}" for name, values in figures.items()),
              file=sys.stderr, flush=True)

    def run(self, servers):
        for number, server in frame.rounds(self.options, servers):
            if server.word in self.skipped:
                continue
            try:
                self.measure(server, number)
            except (Failed, OSError, subprocess.SubprocessError) as error:
                self.skipped[server.word] = str(error)

    def rows(self, servers):
        rows = []
        for server in servers:
            figures = self.measured.get(server.word)
            if figures:
                rows.append(
                    {"name": server.word, "server": server.label, "version": server.version(),
                     **{name: statistics.median(values) for name, values in figures.items()},
                     "rounds": figures})
        less_the_loads(rows)
        return rows

    def close(self):
        shutil.rmtree(self.scratch, ignore_errors=True)


def less_the_loads(rows):
    """Take the load's ends of idle sessions off everybody's kernel memory: half of the floor's."""
    for name in ("idle", "many"):
        floor = next((row.get(f"{name}_kernel_kib") for row in rows if row["name"] == "floor"), 0)
        for row in rows:
            if row.get(f"{name}_kernel_kib") is not None:
                row[f"{name}_kernel_kib"] -= (floor or 0) / 2


def choose(options):
    only = options.only or (SHORT if options.short else None)
    chosen = [server for server in SERVERS if not only or server.word in only]
    if not chosen:
        sys.exit(f"bench: no such server; there are: {' '.join(one.word for one in SERVERS)}")
    skipped = {server.word: server.missing() for server in chosen if server.missing()}
    return [server for server in chosen if server.word not in skipped], skipped


def arguments(words):
    parser = argparse.ArgumentParser(prog="bench.py ftp", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1, help="of each load of small things")
    parser.add_argument("--bytes", type=int, default=GIB, help="of the large file")
    parser.add_argument("--idle", type=int, default=1000, help="idle sessions")
    parser.add_argument("--many", type=int, default=10000, help="of ours and of the floor")
    parser.add_argument("--only", nargs="+", metavar="SERVER")
    parser.add_argument("--short", action="store_true",
                        help=f"{', '.join(SHORT)} alone, without idle sessions: about a minute")
    parser.add_argument("--realtime", action="store_true",
                        help="before all else that runs on the machine (chrt -r 10)")
    parser.add_argument("--results", type=Path, default=TREE / "results")
    return parser.parse_args(words)


def main(words):
    """Inside the namespaces of net.enter(). Returns an exit status."""
    options = arguments(words)
    servers, skipped = choose(options)
    rows = frame.measure(Bench(options, skipped), servers, ftp_report)
    if rows is None:
        return 130
    return 1 if not rows or any(name.startswith("ours") for name in skipped) else 0
