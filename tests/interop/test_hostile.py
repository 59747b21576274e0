"""The worst peers we can think of: our servers stay right, awake and idle whatever they do."""
import os
import re
import select
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from conftest import BIN, eventually


class FtpServer:
    """ftp-server on the loopback, its root, and connections to it."""

    def __init__(self, root, log, *options):
        self.root, self.log = root, log
        root.mkdir(exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        words = [BIN / "ftp-server", "--listen", f"127.0.0.1:{self.port}", "--root", root, *options]
        stderr = log if isinstance(log, int) else log.open("wb")
        self.process = subprocess.Popen([str(word) for word in words], stderr=stderr)
        eventually(self.listens, True)

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def connect(self, receive_bytes=0):
        connection = socket.socket()
        if receive_bytes:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def session(self, **options):
        session = Session(self.connect(**options))
        assert session.reply().startswith("220 ")
        assert session.ask("USER anonymous").startswith("331")
        assert session.ask("PASS x").startswith("230")
        return session

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def unread_bytes(self, peer_port):
        """What the kernel holds for the server that it has not read, of one connection."""
        ours, theirs = f":{self.port:04X}", f":{peer_port:04X}"
        for row in Path("/proc/net/tcp").read_text().splitlines():
            words = row.split()
            if words[1].endswith(ours) and words[2].endswith(theirs):
                return int(words[4].split(":")[1], 16)
        return 0

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(20) == 0
        finally:
            self.process.kill()


class Session:
    """A control connection, line by line."""

    def __init__(self, connection):
        self.connection = connection
        self.lines = connection.makefile("rb")

    def reply(self):
        line = self.lines.readline().decode()
        while line[3:4] == "-":
            line = self.lines.readline().decode()
        return line

    def send(self, line):
        self.connection.sendall(line.encode() + b"\r\n")

    def ask(self, line):
        self.send(line)
        return self.reply()

    def passive(self):
        port = int(re.search(r"\|\|\|(\d+)\|", self.ask("EPSV"))[1])
        return socket.create_connection(("127.0.0.1", port), timeout=20)

    def close(self):
        self.lines.close()
        self.connection.close()


@pytest.fixture
def ftp_server(tmp_path):
    started = []

    def start(*options, log=None):
        log = tmp_path / "ftp-server.log" if log is None else log
        server = FtpServer(tmp_path / "files", log, *options)
        started.append(server)
        return server

    yield start
    for server in started:
        server.end()


def test_nobody_reads_the_log(ftp_server):
    """A full pipe at standard error costs log lines and nothing else."""
    reader, writer = os.pipe()
    server = ftp_server(log=writer)
    session = server.session()
    for _ in range(2000):
        assert session.ask("NOOP") == "200 OK.\r\n"
    assert not select.select([], [writer], [], 0)[1], "the pipe is full"
    os.set_blocking(reader, False)
    os.read(reader, 1 << 20)
    assert session.ask("NOOP") == "200 OK.\r\n"
    assert b"lines are missing here" in os.read(reader, 1 << 20)
    os.close(reader)
    assert session.ask("NOOP") == "200 OK.\r\n"  # and no SIGPIPE
    session.close()
    os.close(writer)


def test_a_closed_client_with_unread_lines_costs_no_cpu(ftp_server):
    """It pipelines more than we keep, reads no reply and closes its half: we wait, asleep."""
    server = ftp_server()
    connection = server.connect(receive_bytes=2048)
    peer_port = connection.getsockname()[1]
    while server.unread_bytes(peer_port) == 0:
        connection.sendall(b"FEAT\r\n" * 1000)
        before = -1
        while before != server.cpu_seconds():  # it is still at work
            before = server.cpu_seconds()
            time.sleep(0.05)
    connection.shutdown(socket.SHUT_WR)
    before, until = server.cpu_seconds(), time.monotonic() + 1
    while time.monotonic() < until:
        time.sleep(0.1)
    assert server.cpu_seconds() - before < 0.3
    connection.close()
