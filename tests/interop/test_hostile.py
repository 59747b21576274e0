"""The worst peers we can think of: our servers stay right, awake and idle whatever they do."""
import contextlib
import os
import random
import re
import resource
import select
import signal
import socket
import struct
import subprocess
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
        words = [BIN / "ftp-server", "--listen", f"127.0.0.1:{self.port}", "--root", root, "--anonymous", "all", *options]
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

    def work(self):
        """What it has done so far: its processor time and how often it was woken."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return fields[11:13], re.findall(r"ctxt_switches:\s(\d+)", status)

    def falls_asleep(self):
        """It does nothing at all between two looks."""
        works = [None]

        def rests():
            works.append(self.work())
            return works[-1] == works[-2]

        eventually(rests, True, seconds=5, every=0.03)

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
        server.falls_asleep()
    connection.shutdown(socket.SHUT_WR)
    server.falls_asleep()
    connection.close()


def greetings(connections, replies):
    """Read what has come for each connection; replies: the first lines seen, by connection."""
    for connection in select.select(connections, [], [], 0.1)[0]:
        replies.setdefault(connection, b"")
        with contextlib.suppress(OSError):
            replies[connection] += connection.recv(4096)


def test_a_thousand_at_once_are_never_one_too_many(ftp_server):
    """Three are served and two wait, whoever comes and goes; the others are refused."""
    server = ftp_server("--clients", 3, "--waiting", 2)
    eventually(lambda: server.log.read_text().count("leaves"), 1)  # the probe of the port
    arrivals = []
    for _ in range(900):
        arrival = socket.socket()
        arrival.setblocking(False)
        arrival.connect_ex(("127.0.0.1", server.port))
        arrivals.append(arrival)
    replies = {}

    def seen(start):
        greetings([a for a in arrivals if a.fileno() >= 0], replies)
        return sum(1 for text in replies.values() if text.startswith(start))

    eventually(lambda: seen(b"421 "), 895)
    served = [a for a in arrivals if replies[a].startswith(b"220 ")]
    waiting = [a for a in arrivals if replies[a].startswith(b"220-")]
    assert (len(served), len(waiting)) == (3, 2)
    waiting.sort(key=lambda a: b"number 2" in replies[a])
    served[0].close()
    eventually(lambda: seen(b"220-") and b"\n220 " in replies[waiting[0]], True)
    eventually(lambda: seen(b"220-") and b"number 1 in line" in replies[waiting[1]], True)
    assert b"\n220 " not in replies[waiting[1]]
    waiting[1].close()  # gives its place in line up
    eventually(lambda: "gave up its place" in server.log.read_text(), True)
    served[1].close()
    eventually(lambda: server.log.read_text().count("closed its connection"), 3)
    assert server.session().ask("NOOP") == "200 OK.\r\n"
    for arrival in arrivals:
        arrival.close()
    assert "served as one of 4" not in server.log.read_text()


def reset(connection):
    """Close it so that the other side reads an error, not an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize("end", ["reset", "left", "killed"])
def test_a_torn_upload_leaves_nothing(ftp_server, end):
    server = ftp_server()
    (server.root / "file").write_text("old")
    session = server.session()
    data = session.passive()
    assert session.ask("STOR file").startswith("150")
    data.sendall(b"new" * 10000)
    if end == "reset":
        reset(data)
        assert session.reply().startswith("426")
    elif end == "left":
        session.close()
        data.close()
    else:  # as Linux closes what a killed process has: the last that was opened first
        data.close()
        session.close()
    eventually(lambda: "aborted" in (text := server.log.read_text()) or "closed its" in text, True)
    eventually(lambda: os.listdir(server.root), ["file"])
    assert (server.root / "file").read_text() == "old"


