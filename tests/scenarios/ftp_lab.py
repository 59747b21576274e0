"""ftp-server on the loopback, and raw control and data connections to it.

What a test says on the wire is all that is sent: no client's library stands between. `FtpServer`
waits for the server's READY=1, so no probe of ours is among its arrivals.
"""
import json
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from conftest import BIN, eventually, scaled

PATIENCE = scaled(20)


def free_port(host="127.0.0.1"):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


class FtpServer:
    def __init__(self, folder, *options, host="127.0.0.1", root=None, limits=None, before=(),
                 named_root=True):
        self.host, self.root, self.folder = host, Path(root or folder / "files"), folder
        self.root.mkdir(exist_ok=True)
        self.log, self.control = folder / "ftp-server.log", folder / "ftp-server.sock"
        self.port = free_port(host)
        notify = folder / "notify.sock"
        notify.unlink(missing_ok=True)
        at = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        words = [*before, BIN / "ftp-server", "--listen", at, "--control", self.control,
                 *(["--root", self.root] if named_root else []), *options]

        # One that is traced cannot be traced by what looks for its leaks at its end.
        traced = {"ASAN_OPTIONS": "detect_leaks=0"} if "strace" in map(str, before) else {}

        def prepare():
            for what, value in (limits or {}).items():
                resource.setrlimit(what, value)

        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(notify))
            notify.chmod(0o777)
            ready.settimeout(0.05)
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    [str(word) for word in words], stderr=log, stdout=log, preexec_fn=prepare,
                    env={**os.environ, **traced, "NOTIFY_SOCKET": str(notify)}, cwd=folder)
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    assert b"READY=1" in ready.recv(100)
                    break
                except TimeoutError:
                    assert self.process.poll() is None, self.log.read_text()
                    assert time.monotonic() < deadline, self.log.read_text()

    @property
    def pid(self):
        return self.process.pid

    def connect(self, **options):
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        connection = socket.socket(family)
        connection.settimeout(PATIENCE)
        if "receive_bytes" in options:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options["receive_bytes"])
        if "source" in options:
            connection.bind((options["source"], 0))
        connection.connect((self.host, self.port))
        return Session(connection, self.host)

    def session(self, user="anonymous", password="guest", **options):
        session = self.connect(**options)
        assert session.reply().startswith("220 ")
        session.expect(f"USER {user}", 331)
        session.expect(f"PASS {password}", 230)
        return session

    def logged(self):
        return self.log.read_text(errors="replace")

    def status(self):
        words = [BIN / "ftp-server", "status", "--control", self.control, "--json"]
        done = subprocess.run(list(map(str, words)), capture_output=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(PATIENCE) == 0, self.logged()
        finally:
            self.process.kill()
            self.process.wait()


class Session:
    """A control connection, reply by reply."""

    def __init__(self, connection, host):
        self.connection, self.host, self.held = connection, host, b""

    def line(self):
        while b"\n" not in self.held:
            got = self.connection.recv(65536)
            if not got:
                return ""
            self.held += got
        line, self.held = self.held.split(b"\n", 1)
        assert line.endswith(b"\r"), line
        return line[:-1].replace(b"\xff\xff", b"\xff").decode("utf-8", "surrogateescape") + "\n"

    def reply(self):
        """A whole reply (RFC 959 section 4.2); "" at the connection's end."""
        first = line = self.line()
        while first[3:4] == "-" and line[:4] != first[:3] + " ":
            line = self.line()
            assert line, f"cut within {first}"
            first += line
        return first

    def send(self, line):
        """RFC 959 section 4: it is a Telnet connection, where the byte 255 is doubled."""
        self.connection.sendall(line.encode("utf-8", "surrogateescape").replace(b"\xff", b"\xff\xff") + b"\r\n")

    def ask(self, line):
        self.send(line)
        return self.reply()

    def expect(self, line, code):
        reply = self.ask(line)
        assert reply.startswith(f"{code}"), f"{line!r}: {reply!r}, not {code}"
        return reply

    def next(self, code):
        reply = self.reply()
        assert reply.startswith(f"{code}"), f"{reply!r}, not {code}"
        return reply

    def port(self):
        return int(re.search(r"\|\|\|(\d+)\|", self.expect("EPSV", 229))[1])

    def passive(self, **options):
        data = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        data.settimeout(PATIENCE)
        if "receive_bytes" in options:
            data.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options["receive_bytes"])
        data.connect((self.host, self.port()))
        return data

    def fetch(self, line):
        with self.passive() as data:
            self.expect(line, 150)
            got = read_all(data)
        self.next(226)
        return got

    def put(self, line, content):
        with self.passive() as data:
            opened = self.expect(line, 150)
            data.sendall(content)
        self.next(226)
        return opened

    def secure(self, context=None, session=None):
        """AUTH TLS; the context, to be used for data connections too."""
        self.expect("AUTH TLS", 234)
        self.context = context or trusting()
        self.connection = self.context.wrap_socket(self.connection, session=session)

    def protected(self):
        """A passive data connection that resumes the control connection's TLS session, to be shaken."""
        return self.passive()

    def wrap(self, data, reuse=True):
        return self.context.wrap_socket(data, session=self.connection.session if reuse else None)

    def closed(self):
        """Nothing but the end comes."""
        try:
            return self.held == b"" and self.connection.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.connection.close()


def trusting():
    """Any certificate; TLS 1.2, where a session is there as soon as the handshake is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def read_all(connection):
    parts = []
    while got := connection.recv(1 << 20):
        parts.append(got)
    return b"".join(parts)


@pytest.fixture
def ftp_server(tmp_path):
    """start(options...) -> FtpServer; all have to end as they should."""
    started = []

    def start(*options, **more):
        folder = tmp_path / f"server{len(started)}"
        folder.mkdir()
        server = FtpServer(folder, *options, **more)
        started.append(server)
        return server

    yield start
    for server in started:
        server.end()


def visible(folder):
    return sorted(path.name for path in folder.iterdir())


__all__ = ["FtpServer", "Session", "PATIENCE", "eventually", "free_port", "ftp_server", "read_all",
           "trusting", "visible"]
