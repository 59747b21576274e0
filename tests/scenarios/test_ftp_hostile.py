"""Clients that mean harm, over the wire: a place is not held for nothing, memory and descriptors
stay within bounds, and everybody else is served meanwhile."""
import contextlib
import os
import random
import re
import select
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from conftest import BIN, eventually, need
from ftp_lab import PATIENCE, ftp_server, trusting  # noqa: F401


def resident(server):
    """KiB of memory that the server has to itself. A sanitizer keeps what was freed: it counts as none."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return 0 if "asan" in str(BIN) else int(re.search(r"RssAnon:\s+(\d+)", status)[1])


def ends(connection):
    """It is closed, properly or not, whatever came before."""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError, ssl.SSLError):
        while connection.recv(65536):
            pass


def dribble(connection, text):
    """Byte after byte, again and again, until the server has enough of it."""
    deadline = time.monotonic() + PATIENCE
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while time.monotonic() < deadline:
            for byte in text:
                connection.sendall(bytes([byte]))
                if select.select([connection], [], [], 0.02)[0]:
                    return
    pytest.fail("it was never enough")


def stranger(server):
    session = server.connect()
    session.next(220)
    return session


def shaking(server):
    session = stranger(server)
    session.expect("AUTH TLS", 234)
    return session


@pytest.mark.parametrize("begin, text, said", [
    pytest.param(stranger, b"x" * 5000, b"421", id="a line that never ends"),
    pytest.param(stranger, None, b"421", id="commands, but no log-in"),
    pytest.param(lambda server: server.session(), b"NOOP NOOP ", b"421", id="a line behind the log-in"),
    pytest.param(shaking, b"\x16\x03\x01\x3f\xff" + b"\0" * 10000, b"", id="a handshake"),
])
def test_who_dribbles_holds_no_place(ftp_server, begin, text, said):
    server = ftp_server("--tls", "--clients", 1, "--waiting", 1, "--login-time", "1.5", "--idle-time", "1.5")
    loris, waiting = begin(server), server.connect()
    assert waiting.line().startswith("220-You are number 1 in line")
    if text:
        dribble(loris.connection, text)
        with contextlib.suppress(ConnectionResetError):
            assert loris.connection.recv(65536).startswith(said)
    else:
        replies = []
        eventually(lambda: (replies.append(loris.ask("SYST")), replies[-1][:3])[1], said.decode())
        assert len(replies) > 2 and set(replies[:-1]) == {"215 UNIX Type: L8\n"}
    waiting.next(220)


def queued(server):
    """What the kernel holds of each connection to the server, at its end: bytes to send and to be read."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [[int(part, 16) for part in row[4].split(":")] for row in rows
            if row[1].endswith(f":{server.port:04X}") and row[3] == "01"]


def test_who_reads_no_replies_costs_little_and_is_let_go(ftp_server):
    """A hundred clients send commands for as long as any are taken, and read nothing. What is kept for
    each, replies and commands, here and in the kernel, is some tens of KiB."""
    server = ftp_server("--clients", 200, "--idle-time", "1")
    rest, before = server.descriptors(), resident(server)
    crowd = [server.session(receive_bytes=4096).connection for _ in range(100)]
    full, seen = set(), []
    while len(full) < len(crowd):
        for connection in crowd:
            connection.setblocking(False)
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                try:
                    for _ in range(100):
                        connection.send(b"FEAT\r\nHELP\r\n" * 2000)
                    continue
                except BlockingIOError:
                    pass
            full.add(connection)
        seen += queued(server)
    assert max(sum(both) for both in seen) < 256 * 1024
    assert resident(server) - before < len(crowd) * 120
    assert server.session().ask("NOOP") == "200 OK.\n"
    eventually(lambda: server.descriptors() <= rest + 1, True)
    assert len(server.status()["served"]) <= 1


