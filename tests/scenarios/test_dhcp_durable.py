"""dhcp-server's promise: what a client was acknowledged is on disk, whatever happens next.

    server (10.0.0.1/8) ---- veth ---- dhcp_load (10.0.0.2, a relay with many clients)

dhcp_load writes down whom it was acknowledged what; after each accident every line of that must be
in the database, and no address may have gone to two clients.
"""
import os
import random
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import threading
from pathlib import Path

import pytest
from conftest import BIN, BUILD, eventually, need

LOAD = BUILD / "bench" / "dhcp_load"
POOL = "10.16.0.0-10.143.255.255"  # more than the fastest machine can lease in twenty loads
SEEDS = random.Random(20261122)
FRAME_HEADER = 24


class Place:
    """Two network namespaces joined by a veth pair, and a file system view of their own."""

    def __init__(self, folder):
        self.folder, self.started = folder, []
        self.user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        script = "mount -t tmpfs tmpfs /run && mkdir /run/small && echo up; exec cat"
        self.holder = self.hold(["unshare", *self.user, "--net", "--mount", "sh", "-c", script])
        self.other = self.hold(self.inside("unshare", "--net", "sh", "-c", "echo up; exec cat"))
        for words in (f"link add s0 type veth peer name l0 netns {self.other.pid}",
                      "address add 10.0.0.1/8 dev s0", "link set s0 up", "link set lo up"):
            self.run("ip", *words.split())
        for words in ("address add 10.0.0.2/8 dev l0", "link set l0 up", "link set lo up"):
            self.run("nsenter", f"--net=/proc/{self.other.pid}/ns/net", "ip", *words.split())

    def hold(self, words):
        holder = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
        if holder.stdout.readline() != b"up\n":
            pytest.skip(f"no namespaces here: {holder.stderr.read().decode().strip()}")
        return holder

    def inside(self, *words):
        user = ["--user", "--preserve-credentials"] if self.user else []
        return ["nsenter", "--target", str(self.holder.pid), *user, "--net", "--mount", "--",
                *map(str, words)]

    def run(self, *words):
        subprocess.run(self.inside(*words), check=True)

    def server(self, database, *around, net=()):
        """Started, and serving; its log is in a file beside the others."""
        log = self.folder / f"server-{len(self.started)}.log"
        words = [*net, *around, BIN / "dhcp-server", "--subnet", "10.0.0.0/8", "--pool", POOL, "--lease",
                 "3600", "--database", database, "--control", self.folder / f"{log.name}.sock"]
        with log.open("w") as output:
            process = subprocess.Popen(self.inside(*words), stdout=output, stderr=output)
        process.log = log
        self.started.append(process)
        return process

    def serving(self, database, *around):
        process = self.server(database, *around)
        eventually(lambda: process.poll() is None and "serving" in process.log.read_text(), True)
        return process

    def load(self, *options, record=None):
        """dhcp_load's own process; finish() has what it printed."""
        words = ["nsenter", f"--net=/proc/{self.other.pid}/ns/net", LOAD, "--server", "10.0.0.1",
                 "--local", "10.0.0.2", "--seed", SEEDS.getrandbits(60), *options]
        words += ["--record", record] if record else []
        process = subprocess.Popen(self.inside(*words), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.started.append(process)
        return process

    def close(self):
        for process in [*reversed(self.started), self.other, self.holder]:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()


@pytest.fixture
def place(tmp_path):
    need("unshare", "nsenter", "ip")
    if not LOAD.exists():
        pytest.skip(f"{LOAD} is not built (make units)")
    made = Place(tmp_path)
    yield made
    made.close()


def finish(load):
    """How many were acknowledged."""
    output, errors = load.communicate(timeout=120)
    assert load.returncode in (0, 1), errors
    return int(re.search(r'"done": *(\d+)', output)[1])


def stop(server, how=signal.SIGTERM):
    server.send_signal(how)
    server.wait(timeout=30)


def acknowledged(record):
    """{address: client}; what two clients were acknowledged fails at once."""
    held = {}
    lines = record.read_text().splitlines(keepends=True) if record.exists() else []
    for line in lines:
        if line.endswith("\n"):
            address, client = line.split()
            assert held.setdefault(address, client) == client, f"{address} went to two clients"
    return held


def stored(database):
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as person:
        rows = person.execute("SELECT address, hardware_address FROM leases WHERE state = 'bound'")
        return dict(rows.fetchall())


def expect_all_known(record, database):
    held, known = acknowledged(record), stored(database)
    lost = {address: client for address, client in held.items() if known.get(address) != client}
    assert not lost, f"{len(lost)} of {len(held)} acknowledged leases are lost: {list(lost)[:5]}"
    return len(held)


def test_killed_twenty_times_under_load(place, tmp_path):
    database, record = tmp_path / "leases.db", tmp_path / "record"
    moments = random.Random(1)
    for _ in range(20):
        server = place.serving(database)
        before = record.stat().st_size if record.exists() else 0
        loads = []

        def is_under_load():
            """A load ends by itself: on a machine that stalls for so long, before anything is on record."""
            if not loads or loads[-1].poll() is not None:
                loads.append(place.load("--seconds", "1", "--timeout", "0.2", "--tries", "1", record=record))
            return record.exists() and record.stat().st_size > before

        eventually(is_under_load, True, every=0.002)
        killed = threading.Timer(moments.uniform(0, 0.3), server.kill)
        killed.start()
        for load in loads:
            finish(load)
        killed.join()
        server.wait(timeout=10)
    server = place.serving(database)
    assert expect_all_known(record, database) >= 20
    # And its clients say so: each of them, back from a reboot, is told its address again.
    again = finish(place.load("--mode", "reboot", "--leases", record))
    assert again == len(acknowledged(record))
    stop(server)


def strace_events(text):
    """What strace saw, in order: ("request" | "sync" | "ack", how many)."""
    for line in text.splitlines():
        if "recvmmsg(" in line:
            yield "request", line.count(r"\x35\x01\x03")
        elif "sendmmsg(" in line:
            yield "ack", line.count(r"\x35\x01\x05")
        elif re.search(r"\bf(data)?sync\(", line) and line.endswith("= 0"):
            yield "sync", 1


def test_no_ack_leaves_before_its_sync(place, tmp_path):
    need("strace")
    trace = tmp_path / "trace"
    # Leaks cannot be looked for under ptrace, where the build would do that.
    server = place.serving(tmp_path / "leases.db", "env", "ASAN_OPTIONS=detect_leaks=0", "strace",
                           "-D", "-qq", "-f", "-v", "-xx", "-s", "600", "-e",
                           "trace=recvmmsg,sendmmsg,fsync,fdatasync", "-o", trace)
    done = finish(place.load("--count", "500"))
    assert done == 500
    stop(server)
    eventually(lambda: sum(number for kind, number in strace_events(trace.read_text())
                           if kind == "ack"), 500)
    synced, batches = False, 0
    for kind, number in strace_events(trace.read_text()):
        if kind == "request":
            synced = synced and number == 0
        elif kind == "sync":
            synced = True
        elif number > 0:
            batches += 1
            assert synced, "an acknowledgement left before a sync"
    assert 500 / 64 <= batches <= 500


def frames(log):
    """Where each frame of the log's present round ends, and whether it ends a transaction."""
    data = log.read_bytes()
    size = FRAME_HEADER + struct.unpack(">I", data[8:12])[0]
    at = 32
    while data[at + 8:at + 16] == data[16:24]:
        at += size
        yield at, any(data[at - size + 4:at - size + 8])


@pytest.mark.parametrize("torn", ["half a frame", "a frame with noise", "three frames"])
def test_a_torn_tail_loses_nothing(place, tmp_path, torn):
    database, record = tmp_path / "leases.db", tmp_path / "record"
    server = place.serving(database)
    assert finish(place.load("--count", "300", record=record)) == 300
    stop(server, signal.SIGKILL)
    log = Path(f"{database}-wal")
    ends = [end for end, _ in frames(log)]
    end, size = ends[-1], ends[0] - 32
    frame = log.read_bytes()[32:ends[0]]  # its sums are wrong anywhere else
    tail = {"half a frame": frame[:size // 2],
            "a frame with noise": frame[:FRAME_HEADER] + bytes(size - FRAME_HEADER),
            "three frames": frame * 3}[torn]
    with log.open("r+b") as output:
        output.truncate(end)
        output.seek(end)
        output.write(tail)
    server = place.serving(database)
    assert f"{len(tail)} bytes at the end of the log" in server.log.read_text()
    assert "300 leases read" in server.log.read_text()
    assert expect_all_known(record, database) == 300


def test_a_log_that_was_lost_in_the_middle_is_told(place, tmp_path):
    database, record = tmp_path / "leases.db", tmp_path / "record"
    server = place.serving(database)
    finish(place.load("--count", "300", record=record))
    stop(server, signal.SIGKILL)
    log = Path(f"{database}-wal")
    commits = [end for end, commit in frames(log) if commit]
    data = bytearray(log.read_bytes()[:commits[-1]])
    data[commits[1] + 100] ^= 1
    log.write_bytes(data)
    server = place.serving(database)
    loss = f"{commits[-1] - commits[1]} bytes with {len(commits) - 2} transactions are lost"
    assert loss in server.log.read_text()


def refused(place, database):
    """The log's last line of a server that does not start."""
    server = place.server(database)
    assert server.wait(timeout=30) == 3, server.log.read_text()
    return server.log.read_text().splitlines()[-1]


def test_what_is_no_database_is_refused_and_kept(place, tmp_path):
    for number, content in enumerate((b"my thesis\n", b"my thesis\n" * 1000, bytes(4096))):
        path = tmp_path / f"thesis-{number}"
        path.write_bytes(content)
        assert "no SQLite database" in refused(place, path)
        assert path.read_bytes() == content


def test_a_damaged_file_is_refused_and_kept(place, tmp_path):
    database = tmp_path / "leases.db"
    server = place.serving(database)
    assert finish(place.load("--count", "2000")) == 2000
    stop(server)
    data = bytearray(database.read_bytes())
    data[-4096 * 3:-4096 * 2] = random.Random(3).randbytes(4096)
    database.write_bytes(data)
    assert "damaged" in refused(place, database)
    assert database.read_bytes() == data


def test_two_servers_on_one_file(place, tmp_path):
    database = tmp_path / "leases.db"
    server = place.serving(database)
    elsewhere = place.server(database, net=["unshare", "--net"])
    assert elsewhere.wait(timeout=30) == 3
    assert "another dhcp-server has it open" in elsewhere.log.read_text()
    assert finish(place.load("--count", "10")) == 10
    stop(server)
    stop(place.serving(database))


def test_a_read_only_place_is_refused(place, tmp_path):
    database = tmp_path / "leases.db"
    stop(place.serving(database))
    shutil.copy(database, tmp_path / "copy.db")
    place.run("mount", "--bind", tmp_path / "copy.db", tmp_path / "copy.db")
    place.run("mount", "-o", "remount,ro,bind", tmp_path / "copy.db")
    assert "Read-only" in refused(place, tmp_path / "copy.db")
    place.run("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", "/run/small")
    assert "Read-only" in refused(place, "/run/small/leases.db")
    assert "No such file" in refused(place, "/run/nowhere/leases.db")


def test_a_full_disk_acknowledges_nothing(place, tmp_path):
    record, database = tmp_path / "record", Path("/run/small/leases.db")
    place.run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", "/run/small")
    place.run("dd", "if=/dev/zero", "of=/run/small/ballast", "bs=1k", "count=1300", "status=none")
    server = place.serving(database)
    load = place.load("--count", "30000", "--seconds", "60", "--timeout", "0.2", "--tries", "1",
                      record=record)
    eventually(lambda: "the disk is full" in server.log.read_text(), True, seconds=60)
    load.terminate()
    load.communicate()
    assert acknowledged(record), "it was full before the first lease"
    assert "withheld" in server.log.read_text() and server.poll() is None
    # Room again: it goes on by itself.
    place.run("rm", "/run/small/ballast")
    assert finish(place.load("--count", "100", record=record)) == 100
    stop(server, signal.SIGKILL)
    server = place.serving(database)
    place.run("cp", database, f"{database}-wal", tmp_path)
    expect_all_known(record, tmp_path / "leases.db")


def test_a_person_is_not_locked_out_and_locks_nobody_out(place, tmp_path):
    database, record = tmp_path / "leases.db", tmp_path / "record"
    server = place.serving(database)
    person = sqlite3.connect(database, isolation_level=None, timeout=5)
    # A long look, while leases are given.
    person.execute("BEGIN")
    assert person.execute("SELECT count(*) FROM leases").fetchone() == (0,)
    assert finish(place.load("--count", "500", record=record)) == 500
    assert person.execute("SELECT count(*) FROM leases").fetchone() == (0,)
    person.execute("COMMIT")
    assert person.execute("SELECT count(*) FROM leases").fetchone() == (500,)
    # A lock for writing: nothing is acknowledged until it is gone, and the server goes on.
    person.execute("BEGIN IMMEDIATE")
    assert finish(place.load("--count", "5", "--timeout", "0.3", "--tries", "2")) == 0
    assert "locked" in server.log.read_text() and "withheld" in server.log.read_text()
    person.execute("ROLLBACK")
    assert finish(place.load("--count", "100", record=record)) == 100
    person.close()
    stop(server)
    assert expect_all_known(record, database) == 600
