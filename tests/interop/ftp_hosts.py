"""Two hosts and a wire, for FTP between strangers and us.

    client 10.0.1.2, fd00:1::2 ----- 10.0.1.1, fd00:1::1 server

Two network namespaces, and a mount namespace with a /run of its own. Stock servers want other users
than root: where we are root there is no user namespace around them. What passes on port 21 is captured
at the server's end and read by tshark: see `Capture`.
"""
import contextlib
import os
import select
import signal
import socket
import subprocess
import time

import pytest
from conftest import BIN, eventually, need, scaled

ADDRESSES = {4: "10.0.1.1", 6: "fd00:1::1"}
PATIENCE = scaled(60)

LINKS = """link set lo up
link add s0 type veth peer name c0 netns {client}
address add 10.0.1.1/24 dev s0
address add fd00:1::1/64 dev s0 nodad
link set s0 up
"""
CLIENT_LINKS = """link set lo up
address add 10.0.1.2/24 dev c0
address add fd00:1::2/64 dev c0 nodad
link set c0 up
"""

LAST_WORD = """
import socket, sys
with socket.create_connection((sys.argv[1], 21), 30) as link:
    link.sendall(b"USER " + sys.argv[2].encode() + b"\\r\\nQUIT\\r\\n")
    while link.recv(4096):
        pass
"""


class Namespace:
    """A process that holds namespaces open, until it is ended."""

    def __init__(self, words, around=()):
        self.process = subprocess.Popen([*around, *words, "sh", "-c", "echo up && exec cat"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        if self.process.stdout.readline() != b"up\n":
            pytest.skip(f"no namespaces here: {self.process.communicate()[1].decode().strip()}")

    @property
    def pid(self):
        return str(self.process.pid)

    def end(self):
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()
        self.process.wait(PATIENCE)


class FtpLab:
    def __init__(self, folder):
        self.folder, self.started = folder, []
        self.user = [] if os.geteuid() == 0 else ["--user"]
        mapped = ["--user", "--map-root-user"] if self.user else []
        self.server = Namespace(["unshare", *mapped, "--net", "--mount"])
        self.client = Namespace(["unshare", "--net"],
                                self.enter(self.server, "--mount", *self.user))
        self.run(self.server, "mount", "-t", "tmpfs", "tmpfs", "/run")
        self.run(self.server, "ip", "-batch", "-", stdin=LINKS.format(client=self.client.pid))
        self.run(self.client, "ip", "-batch", "-", stdin=CLIENT_LINKS)

    def enter(self, host, *kinds):
        credentials = ["--preserve-credentials"] if self.user else []
        return ["nsenter", *credentials, *kinds, "--target", host.pid, "--"]

    def inside(self, host, *words, cwd=None):
        return [*self.enter(host, "--net", "--mount", *self.user, f"--wd={cwd or self.folder}"),
                *map(str, words)]

    def run(self, host, *words, check=True, stdin=None, cwd=None, env=None, timeout=PATIENCE):
        """To its end; both streams are kept, and told where a status is not 0 and should be."""
        ended = subprocess.run(self.inside(host, *words, cwd=cwd), input=stdin or "", text=True,
                               capture_output=True, errors="surrogateescape", timeout=timeout,
                               env={**os.environ, **(env or {})})
        if check:
            assert ended.returncode == 0, (f"{words}: status {ended.returncode}\n"
                                           f"{ended.stdout}\n{ended.stderr}")
        return ended

    def start(self, host, *words, name, cwd=None, **options):
        """In the background; its output is in NAME.log. What `end` stops."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(self.inside(host, *words, cwd=cwd), stdout=log, stderr=log,
                                       **options)
        self.started.append(process)
        return process

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def serve(self, family, *options, name=None, root="files", port=21):
        """Our server at the address of that family, ready when this returns."""
        name = name or f"ftp-server{family}"
        notify = self.folder / f"{name}.notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(notify))
            process = self.start(
                self.server, BIN / "ftp-server", "--listen", f"[{ADDRESSES[6]}]:{port}" if family == 6
                else f"{ADDRESSES[4]}:{port}", "--root", self.folder / root, "--control",
                self.folder / f"{name}.sock", *options, name=name, stdin=subprocess.DEVNULL,
                env={**os.environ, "NOTIFY_SOCKET": str(notify)})
            eventually(lambda: bool(select.select([ready], [], [], 0.1)[0])
                       or process.poll() is not None, True)
            if process.poll() is not None:
                self.started.remove(process)
                pytest.fail(self.log(name))
        notify.unlink()
        return process

    def listens(self, port=21):
        """Whether something listens on that port of the server."""
        said = self.run(self.server, "ss", "-Htln", f"sport = :{port}").stdout
        return bool(said.strip())

    def stop(self, process, expect=0):
        self.started.remove(process)
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(PATIENCE)
        finally:
            process.kill()
        assert expect is None or status == expect, f"{process.args} ended with {status}"

    def end(self):
        with contextlib.ExitStack() as stack:
            stack.callback(self.server.end)
            stack.callback(self.client.end)
            for process in list(self.started):
                stack.callback(self.stop, process, 0 if "ftp-server" in str(process.args) else None)


class Capture:
    """What passes on the server's port 21 within the `with`, then `exchanges` of it."""

    FIELDS = ["tcp.stream", "ftp.request.command", "ftp.response.code", "_ws.malformed",
              "_ws.expert.message", "ftp.response.arg"]

    def __init__(self, lab, name, family=4):
        need("dumpcap", "tshark")
        self.family = family
        self.lab, self.path = lab, lab.folder / f"{name}.pcapng"
        self.name = f"{name}-dumpcap"

    def __enter__(self):
        self.process = self.lab.start(self.lab.server, "dumpcap", "-q", "-i", "s0", "-w", self.path,
                                      "-f", "tcp port 21", name=self.name)
        eventually(lambda: "File:" in self.lab.log(self.name) or self.process.poll() is not None, True)
        if self.process.poll() is not None:
            pytest.skip(f"dumpcap cannot capture here: {self.lab.log(self.name)}")
        return self

    def __exit__(self, *_):
        # A frame comes to the file some time after it was sent: so must this one, the last of all.
        mark = f"{time.monotonic_ns()}"
        self.lab.run(self.lab.client, "/usr/bin/python3", "-c", LAST_WORD, ADDRESSES[self.family], mark)
        eventually(lambda: mark.encode() in self.path.read_bytes(), True)
        self.lab.stop(self.process, None)

    def rows(self):
        words = ["tshark", "-n", "-r", str(self.path), "-Y", "ftp", "-T", "fields", "-E",
                 "separator=/t", "-E", "aggregator=/x01", *(word for field in self.FIELDS
                                                         for word in ("-e", field))]
        ended = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=True)
        return [dict(zip(self.FIELDS, line.split("\t"))) for line in ended.stdout.splitlines()]

    def judge(self):
        """tshark takes all of it for FTP, without a complaint; what was refused: {(verb, code)}."""
        asked, refused, rows = {}, set(), self.rows()
        assert rows
        for row in rows:
            assert not row["_ws.malformed"], row
            # Its own hints about what every FTP server does are none of our business.
            assert not row["_ws.expert.message"] or "227" in row["ftp.response.code"], row
            stream = row["tcp.stream"]
            if row["ftp.request.command"]:
                asked[stream] = row["ftp.request.command"].split("\x01")[-1]
            elif row["ftp.response.code"]:
                refused |= {(asked.get(stream, ""), int(code))
                            for code in row["ftp.response.code"].split("\x01") if int(code) >= 400}
        return refused
