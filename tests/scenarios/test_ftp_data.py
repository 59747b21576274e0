"""Data connections: to and from the control peer alone, one, for a while; and nobody waits for
another's."""
import contextlib
import os
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from conftest import BIN, need
from ftp_lab import PATIENCE, eventually, free_port, ftp_server, read_all, trusting, visible  # noqa: F401


@pytest.mark.parametrize("line", [
    "PORT 127,0,0,9,200,1", "PORT 10,1,2,3,200,1", "EPRT |1|127.0.0.9|50000|", "EPRT |2|::1|50000|",
    "PORT 127,0,0,1,3,255", "PORT 127,0,0,1,0,0", "EPRT |1|127.0.0.1|1023|", "EPRT |1|127.0.0.1|0|",
    "EPRT |1|127.0.0.1|65536|", "PORT 127,0,0,1,256,1", "PORT 0,0,0,0,200,1"])
def test_no_tool_for_attacks_on_others(ftp_server, line):
    session = ftp_server().session()
    session.expect(line, 501)
    session.expect("LIST", 425)


def test_a_stranger_gets_nothing_of_a_passive_port(ftp_server):
    server = ftp_server()
    (server.root / "f").write_text("secret")
    session = server.session()
    port = session.port()
    with socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.7", 0)) as stranger:
        stranger.settimeout(PATIENCE)
        assert read_all(stranger) == b""
        with socket.create_connection(("127.0.0.1", port)) as data:
            session.expect("RETR f", 150)
            assert read_all(data) == b"secret"
        session.next(226)


