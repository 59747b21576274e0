"""Not a byte from outside the root, nothing half under a final name, nothing left; and what confines
the process itself."""
import contextlib
import os
import pwd
import re
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest
from conftest import need
from ftp_lab import FtpServer, eventually, ftp_server, read_all, visible  # noqa: F401

SECRET = b"not for you\n"


@pytest.fixture
def walled(ftp_server):
    """A root with ways out of it: `outside` is beside it."""

    def start(*options, **more):
        server = ftp_server("--anonymous", "all", *options, **more)
        outside = server.folder / "outside"
        outside.mkdir()
        (outside / "secret").write_bytes(SECRET)
        (server.root / "in").mkdir()
        (server.root / "in/f").write_bytes(b"inside\n")
        for name, target in (("up", "../outside"), ("absolute", str(outside)), ("file", "../outside/secret"),
                             ("proc", "/proc/self/root"), ("magic", "/proc/self/fd/0"), ("loop", "loop"),
                             ("round", "in/../in"), ("back", "in/../../outside")):
            os.symlink(target, server.root / name)
        return server

    return start


WAYS_OUT = ["up/secret", "absolute/secret", "file", "../outside/secret", "in/../../outside/secret", "back/secret",
            "/../../outside/secret", "magic", "proc/etc/passwd", "loop", "loop/x", "..//..//outside/secret",
            "./.././outside/secret", "\udcc0\udcae\udcc0\udcae/outside/secret", "~root/secret", "..\\outside\\secret"]


@pytest.mark.parametrize("way", WAYS_OUT)
def test_no_way_leads_out(walled, way):
    server = walled()
    session = server.session()
    session.expect("TYPE I", 200)
    for line in (f"RETR {way}", f"STOR {way}", f"APPE {way}", f"LIST {way}", f"MLSD {way}", f"NLST {way}"):
        with session.passive() as data:
            reply = session.ask(line)
            if reply.startswith("150"):  # a new name within the root, or a link's own line
                if line[:4] in ("STOR", "APPE"):
                    data.close()
                else:
                    assert SECRET not in read_all(data)
                session.next(226)
    for line in (f"SIZE {way}", f"MDTM {way}", f"CWD {way}", f"MLST {way}", f"STAT {way}", f"MFMT 20200102030405 {way}",
                 f"MKD {way}/new", f"RMD {way}", f"RNFR {way}", f"RNTO {way}.x"):
        assert "secret" not in session.ask(line).replace(way, "")
    outside = server.folder / "outside"
    assert visible(outside) == ["secret"] and (outside / "secret").read_bytes() == SECRET
    assert os.stat(outside / "secret").st_mtime > 1600000000


def test_links_within_the_root_are_followed(walled):
    session = walled().session()
    session.expect("TYPE I", 200)
    session.expect("CWD round", 250)
    assert session.fetch("RETR f") == b"inside\n"


def test_directories_swapped_for_links_while_clients_ask(walled):
    """A thread that renames as fast as it can: a name within and a link out change places."""
    server = walled()
    os.symlink("../outside", server.root / "swap")
    (server.root / "place").mkdir()
    (server.root / "place/secret").write_bytes(b"inside\n")
    over = threading.Event()

    def swap():
        first, second, spare = (server.root / name for name in ("place", "swap", "spare"))
        while not over.is_set():
            os.rename(first, spare)
            os.rename(second, first)
            os.rename(spare, second)

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        session = server.session()
        session.expect("TYPE I", 200)
        seen = set()
        for number in range(300):
            for name in ("place/secret", "swap/secret"):
                with session.passive() as data:
                    reply = session.ask(f"RETR {name}")
                    if reply.startswith("150"):
                        seen.add(read_all(data))
                        session.next(226)
            with session.passive() as data:
                if session.ask(f"STOR place/n{number}").startswith("150"):
                    data.close()
                    session.reply()
            session.ask(f"MKD swap/d{number}")
            session.ask("DELE place/secret2")
    finally:
        over.set()
        swapper.join()
    assert seen <= {b"inside\n"}
    assert visible(server.folder / "outside") == ["secret"]


NAMES = ["%n%s%d", "a b", " leading", "-rf", "\xe4\xf6", "\udcff\udcfe", "x" * 255, "a\"b", "a\rb", "tab\there", "*", "[a]", "{a,b}", "~", "…"]


