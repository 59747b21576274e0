"""The limit on clients served at once and the line behind it: exact, fair, told and logged."""
import re
import resource
import selectors
import socket
import time

import pytest
from ftp_lab import eventually, ftp_server  # noqa: F401

CROWD = 10000


def counts(server):
    status = server.status()
    return len(status["served"]), len(status["waiting"])


def test_three_served_two_in_line_the_next_refused(ftp_server):
    server = ftp_server("--clients", 3, "--waiting", 2)
    served = [server.connect() for _ in range(3)]
    for session in served:
        session.next(220)
    first, second = server.connect(), server.connect()
    assert first.line() == "220-You are number 1 in line; 3 clients are being served.\n"
    assert second.line() == "220-You are number 2 in line; 3 clients are being served.\n"
    refused = server.connect()
    assert refused.reply().startswith("421 ")
    assert refused.closed()
    first.send("NOOP")  # before its turn: it waits with its client
    served[1].expect("QUIT", 221)
    assert first.line() == "220 Service ready.\n"
    first.next(200)
    assert second.line() == "220-You are number 1 in line; 3 clients are being served.\n"
    eventually(lambda: counts(server), (3, 1))


@pytest.mark.parametrize("how", ["close", "reset", "half"])
def test_who_leaves_the_line_gives_its_place_up_at_once(ftp_server, how):
    """However it leaves, and though it has sent commands already."""
    server = ftp_server("--clients", 1, "--waiting", 2)
    served, first, second = server.connect(), server.connect(), server.connect()
    served.next(220)
    assert "number 2" in second.line()
    first.connection.sendall(b"USER anonymous\r\nPASS x\r\n")
    if how == "reset":
        first.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    if how == "half":
        first.connection.shutdown(socket.SHUT_WR)
    else:
        first.close()
    assert "number 1 in line" in second.line()
    third = server.connect()
    assert "number 2 in line" in third.line()
    assert server.status()["counters"]["gave_up_waiting"] == 1
    served.close()
    assert second.line() == "220 Service ready.\n"


def test_an_end_to_waiting(ftp_server):
    server = ftp_server("--clients", 1, "--waiting", 5, "--wait-time", "0.3")
    served = server.connect()
    served.next(220)
    waiting = server.connect()
    assert waiting.line().startswith("220-")
    lines = [waiting.line(), waiting.line(), waiting.line()]
    assert lines[0].startswith("220 ") and lines[1].startswith("421 ") and lines[2] == ""
    served.expect("NOOP", 200)
    eventually(lambda: counts(server), (1, 0))


def test_so_many_of_one_address(ftp_server):
    server = ftp_server("--clients", 10, "--per-address", 2)
    two = [server.connect(source="127.0.0.2") for _ in range(2)]
    third, other = server.connect(source="127.0.0.2"), server.connect(source="127.0.0.3")
    for session in [*two, other]:
        session.next(220)
    third.next(421)
    two[0].close()
    eventually(lambda: counts(server), (2, 0))
    server.connect(source="127.0.0.2").next(220)
    assert server.status()["counters"]["refused_for_address"] == 1


def test_the_log_tells_arrival_request_and_leaving_with_address_and_port(ftp_server):
    server = ftp_server("--clients", 1, "--waiting", 1)
    sessions = [server.connect() for _ in range(3)]
    names = [f"127.0.0.1:{session.connection.getsockname()[1]}" for session in sessions]
    sessions[0].next(220)
    sessions[2].next(421)
    sessions[0].expect("USER \x1b[2Jx\r", 331)
    sessions[0].expect("PASS geheim", 530)
    sessions[0].expect("QUIT", 221)
    sessions[1].next(220)
    sessions[1].close()
    eventually(lambda: f"{names[1]} leaves" in server.logged(), True)
    log = [line.split(": ", 1)[1] for line in server.logged().splitlines()]
    for expected in (
            f"{names[0]} arrives: served as one of 1 of 1", f"{names[1]} arrives: number 1 in line, 1 served",
            f"{names[2]} arrives: refused, 1 served and 1 in line", f"{names[2]} leaves",
            f"{names[0]} requests: USER \\x1b[2Jx\\x0d", f"{names[0]} requests: PASS ***",
            f"{names[0]} gives a wrong name or password", f"{names[0]} requests: QUIT", f"{names[0]} leaves",
            f"{names[1]} its turn has come: served as one of 1 of 1", f"{names[1]} leaves: closed its connection"):
        assert log.count(expected) == 1, expected
    assert "geheim" not in server.logged()


