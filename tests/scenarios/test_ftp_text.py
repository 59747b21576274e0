"""The report's file protocol. The partners here are written from its description alone: they know a
greeting, names, contents, `File not found` and `end`, and nothing of how our programs are made."""
import hashlib
import json
import os
import re
import resource
import select
import selectors
import signal
import socket
import subprocess
import sys
import time

import pytest
from conftest import BIN, need
from ftp_lab import PATIENCE, eventually, free_port, ftp_server, read_all  # noqa: F401
from test_ftp_client import Terminal

GREETING = (b"You are now connected to server.\n\tSend the name of the file you want.\n\t"
            b"Say end to terminate the session.")
MISSING = b"File not found"
HELLO = b"Hello from the other subnet.\n"


class Partner:
    """A connection to a server, as a partner's program has it."""

    def __init__(self, port, host="127.0.0.1", greeted=True, **options):
        self.socket = socket.socket()
        self.socket.settimeout(PATIENCE)
        if "receive_bytes" in options:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options["receive_bytes"])
        self.socket.connect((host, port))
        if greeted:
            assert self.read(len(GREETING)) == GREETING

    @property
    def name(self):
        return "{}:{}".format(*self.socket.getsockname())

    def read(self, length):
        got = b""
        while len(got) < length and (part := self.socket.recv(length - len(got))):
            got += part
        return got

    def ask(self, name, length):
        self.socket.sendall(name)
        return self.read(length)

    def half(self):
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def rest(self):
        return read_all(self.socket)

    def silent(self):
        """Nothing is there to be read by now."""
        return not select.select([self.socket], [], [], 0)[0]

    def close(self):
        self.socket.close()


@pytest.fixture
def text_server(ftp_server):
    def start(*options, **more):
        server = ftp_server("--protocol", "text", *options, **more)
        (server.root / "hello.txt").write_bytes(HELLO)
        server.partner = lambda **options: Partner(server.port, **options)
        return server

    return start


def counts(server):
    status = server.status()
    return len(status["served"]), len(status["waiting"])


# --- names ---

@pytest.mark.parametrize("name", [b"hello.txt", b"hello.txt\n", b"hello.txt\r\n", b"hello.txt\0", b"hello.txt".ljust(1024, b"\0"),
                                  b"/hello.txt", b"./hello.txt", b"sub/../hello.txt", b"link"])
def test_a_name_brings_the_file_and_the_session_goes_on(text_server, name):
    server = text_server()
    (server.root / "sub").mkdir()
    (server.root / "link").symlink_to("hello.txt")
    partner = server.partner()
    for _ in range(3):
        assert partner.ask(name, len(HELLO)) == HELLO
    assert partner.ask(b"none\n", len(MISSING)) == MISSING
    assert partner.ask(name, len(HELLO)) == HELLO
    partner.socket.sendall(b"end")
    assert partner.rest() == b""


def test_a_name_sent_byte_by_byte_is_one(text_server):
    """As Java's DataOutputStream.writeBytes does it, with Nagle's algorithm in between."""
    server = text_server()

    def byte_by_byte():
        partner = server.partner()
        for byte in b"hello.txt\n":
            partner.socket.sendall(bytes([byte]))
        partner.half()
        return partner.rest()

    # A machine that stops us for 50 ms in the middle has made two names of it.
    eventually(byte_by_byte, HELLO)


def test_several_names_at_once_are_answered_in_turn(text_server):
    server = text_server()
    (server.root / "big").write_bytes(os.urandom(3_000_000))
    partner = server.partner()
    partner.socket.sendall(b"hello.txt\nbig\nnone\r\nhello.txt\nend\nhello.txt\n")
    assert partner.rest() == HELLO + (server.root / "big").read_bytes() + MISSING + HELLO
    received = re.findall(r"received: (.*)", server.logged())
    assert received == ["hello.txt", "big", "none", "hello.txt", "end"]


def test_what_is_not_found(text_server):
    server = text_server()
    outside = server.folder / "secret"
    outside.write_text("secret")
    (server.root / "sub").mkdir()
    (server.root / "out").symlink_to(outside)
    (server.root / "up").symlink_to("..")
    (server.root / "locked").write_text("x")
    (server.root / "locked").chmod(0)
    (server.root / os.fsdecode(b"latin-\xe4")).write_text("x")
    os.mkfifo(server.root / "fifo")
    partner = server.partner()
    rows = {
        "there is none of that name": [b"none", b"Hello.txt", b"out", b"up/secret", str(outside).encode(), b"END", b" hello.txt"],
        "the name leads out of the root directory": [b"..", b"../secret", b"../files/hello.txt", b"/../hello.txt", b"sub/../../secret"],
        "it is no plain file": [b"sub", b".", b"/", b"fifo"],
        "the name is not UTF-8": [b"latin-\xe4", b"\xff\xfe", b"\xc0\xae\xc0\xae/secret"],
        "the name is empty": [b"", b"\r"],
        "the name is too long": [b"x" * 4096, b"x" * 65536, b"y" * 300],
        "the server may not read it": [b"locked"],
    }
    for why, names in rows.items():
        for name in names:
            before = server.logged().count(f"no file was found: {why}")
            assert partner.ask(name + b"\n", len(MISSING)) == MISSING, name[:40]
            assert server.logged().count(f"no file was found: {why}") == before + 1, (name[:40], server.logged()[-300:])
    assert partner.ask(b"hello.txt", len(HELLO)) == HELLO