@pytest.mark.parametrize("name", NAMES, ids=[str(number) for number in range(len(NAMES))])
def test_hard_names(walled, name):
    server = walled()
    session = server.session()
    session.expect("TYPE I", 200)
    session.put(f"STOR {name}", b"content")
    raw = os.fsencode(name)
    assert (os.fsencode(server.root) + b"/" + raw, b"content") == (
        os.fsencode(server.root) + b"/" + raw, open(os.fsencode(server.root) + b"/" + raw, "rb").read())
    assert session.fetch(f"RETR {name}") == b"content"
    shown = raw.replace(b"\r", b"?").replace(b"\t", b"?")
    assert shown + b"\r\n" in session.fetch("NLST")
    assert b" " + shown + b"\r\n" in session.fetch("LIST")
    assert b"; " + shown + b"\r\n" in session.fetch("MLSD")
    session.expect(f"RNFR {name}", 350)
    session.expect("RNTO plain", 250)
    session.expect("RNFR plain", 350)
    session.expect(f"RNTO {name}", 250)
    session.expect(f"DELE {name}", 250)
    quoted = name.replace('"', '""').replace("\r", "?").replace("\t", "?")
    assert session.expect(f"MKD {name}", 257).startswith(f'257 "/{quoted}" ')
    assert session.expect(f"CWD {name}", 250)
    assert session.expect("PWD", 257).startswith(f'257 "/{quoted}" ')


def test_names_with_line_breaks_forge_nothing(walled):
    """A file made on the disk: no client can name it, and every listing has one line for it."""
    server = walled()
    session = server.session()
    (server.root / "in/a\r\n226 forged\r\n").write_text("")
    for line in ("LIST in", "NLST in", "MLSD in"):
        assert session.fetch(line).count(b"\r\n") == 2
    assert session.expect("STAT in", 212).count("\n") == 4


@pytest.mark.parametrize("name", ["x" * 256, "/".join(["d" * 200] * 18), "/".join(["d" * 200] * 30)],
                         ids=["leaf", "path", "line"])
def test_names_that_are_too_long(walled, name):
    session = walled().session()
    for line in (f"CWD {name}", f"MKD {name}"):
        session.expect(line, 5)
    with session.passive():
        session.expect(f"STOR {name}", 5)
    session.expect("NOOP", 200)


