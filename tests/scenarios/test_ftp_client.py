"""Our FTP client against our server, on a terminal, and against servers that mean no good."""
import fcntl
import os
import pty
import random
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path

import pytest
from conftest import BIN
from ftp_lab import PATIENCE, FtpServer, eventually, free_port, ftp_server, visible  # noqa: F401

TEXT = b"one\ntwo\n\nlast without an end"
BYTES = random.Random(4).randbytes(700_001)
DONE, MISUSE, SYSTEM, REFUSED = 0, 2, 3, 5


def client(server, *words, options=(), cwd, given=None, status=DONE):
    """Run it to its end; `server` is a FtpServer or "HOST:PORT"."""
    place = server
    if isinstance(server, FtpServer):
        place = f"[{server.host}]:{server.port}" if ":" in server.host else f"{server.host}:{server.port}"
    command = [BIN / "ftp-client", *options, place, *words]
    done = subprocess.run([str(word) for word in command], input=given or b"", capture_output=True,
                          cwd=cwd, timeout=60)
    assert done.returncode == status, (done.returncode, done.stderr.decode(errors="replace"))
    done.said = done.stderr.decode(errors="replace")
    return done


@pytest.fixture
def here(tmp_path):
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Good for localhost and 127.0.0.1 and nobody else."""
    folder = tmp_path_factory.mktemp("certificate")
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
             "-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    subprocess.run(list(map(str, words)), check=True, capture_output=True, timeout=60)
    return folder


# --- one shot ---

WAYS = [(), ("--active",), ("--ascii",), ("--active", "--ascii")]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: " ".join(way) or "passive")
def test_there_and_back(ftp_server, here, host, way):
    server = ftp_server("--anonymous", "all", host=host)
    (here / "text").write_bytes(TEXT)
    (here / "bytes").write_bytes(BYTES)
    for name, content in (("text", TEXT), ("bytes", BYTES)):
        client(server, "put", name, options=way, cwd=here)
        assert (server.root / name).read_bytes() == content
        client(server, "get", name, f"{name}.back", options=way, cwd=here)
        assert (here / f"{name}.back").read_bytes() == content


def test_ascii_is_said_and_converted(ftp_server, here):
    """Seen from the server's log of bytes: each line's end is two bytes on the wire."""
    server = ftp_server("--json-log", here / "log.json")
    (server.root / "text").write_bytes(TEXT)
    done = client(server, "get", "text", options=["--ascii"], cwd=here)
    assert (here / "text").read_bytes() == TEXT
    eventually(lambda: (here / "log.json").exists() and f"{len(TEXT) + 3}" in (here / "log.json").read_text(), True)
    assert "150" in done.said


@pytest.mark.parametrize("reuse", [(), ("--tls-reuse",)])
def test_tls_there_and_back(ftp_server, here, certificate, reuse):
    server = ftp_server("--anonymous", "all", "--tls", certificate / "cert.pem", "--tls-key",
                        certificate / "key.pem", "--tls-required", *reuse)
    options = ["--tls-ca", certificate / "cert.pem"]
    (here / "bytes").write_bytes(BYTES)
    (here / "little").write_bytes(b"x")
    (here / "empty").write_bytes(b"")
    for way in ([], ["--active"]):
        client(server, "put", "-o", "d/", "little", options=[*options, *way], cwd=here, status=REFUSED)
        client(server, "mput", "bytes", "little", "empty", options=[*options, *way], cwd=here)
        assert client(server, "get", "-o", "-", "bytes", options=[*options, *way], cwd=here).stdout == BYTES
        for name in ("bytes", "little", "empty"):
            assert (server.root / name).read_bytes() == (here / name).read_bytes()
            (server.root / name).unlink() if name != "bytes" else None
    assert b" bytes\n" in client(server, "ls", options=options, cwd=here).stdout


def test_tls_is_not_given_up(ftp_server, here, certificate):
    plain = ftp_server()
    done = client(plain, "ls", options=["--tls-any"], cwd=here, status=REFUSED)
    assert "refuses TLS; nothing is sent in clear text" in done.said
    assert "331" not in done.said
    server = ftp_server("--tls", certificate / "cert.pem", "--tls-key", certificate / "key.pem")
    done = client(server, "ls", options=["--tls"], cwd=here, status=REFUSED)
    assert "certificate is not to be believed: self-signed" in done.said
    # The right authority, and a host that the certificate is not for.
    elsewhere = ftp_server("--tls", certificate / "cert.pem", "--tls-key", certificate / "key.pem",
                           host="127.0.0.2")
    done = client(elsewhere, "ls", options=["--tls-ca", certificate / "cert.pem"], cwd=here, status=REFUSED)
    assert "certificate is not to be believed: IP address mismatch" in done.said
    client(elsewhere, "ls", options=["--tls-any"], cwd=here)
    done = client(server, "ls", options=["--tls-ca", here / "none"], cwd=here, status=MISUSE)
    assert "cannot be read" in done.said


def test_standard_input_and_output(ftp_server, here):
    server = ftp_server("--anonymous", "all")
    client(server, "put", "-", "piped", given=BYTES, cwd=here)
    assert (server.root / "piped").read_bytes() == BYTES
    done = client(server, "get", "-o", "-", "piped", "piped", cwd=here)
    assert done.stdout == BYTES + BYTES
    done = client(server, "put", "-", cwd=here, status=MISUSE)
    assert "'-' names no file" in done.said
    assert visible(here) == []


def test_a_slow_pipe_is_waited_for_beside_the_connection(ftp_server, here):
    """Bytes reach the server while standard input is still open, and an interrupt is heard."""
    server = ftp_server("--anonymous", "all")
    place = f"{server.host}:{server.port}"
    process = subprocess.Popen([BIN / "ftp-client", place, "put", "-", "slow"], stdin=subprocess.PIPE,
                               stderr=subprocess.PIPE, cwd=here)
    process.stdin.write(b"first")
    process.stdin.flush()
    eventually(lambda: [t["bytes"] for t in transfers(server)], [5])
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=PATIENCE)[1].decode()
    assert process.returncode == SYSTEM and "interrupted" in said
    assert visible(server.root) == []


def transfers(server):
    return [client["transfer"] for client in server.status()["served"] if client.get("transfer")]


def test_several_files_and_the_first_failure(ftp_server, here):
    server = ftp_server("--anonymous", "all")
    for name in ("a", "b", "c"):
        (server.root / name).write_text(name)
    client(server, "get", "a", "b", "c", cwd=here)
    assert visible(here) == ["a", "b", "c"]
    for name in ("a", "b", "c"):
        (here / name).unlink()
    done = client(server, "mget", "a", "missing", "b", cwd=here, status=REFUSED)
    assert "550" in done.said and visible(here) == ["a", "b"]
    # The first failure is ours, a later one the server's.
    done = client(server, "put", "none", "a", "d/e", cwd=here, status=SYSTEM)
    assert "cannot read 'none'" in done.said
    (here / "into").mkdir()
    client(server, "get", "-o", "into", "a", "c", cwd=here)
    assert visible(here / "into") == ["a", "c"]
    done = client(server, "get", "-o", "nowhere", "a", "c", cwd=here, status=MISUSE)
    assert "several files need" in done.said


def make_tree(root):
    (root / "tree/deep/deeper").mkdir(parents=True)
    (root / "tree/empty").mkdir()
    (root / "tree/two words").write_text("2")
    (root / "tree/-r").write_text("dash")
    (root / "tree/deep/ä").write_text("umlaut")
    (root / "tree/deep/deeper/bytes").write_bytes(BYTES)


def same_trees(one, other):
    left = {str(p.relative_to(one)): p.is_file() and p.read_bytes() for p in one.rglob("*")}
    right = {str(p.relative_to(other)): p.is_file() and p.read_bytes() for p in other.rglob("*")}
    assert left == right and left


def test_trees(ftp_server, here):
    server = ftp_server("--anonymous", "all")
    make_tree(server.root)
    (server.root / "tree/outside").symlink_to("/etc")
    client(server, "get", "-r", "tree", cwd=here)
    (server.root / "tree/outside").unlink()
    same_trees(server.root / "tree", here / "tree")
    (here / "tree/.kept-half").write_text("not sent")
    (here / "tree/up").symlink_to("..")
    client(server, "put", "-r", "tree", "copy", cwd=here)
    (here / "tree/.kept-half").unlink()
    (here / "tree/up").unlink()
    same_trees(here / "tree", server.root / "copy")
    client(server, "put", "-r", "tree", "copy", cwd=here)  # the directories are there already
    client(server, "get", "-r", "tree/two words", "/tree", "-o", ".", cwd=here)
    assert (here / "two words").read_text() == "2"
    client(server, "get", "-r", "missing", cwd=here, status=REFUSED)
    assert not (here / "missing").exists()


def test_what_was_cut_off_is_resumed(ftp_server, here):
    """The server dies in the middle; the next one is asked for the rest alone."""
    port = free_port()
    cut = Scripted(lambda s: scripted_get(s, 200_000, BYTES[:123_456], size=len(BYTES)), port)
    done = client(cut.place, "get", "bytes", cwd=here, status=REFUSED)
    assert "123456 bytes of 'bytes' are kept: --resume goes on with them" in done.said
    assert visible(here) == [".kept-bytes"]
    server = ftp_server("--json-log", here / "log")
    (server.root / "bytes").write_bytes(BYTES)
    done = client(server, "get", "bytes", options=["--resume"], cwd=here)
    assert (here / "bytes").read_bytes() == BYTES and visible(here) == ["bytes", "log"]
    assert "350" in done.said
    # All there: nothing is moved. More there than here: nothing is touched.
    done = client(server, "get", "--resume", "bytes", cwd=here)
    assert "350" not in done.said and "150" not in done.said
    (here / "bytes").write_bytes(BYTES + b"more")
    done = client(server, "get", "--resume", "bytes", cwd=here, status=SYSTEM)
    assert "there is more at the target" in done.said
    assert (here / "bytes").read_bytes() == BYTES + b"more"
    done = client(server, "get", "bytes", options=["--resume", "--ascii"], cwd=here, status=MISUSE)
    assert "--resume counts bytes" in done.said


def test_an_upload_is_resumed(ftp_server, here):
    server = ftp_server("--anonymous", "all", "--keep-cut-off")
    (here / "bytes").write_bytes(BYTES)
    (server.root / "bytes").write_bytes(BYTES[:50_000])
    done = client(server, "put", "--resume", "bytes", cwd=here)
    assert "350" in done.said and (server.root / "bytes").read_bytes() == BYTES
    done = client(server, "put", "--resume", "bytes", cwd=here)
    assert "150" not in done.said
    client(server, "put", "--resume", "bytes", "new", cwd=here)
    assert (server.root / "new").read_bytes() == BYTES


def test_commands_from_a_pipe(ftp_server, here):
    server = ftp_server("--anonymous", "all")
    (server.root / "a").write_text("abc")
    lines = b"mkdir d\nmv a d/b\ncd d\npwd\nsize b\nget b\nrm b\ncd ..\nrmdir d\nend\nnever reached\n"
    done = client(server, given=lines, cwd=here, options=["--quiet"])
    assert done.stdout == b"/d\n3\n" and done.said == ""
    assert (here / "b").read_text() == "abc" and visible(server.root) == []
    done = client(server, given=b"nonsense\n", cwd=here, status=MISUSE)
    assert "unknown command 'nonsense'" in done.said
    done = client(server, given=b"rm none\nrenam\n", cwd=here, status=REFUSED)
    assert "did you mean 'rename'?" in done.said


def test_a_size_is_that_of_the_bytes(ftp_server, here):
    """Not of the text that a session begins with, or that a listing left behind."""
    server = ftp_server()
    (server.root / "text").write_bytes(TEXT)
    size, wire = f"{len(TEXT)}\n".encode(), f"{len(TEXT) + 3}\n".encode()
    assert client(server, "size", "text", options=["--quiet"], cwd=here).stdout == size
    assert client(server, "size", "text", options=["--quiet", "--ascii"], cwd=here).stdout == wire
    done = client(server, given=b"ls\nsize text\nget text\nsize text\n", options=["--quiet"], cwd=here)
    assert done.stdout.endswith(b" text\n" + size + size)


def test_misuse_is_told_before_anybody_is_called(here):
    for words, sentence in (
            (["gett", "x"], "did you mean 'get'?"), (["get"], "usage: get REMOTE"), (["cd"], "usage: cd PATH"),
            (["mv", "a"], "usage: mv PATH NEW")):
        done = client("127.0.0.1:1", *words, cwd=here, status=MISUSE)
        assert sentence in done.said
    assert "cannot connect" in client("127.0.0.1:1", "ls", cwd=here, status=SYSTEM).said
    assert "is not HOST[:PORT]" in client("127.0.0.1:x", "ls", cwd=here, status=MISUSE).said


def test_a_password_from_a_file(ftp_server, here):
    words = ["openssl", "passwd", "-6", "geheim"]
    hashed = subprocess.run(words, capture_output=True, check=True, timeout=60).stdout.decode().strip()
    server = ftp_server("--anonymous", "none", "--user", f"anna {hashed}")
    (here / "secret").write_text("geheim\nanother line")
    client(server, "pwd", options=["--user", "anna", "--password-file", "secret"], cwd=here)
    (here / "wrong").write_text("falsch")
    done = client(server, "pwd", options=["--user", "anna", "--password-file", "wrong"], cwd=here, status=REFUSED)
    assert "530" in done.said and "falsch" not in done.said
    done = client(server, "pwd", options=["--password-file", "none"], cwd=here, status=SYSTEM)
    assert "cannot read the password from 'none'" in done.said


def test_in_line(ftp_server, here):
    server = ftp_server("--clients", "1", "--waiting", "1")
    first = server.session()
    place = f"{server.host}:{server.port}"
    waiting = subprocess.Popen([BIN / "ftp-client", place, "pwd"], stderr=subprocess.PIPE, cwd=here)
    eventually(lambda: len(server.status()["waiting"]), 1)
    refused = client(server, "pwd", cwd=here, status=REFUSED)
    assert "421" in refused.said
    first.close()
    said = waiting.communicate(timeout=PATIENCE)[1].decode()
    assert waiting.returncode == DONE and "number 1 in line" in said and "257" in said
    second = server.session()
    done = client(server, "pwd", options=["--wait", "0.2"], cwd=here, status=REFUSED)
    assert "not served within the time of --wait" in done.said
    second.close()


# --- on a terminal ---

class Terminal:
    """A program on a pseudo-terminal of 80 columns, which is its controlling one."""

    def __init__(self, *words, cwd, columns=80):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

        def prepare():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [str(word) for word in words], stdin=slave, stdout=slave, stderr=slave, cwd=cwd, preexec_fn=prepare,
            env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"})
        os.close(slave)
        self.seen, self.at = "", 0

    def more(self):
        if not select.select([self.master], [], [], 0.1)[0]:
            return True
        try:
            got = os.read(self.master, 65536)
        except OSError:  # the other end is closed
            return False
        self.seen += got.decode(errors="replace")
        return bool(got)

    def expect(self, pattern):
        """Behind what was expected before."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.compile(pattern).search(self.seen, self.at)):
            assert time.monotonic() < deadline and self.more(), f"no {pattern!r} in {self.seen[self.at:]!r}"
        self.at = found.end()
        return found

    def type(self, text):
        os.write(self.master, text.encode())

    def end(self, status=DONE):
        deadline = time.monotonic() + PATIENCE
        while self.more():
            assert time.monotonic() < deadline, self.seen
        assert self.process.wait(PATIENCE) == status, self.seen
        os.close(self.master)


