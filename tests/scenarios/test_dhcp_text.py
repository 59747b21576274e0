"""The report's address protocol: our two ends against partners that a student wrote from its description.

    server --- lan-a --- router --- lan-b --- client1, client2
             10.0.1.0/24          10.0.2.0/24

What needs no second machine runs on the loopback, where the socket is in our hands.
"""
import contextlib
import json
import os
import pty
import random
import resource
import select
import signal
import socket
import sqlite3
import struct
import subprocess
import time

import pytest
from conftest import BIN, eventually, scaled

PATIENCE = scaled(20)
ALL = [f"IP:10.0.0.{n}" for n in range(1, 21)]

SUBNETS = """name: t
topology:
  nodes:
    lan-a: {kind: switch, ipv4: 10.0.1.0/24}
    lan-b: {kind: switch, ipv4: 10.0.2.0/24}
    router: {kind: router}
    server: {files: {server.py: %s}, run: [{name: dhcp, cmd: %s, ready: {port: 20001}}]}
    client[1-2]: {files: {client.py: %s}}
  links:
    - {endpoints: ["server:eth0", lan-a], ipv4: [10.0.1.10/24]}
    - {endpoints: ["router:eth0", lan-a]}
    - {endpoints: ["router:eth1", lan-b]}
    - {endpoints: ["client[1-2]:eth0", lan-b]}
scenarios:
  s:
    title: S
    steps:
%s
"""

# The description is all that its author had: UDP, one datagram a message, the words.
STUDENT_CLIENT = """
import socket, sys
server = (sys.argv[1], 20001)
talk = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
talk.settimeout(10)
def ask():
    talk.sendto("Give me IP".encode("utf-8"), server)
    return talk.recvfrom(1024)[0].decode("utf-8")
got = [ask() for _ in range(21)]
print("got", got[0], "to", got[19], "then", got[20])
assert len(set(got)) == 21 and all(one.startswith("IP:") for one in got[:20])
talk.sendto(got[6][3:].encode("utf-8"), server)   # releases: no answer
print("again", ask())
for one in got[:20]:
    talk.sendto(one.replace("IP:", "").encode("utf-8"), server)
"""
STUDENT_SERVER = """
import socket
free = [f"10.9.0.{n}" for n in range(1, 3)]
given = []
listen = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listen.bind(("", 20001))
while True:
    data, client = listen.recvfrom(1024)
    text = data.decode("utf-8")
    if text == "Give me IP":
        if free:
            given.append(free.pop(0))
            listen.sendto(("IP:" + given[-1]).encode("utf-8"), client)
            print(f"IP:{given[-1]} sent to client at {client}", flush=True)
        else:
            listen.sendto("No IPs left".encode("utf-8"), client)
    elif text in given:
        given.remove(text)
        free.insert(0, text)
        print(f"IP:{text} released", flush=True)
    else:
        print(f"IP:{text} not found", flush=True)
"""


def two_subnets(topology, command, steps):
    lines = "\n".join("      - " + json.dumps(step) for step in steps)
    words = map(json.dumps, (STUDENT_SERVER, command, STUDENT_CLIENT))
    return topology(SUBNETS % (*words, lines))


def test_student_client_from_the_other_subnet(sim, topology):
    run = sim("run", two_subnets(topology, "dhcp-server --protocol text", [
        {"on": "client1", "run": "python3 client.py 10.0.1.10",
         "expect": {"output": ["got IP:10.0.0.1 to IP:10.0.0.20 then No IPs left",
                               "again IP:10.0.0.7"]}},
        {"on": "client2", "run": "dhcp-client --protocol text --server 10.0.1.10 --once",
         "expect": {"output": "10.0.0.1"}},
    ]))
    run.all_held()
    log = run.log("s", "server.dhcp")
    assert "server started at 0.0.0.0:20001, 20 addresses free" in log
    assert "IP:10.0.0.1 sent to client at 10.0.2." in log
    assert "IP:10.0.0.7 released" in log and "server ended" in log