def test_a_root_that_vanished(ftp_server):
    server = ftp_server("--anonymous", "all")
    session = server.session()
    os.rename(server.root, server.folder / "moved")
    os.rmdir(server.folder / "moved")
    for line, code in (("CWD x", 550), ("MKD x", 550), ("PWD", 257)):
        session.expect(line, code)
    for line in ("STOR x", "RETR x", "LIST x"):
        with session.passive():
            assert session.ask(line)[:1] in "45"
    session.expect("NOOP", 200)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB, held in a namespace of its own: its path from here."""
    holder = subprocess.Popen(["unshare", *([] if os.geteuid() == 0 else ["-Ur"]), "-m", "sh", "-c",
                               f"mount -t tmpfs -o size=256k none {tmp_path} && echo ready && exec sleep infinity"],
                              stdout=subprocess.PIPE)
    if holder.stdout.readline() != b"ready\n":
        pytest.skip("no tmpfs of our own can be mounted")
    yield holder, tmp_path
    holder.kill()
    holder.wait()


def test_full_disk(small_disk, tmp_path_factory):
    holder, disk = small_disk
    folder = tmp_path_factory.mktemp("server")
    enter = ["nsenter", *([] if os.geteuid() == 0 else ["-U", "--preserve-credentials"]), "-m", "-t", str(holder.pid)]
    server = FtpServer(folder, "--anonymous", "all", root=disk, before=enter)
    seen = f"/proc/{holder.pid}/root{disk}"
    try:
        session = server.session()
        session.expect("TYPE I", 200)
        session.put("STOR fits", b"x" * 100000)
        for line in ("STOR large", "STOR fits", "APPE fits", "STOU"):
            with session.passive() as data:
                session.expect(line, 150)
                with contextlib.suppress(OSError):
                    data.sendall(b"y" * 1000000)
                session.next(452)
        session.expect("SIZE fits", 213)
        assert sorted(os.listdir(seen)) == ["fits"]
        assert os.stat(f"{seen}/fits").st_size == 100000
        session.put("STOR second", b"z" * 100000)
    finally:
        server.end()


def killed(server, line, content):
    """A client that dies in the middle, as the kernel ends it: data first, then its control."""
    session = server.session()
    session.expect("TYPE I", 200)
    data = session.passive()
    session.expect(line, 150)
    data.sendall(content)
    data.close()
    session.close()


@pytest.mark.parametrize("line", ["STOR new", "STOR old", "APPE old", "STOU new"])
def test_cut_off_uploads_leave_nothing(walled, line):
    server = walled("--clients", "100")
    (server.root / "old").write_bytes(b"old")
    seen = visible(server.root)
    for _ in range(20):
        killed(server, line, b"half a file")
    eventually(lambda: server.status()["counters"]["failed_transfers"], 20)
    assert visible(server.root) == seen and (server.root / "old").read_bytes() == b"old"


def test_cut_off_uploads_can_be_gone_on_with(walled):
    server = walled("--keep-cut-off")
    content = os.urandom(300000)
    killed(server, "STOR new", content[:100000])
    eventually(lambda: visible(server.root).count(".kept-new"), 1)
    session = server.session()
    session.expect("TYPE I", 200)
    assert b"new" not in session.fetch("NLST")
    assert session.expect("SIZE new", 213) == "213 100000\n"
    session.expect("RETR new", 425)
    session.expect("REST 100000", 350)
    killed_again = session.passive()
    session.expect("STOR new", 150)
    killed_again.sendall(content[100000:200000])
    killed_again.close()
    session.close()
    eventually(lambda: server.status()["counters"]["failed_transfers"], 2)
    session = server.session()
    session.expect("TYPE I", 200)
    assert session.expect("SIZE new", 213) == "213 200000\n"
    session.expect("REST 200000", 350)
    session.put("STOR new", content[200000:])
    assert (server.root / "new").read_bytes() == content
    assert not [name for name in visible(server.root) if name.startswith(".")]


def test_what_was_kept_goes_when_the_file_is_there(walled):
    """Another whole upload of the name has made it void: SIZE and REST speak of the file."""
    server = walled("--keep-cut-off")
    killed(server, "STOR new", b"first half")
    eventually(lambda: visible(server.root).count(".kept-new"), 1)
    session = server.session()
    session.expect("TYPE I", 200)
    session.put("STOR new", b"0123456789")
    assert not [name for name in visible(server.root) if name.startswith(".")]
    killed(server, "STOR new", b"other")
    eventually(lambda: server.status()["counters"]["failed_transfers"], 2)
    session.expect("REST 10", 350)
    session.put("STOR new", b"abc")
    assert (server.root / "new").read_bytes() == b"0123456789abc"
    assert not [name for name in visible(server.root) if name.startswith(".")]


@pytest.mark.parametrize("client", ["curl", "lftp"])
def test_stock_clients_go_on_with_an_upload(walled, client):
    need(client)
    server = walled("--keep-cut-off")
    content = os.urandom(500000)
    (server.folder / "new").write_bytes(content)
    killed(server, "STOR new", content[:123456])
    eventually(lambda: visible(server.root).count(".kept-new"), 1)
    url = f"ftp://127.0.0.1:{server.port}"
    words = {"curl": ["curl", "-sS", "-C", "-", "-T", "new", f"{url}/new"],
             "lftp": ["lftp", "-c", f"set net:max-retries 1; open {url}; reput new; bye"]}[client]
    done = subprocess.run(words, cwd=server.folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert (server.root / "new").read_bytes() == content
    assert re.search(r"sent 376544 bytes\n", server.logged()), server.logged()


def process_status(pid, key):
    with open(f"/proc/{pid}/status") as status:
        return re.search(rf"^{key}:\s*(.*)$", status.read(), re.M)[1]


def assert_confined(pid):
    for name in os.listdir(f"/proc/{pid}/task"):
        for key in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"):
            if key != "CapBnd":
                assert process_status(f"{pid}/task/{name}", key) == "0" * 16, key
        assert process_status(f"{pid}/task/{name}", "NoNewPrivs") == "1"


def test_capabilities_are_gone(ftp_server):
    assert_confined(ftp_server().pid)


def test_run_as_another_user():
    """Uploads too, where that user may."""
    if os.geteuid() != 0:
        pytest.skip("only root becomes another user")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "files").mkdir()
        (folder / "files/own").mkdir()
        (folder / "files/own").chmod(0o777)
        server = FtpServer(folder, "--anonymous", "all", "--run-as", "nobody")
        try:
            check_nobody(server)
        finally:
            server.end()


def check_nobody(server):
    assert_confined(server.pid)
    nobody = pwd.getpwnam("nobody")
    assert process_status(server.pid, "Uid").split() == [str(nobody.pw_uid)] * 4
    assert process_status(server.pid, "Gid").split() == [str(nobody.pw_gid)] * 4
    session = server.session()
    with session.passive():
        session.expect("STOR x", 553)
    session.put("STOR own/x", b"content")
    assert (server.root / "own/x").stat().st_uid == nobody.pw_uid
    killed(server, "STOR own/y", b"half")
    eventually(lambda: server.status()["counters"]["failed_transfers"], 1)
    assert visible(server.root / "own") == ["x"]


def test_uploads_have_no_name_as_another_user(tmp_path):
    """/proc/self/fd is closed to the user that one became, and open to the process itself all the same."""
    need("strace")
    if os.geteuid() != 0:
        pytest.skip("only root becomes another user")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "files").mkdir()
        (folder / "files").chmod(0o777)
        server = FtpServer(folder, "--anonymous", "all", "--run-as", "nobody",
                           before=["strace", "-D", "-f", "-o", tmp_path / "trace", "-e", "trace=openat,linkat,renameat"])
        try:
            session = server.session()
            for content in (b"first", b"second"):
                session.put("STOR x", content)
                assert (server.root / "x").read_bytes() == content
            assert visible(server.root) == ["x"]
        finally:
            server.end()
    calls = (tmp_path / "trace").read_text()
    assert calls.count("O_TMPFILE") == 2 and 'O_CREAT|O_EXCL' not in calls, calls


NO_PROC = ["strace", "-D", "-f", "-o", "trace", "-e", "trace=access,faccessat",
           "-e", "inject=access,faccessat:error=ENOENT"]


@pytest.fixture
def without_unnamed_files(tmp_path):
    """start(): a server that believes that no file can be without a name, as where /proc is missing."""
    need("strace")
    started = []

    def start(*options):
        server = FtpServer(tmp_path, "--anonymous", "all", *options, before=NO_PROC)
        started.append(server)
        return server

    yield start
    for server in started:
        server.process.kill()
        server.process.wait()


def drafts(server):
    return [name for name in visible(server.root) if name.startswith(".draft-")]


def test_uploads_by_hidden_names(without_unnamed_files):
    """The same holds: nothing half under the final name, nothing to be seen, nothing left."""
    server = without_unnamed_files()
    session, other = server.session(), server.session()
    session.expect("TYPE I", 200)
    with session.passive() as data:
        session.expect("STOR new", 150)
        data.sendall(b"half")
        assert len(drafts(server)) == 1 and len(visible(server.root)) == 1
        for line in ("LIST", "NLST", "NLST .*", "MLSD"):
            with other.passive() as listing:
                if other.ask(line).startswith("150"):
                    assert read_all(listing) == b""
                    other.next(226)
        assert other.expect("STAT /", 212) == "212-Status:\n212 End.\n"
        data.sendall(b" whole")
        data.close()
        session.next(226)
    assert visible(server.root) == ["new"] and (server.root / "new").read_bytes() == b"half whole"
    session.put("STOR new", b"again")
    for line in ("STOR cut", "APPE new", "STOU new"):
        killed(server, line, b"half")
    eventually(lambda: server.status()["counters"]["failed_transfers"], 3)
    assert visible(server.root) == ["new"] and (server.root / "new").read_bytes() == b"again"


def test_what_a_killed_server_left_goes(without_unnamed_files):
    """Hidden names of a server that is no more; those in use, and another's file, stay."""
    server = without_unnamed_files()
    session = server.session()
    session.passive()
    session.expect("STOR cut", 150)
    assert len(drafts(server)) == 1
    server.process.kill()
    server.process.wait()
    assert len(drafts(server)) == 1, "nobody could clean up"
    server = without_unnamed_files("--keep-cut-off")
    (server.root / "plain").write_text("")
    session, other = server.session(), server.session()
    session.expect("TYPE I", 200)
    with session.passive() as data:
        session.expect("STOR new", 150)
        data.sendall(b"first")
        assert len(drafts(server)) == 2
        assert other.fetch("NLST") == b"plain\r\n"
        assert len(drafts(server)) == 1
        session.expect("ABOR", 426)
        session.next(226)
    assert visible(server.root) == [".kept-new", "plain"]
    with session.passive() as data:
        session.expect("REST 5", 350)
        session.expect("STOR new", 150)
        assert len(drafts(server)) == 1 and other.fetch("NLST") == b"plain\r\n"
        data.sendall(b" last")
        data.close()
        session.next(226)
    assert visible(server.root) == ["new", "plain"] and (server.root / "new").read_bytes() == b"first last"