def test_the_prompt_completes_names(ftp_server, here):
    server = ftp_server("--anonymous", "all")
    (server.root / "folder").mkdir()
    (server.root / "folder/long name.txt").write_text("content")
    (server.root / "poem-one").write_text("1")
    (server.root / "poem-two").write_text("2")
    (here / "mine.txt").write_text("mine")
    terminal = Terminal(BIN / "ftp-client", f"{server.host}:{server.port}", cwd=here)
    terminal.expect("220 Service ready")
    terminal.expect("ftp> ")
    terminal.type("ge\tfo\t\t\n")  # get folder/long\\ name.txt
    terminal.expect("226")
    eventually(lambda: visible(here), ["long name.txt", "mine.txt"])
    terminal.expect("ftp> ")
    terminal.type("get po\t\t")  # what is common, then what there is
    terminal.expect("poem-one  poem-two")
    terminal.type("o\t\n")
    terminal.expect("226")
    terminal.expect("ftp> ")
    terminal.type("put mi\t\n")
    terminal.expect("226")
    terminal.expect("ftp> ")
    assert (server.root / "mine.txt").read_text() == "mine"
    terminal.type("mi\t\n")  # a bare name is a file to get, and the listing is a new one
    terminal.expect("226")
    terminal.expect("ftp> ")
    terminal.type("nosuch\n")
    terminal.expect("550")
    terminal.expect("unknown command 'nosuch'")
    terminal.expect("ftp> ")
    (server.root / "mine.txt").unlink()
    terminal.type("\x1b[A\x1b[A\x1b[A\n")  # up thrice in the history: put mine.txt
    terminal.expect("226")
    assert (server.root / "mine.txt").read_text() == "mine"
    terminal.expect("ftp> ")
    terminal.type("end\n")
    terminal.expect("221")
    terminal.end(status=REFUSED)  # the first failure's