def test_a_thousand_data_connections_without_a_command(ftp_server):
    """Each of 300 sessions has two of them made, of which one counts; nothing of it is left."""
    server = ftp_server("--clients", 400)
    rest = server.descriptors()
    sessions = [server.session() for _ in range(300)]
    data = []
    for session in sessions:
        port = session.port()
        for _ in range(2):
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex((server.host, port))
            data.append(connection)
    assert server.session().ask("NOOP") == "200 OK.\n"
    assert server.descriptors() <= rest + 3 * len(sessions) + 1
    for connection in data:
        connection.close()
    for session in sessions:
        session.close()
    eventually(lambda: server.descriptors() <= rest + 1, True)


GARBAGE = {
    "nothing of TLS": b"GET / HTTP/1.0\r\n" * 65536,
    "random": random.Random(4).randbytes(1 << 20),
    "records of 16 KiB": (b"\x16\x03\x01\x40\x00" + b"\x01\x00\x3f\xfc" + b"\0" * 16380) * 64,
    "one hello without end": b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + (b"\0" * 16380 + b"\x16\x03\x01\x40\x00") * 64,
    "alerts": b"\x15\x03\x01\x00\x02\x01\x64" * 150000,
    "empty records": b"\x16\x03\x01\x00\x00" * 200000,
    "an SSL 2 hello": (b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + b"\x07" * 37) * 22000,
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_a_megabyte_instead_of_a_handshake(ftp_server, garbage):
    server = ftp_server("--tls", "--clients", 8, "--login-time", "5")
    session = server.session()
    rest, before = server.descriptors(), resident(server)
    for _ in range(5):
        loris = shaking(server)
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            loris.connection.sendall(garbage)
        assert session.ask("NOOP") == "200 OK.\n"
        ends(loris.connection)
        loris.close()
    eventually(lambda: server.descriptors() <= rest, True)
    assert resident(server) - before < 4096
    session.secure()
    assert session.ask("NOOP") == "200 OK.\n"


def test_a_megabyte_inside_tls(ftp_server):
    """A line that is too long is told once, wherever it comes; NULs are no end of it."""
    server = ftp_server("--tls")
    session = shaking(server)
    session.connection = trusting().wrap_socket(session.connection)
    before = resident(server)
    session.connection.sendall(b"\0" * (1 << 20) + b"\r\n" + b"USER " + b"n" * (1 << 20) + b"\r\nNOOP\r\n")
    assert [session.reply()[:3] for _ in range(3)] == ["500", "500", "200"]
    assert resident(server) - before < 4096


def test_no_renegotiation(ftp_server):
    """It would let a client have us do the dear half of a handshake again and again."""
    need("openssl")
    server = ftp_server("--tls")
    asked = subprocess.run(
        ["openssl", "s_client", "-connect", f"{server.host}:{server.port}", "-starttls", "ftp", "-tls1_2"],
        input=b"R\n" * 3, capture_output=True, timeout=PATIENCE, check=False)
    said = asked.stdout + asked.stderr
    assert b"RENEGOTIATING" in said and b"no renegotiation" in said, said
    assert server.session().ask("NOOP") == "200 OK.\n"


@pytest.mark.parametrize("size", [65536, 1 << 20])
def test_a_name_without_end_in_the_text_protocol(ftp_server, size):
    """It is one name, however long, and the session goes on; meanwhile nothing of it is kept."""
    server = ftp_server("--protocol", "text", "--idle-time", "20")
    (server.root / "f").write_bytes(b"content")
    before = resident(server)
    with socket.create_connection((server.host, server.port), timeout=PATIENCE) as partner:
        reader = partner.makefile("rb")
        greeting = reader.read(len("You are now connected to server."))
        assert greeting == b"You are now connected to server."
        partner.sendall(b"n" * size)
        assert resident(server) - before < 1024
        partner.sendall(b"\nf\n")
        partner.shutdown(socket.SHUT_WR)
        rest = reader.read()
    assert rest.count(b"File not found") == 1 and rest.endswith(b"File not foundcontent")
    assert os.listdir(server.root) == ["f"]