def test_student_server_in_the_other_subnet(sim, topology):
    ask = "dhcp-client --protocol text --server 10.0.1.10"
    run = sim("run", two_subnets(topology, "python3 server.py", [
        {"on": "client1", "start": f"{ask} --release-on-exit", "as": "first", "ready": True,
         "expect": {"output": "Online [IP: 10.9.0.1]"}},
        {"on": "client2", "start": ask, "as": "second",
         "expect": {"output": "Online [IP: 10.9.0.2]"}},
        {"on": "client2", "run": f"{ask} --once --wait 5", "expect": {"exit": 4}},
        {"on": "client2", "send": "q", "to": "second", "expect": {"exit": 0, "output": "Offline"}},
        {"on": "server", "watch": "dhcp", "expect": {"output": "IP:10.9.0.2 released"}},
        {"on": "client2", "run": f"{ask} --once", "expect": {"output": "10.9.0.2"}},
        {"on": "client1", "stop": "first", "expect": {"exit": 0, "output": "Offline"}},
        {"on": "server", "watch": "dhcp", "expect": {"output": "IP:10.9.0.1 released"}},
    ]))
    run.all_held()


def test_both_ours_and_a_full_pool(sim, topology):
    """A released address is the one that the newcomer gets."""
    ask = "dhcp-client --protocol text --server 10.0.1.10:20001"
    server = "dhcp-server --protocol text --pool 10.0.2.100-10.0.2.101 --database leases.db"
    run = sim("run", two_subnets(topology, server, [
        {"on": "client[1-2]", "start": ask, "as": "c", "ready": True, "expect": {"output": "Online"}},
        {"on": "client1", "start": f"{ask} --retry 0.2", "as": "newcomer",
         "expect": {"output": "Offline [the server has no address left]"}},
        {"on": "client2", "send": "q", "to": "c", "expect": {"exit": 0, "output": "Offline"}},
        {"on": "client1", "watch": "newcomer", "expect": {"output": "Online [IP: 10.0.2.10"}},
    ]))
    run.all_held()


class Server:
    """dhcp-server --protocol text on the loopback, ready."""

    def __init__(self, folder, *options, host="127.0.0.1", limits=None):
        self.host, self.log, self.control = host, folder / "server.log", folder / "server.sock"
        self.family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with self.socket() as probe:
            probe.bind((host, 0))
            self.port = probe.getsockname()[1]
        at = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        notify = folder / "notify.sock"
        notify.unlink(missing_ok=True)
        words = [BIN / "dhcp-server", "--protocol", "text", "--listen", at, "--control", self.control,
                 *options]

        def prepare():
            for what, value in (limits or {}).items():
                resource.setrlimit(what, value)

        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, self.log.open("ab") as log:
            ready.bind(str(notify))
            ready.settimeout(PATIENCE)
            self.process = subprocess.Popen(list(map(str, words)), stdout=log, stderr=log,
                                            preexec_fn=prepare,
                                            env={**os.environ, "NOTIFY_SOCKET": str(notify)})
            assert b"READY=1" in ready.recv(100), self.log.read_text()

    def socket(self):
        talk = socket.socket(self.family, socket.SOCK_DGRAM)
        talk.settimeout(PATIENCE)
        return talk

    def peer(self):
        return Peer(self)

    def logged(self):
        return self.log.read_text(errors="replace")

    def told(self, *sentences):
        for sentence in sentences:
            eventually(lambda: sentence in self.logged(), True)

    def status(self):
        words = [BIN / "dhcp-server", "status", "--control", self.control, "--json", "--leases"]
        done = subprocess.run(words, capture_output=True, timeout=PATIENCE, check=True)
        return json.loads(done.stdout)

    def outcomes(self):
        return {name: count for name, count in self.status()["outcomes"].items() if count}

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)


class Peer:
    def __init__(self, server):
        self.talk, self.to = server.socket(), (server.host, server.port)

    def tell(self, data):
        self.talk.sendto(data, self.to)

    def ask(self, data=b"Give me IP"):
        self.tell(data)
        return self.hear()

    def ask_in_a_flood(self, until):
        """What the kernel has no room for is lost, so it is asked again; more may be answered."""
        deadline = time.monotonic() + PATIENCE
        self.talk.settimeout(0.2)
        while True:
            assert time.monotonic() < deadline, f"never heard {until}"
            with contextlib.suppress(TimeoutError):
                if self.ask() == until:
                    return

    def hear(self):
        data, source = self.talk.recvfrom(4096)
        assert source[:2] == self.to, "an answer leaves from where was asked"
        return data.decode()

    @property
    def name(self):
        return "{}:{}".format(*self.talk.getsockname()[:2])