@pytest.mark.parametrize("length", [0, 1, 13, 14, 15, 65536, 1_000_003, 60_000_000])
def test_files_of_any_length(text_server, length):
    server = text_server()
    with (server.root / "file").open("wb") as file:
        file.write(os.urandom(min(length, 100_000)))
        file.truncate(length)
    partner = server.partner()
    partner.socket.sendall(b"file")
    seen = hashlib.sha256()
    count = 0
    partner.half()
    while part := partner.socket.recv(1 << 20):
        seen.update(part)
        count += len(part)
    assert count == length
    assert seen.digest() == hashlib.sha256((server.root / "file").read_bytes()).digest()


@pytest.mark.parametrize("word", [b"end", b"end\n", b"end\r\n", b"end\0"])
def test_end_ends_the_session_and_frees_the_place(text_server, word):
    server = text_server("--clients", 1, "--waiting", 1)
    (server.root / "end").write_text("a file")
    partner = server.partner()
    waiting = server.partner(greeted=False)
    assert partner.ask(b"./end\n", 6) == b"a file"
    partner.socket.sendall(word)
    assert partner.rest() == b""
    assert waiting.read(len(GREETING)) == GREETING


# --- the line ---

def test_three_are_served_two_wait_in_silence_and_the_sixth_is_closed(text_server):
    server = text_server()
    served = [server.partner() for _ in range(3)]
    first, second = (server.partner(greeted=False) for _ in range(2))
    sixth = server.partner(greeted=False)
    assert sixth.rest() == b""
    assert counts(server) == (3, 2)

    def refused_within_a_second():
        began = time.monotonic()
        assert server.partner(greeted=False).rest() == b""
        return time.monotonic() - began < 1

    # At once; the machine may be busy, but not each time.
    eventually(refused_within_a_second, True)
    # Whatever the others do, not a byte for those in line.
    assert served[0].ask(b"hello.txt", len(HELLO)) == HELLO
    assert first.silent() and second.silent()
    served[1].close()
    assert first.read(len(GREETING)) == GREETING
    assert first.ask(b"hello.txt", len(HELLO)) == HELLO
    assert second.silent()
    assert counts(server) == (3, 1)
    served[2].socket.sendall(b"end")
    assert second.read(len(GREETING)) == GREETING
    assert server.status()["counters"]["refused"] >= 2


CLIENT = "import socket, time, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1])));" \
         "print('in', flush=True); time.sleep(600)"