@pytest.mark.parametrize("size", [0, 1, 1024, 16 * 1024, 16 * 1024 + 1, 300_000])
def test_files_of_every_size_come_whole(ftp_server, size):
    """Small ones go out in one piece, within the command that asks for them."""
    server = ftp_server()
    content = os.urandom(size)
    (server.root / "f").write_bytes(content)
    session = server.session()
    session.expect("TYPE I", 200)
    for start in {0, size // 2, size}:
        session.expect(f"REST {start}", 350)
        with session.passive() as data:
            session.send("RETR f")
            assert read_all(data) == content[start:]
        session.next(150)
        session.next(226)


@pytest.mark.parametrize("way", ["--ftp-pasv", "--disable-epsv"])
def test_curl_falls_asleep_once_only(ftp_server, way):
    """7.88 waits a second before each file but the first where the reply to EPSV or PASV is too quick
    for it: nine here. A loaded machine may make it one or two more, whatever a server does."""
    need("curl")
    server = ftp_server()
    (server.root / "f").write_text("content")
    one = ["-o", os.devnull, f"ftp://127.0.0.1:{server.port}/f"]
    began = time.monotonic()
    subprocess.run(["curl", "-sS", way, *one * 10], timeout=PATIENCE, check=True)
    assert time.monotonic() - began < 6


def test_one_connection_a_port(ftp_server):
    server = ftp_server()
    (server.root / "f").write_text("secret")
    session = server.session()
    port = session.port()
    with socket.create_connection(("127.0.0.1", port)) as data:
        eventually(lambda: refuses(port), True)
        session.expect("RETR f", 150)
        assert read_all(data) == b"secret"
    session.next(226)


def refuses(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_new_port_closes_the_old_one(ftp_server):
    server = ftp_server()
    session = server.session()
    ports = [session.port()]
    rest = server.descriptors()
    ports += [session.port() for _ in range(199)]
    assert len(set(ports)) > 100, "they are not to be guessed"
    assert server.descriptors() <= rest, "a port of another process may have such a number by now"
    with socket.create_connection(("127.0.0.1", ports[-1])):
        session.expect("NLST", 150)
        session.next(226)


def test_ports_are_within_the_range_until_it_is_exhausted(ftp_server):
    first = free_port()
    first = first if first < 65000 else first - 1000
    server = ftp_server("--ports", f"{first}-{first + 2}")
    sessions = [server.session() for _ in range(4)]
    answers = [session.ask("EPSV") for session in sessions]
    ports = [int(found[1]) for found in (re.search(r"\|\|\|(\d+)\|", answer) for answer in answers) if found]
    assert len(ports) == len(set(ports)) <= 3 and all(first <= port <= first + 2 for port in ports)
    assert answers[3].startswith("425 "), "three ports, and a fourth client"
    sessions[0].expect("QUIT", 221)
    eventually(lambda: sessions[3].ask("EPSV")[:3], "229")


def test_storms_of_passive_ports_leave_nothing(ftp_server):
    server = ftp_server("--clients", 100)
    rest = server.descriptors()
    sessions = [server.session() for _ in range(50)]
    for session in sessions:
        session.connection.sendall(b"EPSV\r\nPASV\r\n" * 20)
    for session in sessions:
        for _ in range(20):
            session.next(229)
            session.next(227)
    assert server.descriptors() <= rest + 2 * len(sessions)
    for session in sessions:
        session.close()
    eventually(lambda: server.descriptors() <= rest, True)


@pytest.mark.parametrize("command", ["RETR big", "STOR up", "LIST"])
def test_clients_that_vanish_leave_nothing(ftp_server, command):
    """At any moment of a transfer; and what they were sending is nowhere."""
    server = ftp_server("--anonymous", "all", "--clients", 100)
    with (server.root / "big").open("wb") as big:
        big.truncate(1 << 28)
    rest = server.descriptors()
    for moment in range(30):
        session = server.session()
        session.expect("TYPE I", 200)
        data = session.passive(receive_bytes=4096) if moment % 6 else None
        if moment % 6 > 1:
            session.send(command if data else "EPSV")
        with contextlib.suppress(OSError):
            if moment % 6 > 2 and command.startswith("STOR"):
                data.sendall(b"x" * 100000)
            if moment % 6 > 3:
                session.next(150)
            if moment % 6 > 4:
                data.recv(1000) if not command.startswith("STOR") else None
        # As a killed process's: data first.
        if data:
            data.close()
        session.close()
    eventually(lambda: server.descriptors() <= rest, True)
    assert visible(server.root) == ["big"]
    assert server.status()["served"] == []


def test_nobody_waits_for_a_stalled_client(ftp_server):
    """Eight read nothing of a large file, one sends nothing: others fetch and store a hundred files."""
    server = ftp_server("--anonymous", "all", "--clients", 20)
    with (server.root / "big").open("wb") as big:
        big.truncate(1 << 30)
    (server.root / "small").write_bytes(b"small")
    stalled = []
    for number in range(9):
        session = server.session()
        session.expect("TYPE I", 200)
        data = session.passive(receive_bytes=4096)
        session.expect("RETR big" if number else "STOR up", 150)
        stalled.append((session, data))
    quick = server.session()
    began = time.monotonic()
    for number in range(100):
        assert quick.fetch("RETR small") == b"small"
        quick.put(f"STOR n{number}", b"x")
    # Nobody's stall is waited for: each would take two minutes.
    assert time.monotonic() - began < 60
    status = server.status()
    moving = [row for row in status["served"] if row["transfer"]]
    assert len(moving) == 9 and {row["transfer"]["command"] for row in moving} == {"RETR", "STOR"}
    assert status["counters"]["downloads"] == 100


MANY = 100_000


@pytest.fixture(scope="module")
def huge(tmp_path_factory):
    """A directory of 100,000 names, made once; in memory, where that can be, as it is made sooner."""
    root = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else tmp_path_factory.getbasetemp()))
    (root / "d").mkdir()
    at = os.open(root / "d", os.O_RDONLY)
    for number in range(MANY):
        os.mknod(f"{number * 7919 % MANY:05}.txt", dir_fd=at)
    os.close(at)
    yield root
    shutil.rmtree(root)


def resident_bytes(server):
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{server.pid}/status").read_text())[1]) * 1024


def test_a_huge_directory_is_listed_whole_and_in_order(ftp_server, huge):
    session = ftp_server(root=huge).session()
    names = [f"{number:05}.txt".encode() for number in range(MANY)]
    assert session.fetch("NLST d").splitlines() == [b"d/" + name for name in names]
    assert [row.rsplit(b" ", 1)[1] for row in session.fetch("LIST d").splitlines()] == names
    assert [row.rsplit(b" ", 1)[1] for row in session.fetch("MLSD d").splitlines()] == names
    assert session.fetch("NLST d/*7.txt").splitlines() == [b"d/" + name for name in names[7::10]]
    session.expect("STAT d", 451)