@pytest.fixture
def serve(tmp_path):
    with contextlib.ExitStack() as ends:
        def start(*options, **more):
            server = Server(tmp_path, *options, **more)
            ends.callback(lambda: server.process.poll() is None and server.end(signal.SIGKILL))
            return server
        yield start


def test_exact_words(serve):
    """Nothing is sent but the words themselves, and what is released gets no answer."""
    server = serve()
    one, other = server.peer(), server.peer()
    assert [one.ask() for _ in range(20)] == ALL
    assert other.ask() == "No IPs left"
    for data in (b"10.0.0.3", b"10.0.0.4", b"10.0.0.99", b"", b"hello\n", b"\xff\xfe\x00"):
        one.tell(data)
    assert other.ask() == "IP:10.0.0.3", "the first answer: nothing came for any of those"
    other.tell(b"10.0.0.20")
    assert other.ask() == "IP:10.0.0.4"
    assert other.ask() == "No IPs left"
    server.told(f"IP:10.0.0.1 sent to client at {socket.inet_ntoa(socket.inet_aton(server.host))}:",
                "IP:10.0.0.3 released", "IP:10.0.0.99 not found", r"IP:hello not found",
                f"IP:10.0.0.20 kept: client at 127.0.0.1:{other.talk.getsockname()[1]} may not "
                "release what was given to 127.0.0.1:")
    assert server.outcomes() == {"sent": 22, "none-left": 2, "released": 2, "not-found": 4,
                                 "not-its-address": 1}
    assert server.end() == 0
    assert "server ended, 20 addresses in use" in server.logged()


@pytest.mark.parametrize("around", ["%s\n", "%s\r\n", " %s ", "%s\0", "%s\0 what was in the buffer"])
def test_other_languages(serve, around):
    """C's NUL and whole buffers, lines of whoever prints them."""
    server = serve()
    peer = server.peer()
    assert peer.ask((around % "Give me IP").encode()) == "IP:10.0.0.1"
    peer.tell((around % "10.0.0.1").encode())
    assert peer.ask() == "IP:10.0.0.1"
    peer.tell((around % "IP:10.0.0.1").encode())
    assert peer.ask() == "IP:10.0.0.1"
    peer.tell((around % "10.0.0.1").encode().ljust(60000, b"\0" if "\0" in around else b" "))
    assert peer.ask() == "IP:10.0.0.1"


def test_a_stranger_releases_nothing(serve):
    """Neither from another port, nor, as the same host, from another address."""
    server = serve("--pool", "10.0.0.1-10.0.0.1", host="0.0.0.0")
    server.host = "127.0.0.1"
    owner, stranger, other_host = server.peer(), server.peer(), server.peer()
    other_host.talk.bind(("127.0.0.2", 0))
    assert owner.ask() == "IP:10.0.0.1"
    for peer in (stranger, other_host):
        peer.tell(b"10.0.0.1")
        assert peer.ask() == "No IPs left"
    server.told(f"client at {other_host.name} may not release what was given to ")
    owner.tell(b"10.0.0.1")
    assert stranger.ask() == "IP:10.0.0.1"


def test_answers_leave_from_where_was_asked(serve):
    """Partners that connect their socket hear nothing else."""
    server = serve(host="0.0.0.0")
    for n in (1, 7):
        server.host = f"127.0.0.{n}"
        peer = server.peer()
        peer.talk.connect((server.host, server.port))
        peer.talk.send(b"Give me IP")
        assert peer.talk.recv(100).startswith(b"IP:")