def test_in_a_user_namespace_as_an_ordinary_user(ftp_server, tmp_path):
    """Where there is no other user: everything is given up all the same."""
    before = ["unshare", "-Ur"]
    if subprocess.run([*before, "true"], capture_output=True).returncode:
        pytest.skip("no user namespace can be made")
    server = ftp_server("--anonymous", "all", before=before)
    assert_confined(server.pid)
    session = server.session()
    session.put("STOR x", b"content")
    assert session.fetch("RETR x") == b"content"


def landlock():
    try:
        with open("/sys/kernel/security/lsm") as modules:
            return "landlock" in modules.read()
    except OSError:
        return False


CALLS = "landlock_create_ruleset,landlock_add_rule,landlock_restrict_self,clone,clone3,openat2"


def test_landlock_is_asked_for_and_holds(ftp_server):
    """strace shows that it is asked for, in every thread's beginning; where the kernel has it, it was given."""
    need("strace")
    trace = "trace"
    server = ftp_server("--anonymous", "all", before=["strace", "-D", "-f", "-o", trace, "-e", f"trace={CALLS}"])
    session = server.session()
    session.put("STOR x", b"content")
    seen = (server.folder / trace).read_text()
    version = int(re.search(r"landlock_create_ruleset\(NULL, 0, .*\) = (-?\d+)", seen)[1])
    if version < 1:
        pytest.skip(f"this kernel has no Landlock; the server asked for it, and went on without: {version}")
    assert re.search(r"landlock_restrict_self\(\d+, 0\) += 0", seen)
    assert seen.index("landlock_restrict_self") < seen.index("clone"), "before any thread"