def prompt(server, here):
    terminal = Terminal(BIN / "ftp-client", f"{server.host}:{server.port}", cwd=here)
    terminal.expect("ftp> ")
    return terminal


@pytest.fixture
def terabyte(ftp_server):
    """start(): a server with a terabyte to fetch."""

    def start(*options):
        server = ftp_server("--anonymous", "all", *options)
        with (server.root / "big").open("wb") as big:
            big.truncate(1 << 40)
        return server

    return start


@pytest.mark.parametrize("tls", [(), ("--tls-any",)], ids=["plain", "tls"])
def test_ctrl_c_gives_a_transfer_up_and_the_prompt_comes_back(terabyte, here, tls):
    server = terabyte("--tls")
    (server.root / "small").write_text("small")
    terminal = Terminal(BIN / "ftp-client", *tls, f"{server.host}:{server.port}", cwd=here)
    terminal.expect("ftp> ")
    (here / "into").mkdir()
    for line in ("get big /dev/null", "mget -o into big small"):
        terminal.type(f"{line}\n")
        terminal.expect("150 ")
        eventually(lambda: transfers(server) and transfers(server)[0]["bytes"] > 0, True)
        terminal.type("\x03")
        terminal.expect("interrupted")
        terminal.expect("426 ")
        terminal.expect("226 ")
        terminal.expect("ftp> ")
    assert visible(here / "into") == [".kept-big"]
    (here / "into/.kept-big").unlink()
    assert "small" not in server.logged(), "the command was given up, not its first file alone"
    os.truncate(os.open(here / "much", os.O_CREAT | os.O_WRONLY), 1 << 40)
    terminal.type("put much half\n")
    terminal.expect("150 ")
    eventually(lambda: transfers(server) and transfers(server)[0]["bytes"] > 0, True)
    terminal.type("\x03")
    terminal.expect("426 ")
    terminal.expect("226 ")
    terminal.expect("ftp> ")
    terminal.type("get small\n")
    terminal.expect("226 ")
    terminal.expect("ftp> ")
    terminal.type("end\n")
    terminal.expect("221 ")
    terminal.end(status=SYSTEM)
    assert (here / "small").read_text() == "small"
    assert visible(server.root) == ["big", "small"]