@pytest.mark.parametrize("listen, peer", [("::1", "::1"), ("::", "::1"), ("::", "127.0.0.1")])
def test_ipv6(serve, listen, peer):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as missing:
        pytest.skip(f"no IPv6 here: {missing}")
    server = serve(host=listen)
    server.host, server.family = peer, socket.AF_INET6 if ":" in peer else socket.AF_INET
    one = server.peer()
    assert one.ask() == "IP:10.0.0.1"
    one.tell(b"10.0.0.1")
    assert server.peer().ask() == "IP:10.0.0.1"
    server.told(f"sent to client at [{peer}]:" if ":" in peer else f"sent to client at {peer}:")


def test_a_restart_keeps_what_was_given(serve, tmp_path):
    """Each address is on the disk before its answer leaves, with its owner, who may release it."""
    database = tmp_path / "leases.db"
    server = serve("--database", database)
    owner, stranger = server.peer(), server.peer()
    assert [owner.ask() for _ in range(3)] == ALL[:3]
    owner.tell(b"10.0.0.2")
    assert stranger.ask() == "IP:10.0.0.2"
    server.end(signal.SIGKILL)
    with contextlib.closing(sqlite3.connect(database)) as rows:
        assert rows.execute("SELECT address, port, state, ends FROM leases ORDER BY number").fetchall() == [
            ("10.0.0.1", owner_name(owner), "bound", None),
            ("10.0.0.2", owner_name(stranger), "bound", None),
            ("10.0.0.3", owner_name(owner), "bound", None)]
    again = serve("--database", database)
    assert "3 leases read from" in again.logged()
    for peer in (owner, stranger):
        peer.to = (again.host, again.port)
    stranger.tell(b"10.0.0.3")
    assert stranger.ask() == "IP:10.0.0.4"
    owner.tell(b"10.0.0.3")
    assert stranger.ask() == "IP:10.0.0.3"
    leases = {lease["address"]: lease for lease in again.status()["leases"]}
    assert leases["10.0.0.1"]["port"] == owner_name(owner)
    assert leases["10.0.0.3"]["port"] == owner_name(stranger) and leases["10.0.0.3"]["ends"] is None


def owner_name(peer):
    return f"127.0.0.1:{peer.talk.getsockname()[1]}"


def test_a_disk_that_takes_nothing(serve, tmp_path):
    """No address is promised that a restart would forget; what was not promised is free again."""
    database = tmp_path / "leases.db"
    server = serve("--database", database, "--pool", "10.0.0.1-10.0.0.2")
    peer = server.peer()
    assert peer.ask() == "IP:10.0.0.1"
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        for n in range(1, 4):
            peer.tell(b"Give me IP")
            eventually(lambda: server.status()["counters"]["withheld"], n)
        lock.execute("ROLLBACK")
    assert peer.ask() == "IP:10.0.0.2", "and none of the three was answered"
    assert server.outcomes()["sent"] == 2


def test_an_answer_that_cannot_leave(serve, tmp_path):
    """A peer at port 0 hears nothing, so it gets nothing; on the disk, too."""
    database = tmp_path / "leases.db"
    server = serve("--database", database)
    try:
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    except PermissionError:
        pytest.skip("raw sockets need privilege")
    with raw:
        words = b"Give me IP"
        raw.sendto(struct.pack("!HHHH", 0, server.port, 8 + len(words), 0) + words, (server.host, 0))
    eventually(lambda: server.status()["counters"]["not_sent"], 1)
    assert server.peer().ask() == "IP:10.0.0.1"
    assert "cannot send to 127.0.0.1:0" in server.logged()
    server.end(signal.SIGKILL)
    with contextlib.closing(sqlite3.connect(database)) as rows:
        assert rows.execute("SELECT count(*) FROM leases").fetchone() == (1,)