def test_landlock_refuses_the_server_itself(ftp_server, tmp_path):
    """
    SIGHUP reads its configuration again, which names one more file now: any process of this user may
    read that, but not this one any more.
    """
    folder, elsewhere = tmp_path / "etc", tmp_path / "elsewhere"
    for place in (folder, elsewhere):
        place.mkdir()
    line = "anna $6$saltsalt$" + "a" * 86 + "\n"
    (folder / "known").write_text(line)
    (elsewhere / "new").write_text(line.replace("anna", "berta"))
    (folder / "conf").write_text(f"passwords {folder}/known\n")
    server = ftp_server("--config", folder / "conf")
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: "accounts read again: 2" in server.logged(), True)
    (folder / "conf").write_text(f"passwords {folder}/known\npasswords {elsewhere}/new\n")
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: server.logged().count("accounts read again") + server.logged().count("accounts stay as they were"), 2)
    if "not confined by Landlock: this kernel has none" in server.logged():
        assert "accounts read again: 3" in server.logged(), "so it is Landlock that refuses elsewhere"
        pytest.skip("this kernel has no Landlock")
    assert re.search(rf"accounts stay as they were: .*{elsewhere}/new': Permission denied", server.logged()), server.logged()


def test_every_path_is_resolved_beneath_the_root(ftp_server):
    need("strace")
    server = ftp_server("--anonymous", "all", before=["strace", "-D", "-f", "-o", "trace", "-e", "trace=open,openat,openat2,stat,newfstatat"])
    session = server.session()
    began = (server.folder / "trace").read_text().count("\n")
    for line in ("CWD x", "SIZE x", "MLST x", "MKD y", "RMD y", "RNFR x"):
        session.ask(line)
    session.put("STOR x", b"content")
    session.fetch("RETR x")
    calls = [row.split(" ", 1)[1].strip() for row in (server.folder / "trace").read_text().splitlines()[began:]]
    opens = [call for call in calls if call.startswith("openat2(")]
    assert len(opens) >= 8 and all("RESOLVE_NO_MAGICLINKS|RESOLVE_BENEATH" in call for call in opens), opens
    others = [call for call in calls if not call.startswith("openat2(") and "AT_FDCWD" in call]
    assert others == [], "nothing by a path of the process's own"