def test_ctrl_c_at_the_prompt_clears_the_line(ftp_server, here):
    server = ftp_server()
    (server.root / "d").mkdir()
    terminal = prompt(server, here)
    terminal.type("rubbish that nobody wants\x1b[D\x1b[D")
    terminal.expect("wants\x08\x08")  # by the editor, no longer by the terminal itself
    terminal.type("\x03")
    terminal.expect(r"\^C\r\n[^\n]*ftp> ")
    terminal.type("cd d\n")
    terminal.expect("250 ")
    terminal.expect("ftp> ")
    terminal.type("\x03")
    terminal.expect("once more, or Ctrl-D, leaves")
    terminal.type("pwd\n")
    terminal.expect('257 "/d"')
    terminal.expect("ftp> ")
    terminal.type("\x03")
    terminal.expect("once more")
    terminal.type("\x03")
    terminal.expect("221 ")
    terminal.end()
    assert "rubbish" not in server.logged()


def test_ctrl_d_leaves_and_sigterm_ends(terabyte, here):
    server = terabyte()
    terminal = prompt(server, here)
    terminal.type("\x04")
    terminal.expect("221 ")
    terminal.end()
    terminal = prompt(server, here)
    terminal.type("get big /dev/null\n")
    terminal.expect("150 ")
    terminal.process.send_signal(signal.SIGTERM)
    terminal.expect("interrupted")
    terminal.expect("221 ")
    terminal.end(status=SYSTEM)