def test_a_huge_listing_takes_little_memory_and_can_be_aborted(ftp_server, huge):
    """Twelve clients read nothing of 7 MB each: what waits for them is not made yet."""
    server = ftp_server("--clients", 40, root=huge)
    other = server.session()
    other.fetch("NLST d")
    before, rest = resident_bytes(server), server.descriptors()
    moving = []
    for _ in range(12):
        session = server.session()
        moving.append((session, session.passive(receive_bytes=4096)))
        session.expect("LIST d", 150)
    for session, _ in moving:
        assert re.fullmatch(r"211 LIST: \d+ bytes moved so far\.\n", session.ask("STAT"))
    if "asan" not in str(BIN):  # which keeps what was freed for a while
        assert resident_bytes(server) - before < 12 * 2_000_000
    assert other.fetch("NLST") == b"d\r\n"
    for number, (session, data) in enumerate(moving):
        if number % 3 == 0:
            session.expect("ABOR", 426)
            session.next(226)
        elif number % 3 == 1:
            session.close()
        data.close()
    eventually(lambda: server.status()["counters"]["failed_transfers"], 12)
    for session, _ in moving:
        session.close()
    eventually(lambda: server.descriptors() <= rest, True)
    assert len(other.fetch("NLST d")) == MANY * 13


@pytest.mark.parametrize("line", ["LIST", "NLST f*", "MLSD", "STAT ."])
def test_no_directory_is_read_by_the_thread_that_serves_all(ftp_server, line):
    need("strace")
    server = ftp_server(before=["strace", "-D", "-f", "-o", "trace", "-e", "trace=getdents64,newfstatat"])
    for number in range(50):
        (server.root / f"f{number}").write_text("")
    session = server.session()
    if line.startswith("STAT"):
        assert session.expect(line, 212).count("\n") == 52
    else:
        assert session.fetch(line).count(b"\r\n") == 50
    rows = (server.folder / "trace").read_text().splitlines()
    readers = {int(row.split()[0]) for row in rows if "getdents64(" in row or '"f7", ' in row}
    assert readers and server.pid not in readers


def test_nobody_waits_for_the_end_of_a_large_file(ftp_server):
    """
    Removed, replaced in three ways, or given up half sent: its blocks are freed when the last descriptor is
    closed, which is a thread's business.
    """
    need("strace")
    server = ftp_server("--anonymous", "all", before=["strace", "-D", "-f", "-y", "-o", "trace", "-e", "trace=close"])
    session = server.session()
    session.expect("TYPE I", 200)
    for name in ("deleted", "stored", "appended", "renamed"):
        with (server.root / name).open("wb") as file:
            file.truncate(1 << 25)
    (server.root / "new").write_text("new")
    rest = server.descriptors()
    session.expect("DELE deleted", 250)
    session.put("STOR stored", b"short")
    session.expect("REST 5", 350)
    session.put("STOR appended", b"short")
    session.expect("RNFR new", 350)
    session.expect("RNTO renamed", 250)
    with session.passive() as data:
        session.expect("STOR half", 150)
        data.sendall(bytes(1 << 25))
        session.expect("ABOR", 426)
        session.next(226)
    eventually(lambda: server.descriptors(), rest)
    assert visible(server.root) == ["appended", "renamed", "stored"]

    def closers(name):
        ends = rf"^(\d+) +close\(\d+<[^>]*/{name}[^/>]*(?: \(deleted\)>|>\(deleted\))"
        return [int(pid) for pid in re.findall(ends, (server.folder / "trace").read_text(), re.M)]

    for name in ("deleted", "stored", "appended", "renamed", "#"):
        eventually(lambda: bool(closers(name)) and closers(name)[-1] != server.pid, True)


def test_nobody_waits_for_a_large_file_that_is_measured(ftp_server):
    """SIZE in TYPE A reads all of it: more of them than there are threads, and a listing passes them."""
    server = ftp_server("--clients", 20)
    with (server.root / "big").open("wb") as big:
        big.truncate(1 << 40)
    measuring = [server.session() for _ in range(6)]
    for session in measuring:
        session.send("SIZE big")
    other = server.session()
    for _ in range(3):
        assert other.fetch("NLST") == b"big\r\n"
    assert select.select([session.connection for session in measuring], [], [], 0)[0] == [], "a terabyte"
    for session in measuring:
        session.close()


def test_patterns_made_to_explode(ftp_server):
    """Forty stars against names of 255 bytes: the answer comes as if it were any other."""
    server = ftp_server("--anonymous", "all")
    for number in range(500):
        (server.root / ("a" * 252 + f"{number:03}")).write_text("")
    session = server.session()
    for pattern in ("*a" * 40 + "*b", "[a-z]" * 40 + "*" * 100 + "c", "*[" * 100, "?" * 400, "*" * 4000, "\\" * 400 + "*"):
        for verb in ("NLST", "LIST"):
            with session.passive() as data:
                if session.ask(f"{verb} {pattern}").startswith("150"):
                    read_all(data)
                    session.next(226)
        assert session.ask(f"STAT {pattern}")[:1] in "245"
    session.expect("NOOP", 200)
    assert session.fetch(f"NLST {'*a' * 40}*007").count(b"\r\n") == 1