def test_sighup(serve, tmp_path):
    """A larger pool; what cannot change without a restart is told."""
    pool = tmp_path / "pool.conf"
    pool.write_text("pool 10.0.0.1-10.0.0.1\n")
    server = serve("--config", pool)
    peer = server.peer()
    assert (peer.ask(), peer.ask()) == ("IP:10.0.0.1", "No IPs left")
    for text, sentence in (
            ("pool 10.0.0.1-10.0.0.2\nlisten 127.0.0.1:9\n", "'listen' is another now"),
            ("pool 10.0.0.1-10.0.0.2\nlease 60\n", "'lease' (")):
        pool.write_text(text)
        server.process.send_signal(signal.SIGHUP)
        server.told(sentence)
    eventually(lambda: server.status()["reload"]["failed"], 1)
    assert peer.ask() == "IP:10.0.0.2"
    peer.tell(b"10.0.0.1")
    assert peer.ask() == "IP:10.0.0.1"
    pool.write_text("pool 10.0.0.2-10.0.1.3\n")  # lies in another subnet than before
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: server.status()["reload"]["done"], 2)
    stranger = server.peer()
    stranger.tell(b"10.0.0.2")
    assert stranger.ask() == "IP:10.0.0.3"
    peer.tell(b"10.0.0.2")
    assert stranger.ask() == "IP:10.0.0.2", "its owner could give it back"
    words = [BIN / "dhcp-server", "refuse-renewal", "10.0.0.1", "--control", server.control]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, "the text protocol knows no renewal" in done.stderr) == (2, True)


def test_dhcp_and_text_on_one_machine(serve, tmp_path):
    """The status that people read."""
    server = serve("--pool", "10.0.5.1-10.0.5.2")
    peer = server.peer()
    assert peer.ask() == "IP:10.0.5.1"
    done = subprocess.run([BIN / "dhcp-server", "status", "--control", server.control],
                          capture_output=True, text=True, timeout=PATIENCE)
    assert f"the text protocol at 127.0.0.1:{server.port}" in done.stdout
    row = next(line for line in done.stdout.splitlines() if line.startswith("10.0.5.1 "))
    assert row.split() == ["10.0.5.1", owner_name(peer), "bound", "for", "ever", "-"]
    assert "authoritative" not in done.stdout and "DHCP" not in done.stdout.split("\n", 1)[1]


def test_hostile_datagrams(serve):
    """Whatever arrives, the server stays, its log stays whole, and who asks is answered."""
    server = serve(limits={resource.RLIMIT_AS: (256 << 20, 256 << 20)}
                   if "asan" not in str(BIN) else None)
    chance = random.Random(20261122)
    stranger, peer = server.peer(), server.peer()
    kinds = [b"", b"\0" * 65000, b"x" * 65507, b"\n" * 3000, b"\x1b[2J\x07IP:10.0.0.1 released\n",
             b"%s%n%x" * 100, b"IP:" * 300, b"10.0.0.1" * 300, "Give me IP\u00a0".encode(),
             "Give me IP".encode("utf-16"), b"Give me IP" * 2, b"-1.-1.-1.-1", b"010.000.000.001"]
    kinds += [chance.randbytes(chance.randrange(1, 1500)) for _ in range(500)]
    for data in kinds:
        stranger.tell(data)
    peer.ask_in_a_flood("IP:10.0.0.1")
    eventually(lambda: set(server.outcomes()), {"sent", "not-found"})
    log = server.log.read_bytes()
    assert all(0x20 <= byte < 0x7f or byte == 0x0a for byte in log), "no peer forges a line"
    assert all(b" dhcp-server: " in line and len(line) < 200 for line in log.splitlines())
    stranger.talk.setblocking(False)
    with pytest.raises(BlockingIOError):
        stranger.talk.recv(100)


def test_flood(serve):
    """It takes the whole pool, as the protocol has it, but no memory and no log beyond a limit."""
    server = serve("--pool", "10.0.0.1-10.0.1.0")
    crowd = [server.peer() for _ in range(20)]
    for peer in crowd:
        for _ in range(400):
            peer.tell(b"Give me IP")
    server.peer().ask_in_a_flood("No IPs left")
    before = resident(server.process.pid)
    for peer in crowd:
        for _ in range(400):
            peer.tell(b"10.0.0.77 is what I want")
    server.peer().ask_in_a_flood("No IPs left")
    assert resident(server.process.pid) - before < 1 << 20
    status = server.status()
    assert status["subnets"][0]["addresses"]["free"] == 0
    assert len(status["leases"]) == status["subnets"][0]["addresses"]["bound"] == 256
    assert len(server.logged().splitlines()) < 4000 + 200 * 60