def test_ctrl_c_while_the_server_says_nothing(here):
    """Once gives the command up, and the reply is waited for; once more leaves."""
    def script(session):
        scripted_log_in(session)
        session.hear("CWD")
        session.hear("")

    server = Scripted(script)
    terminal = Terminal(BIN / "ftp-client", server.place, cwd=here)
    terminal.expect("ftp> ")
    terminal.type("cd somewhere\n")
    eventually(lambda: server.heard[-1], "CWD somewhere\r\n")
    terminal.type("\x03")
    terminal.expect("interrupted")
    terminal.type("\x03")
    terminal.end(status=SYSTEM)


def test_ctrl_c_at_the_password_leaves_the_terminal_as_it_was(here):
    terminal = Terminal(BIN / "ftp-client", "--user", "anna", "127.0.0.1:1", cwd=here)
    terminal.expect("password of anna: ")
    terminal.type("gehe\x03")
    terminal.expect("interrupted")
    assert terminal.process.wait(PATIENCE) == SYSTEM
    assert termios.tcgetattr(terminal.master)[3] & termios.ECHO
    assert "gehe" not in terminal.seen


def test_ctrl_c_while_in_line(ftp_server, here):
    server = ftp_server("--clients", 1, "--waiting", 1)
    first = server.session()
    terminal = Terminal(BIN / "ftp-client", f"{server.host}:{server.port}", cwd=here)
    terminal.expect("number 1 in line")
    terminal.type("\x03")
    terminal.expect("interrupted")
    terminal.end(status=SYSTEM)
    eventually(lambda: server.status()["waiting"], [])
    first.expect("NOOP", 200)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
@pytest.mark.parametrize("tls", [(), ("--tls-any",)], ids=["plain", "tls"])
def test_an_end_in_the_middle_leaves_no_half_file(terabyte, here, how, tls):
    server = terabyte("--tls")
    place = f"{server.host}:{server.port}"
    for number, words in enumerate((["put", "-", "half"], ["get", "big"])):
        process = subprocess.Popen([BIN / "ftp-client", *tls, place, *words], stdin=subprocess.PIPE,
                                   stderr=subprocess.PIPE, cwd=here)
        process.stdin.write(b"half a file")
        process.stdin.flush()
        eventually(lambda: transfers(server) and transfers(server)[0]["bytes"] > 0, True)
        process.send_signal(how)
        said = process.communicate(timeout=PATIENCE)[1].decode()
        assert process.returncode == (-how if how == signal.SIGKILL else SYSTEM)
        assert how == signal.SIGKILL or "interrupted" in said
        eventually(lambda: server.status()["counters"]["failed_transfers"], number + 1)
    assert visible(server.root) == ["big"]
    assert visible(here) == ([] if how == signal.SIGKILL else [".kept-big"])
    (here / ".kept-big").unlink(missing_ok=True)