def test_a_transfer_with_its_rate_in_the_status(ftp_server):
    server = ftp_server()
    with (server.root / "big").open("wb") as big:
        big.truncate(1 << 28)
    session = server.session()
    session.expect("TYPE I", 200)
    with session.passive() as data:
        session.expect("RETR big", 150)
        data.recv(100000)
        row = server.status()["served"][0]
    assert row["client"].startswith("127.0.0.1:") and row["user"] == "anonymous" and row["state"] == "transfer"
    transfer = row["transfer"]
    assert transfer["command"] == "RETR" and transfer["path"] == "/big" and transfer["bytes"] > 0
    assert transfer["bytes_per_second"] == pytest.approx(transfer["bytes"] / transfer["seconds"], rel=0.01)


def ended(connection):
    """It ends, properly or not; whatever came before."""
    try:
        read_all(connection)
    except ConnectionResetError:
        pass
    return True


def test_a_passive_port_that_nobody_connects_to_is_closed(ftp_server):
    """Before the command and behind it; and the session goes on."""
    server = ftp_server("--anonymous", "all", "--connect-time", "0.2")
    session = server.session()
    rest = server.descriptors()
    session.port()
    eventually(lambda: server.descriptors(), rest)
    session.expect("NLST", 150)
    session.next(425)
    for line in ("NLST", "STOR never"):
        session.port()
        session.expect(line, 150)
        session.next(425)
    eventually(lambda: server.descriptors(), rest)
    assert visible(server.root) == [] and session.fetch("NLST") == b""


@pytest.mark.parametrize("line", ["RETR big", "LIST", "STOR up"])
@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_data_connection_that_is_closed_early(ftp_server, line, how):
    """While the control connection stays: the transfer has its reply, and the session goes on."""
    server = ftp_server("--anonymous", "all")
    for number in range(500):
        (server.root / f"{number:0200}").write_text("")
    with (server.root / "big").open("wb") as big:
        big.truncate(1 << 30)
    session = server.session()
    session.expect("TYPE I", 200)
    rest = server.descriptors()
    data = session.passive(receive_bytes=4096)
    session.expect(line, 150)
    if line.startswith("STOR"):
        data.sendall(b"part")
        eventually(lambda: session.ask("STAT").split()[2], "4")
    if how == "reset":
        data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    data.close()
    whole = line.startswith("STOR") and how == "close"  # which is how a file ends
    # All of a listing may have been on its way already.
    reply = session.reply()
    assert reply[:3] in (("226", "426") if line == "LIST" else ("226",) if whole else ("426",)), reply
    session.expect("NOOP", 200)
    eventually(lambda: server.descriptors(), rest)
    assert ("up" in visible(server.root)) == whole


def test_an_active_connection_that_is_never_taken(ftp_server):
    """A listener whose queue is full: the kernel drops what asks for more."""
    session = ftp_server("--connect-time", "0.2").session()
    with contextlib.ExitStack() as held:
        full = held.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            filler = held.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        session.expect(f"EPRT |1|127.0.0.1|{full.getsockname()[1]}|", 200)
        session.expect("NLST", 150)
        session.next(425)
    session.expect("NOOP", 200)


@pytest.mark.parametrize("keeps", [(), ("--keep-cut-off",)], ids=["forgets", "keeps"])
def test_a_transfer_that_stands_still_is_ended(ftp_server, keeps):
    """A client that reads nothing, and one that sends nothing any more."""
    server = ftp_server("--anonymous", "all", "--stall-time", "0.3", *keeps)
    with (server.root / "big").open("wb") as big:
        big.truncate(1 << 30)
    session = server.session()
    session.expect("TYPE I", 200)
    rest = server.descriptors()
    with session.passive(receive_bytes=4096) as data:
        session.expect("RETR big", 150)
        session.next(426)
        assert ended(data)
    with session.passive() as data:
        session.expect("STOR up", 150)
        data.sendall(b"half")
        session.next(426)
        assert ended(data)
    assert visible(server.root) == ([".kept-up"] if keeps else []) + ["big"]
    eventually(lambda: server.descriptors(), rest)
    assert server.status()["counters"]["failed_transfers"] == 2


def test_a_slow_transfer_does_not_stand_still(ftp_server):
    """Each byte is waited for anew: in all it takes longer than the time of one."""
    server = ftp_server("--anonymous", "all", "--stall-time", "1")
    session = server.session()
    session.expect("TYPE I", 200)
    with session.passive() as data:
        session.expect("STOR slow", 150)
        began = time.monotonic()
        for number in range(8):
            data.sendall(b"x")
            eventually(lambda due=began + number * 0.2: time.monotonic() >= due, True)
    session.next(226)
    assert (server.root / "slow").read_bytes() == b"x" * 8