def resident(pid):
    pages = int(open(f"/proc/{pid}/statm").read().split()[1])
    return pages * resource.getpagesize()


class Client:
    """dhcp-client --protocol text, with a server that is a socket of ours."""

    def __init__(self, *options, family=socket.AF_INET, host="127.0.0.1", terminal=False):
        self.talk = socket.socket(family, socket.SOCK_DGRAM)
        self.talk.settimeout(PATIENCE)
        self.talk.bind((host, 0))
        port = self.talk.getsockname()[1]
        words = [BIN / "dhcp-client", "--protocol", "text", "--server",
                 f"[{host}]:{port}" if ":" in host else f"{host}:{port}", *options]
        self.screen = None
        files = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        if terminal:
            self.screen, inner = pty.openpty()
            files = {"preexec_fn": lambda: os.login_tty(os.dup(inner))}
        self.process = subprocess.Popen(list(map(str, words)), stderr=subprocess.PIPE, **files)
        if terminal:
            os.close(inner)

    def hear(self):
        data, self.at = self.talk.recvfrom(4096)
        return data

    def answer(self, data):
        self.talk.sendto(data, self.at)

    def end(self, status):
        out, err = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == status, err
        return (out or b"").decode(), err.decode()


@pytest.fixture
def ask():
    with contextlib.ExitStack() as ends:
        def start(*options, **more):
            client = Client(*options, **more)
            ends.callback(lambda: client.process.poll() is None and client.process.kill())
            return client
        yield start


def test_client_words(ask):
    client = ask()
    assert client.hear() == b"Give me IP"
    client.answer(b"IP:10.9.0.1")
    assert client.process.stdout.readline() == b"Looking for an address ...\n"
    assert client.process.stdout.readline() == b"Online [IP: 10.9.0.1]\n"
    at = client.at
    client.process.stdin.write(b"what?\nq\n")
    client.process.stdin.flush()
    assert client.hear() == b"10.9.0.1" and client.at == at, "from the port that was given it"
    assert client.end(0)[0] == "Offline\n"


@pytest.mark.parametrize("answer, status, printed", [
    (b"IP:10.9.0.1", 0, "10.9.0.1\n"),
    (b"IP:10.9.0.1\r\n", 0, "10.9.0.1\n"),
    (b"IP: 10.9.0.1\0\0\0", 0, "10.9.0.1\n"),
    (b"No IPs left", 4, ""),
    (b"No IPs left\n", 4, ""),
    (b"IP:230.1.2.3", 4, ""),
])
def test_client_once(ask, answer, status, printed):
    client = ask("--once", "--wait", "20")
    assert client.hear() == b"Give me IP"
    client.answer(answer)
    assert client.end(status)[0] == printed
    if status == 4 and answer.startswith(b"IP:"):
        assert client.hear() == b"230.1.2.3", "what no host can have is given back"


@pytest.mark.parametrize("answer", [
    b"", b"\0", b"IP:", b"IP", b"10.9.0.1", b"No IPs left, sorry", b"Give me IP", b"x" * 65507,
    b"\xff" * 900, b"IP:10.9.0.1.2", b"IP:999.1.1.1", b"%n%s" * 50, b"\x1b[2J\nIP:10.9.0.1"])
def test_client_is_told_nonsense(ask, answer):
    """It goes on waiting, and takes a good answer that follows."""
    client = ask("--once", "--wait", "20")
    client.hear()
    client.answer(answer)
    client.answer(b"IP:10.9.0.2")
    printed, log = client.end(0)
    assert printed == "10.9.0.2\n"
    assert "not understood" in log and "\x1b" not in log


def test_client_without_an_answer(ask):
    """One request only: each takes an address, and whoever does not answer may have heard all."""
    client = ask("--once", "--wait", "0.5")
    assert client.end(4)[0] == ""
    assert client.hear() == b"Give me IP"
    client.talk.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.hear()