def test_the_prompt_hears_the_server(ftp_server, here):
    server = ftp_server()
    terminal = Terminal(BIN / "ftp-client", f"{server.host}:{server.port}", cwd=here)
    terminal.expect("ftp> ")
    terminal.type("pw")
    server.process.send_signal(signal.SIGTERM)
    terminal.expect("421")
    terminal.end(status=REFUSED)
    assert server.process.wait(PATIENCE) == 0  # so that nobody signals once more what is ending


def test_a_password_is_asked_for_without_echo(ftp_server, here):
    words = ["openssl", "passwd", "-6", "geheim"]
    hashed = subprocess.run(words, capture_output=True, check=True, timeout=60).stdout.decode().strip()
    server = ftp_server("--anonymous", "none", "--user", f"anna {hashed}")
    terminal = Terminal(BIN / "ftp-client", "--user", "anna", f"{server.host}:{server.port}", "pwd", cwd=here)
    terminal.expect("password of anna: ")
    terminal.type("geheim\n")
    terminal.expect("230")
    terminal.expect("257")
    terminal.end()
    assert "geheim" not in terminal.seen


def scripted_log_in(session):
    session.say("220 hi")
    session.hear("USER ")
    session.say("331 go on")
    session.hear("PASS ")
    session.say("230 in")


def scripted_get(session, opened, content, size=None, last=None):
    """Answer a get; without `last` the connection ends behind the data."""
    scripted_log_in(session)
    with session.data() as data:
        session.hear("RETR ")
        session.say(f"150 {opened} bytes")
        data.sendall(content)
    if last:
        session.say(last)
        session.hear("QUIT")
        session.say("221 bye")