@pytest.fixture
def tls_server(ftp_server):
    def start(*options):
        server = ftp_server("--tls", "--anonymous", "all", *options)
        (server.root / "f").write_bytes(b"content\n" * 1000)
        return server

    return start


def secure_session(server, context=None):
    session = server.connect()
    session.next(220)
    session.secure(context)
    session.expect("USER anonymous", 331)
    session.expect("PASS x", 230)
    session.expect("PBSZ 0", 200)
    session.expect("PROT P", 200)
    session.expect("TYPE I", 200)
    return session


def test_tls_on_both_connections(tls_server):
    server = tls_server()
    session = secure_session(server)
    raw = session.passive()
    session.expect("RETR f", 150)
    with session.wrap(raw) as data:
        assert read_all(data) == b"content\n" * 1000
    session.next(226)
    raw = session.passive()
    session.expect("STOR g", 150)
    data = session.wrap(raw)
    data.sendall(b"new" * 100000)
    data.unwrap()
    data.close()
    session.next(226)
    assert (server.root / "g").read_bytes() == b"new" * 100000
    session.expect("PROT C", 200)
    assert session.fetch("RETR f") == b"content\n" * 1000
    for line, code in (("PROT S", 536), ("PROT X", 504), ("CCC", 502), ("AUTH TLS", 503), ("REIN", 502)):
        session.expect(line, code)
    assert server.status()["served"][0]["tls"] is True


def test_an_end_in_tls_is_the_clients_word(tls_server):
    """Who ends its data in TLS is no dying process: what it does next is nothing to the file."""
    server = tls_server()
    session = secure_session(server)
    raw = session.passive()
    session.expect("STOR g", 150)
    data = session.wrap(raw)
    data.sendall(b"whole")
    data.unwrap()
    data.close()
    session.close()
    eventually(lambda: (server.root / "g").exists(), True)
    assert (server.root / "g").read_bytes() == b"whole"
    assert server.status()["counters"]["failed_transfers"] == 0


def test_what_is_sent_behind_auth_was_never_said(tls_server):
    """CVE-2011-0411 and its kin: a command injected in clear text must not be done inside TLS."""
    session = tls_server().connect()
    session.next(220)
    session.connection.sendall(b"AUTH TLS\r\nUSER anonymous\r\nPASS x\r\nDELE f\r\n")
    session.next(234)
    session.connection = trusting().wrap_socket(session.connection)
    session.expect("PWD", 530)
    session.expect("PASS x", 503)


def test_a_cut_data_connection_is_no_end_of_file(tls_server):
    server = tls_server()
    session = secure_session(server)
    raw = session.passive()
    session.expect("STOR cut", 150)
    data = session.wrap(raw)
    data.sendall(b"half")
    data.close()  # the connection alone, without TLS's own end
    session.next(426)
    assert visible(server.root) == ["f"]


def test_tls_required(tls_server):
    session = tls_server("--tls-required").connect()
    session.next(220)
    session.expect("USER anonymous", 534)
    session.secure()
    session.expect("USER anonymous", 331)
    session.expect("PASS x", 230)
    session.expect("EPSV", 229)
    session.expect("NLST", 521)
    session.expect("PBSZ 0", 200)
    session.expect("PROT C", 534)
    session.expect("PROT P", 200)


@pytest.mark.parametrize("whose, code", [("own", 226), ("none", 425), ("other's", 425)])
def test_reuse_of_the_session_can_be_demanded(tls_server, whose, code):
    server = tls_server("--tls-reuse")
    context = trusting()  # a session may be used in its own context alone
    session, other = secure_session(server, context), secure_session(server, context)
    raw = session.passive()
    session.expect("RETR f", 150)
    resumed = {"own": session, "none": None, "other's": other}[whose]
    data = session.context.wrap_socket(raw, session=resumed and resumed.connection.session)
    with contextlib.suppress(OSError):
        read_all(data)
    session.next(code)


def test_a_handshake_that_never_begins(tls_server):
    session = secure_session(tls_server("--stall-time", "0.2"))
    with session.passive() as data:
        session.expect("RETR f", 150)
        session.next(426)
        assert ended(data)


def test_no_handshake_at_all(tls_server):
    session = secure_session(tls_server())
    with session.passive() as data:
        session.expect("RETR f", 150)
        data.sendall(b"GET / HTTP/1.0\r\n\r\n")
        session.next(425)