def test_descriptors_come_back(ftp_server):
    """Sessions that end at every step leave nothing open, and no descriptor costs no CPU."""
    server = ftp_server("--clients", 4)
    (server.root / "big").write_bytes(os.urandom(8_000_000))
    at_rest = server.descriptors()
    chance = random.Random(2)
    for number in range(300):
        session = server.session()
        step = number % 6
        if step == 0:
            session.ask("EPSV")
        elif step == 1:
            session.ask("EPSV")
            session.send("RETR big")
        elif step in (2, 3):
            with session.passive() as data:
                assert session.ask("RETR big" if step == 2 else "STOR up").startswith("150")
                data.sendall(b"x") if step == 3 else data.recv(1)
                reset(data)
        elif step == 4:
            with session.passive():
                session.send("LIST\r\nABOR\r\nEPSV\r\nSTOR up")
        else:
            session.connection.sendall(chance.randbytes(chance.randrange(20000)))
        session.close()
    eventually(server.descriptors, at_rest)
    assert not [name for name in os.listdir(server.root) if name != "big"]
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (at_rest + 3, at_rest + 3))
    crowd = [server.connect() for _ in range(6)]
    eventually(lambda: "cannot accept for a moment" in server.log.read_text(), True)
    for member in crowd:
        member.close()
    eventually(server.descriptors, at_rest)
    assert server.session().ask("NOOP") == "200 OK.\r\n"


def test_no_name_forges_a_log_line(ftp_server):
    server = ftp_server()
    session = server.session()
    assert session.ask("RETR a\rb\x1b[2J%s%n\xff") == "425 PASV, EPSV, PORT or EPRT first.\r\n"
    assert session.ask("CWD \r00:00:00.000 ftp-server: forged").startswith("550")
    log = server.log.read_bytes()
    assert b"\\x0db\\x1b[2J%s%n" in log and b"\r" not in log and b"\x1b" not in log
    assert not re.search(rb"^00:00:00.000 ftp-server: forged", log, re.M)


DHCP_NETWORK = """
name: hostile
topology:
  nodes:
    lan-a: {{kind: switch, ipv4: 10.0.1.0/24}}
    lan-b: {{kind: switch, ipv4: 10.0.2.0/24}}
    router: {{kind: router, run: [{{name: relay, ready: true,
      cmd: dhcp-relay --interface eth1 --server 10.0.1.10}}]}}
    server: {{run: [{{name: dhcp, ready: true, cmd: dhcp-server --interface eth0
      --subnet 10.0.2.0/24 --pool 10.0.2.100-10.0.2.140 --router 10.0.2.1 --lease 600
      --bind 02:00:00:00:09:02=10.0.2.50 --database leases.db}}]}}
    "client[1-3]": {{}}
    attacker: {{}}
  links:
    - {{endpoints: ["server:eth0", lan-a], ipv4: [10.0.1.10/24]}}
    - {{endpoints: ["router:eth0", lan-a]}}
    - {{endpoints: ["router:eth1", lan-b]}}
    - {{endpoints: ["client[1-3]:eth0", lan-b], ipv4: none}}
    - {{endpoints: ["attacker:eth0", lan-b], ipv4: none}}
scenarios:
  noise:
    title: Random messages harm nobody
    steps:
      - {{on: attacker, run: /usr/bin/python3 {noise} eth0 4000}}
      - {{on: 'client[1-3]', run: dhcp-client --interface eth0 --once}}
      - {{on: 'client[1-3]', addresses: eth0, expect: {{count: 3, distinct: true,
          within: 10.0.2.100-10.0.2.140}}}}
"""


def test_random_dhcp_messages_harm_nobody(sim, topology):
    """Through our relay at our server, while clients of ours lease beside them."""
    noise = Path(__file__).with_name("hostile_dhcp.py")
    ended = sim("run", topology(DHCP_NETWORK.format(noise=noise)))
    ended.all_held()
    assert "not a DHCP message" in ended.log("noise", "router.relay")
    log = ended.log("noise", "server.dhcp")
    assert all(word in log for word in ("DHCPOFFER", "DHCPACK", "DHCPNAK", "ignored"))