class Scripted:
    """A server that says what a test wants it to, to one client."""

    def __init__(self, script, port=0):
        self.listener = socket.create_server(("127.0.0.1", port))
        self.place = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.script, self.heard = script, []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        self.connection = self.listener.accept()[0]
        self.connection.settimeout(PATIENCE)
        self.file = self.connection.makefile("rb")
        try:
            self.script(self)
        except (AssertionError, OSError):
            pass
        self.file.close()
        self.connection.close()
        self.listener.close()

    def say(self, line):
        self.connection.sendall(line.encode() + b"\r\n" if isinstance(line, str) else line)

    def hear(self, start):
        line = self.file.readline().decode()
        self.heard.append(line)
        assert line.startswith(start), line
        return line

    def passive(self, reply="229 here (|||{}|)"):
        """Answer EPSV, or PASV; then the data connection."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            self.say(reply.format(port, high=port >> 8, low=port & 255))
            listener.settimeout(PATIENCE)
            return listener.accept()[0]

    def data(self, size="550 no size"):
        """Answer TYPE, perhaps SIZE, and EPSV; then the data connection."""
        while not (line := self.hear("")).startswith("EPSV"):
            self.say(size if line.startswith("SIZE") else "200 ok")
        return self.passive()

    def serve(self, answer):
        """A log-in, then answer(verb, name) for each command: a reply, or what goes over the data connection."""
        scripted_log_in(self)
        data = None
        while not (line := self.hear("")).startswith("QUIT"):
            verb, _, name = line.rstrip("\r\n").partition(" ")
            if verb == "EPSV":
                data = self.passive()
                continue
            told = answer(verb, name)
            if isinstance(told, bytes):
                self.say("150 coming")
                data.sendall(told)
                told = "226 done"
            if data and verb in ("MLSD", "LIST", "RETR"):
                data.close()
            self.say(told)
        self.say("221 bye")


def test_the_progress_bar(ftp_server, here):
    """Drawn while bytes come slowly: what moves is redrawn in its line, a full stop behind it."""
    released = threading.Event()

    def script(session):
        scripted_log_in(session)
        data = session.data(size="213 1000000")
        session.hear("RETR ")
        session.say("150 coming")
        data.sendall(bytes(500_000))
        released.wait(PATIENCE)
        data.sendall(bytes(500_000))
        data.close()
        session.say("226 done")
        session.hear("QUIT")
        session.say("221 bye")

    server = Scripted(script)
    terminal = Terminal(BIN / "ftp-client", server.place, "get", "file", cwd=here)
    terminal.expect(r"\rfile +50% \[=+> +\]  500 kB  .*/s  .* left\x1b\[K")
    released.set()
    terminal.expect(r"file  1.0 MB in \d+:\d\d, .*/s\r\n")
    terminal.end()
    assert terminal.seen.count("left") <= 10 * (PATIENCE + 1)
    # A narrow terminal gets a shorter line, a pipe none at all.
    (here / "file").unlink()
    server = Scripted(lambda s: scripted_get(s, 5, b"hello", last="226 done"))
    done = client(server.place, "get", "file", cwd=here)
    assert "\r" not in done.said and "\x1b" not in done.said and "/s" not in done.said


def test_the_place_in_line_on_a_terminal(ftp_server, here):
    server = ftp_server("--clients", "1", "--waiting", "2")
    first, second = server.session(), server.connect()
    second.line()
    terminal = Terminal(BIN / "ftp-client", f"{server.host}:{server.port}", "pwd", cwd=here)
    terminal.expect(r"\r220-You are number 2 in line[^\r\n]*\x1b\[K")
    second.close()
    terminal.expect(r"\r220-You are number 1 in line[^\r\n]*\x1b\[K")
    first.close()
    terminal.expect(r"\r\x1b\[K220 ")
    terminal.expect("257")
    terminal.end()


# --- servers that mean no good ---

def endless(session):
    while True:
        session.say("220-and on\r\n" * 1000)


def endless_line(session):
    while True:
        session.say(b"220 " + b"x" * 65536)


def log_in_and(*lines):
    def script(session):
        scripted_log_in(session)
        session.hear("")
        for line in lines:
            session.say(line)
        session.hear("QUIT")
    return script


@pytest.mark.parametrize("script, sentence, status", [
    (endless, "says more than anybody asked for", REFUSED),
    (endless_line, "does not speak FTP", REFUSED),
    (lambda s: s.say("HTTP/1.1 400 Bad Request"), "does not speak FTP", REFUSED),
    (lambda s: s.say(b"220 h\0i\r\n"), "does not speak FTP", REFUSED),
    (lambda s: None, "closed the connection", REFUSED),
    (lambda s: s.say("421 full"), "421 full", REFUSED),
    (lambda s: s.say("999 what"), "does not speak FTP", REFUSED),
    (lambda s: s.say(b"220 \x1b]0;owned\x07\x9b2J\r\n"), "220 \ufffd]0;owned\ufffd\ufffd2J", REFUSED),
    (log_in_and("500 no TYPE"), "500 no TYPE", REFUSED),
    (log_in_and(*["200-on"] * 20000), "says more than anybody asked for", REFUSED),
    (log_in_and("200 ok", "229 (|||0|)", "227 0,0,0"), "227 0,0,0", REFUSED),
], ids=range(11))
def test_a_strange_server(here, script, sentence, status):
    server = Scripted(script)
    done = client(server.place, "get", "file", cwd=here, status=status)
    assert sentence in done.said, done.said
    assert not set("\x1b\x07\x00\x9b") & set(done.said)
    assert visible(here) == []


def test_a_passive_address_is_not_believed(here):
    """227 names another host; the connection is made to the one that we talk with."""
    def script(session):
        scripted_log_in(session)
        session.hear("TYPE")
        session.say("200 ok")
        session.hear("EPSV")
        session.say("500 what?")
        session.hear("PASV")
        with session.passive("227 there (192,0,2,99,{high},{low})") as data:
            session.hear("RETR")
            session.say("150 coming")
            data.sendall(b"content")
        session.say("226 done")
        session.hear("QUIT")
        session.say("221 bye")

    client(Scripted(script).place, "get", "file", cwd=here)
    assert (here / "file").read_bytes() == b"content"


def test_no_data_connection(here):
    def script(session):
        scripted_log_in(session)
        session.hear("TYPE")
        session.say("200 ok")
        session.hear("EPSV")
        session.say(f"229 here (|||{free_port()}|)")
        session.hear("QUIT")
        session.say("221 bye")

    done = client(Scripted(script).place, "get", "file", cwd=here, status=REFUSED)
    assert "no data connection came about" in done.said and visible(here) == []


def test_a_server_that_sends_nothing_any_more(here):
    """Data connections that never come about, or move nothing: given up in their time."""
    def stalls(session):
        scripted_log_in(session)
        with session.data() as data:
            session.hear("RETR ")
            session.say("150 coming")
            data.sendall(b"some")
            data.settimeout(PATIENCE)
            assert data.recv(1) == b"", "the client closes"
        session.say("426 why did you?")
        session.hear("QUIT")
        session.say("221 bye")

    done = client(Scripted(stalls).place, "get", "file", options=["--stall-time", "0.2"], cwd=here, status=REFUSED)
    assert "the data connection stalled" in done.said and visible(here) == [".kept-file"]
    (here / ".kept-file").unlink()

    def never_connects(session):
        scripted_log_in(session)
        session.hear("TYPE")
        session.say("200 ok")
        high, low = session.hear("PORT").split(",")[-2:]
        session.say("200 ok")
        session.hear("RETR ")
        session.say("150 coming")
        eventually(lambda: f":{int(high) * 256 + int(low):04X} 00000000:0000 0A" in Path("/proc/net/tcp").read_text(), False)
        session.say("425 nobody is there")
        session.hear("QUIT")
        session.say("221 bye")

    done = client(Scripted(never_connects).place, "get", "file", cwd=here, status=REFUSED,
                  options=["--active", "--connect-time", "0.2"])
    assert "no data connection came about" in done.said and visible(here) == []


def test_cut_short(here):
    """The data ends, and the server says that it was not all; or it says nothing any more."""
    done = client(Scripted(lambda s: scripted_get(s, 9, b"some", last="426 broken")).place, "get", "file",
                  cwd=here, status=REFUSED)
    assert "426 broken" in done.said and visible(here) == [".kept-file"]
    (here / ".kept-file").unlink()
    done = client(Scripted(lambda s: scripted_get(s, 9, b"some")).place, "get", "file", options=["--ascii"],
                  cwd=here, status=REFUSED)
    assert "closed the connection" in done.said and visible(here) == []


LISTINGS = {
    "MLSD": [b"type=file; ../up", b"type=file; /etc/owned", b"type=dir; ..", b"type=file; a\x1b[2Jb",
             b"type=file; back\\slash", b"type=dir; ../../up", b"nonsense", b"type=file; good"],
    "LIST": [b"total 3", b"-rw-r--r-- 1 a b 5 Jan  1 12:00 ../up", b"drwxr-xr-x 2 a b 5 Jan  1 12:00 ..",
             b"-rw-r--r-- 1 a b 5 Jan  1 12:00 /etc/owned", b"lrwxrwxrwx 1 a b 5 Jan  1 12:00 link -> /etc",
             b"-rw-r--r-- 1 a b 5 Jan  1 12:00 good"],
}


@pytest.mark.parametrize("verb", LISTINGS)
def test_names_do_not_lead_out(here, verb):
    """A listing of names that lead elsewhere: the good one is fetched, and nothing else is touched."""
    def answer(asked, _):
        if asked == "RETR":
            return b"good\n"
        if asked == "MLSD" and verb == "LIST":
            return "500 what?"
        return b"\r\n".join(LISTINGS[verb]) + b"\r\n" if asked in LISTINGS else "200 ok"

    server = Scripted(lambda s: s.serve(answer))
    done = client(server.place, "get", "-r", "pub", cwd=here, status=REFUSED)
    assert "leads elsewhere" in done.said and "\x1b" not in done.said
    assert visible(here) == ["pub"] and visible(here / "pub") == ["good"]
    assert [line for line in server.heard if line.startswith("RETR")] == ["RETR pub/good\r\n"]


def without_mlsd(tree):
    """A server that knows LIST alone: of what is not there it lists nothing, of a file itself."""
    def answer(verb, name):
        is_file = tree.get(name, b"").startswith(b"-")
        known = name == '/ho"me' or name in tree
        return {"LIST": tree.get(name, b""), "RETR": b"content", "MLSD": "502 what?", "PWD": '257 "/ho""me" is here',
                "CWD": "250 ok" if known and not is_file else "550 no", "SIZE": "213 7" if is_file else "550 no",
                }.get(verb, "200 ok")

    return Scripted(lambda session: session.serve(answer))


def test_a_tree_by_list_alone(here):
    line = "-rw-r--r-- 1 a b 7 Jan  1 12:00 {}\r\n"
    tree = {"empty": b"", "file": line.format("file").encode(),
            "d": b"total 1\r\n" + line.format("one").encode() + line.format("two words").encode()}
    client(without_mlsd(tree).place, "get", "-r", "d", cwd=here)
    assert visible(here / "d") == ["one", "two words"]
    client(without_mlsd(tree).place, "get", "-r", "file", cwd=here)
    assert (here / "file").read_bytes() == b"content"
    server = without_mlsd(tree)
    client(server.place, "get", "-r", "empty", cwd=here)
    assert visible(here / "empty") == [] and 'CWD /ho"me\r\n' in server.heard


def test_a_bottomless_tree(here):
    """Every directory holds one more: it ends at a depth."""
    server = Scripted(lambda s: s.serve(lambda verb, _: b"type=dir; d\r\n" if verb == "MLSD" else "200 ok"))
    done = client(server.place, "get", "-r", "d", cwd=here, status=REFUSED)
    assert "it is 32 directories deep" in done.said


def test_words_before_the_handshake(here):
    """What comes in clear text behind 234 must not count as said inside TLS."""
    def script(session):
        session.say("220 hi")
        session.hear("AUTH TLS")
        session.say(b"234 go\r\n230 you are in\r\n")
        session.hear("")

    done = client(Scripted(script).place, "ls", options=["--tls-any"], cwd=here, status=REFUSED)
    assert "between AUTH TLS and the handshake" in done.said


def test_a_listing_on_a_terminal_is_clean_and_piped_as_it_is(here):
    def script(session):
        scripted_log_in(session)
        with session.data() as data:
            session.hear("LIST")
            session.say("150 coming")
            data.sendall(b"\x1b[31mred\r\n")
        session.say("226 done")
        session.hear("QUIT")
        session.say("221 bye")

    assert client(Scripted(script).place, "ls", cwd=here).stdout == b"\x1b[31mred\n"
    terminal = Terminal(BIN / "ftp-client", Scripted(script).place, "ls", cwd=here)
    terminal.expect("\ufffd\\[31mred\r\n")
    terminal.end()