@pytest.mark.parametrize("how", ["close", "reset", "half", "kill"])
def test_who_leaves_the_line_gives_its_place_up_at_once(text_server, how):
    server = text_server("--clients", 1, "--waiting", 2)
    served = server.partner()
    if how == "kill":
        process = subprocess.Popen([sys.executable, "-c", CLIENT, str(server.port)], stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"in\n"
    else:
        first = server.partner(greeted=False)
    eventually(lambda: counts(server), (1, 1))
    second = server.partner(greeted=False)
    eventually(lambda: counts(server), (1, 2))
    if how == "kill":
        process.kill()
        process.wait()
    elif how == "half":
        first.half()
    else:
        if how == "reset":
            first.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        first.close()
    eventually(lambda: counts(server), (1, 1))
    assert server.status()["counters"]["gave_up_waiting"] == 1
    why = "the connection broke" if how == "reset" else "gave up its place in line"
    assert len(re.findall(rf"Client at 127.0.0.1:\d+ disconnected: {why}", server.logged())) == 1
    third = server.partner(greeted=False)
    served.close()
    assert second.read(len(GREETING)) == GREETING
    assert third.silent()


@pytest.mark.parametrize("busy", [False, True])
def test_a_killed_client_gives_its_place_up(text_server, busy):
    """At rest, and in the middle of a file that it does not read."""
    server = text_server("--clients", 1, "--waiting", 1)
    with (server.root / "big").open("wb") as big:
        big.truncate(1 << 30)
    script = CLIENT.replace("print", "s.recv(200); s.sendall(b'big\\n'); s.recv(10); print" if busy else "s.recv(200); print")
    process = subprocess.Popen([sys.executable, "-c", script, str(server.port)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"in\n"
    waiting = server.partner(greeted=False)
    eventually(lambda: counts(server), (1, 1))
    assert (server.status()["served"][0]["transfer"] is not None) == busy
    process.kill()
    process.wait()
    assert waiting.read(len(GREETING)) == GREETING
    assert server.status()["counters"]["failed_transfers"] == busy


def test_a_name_sent_in_line_waits_for_its_turn(text_server):
    """Also of a client that asks for one file and ends its half of the connection at once."""
    server = text_server("--clients", 1, "--waiting", 2)
    served = server.partner()
    early, whole = server.partner(greeted=False), server.partner(greeted=False)
    early.socket.sendall(b"hello.txt\nend\n")
    whole.socket.sendall(b"hello.txt")
    whole.half()
    eventually(lambda: counts(server), (1, 2))
    assert early.silent() and whole.silent()
    served.close()
    assert early.rest() == GREETING + HELLO
    assert whole.rest() == GREETING + HELLO
    eventually(lambda: counts(server), (0, 0))


def test_thousands_of_connections_never_one_too_many(text_server):
    """Who has heard a byte is served until it leaves: never more than three."""
    count = min(3000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    server = text_server()
    selector = selectors.DefaultSelector()
    served, refused, left, had_a_turn = set(), 0, count, 0
    deadline = time.monotonic() + 60
    while left or selector.get_map():
        assert time.monotonic() < deadline, (left, len(served), refused)
        for _ in range(min(left, 100)):
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex((server.host, server.port))
            selector.register(connection, selectors.EVENT_READ)
            left -= 1
        for key, _ in selector.select(0.05):
            connection = key.fileobj
            got = connection.recv(65536)
            if got:
                assert got == GREETING
                served.add(connection)
                had_a_turn += 1
                assert len(served) <= 3
                continue
            refused += 1
            selector.unregister(connection)
            connection.close()
        if len(served) == 3 or not left:
            for connection in list(served):
                selector.unregister(connection)
                served.discard(connection)
                connection.close()
        if not left and len(selector.get_map()) == 0:
            break
    assert had_a_turn + refused == count and had_a_turn >= 5
    eventually(lambda: counts(server), (0, 0))
    counters = server.status()["counters"]
    assert (counters["arrivals"], counters["refused"]) == (count, refused)


def test_limits_of_time(text_server):
    server = text_server("--clients", 1, "--waiting", 1, "--wait-time", "0.3", "--idle-time", "1.5")
    served, waiting = server.partner(), server.partner(greeted=False)
    assert waiting.rest() == b""
    assert served.rest() == b""
    assert "has waited in line as long as it may" in server.logged()
    assert "was silent as long as it may" in server.logged()


def test_so_many_of_one_address(text_server):
    server = text_server("--per-address", 1)
    one, two = server.partner(), server.partner(greeted=False)
    assert two.rest() == b""
    assert one.ask(b"hello.txt", len(HELLO)) == HELLO


# --- hostile ---

def test_who_does_not_read_is_let_go(text_server):
    server = text_server("--stall-time", "0.3", "--clients", 1, "--waiting", 1)
    with (server.root / "big").open("wb") as big:
        big.truncate(1 << 30)
    partner = server.partner(receive_bytes=4096)
    waiting = server.partner(greeted=False)
    partner.socket.sendall(b"big\n")
    assert waiting.read(len(GREETING)) == GREETING
    assert "does not read what it asked for" in server.logged()
    # What it has got must not look like the whole.
    with pytest.raises(ConnectionResetError):
        partner.rest()


def test_who_asks_without_end_and_does_not_read_costs_no_memory(text_server):
    server = text_server()
    partner = server.partner(receive_bytes=4096)
    partner.socket.setblocking(False)
    sent = 0
    try:
        while sent < 50_000_000:
            sent += partner.socket.send(b"\n" * 65536)
    except BlockingIOError:
        pass
    assert sent < 50_000_000, "it was taken without end"
    status = open(f"/proc/{server.pid}/status").read()
    assert int(re.search(r"VmRSS:\s+(\d+)", status)[1]) < 200_000
    other = server.partner()
    assert other.ask(b"hello.txt", len(HELLO)) == HELLO


@pytest.mark.parametrize("flood", [b"x" * 65536, b"a\n" * 10000])
def test_a_flood_in_line_is_let_go(text_server, flood):
    server = text_server("--clients", 1, "--waiting", 1)
    served = server.partner()
    waiting = server.partner(greeted=False)
    try:
        waiting.socket.sendall(flood)
        assert waiting.rest() == b""
    except (ConnectionResetError, BrokenPipeError):
        pass
    eventually(lambda: counts(server), (1, 0))
    assert "more than can be kept for its turn" in server.logged()
    assert served.ask(b"hello.txt", len(HELLO)) == HELLO


def test_odd_bytes_forge_no_line_of_the_log(text_server):
    server = text_server()
    partner = server.partner()
    assert partner.ask(b"x\x1b[2J\r12:00:00.000 ftp-server: Client at 1.2.3.4:5 disconnected\n", len(MISSING)) == MISSING
    assert "received: x\\x1b[2J\\x0d12:00:00.000" in server.logged()


# --- what is told ---

def test_the_log_has_the_reports_lines(text_server):
    server = text_server("--clients", 1, "--waiting", 1)
    first = server.partner()
    second = server.partner(greeted=False)
    third = server.partner(greeted=False)
    assert third.rest() == b""
    assert first.ask(b"hello.txt", len(HELLO)) == HELLO
    assert first.ask(b"none", len(MISSING)) == MISSING
    first.socket.sendall(b"end")
    assert second.read(len(GREETING)) == GREETING
    names = [partner.name for partner in (first, second, third)]
    second.close()
    eventually(lambda: f"Client at {names[1]} disconnected" in server.logged(), True)
    server.end()
    port = names[0].rsplit(":")[1]
    lines = [line.split(" ftp-server: ", 1)[1] for line in server.logged().splitlines()]
    assert lines == [
        f"serves '{server.root}' at 127.0.0.1:{server.port} by the text protocol, 1 clients at once and 1 in line",
        f"Got new connection from {names[0]}: served as one of 1 of 1",
        f"Got new connection from {names[1]}: number 1 in line, 1 served",
        f"Got new connection from {names[2]}: refused, 1 served and 1 in line",
        f"Client at {names[2]} disconnected",
        f"From client at {port} received: hello.txt",
        f"{names[0]} was sent {len(HELLO)} bytes",
        f"From client at {port} received: none",
        f"{names[0]} is told that no file was found: there is none of that name",
        f"From client at {port} received: end",
        f"Client at {names[0]} disconnected",
        f"{names[1]} its turn has come: served as one of 1 of 1",
        f"Client at {names[1]} disconnected",
        "ends on Terminated"]


def test_status_and_transfer_logs(text_server, tmp_path):
    server = text_server("--xferlog", tmp_path / "xfer", "--json-log", tmp_path / "json")
    with (server.root / "big").open("wb") as big:
        big.truncate(1 << 30)
    partner = server.partner(receive_bytes=4096)
    assert partner.ask(b"hello.txt", len(HELLO)) == HELLO
    partner.ask(b"big", 1)
    status = server.status()
    assert status["protocol"] == "text"
    assert status["limits"] == {"clients": 3, "waiting": 2, "per_address": 0}
    row = status["served"][0]
    assert (row["client"], row["state"], row["tls"]) == (partner.name, "transfer", False)
    assert (row["transfer"]["command"], row["transfer"]["path"]) == ("RETR", "/big")
    partner.close()
    eventually(lambda: server.status()["counters"]["failed_transfers"], 1)
    rows = [json.loads(line) for line in (tmp_path / "json").read_text().splitlines()]
    assert [(row["path"], row["direction"], row["complete"], row["user"]) for row in rows] == [
        ("/hello.txt", "download", True, ""), ("/big", "download", False, "")]
    assert [line.split()[-1] for line in (tmp_path / "xfer").read_text().splitlines()] == ["c", "i"]


def test_the_server_ends_in_the_middle_of_a_file(text_server):
    server = text_server()
    with (server.root / "big").open("wb") as big:
        big.truncate(1 << 30)
    moving, idle = server.partner(receive_bytes=4096), server.partner()
    moving.ask(b"big", 1)
    server.end()
    assert idle.rest() == b""
    with pytest.raises(ConnectionResetError):
        moving.rest()


@pytest.mark.parametrize("option", [["--tls"], ["--anonymous", "all"], ["--user", "a $6$s$h"], ["--keep-cut-off"], ["--ports", "5000-5001"]])
def test_what_is_ftps_alone_is_refused(tmp_path, option):
    words = [BIN / "ftp-server", "--protocol", "text", "--root", tmp_path, *option]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2 and f"{option[0]} is FTP's" in done.stderr, done.stderr


def test_the_defaults_are_the_reports(tmp_path):
    helped = subprocess.run([BIN / "ftp-server", "--help"], capture_output=True, text=True, check=True).stdout
    assert re.search(r"--listen .*12345", helped) and re.search(r"--clients .*in text 3", helped)
    assert re.search(r"--waiting .*in text 2", helped)


# --- partners in other languages, each as one writes it there ---

LANGUAGES = {
    # A name without a line end, in one piece; the answer is what comes in one read.
    "bash": ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$0; head -c 104 <&3; printf none >&3; head -c 14 <&3;"
             "printf hello.txt >&3; head -c 29 <&3; printf end >&3; cat <&3"],
    # Lines.
    "perl": ["perl", "-MIO::Socket::INET", "-e",
             "$s = IO::Socket::INET->new('127.0.0.1:' . shift) or die; $| = 1; sysread $s, $got, 104; print $got;"
             "for (['none', 14], ['hello.txt', 29]) { print $s $_->[0] . \"\\n\"; read $s, $got, $_->[1]; print $got }"
             "print $s \"end\\n\"; print <$s>"],
    # Everything at once, and then the end of its half.
    "nc": ["sh", "-c", "printf 'none\\r\\nhello.txt\\r\\nend\\r\\n' | busybox nc 127.0.0.1 $0"],
    "curl": ["sh", "-c", "printf 'none\\nhello.txt\\nend\\n' | curl -sS telnet://127.0.0.1:$0"],
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_partners_in_other_languages(text_server, language):
    words = LANGUAGES[language]
    need("busybox" if language == "nc" else language)
    server = text_server()
    done = subprocess.run([*words, str(server.port)], capture_output=True, timeout=PATIENCE)
    assert done.stdout == GREETING + MISSING + HELLO, (done.stdout, done.stderr)
    eventually(lambda: counts(server), (0, 0))


PARTNER_IN_C = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
	char buffer[1024];
	int s = socket(AF_INET, SOCK_STREAM, 0);
	server.sin_addr.s_addr = inet_addr("127.0.0.1");
	connect(s, (struct sockaddr *)&server, sizeof(server));
	fwrite(buffer, 1, recv(s, buffer, 104, MSG_WAITALL), stdout);
	for (int i = 2; i < argc; i++) {
		memset(buffer, 0, sizeof(buffer));
		strcpy(buffer, argv[i]);
		send(s, buffer, i % 2 ? sizeof(buffer) : strlen(buffer) + 1, 0);
		memset(buffer, 0, sizeof(buffer));
		recv(s, buffer, sizeof(buffer), 0);
		printf("%s", buffer);
	}
	close(s);
}
"""


def test_a_partner_in_c_sends_its_strings_and_its_buffers(text_server, tmp_path):
    need("cc")
    (tmp_path / "partner.c").write_text(PARTNER_IN_C)
    subprocess.run(["cc", "-o", tmp_path / "partner", tmp_path / "partner.c"], check=True)
    server = text_server()
    done = subprocess.run([tmp_path / "partner", str(server.port), "none", "hello.txt", "none", "hello.txt", "end"],
                          capture_output=True, timeout=PATIENCE)
    assert done.stdout == GREETING + (MISSING + HELLO) * 2
    eventually(lambda: counts(server), (0, 0))


# --- our client, with partners as servers ---

class StudentServer:
    """Runs `script` for each connection: words to send, `ask` to read one name, `close`, `reset`."""

    def __init__(self, folder, *script, greeting=GREETING):
        self.port = free_port()
        (folder / "server.py").write_text(SERVER)
        self.process = subprocess.Popen(
            [sys.executable, folder / "server.py", str(self.port), repr((greeting, *script))],
            stdout=subprocess.PIPE, cwd=folder)
        assert self.process.stdout.readline() == b"ready\n"

    def end(self):
        self.process.kill()
        self.process.wait()


SERVER = """
import ast, socket, struct, sys, time
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(5)
print("ready", flush=True)
while True:
    client, _ = listener.accept()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for step in ast.literal_eval(sys.argv[2]):
        if step == "ask":
            print(client.recv(1024), flush=True)
        elif step == "pause":
            time.sleep(0.5)
        elif step == "hang":
            time.sleep(600)
        elif step == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            client.sendall(step)
    client.close()
"""


@pytest.fixture
def student_server(tmp_path):
    started = []

    def start(*script, **options):
        started.append(StudentServer(tmp_path, *script, **options))
        return started[-1]

    yield start
    for server in started:
        server.end()


@pytest.fixture
def client(tmp_path):
    """client(port, words...) -> the finished process; its folder is `client.folder`."""
    folder = tmp_path / "client"
    folder.mkdir()

    def run(port, *words, options=(), **more):
        words = [BIN / "ftp-client", "--protocol", "text", "--server", f"127.0.0.1:{port}", *options, *words]
        return subprocess.run(list(map(str, words)), capture_output=True, timeout=60, cwd=folder, **more)

    run.folder = folder
    return run


def test_get_one_and_several(text_server, client):
    server = text_server()
    (server.root / "big").write_bytes(os.urandom(5_000_000))
    (server.root / "empty").touch()
    (server.root / "sub").mkdir()
    (server.root / "sub/in").write_text("in")
    done = client(server.port, "get", "hello.txt")
    assert done.returncode == 0 and done.stdout == b"", done.stderr
    assert done.stderr.startswith(GREETING + b"\n")
    assert (client.folder / "hello.txt").read_bytes() == HELLO
    assert client(server.port, "get", "hello.txt", "other").returncode == 0
    assert (client.folder / "other").read_bytes() == HELLO
    done = client(server.port, "mget", "big", "empty", "none", "sub/in", options=["--quiet"])
    assert (done.returncode, done.stderr) == (5, b"ftp-client: 'none': File not found\n")
    assert (client.folder / "big").read_bytes() == (server.root / "big").read_bytes()
    assert (client.folder / "empty").read_bytes() == b"" and (client.folder / "in").read_text() == "in"
    assert sorted(os.listdir(client.folder)) == ["big", "empty", "hello.txt", "in", "other"]
    # Every connection was closed properly.
    assert server.logged().count("disconnected\n") == 6


def test_get_to_standard_output(text_server, client):
    server = text_server()
    (server.root / "big").write_bytes(os.urandom(3_000_000))
    (server.root / "almost").write_text("File not foun")
    (server.root / "more").write_text("File not found\n")
    done = client(server.port, "get", "-o", "-", "hello.txt", "big", "none", "almost", "more")
    assert done.returncode == 5
    assert done.stdout == HELLO + (server.root / "big").read_bytes() + b"File not foun" + b"File not found\n"


def test_a_missing_file_leaves_what_was_there(text_server, client):
    server = text_server()
    (client.folder / "none").write_text("mine")
    assert client(server.port, "get", "none").returncode == 5
    assert client(server.port, "get", "none", "new").returncode == 5
    assert os.listdir(client.folder) == ["none"] and (client.folder / "none").read_text() == "mine"


@pytest.mark.parametrize("words, options, status, sentence", [
    (["get", "end"], [], 2, "'./end'"), (["get", "a\nb"], [], 2, "line break"), (["get", ""], [], 2, "names no file"),
    (["get", "x" * 5000], [], 2, "too long"), (["ls"], [], 2, "'get' alone"), (["get", "-r", "x"], [], 2, "directories"),
    (["get", "x", "/nowhere/x"], [], 3, "cannot write"), (["get", "x"], ["--tls"], 2, "--tls is FTP's"),
    (["get", "-o", "file", "a", "b"], [], 2, "a directory that is there"), (["get"], [], 2, "usage: get")])
def test_slips(text_server, client, words, options, status, sentence):
    """Told before anybody is asked: no place is taken."""
    server = text_server()
    done = client(server.port, *words, options=options)
    assert done.returncode == status and sentence in done.stderr.decode(), done.stderr
    assert server.status()["counters"]["arrivals"] == 0 and os.listdir(client.folder) == []


def test_the_prompt(text_server, client):
    server = text_server()
    (server.root / "big").write_bytes(os.urandom(5_000_000))
    done = client(server.port, input=b"hello.txt\nnone\n\nbig\nend\nhello.txt\n")
    said = done.stderr.decode()
    assert done.returncode == 5 and said.count("Enter file name: ") == 5
    assert re.search(r"'hello.txt': 29 bytes; nothing more came for 0.2 s", said)
    assert "'none': File not found" in said
    assert sorted(os.listdir(client.folder)) == ["big", "hello.txt"]
    assert (client.folder / "big").read_bytes() == (server.root / "big").read_bytes()
    assert server.status()["counters"]["arrivals"] == 1
    assert client(server.port, input=b"hello.txt").returncode == 0


def test_the_prompt_on_a_terminal(text_server, client):
    server = text_server()
    words = [BIN / "ftp-client", "--protocol", "text", "--server", f"127.0.0.1:{server.port}"]
    terminal = Terminal(*words, cwd=client.folder)
    terminal.expect("Say end to terminate the session.\r\n")
    terminal.expect("Enter file name: ")
    terminal.type("hello.txt\n")
    terminal.expect("29 bytes; nothing more came for 0.2 s, so it is taken for whole\r\n")
    terminal.expect("Enter file name: ")
    assert (client.folder / "hello.txt").read_bytes() == HELLO
    terminal.type("end\n")
    terminal.end(0)
    for typed, status, said in [("\x03", 3, "interrupted"), ("\x04", 0, "")]:
        terminal = Terminal(*words, cwd=client.folder)
        terminal.expect("Enter file name: ")
        terminal.type(typed)
        terminal.expect(said)
        terminal.end(status)
        assert terminal.seen.endswith("\n")
    eventually(lambda: counts(server), (0, 0))


@pytest.mark.parametrize("script, left, sentence", [
    (["ask", HELLO], ["x"], "'x': 29 bytes"),
    (["ask"], [], "'x': no answer"),
    (["ask", HELLO, "reset"], [], "the connection broke"),
])
def test_the_prompt_sees_that_the_server_leaves(student_server, client, script, left, sentence):
    server = student_server(*script)
    done = client(server.port, input=b"x\ny\n")
    assert done.returncode == 5 and sentence in done.stderr.decode(), done.stderr
    assert os.listdir(client.folder) == left


def test_the_client_waits_in_line(text_server, client):
    server = text_server("--clients", 1, "--waiting", 1)
    served = server.partner()
    done = client(server.port, "get", "hello.txt", options=["--wait", "0.3"])
    assert done.returncode == 5 and b"not served within the time of --wait" in done.stderr
    eventually(lambda: counts(server), (1, 0))
    words = [BIN / "ftp-client", "--protocol", "text", "--server", f"127.0.0.1:{server.port}", "get", "hello.txt"]
    waiting = subprocess.Popen(list(map(str, words)), stderr=subprocess.PIPE, cwd=client.folder)
    eventually(lambda: counts(server), (1, 1))
    done = client(server.port, "get", "hello.txt")
    assert done.returncode == 5 and b"without a word" in done.stderr
    assert os.listdir(client.folder) == []
    served.close()
    assert waiting.communicate(timeout=PATIENCE)[1].startswith(GREETING)
    assert waiting.returncode == 0 and (client.folder / "hello.txt").read_bytes() == HELLO


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_client_that_is_stopped_leaves_nothing(text_server, client, how):
    server = text_server()
    with (server.root / "big").open("wb") as big:
        big.truncate(1 << 32)
    words = [BIN / "ftp-client", "--protocol", "text", "--server", f"127.0.0.1:{server.port}", "get", "big"]
    process = subprocess.Popen(list(map(str, words)), stderr=subprocess.PIPE, cwd=client.folder)
    eventually(lambda: server.status()["counters"]["arrivals"] and (server.status()["served"] or [{}])[0].get("transfer") is not None, True)
    process.send_signal(how)
    said = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == (3 if how == signal.SIGINT else -9)
    assert how == signal.SIGKILL or b"interrupted" in said
    assert os.listdir(client.folder) == []
    eventually(lambda: counts(server), (0, 0))


@pytest.mark.parametrize("script, greeting, status, left, sentence", [
    (["ask", HELLO], GREETING, 0, HELLO, "29 bytes"),
    (["ask", b""], GREETING, 0, b"", "0 bytes"),
    ([GREETING[20:], "ask", HELLO], GREETING[:20], 0, HELLO, "29 bytes"),
    (["ask", HELLO[:9], "pause", HELLO[9:]], GREETING, 0, HELLO, "29 bytes"),
    (["ask", b"File not", "pause", b" found"], GREETING, 5, None, "'x': File not found"),
    (["ask", b"file not found"], GREETING, 0, b"file not found", "14 bytes"),
    (["ask", HELLO], b"Welcome!\n", 0, HELLO, "not the greeting of the protocol"),
    (["ask", HELLO], GREETING + b"\n", 0, HELLO, "not the greeting of the protocol"),
    (["ask", HELLO], b"\x1b[2JHi", 0, HELLO, "\ufffd[2JHi"),
    ([], b"", 5, None, "closed the connection without a word"),
    ([], b"You are", 5, None, "closed the connection"),
    (["hang"], b"", 5, None, "not served within the time of --wait"),
    (["ask", HELLO, "reset"], GREETING, 5, None, "the connection broke"),
    (["ask", HELLO, "hang"], GREETING, 5, None, "whether that was all cannot be known"),
])
def test_partners_of_all_kinds(student_server, client, script, greeting, status, left, sentence):
    server = student_server(*script, greeting=greeting)
    done = client(server.port, "get", "x", options=["--wait", "2" if script == ["hang"] else "30", "--stall-time", "1.5"])
    assert done.returncode == status, done.stderr
    assert sentence in done.stderr.decode(), done.stderr
    if left is None:
        assert os.listdir(client.folder) == []
    else:
        assert (client.folder / "x").read_bytes() == left
        assert server.process.stdout.readline() == b"b'x'\n", "a name is sent as it is"


def test_bytes_that_come_late_are_told(student_server, client):
    """The prompt's rule is a guess; where it was wrong nobody is left to believe it."""
    server = student_server("ask", b"first", "pause", b"second", "ask", b"y is whole", "ask")
    read, write = os.pipe()
    words = [BIN / "ftp-client", "--protocol", "text", "--server", f"127.0.0.1:{server.port}"]
    process = subprocess.Popen(list(map(str, words)), stdin=read, stderr=subprocess.PIPE, cwd=client.folder)
    os.close(read)
    os.write(write, b"x\n")
    eventually(lambda: os.path.exists(client.folder / "x"), True)
    assert server.process.stdout.readline() == b"b'x'\n"
    # The server says its second half when it likes; what we type comes behind it.
    eventually(lambda: waiting_bytes(process.pid), 6)
    os.write(write, b"y\nend\n")
    os.close(write)
    said = process.communicate(timeout=PATIENCE)[1].decode()
    assert process.returncode == 5 and "6 bytes came when 'x' was taken for whole already" in said
    assert (client.folder / "y").read_bytes() == b"y is whole"


def waiting_bytes(pid):
    """What lies unread in the one TCP connection of a process."""
    inodes = {os.readlink(f"/proc/{pid}/fd/{fd}")[8:-1] for fd in os.listdir(f"/proc/{pid}/fd")
              if os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:")}
    for line in open(f"/proc/{pid}/net/tcp").read().splitlines()[1:]:
        fields = line.split()
        if fields[9] in inodes:
            return int(fields[4].split(":")[1], 16)
    return None


# --- two subnets ---

#   server, student-server --- lan-a --- router --- lan-b --- ours, student[1-2]
#                10.0.1.0/24                 10.0.2.0/24
TWO_SUBNETS = """
name: text
topology:
  nodes:
    lan-a: {kind: switch, ipv4: 10.0.1.0/24}
    lan-b: {kind: switch, ipv4: 10.0.2.0/24}
    router: {kind: router}
    server:
      files:
        files/hello.txt: |
          Hello from the other subnet.
        files/long.txt: %(long)s
      run:
        - {name: text, cmd: ftp-server --protocol text --root files, ready: true}
    student-server:
      files:
        hello.txt: |
          Hello from a student.
        server.py: |
%(server)s
      run:
        - {name: own, cmd: python3 server.py, ready: {port: 12345}}
    ours: {}
    student[1-2]:
      files:
        client.py: |
%(client)s
  links:
    - {endpoints: ["server:eth0", lan-a], ipv4: [10.0.1.10/24]}
    - {endpoints: ["student-server:eth0", lan-a]}
    - {endpoints: ["router:eth0", lan-a]}
    - {endpoints: ["router:eth1", lan-b]}
    - {endpoints: ["ours:eth0", lan-b]}
    - {endpoints: ["student[1-2]:eth0", lan-b]}
capture: all
scenarios:
  theirs-at-ours:
    title: Students' clients at our server
    steps:
      - {on: "student[1-2]", run: python3 client.py 10.0.1.10 hello.txt none.txt hello.txt, expect: {output: none.txt is missing}}
      - {same-files: ["server:files/hello.txt", "student1:hello.txt"]}
      - {on: server, watch: text, expect: {output: "received: none.txt"}}
      - {on: server, watch: text, expect: {output: disconnected}}
  ours-at-theirs:
    title: Our client at a student's server
    steps:
      - {on: ours, run: ftp-client --protocol text --server student-server get hello.txt}
      - {same-files: ["student-server:hello.txt", "ours:hello.txt"]}
      - {on: ours, run: ftp-client --protocol text --server student-server get none.txt, expect: {exit: 5, output: File not found}}
      - {on: ours, run: "sh -c 'rm hello.txt; printf \\"none.txt\\\\nhello.txt\\\\nend\\\\n\\" | ftp-client --protocol text --server student-server'", expect: {exit: 5, output: nothing more came}}
      - {same-files: ["student-server:hello.txt", "ours:hello.txt"]}
  ours-at-ours:
    title: Our client at our server
    steps:
      - {on: ours, run: ftp-client --protocol text --server 10.0.1.10 mget hello.txt long.txt}
      - {same-files: ["server:files/long.txt", "ours:long.txt"]}
      - {on: server, watch: text, expect: {output: "Got new connection from 10.0.2."}}
"""

STUDENT_CLIENT = """
import socket, sys
s = socket.create_connection((sys.argv[1], 12345))
print(s.recv(1024).decode())
for name in sys.argv[2:]:
    s.send(name.encode())
    answer = s.recv(1024)
    if answer == b"File not found":
        print(name, "is missing")
    else:
        open(name, "wb").write(answer)
s.send(b"end")
s.close()
"""

STUDENT_SERVER = f"""
import os, socket
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("", 12345))
listener.listen(2)
while True:
    client, address = listener.accept()
    client.send({GREETING!r})
    while True:
        name = client.recv(1024).decode()
        if name in ("", "end"):
            break
        if os.path.exists(name):
            client.send(open(name, "rb").read())
        else:
            client.send(b"File not found")
    client.close()
"""


def test_two_subnets(sim, topology):
    def indented(text):
        return "".join(f"          {line}\n" for line in text.strip().splitlines())

    ended = sim("run", topology(TWO_SUBNETS % {
        "long": "x" * 50000, "server": indented(STUDENT_SERVER), "client": indented(STUDENT_CLIENT)}))
    ended.all_held()
    log = ended.log("theirs-at-ours", "server.text")
    assert len(re.findall(r"From client at \d+ received: hello.txt", log)) == 4
    assert log.count("disconnected\n") >= 2