def test_client_where_nobody_listens(ask):
    client = ask("--once", "--wait", "0.5")
    client.hear()
    client.talk.close()
    client.end(4)
    lonely = subprocess.run([BIN / "dhcp-client", "--protocol", "text", "--once", "--wait", "0.5",
                             "--server", "127.0.0.1:{}".format(client.at[1])],
                            capture_output=True, text=True, timeout=PATIENCE)
    assert lonely.returncode == 4 and "Connection refused" in lonely.stderr


def test_client_asks_again_and_gives_a_late_answer_back(ask):
    client = ask("--retry", "0.3")
    assert (client.hear(), client.hear()) == (b"Give me IP", b"Give me IP")
    client.answer(b"IP:10.9.0.2")
    client.answer(b"IP:10.9.0.2")
    client.answer(b"IP:10.9.0.1")
    seen = client.hear()
    while seen == b"Give me IP":  # on a slow machine more than two were on the way
        seen = client.hear()
    assert seen == b"10.9.0.1"
    client.process.terminate()
    printed, log = client.end(0)
    assert "Online [IP: 10.9.0.2]" in printed and "10.9.0.1 came late and is given back" in log
    client.talk.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.hear()  # it was not told to give 10.9.0.2 back


def test_client_that_leaves_before_the_answer(ask):
    client = ask()
    client.hear()
    client.process.stdin.write(b"q\n")
    client.process.stdin.flush()
    client.answer(b"IP:10.9.0.1")
    assert client.hear() == b"10.9.0.1"
    client.end(0)


def test_client_hears_only_its_server(ask):
    client = ask("--once", "--wait", "20")
    client.hear()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.sendto(b"IP:10.9.9.9", client.at)
    client.answer(b"IP:10.9.0.1")
    assert client.end(0)[0] == "10.9.0.1\n"


def test_client_on_a_terminal(ask):
    """One line that changes in place; `q` needs no Enter."""
    client = ask(terminal=True)
    client.hear()
    client.answer(b"IP:10.9.0.1")
    seen = b""
    deadline = time.monotonic() + PATIENCE
    while b"Online [IP: 10.9.0.1]" not in seen:
        assert time.monotonic() < deadline, seen
        if select.select([client.screen], [], [], 0.1)[0]:
            seen += os.read(client.screen, 4096)
    os.write(client.screen, b"q")
    assert client.hear() == b"10.9.0.1"
    client.end(0)
    os.close(client.screen)


def test_client_ipv6(ask):
    try:
        client = ask("--once", family=socket.AF_INET6, host="::1")
    except OSError as missing:
        pytest.skip(f"no IPv6 here: {missing}")
    assert client.hear() == b"Give me IP"
    client.answer(b"IP:10.9.0.1")
    assert client.end(0)[0] == "10.9.0.1\n"


@pytest.mark.parametrize("program, options, sentence", [
    ("dhcp-client", "--protocol text", "--server ADDR:PORT is missing"),
    ("dhcp-client", "--protocol text --server localhost", "server wants ADDR:PORT"),
    ("dhcp-client", "--protocol text --server :20001", "is no address of a server"),
    ("dhcp-client", "--protocol text --server 10.0.0.1 --interface eth0", "--interface is DHCP's"),
    ("dhcp-client", "--protocol text --server 10.0.0.1 --json", "--json is DHCP's"),
    ("dhcp-client", "--protocol text --server 10.0.0.1 --hook x", "--hook is DHCP's"),
    ("dhcp-client", "--protocol text --server 10.0.0.1 --lease 60", "--lease is DHCP's"),
    ("dhcp-client", "--protocol text --server 10.0.0.1 --probe-times wait=1", "--probe is DHCP's"),
    ("dhcp-client", "--protocol text --server 10.0.0.1 --once --interactive", "does not go with"),
    ("dhcp-client", "--interface eth0 --server 10.0.0.1", "--server goes with --protocol text"),
    ("dhcp-server", "--protocol text --subnet 10.0.0.0/24 --lease 60", "'lease' (command line) is DHCP's"),
    ("dhcp-server", "--protocol tex", "did you mean 'text'?"),
])
def test_misuse(program, options, sentence):
    done = subprocess.run([BIN / program, *options.split()], capture_output=True, text=True,
                          timeout=PATIENCE)
    assert done.returncode == 2 and sentence in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1