class Crowd:
    """Many connections, read as they have something to say."""

    def __init__(self, server, count):
        self.selector, self.said, self.ended, self.left = selectors.DefaultSelector(), {}, set(), count
        self.server, self.served_most = server, 0
        self.speaking = set()

    def arrive(self, many):
        for _ in range(min(many, self.left)):
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex((self.server.host, self.server.port))
            self.said[connection] = b""
            self.selector.register(connection, selectors.EVENT_READ)
            self.left -= 1

    def listen(self, timeout):
        for key, _ in self.selector.select(timeout):
            connection = key.fileobj
            try:
                got = connection.recv(65536)
            except BlockingIOError:
                continue
            except ConnectionResetError:
                got = b""
            self.said[connection] += got
            if not got:
                self.leave(connection)
            elif re.search(rb"^220 ", self.said[connection], re.M):
                self.speaking.add(connection)
        self.served_most = max(self.served_most, len(self.speaking))

    def leave(self, connection):
        self.selector.unregister(connection)
        connection.close()
        self.ended.add(connection)
        self.speaking.discard(connection)


def test_ten_thousand_at_once_never_serve_one_too_many(ftp_server):
    """A client that hears 220 is served until it leaves: at no time are there more than N, and in
    the end each of those that were served or in line had its turn, in the order they came."""
    clients, places = 20, 3000
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    count = min(CROWD, most - 500)
    assert count >= 5000, f"the machine allows {most} descriptors"
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    server = ftp_server("--clients", clients, "--waiting", places)
    crowd = Crowd(server, count)
    deadline = time.monotonic() + 120

    def turn():
        assert time.monotonic() < deadline, (len(crowd.ended), crowd.left)
        crowd.listen(0.05)
        assert len(crowd.speaking) <= clients

    while crowd.left:
        crowd.arrive(200)
        turn()
    # Everyone has had a word: served, a place, or 421.
    while any(not said for connection, said in crowd.said.items()):
        turn()
    refused = [one for one, said in crowd.said.items() if said.startswith(b"421")]
    assert len(crowd.speaking) == clients
    assert len(refused) == count - clients - places
    status = server.status()["counters"]
    assert (status["arrivals"], status["refused"]) == (count, len(refused))
    while len(crowd.ended) < count:
        for connection in list(crowd.speaking):
            crowd.leave(connection)
        turn()
    eventually(lambda: counts(server), (0, 0))
    turns = re.findall(r"served as one of (\d+) of 20\n", server.logged())
    assert len(turns) == clients + places and max(map(int, turns)) == clients
    waited = re.findall(r"(\S+) arrives: number \d+ in line", server.logged())
    assert waited == re.findall(r"(\S+) its turn has come", server.logged()), "first come, first served"
    server.connect().next(220)


def test_descriptors_exhausted(ftp_server):
    """What cannot be accepted waits with the kernel; who leaves makes room."""
    server = ftp_server("--clients", 1000, limits={resource.RLIMIT_NOFILE: (60, 60)})
    sessions = [server.connect() for _ in range(70)]
    eventually(lambda: "cannot accept for a moment" in server.logged(), True)
    late = server.connect()
    for session in sessions[:40]:
        session.next(220)
        session.close()
    late.next(220)
    late.expect("USER anonymous", 331)
    late.expect("PASS x", 230)
    late.expect("EPSV", 229)


def test_descriptors_exhausted_while_clients_want_data(ftp_server):
    """None is left for a port or a file: each has a reply, none is lost, and all goes on behind it."""
    server = ftp_server("--anonymous", "all", "--clients", 1000, limits={resource.RLIMIT_NOFILE: (60, 60)})
    (server.root / "f").write_text("content")
    sessions = []
    while "cannot accept for a moment" not in server.logged():
        session = server.connect()
        session.connection.settimeout(2)
        try:
            session.next(220)
        except TimeoutError:
            break
        session.expect("USER anonymous", 331)
        session.expect("PASS x", 230)
        sessions.append(session)
        session.ask("EPSV")
    for session in sessions:
        for line in ("EPSV", "PASV", "CWD /", "SIZE f", "MLST f", "STAT /", "MKD d/e", "NOOP"):
            reply = session.ask(line)
            assert reply[:1] in "245" and reply.endswith("\n"), (line, reply)
    for session in sessions[1:]:
        session.close()
    eventually(lambda: len(server.status()["served"]), 1)
    sessions[0].connection.settimeout(20)
    assert sessions[0].fetch("RETR f") == b"content"


def test_a_flood_of_requests_is_not_a_flood_of_lines(ftp_server):
    server = ftp_server()
    session = server.session()
    for _ in range(50):
        session.connection.sendall(b"NOOP\r\n" * 200)
        for _ in range(200):
            session.next(200)
    session.expect("QUIT", 221)
    eventually(lambda: re.findall(r"\d+ lines about requests are not written", server.logged()) != [], True)
    eventually(lambda: " leaves\n" in server.logged(), True)
    assert 1000 < server.logged().count("requests: NOOP") < 8000
