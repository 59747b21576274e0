"""Our FTP server, command by command, over raw sockets: the codes are those of RFC 959 section 5.4
and of the RFCs that came after."""
import os
import re
import socket
import time

import pytest
from ftp_lab import eventually, ftp_server, read_all, visible  # noqa: F401

TEXT = b"one\ntwo\r\nthree\rfour\n\n\nend"
WIRE = TEXT.replace(b"\n", b"\r\n")

# (line, code) in one session as anonymous that may do all. "a" is a file, "d" a directory.
CODES = [
    ("NOOP", 200), ("noop", 200), ("SYST", 215), ("PWD", 257), ("XPWD", 257), ("HELP", 214), ("HELP RETR", 214),
    ("HELP XYZ", 501), ("SITE HELP", 214), ("SITE CHMOD 700 a", 504), ("FEAT", 211), ("STAT", 211),
    ("TYPE A", 200), ("TYPE A N", 200), ("TYPE I", 200), ("TYPE L 8", 200), ("TYPE E", 504),
    ("TYPE A T", 504), ("TYPE L 36", 504), ("TYPE X", 501), ("TYPE", 501),
    ("STRU F", 200), ("STRU R", 504), ("STRU P", 504), ("STRU X", 501),
    ("MODE S", 200), ("MODE B", 504), ("MODE C", 504), ("MODE X", 501),
    ("ALLO 10", 200), ("ALLO 10 R 5", 200), ("ALLO x", 501), ("REST 0", 350), ("REST x", 501),
    ("REST 99999999999999999999", 501), ("OPTS UTF8 ON", 200), ("OPTS UTF8 OFF", 504), ("OPTS X", 501),
    ("LANG", 200), ("LANG en", 200), ("LANG de", 504),
    ("CWD d", 250), ("CDUP", 200), ("XCWD d", 250), ("XCUP", 200), ("CWD a", 550), ("CWD none", 550), ("CWD", 501),
    ("MKD e", 257), ("MKD e", 550), ("MKD none/e", 550), ("XMKD f", 257), ("RMD e", 250), ("XRMD f", 250),
    ("RMD e", 550), ("RMD a", 550), ("RMD d", 550), ("RMD /", 550), ("DELE d", 550), ("DELE none", 550),
    ("SIZE a", 213), ("SIZE d", 550), ("SIZE none", 550), ("MDTM a", 213), ("MDTM none", 550),
    ("MLST a", 250), ("MLST", 250), ("MLST none", 550), ("STAT a", 213), ("STAT d", 212), ("STAT none", 450),
    ("MFMT 20200102030405 a", 213), ("MFMT 20201302030405 a", 501), ("MFMT 2020 a", 501),
    ("MFMT 20200102030405 none", 550), ("MFMT 20200102030405", 501),
    ("RNTO b", 503), ("RNFR none", 550), ("RNFR a", 350), ("RNTO b", 250), ("RNFR b", 350), ("NOOP", 200),
    ("RNTO a", 503), ("RNFR b", 350), ("RNTO none/a", 553), ("RNTO a", 503), ("RNFR b", 350), ("RNTO a", 250),
    ("DELE a", 250), ("ABOR", 226), ("ABOR x", 501), ("PASV", 227), ("EPSV", 229), ("EPSV 1", 229), ("EPSV 2", 522),
    ("EPSV 9", 522), ("EPSV x", 501), ("PORT 1,2,3", 501), ("EPRT |1|127.0.0.1|", 501), ("EPRT |9|x|5000|", 522),
    ("PROT P", 503), ("PBSZ 0", 503), ("AUTH TLS", 502), ("PASS x", 503), ("ACCT x", 502), ("SMNT x", 502),
    ("CLNT x", 200), ("CLNT", 501), ("HELP HASH", 501), ("HELP -", 501),
    *[(verb, 502) for verb in ("LPRT 4,4", "LPSV", "HASH a", "MFF UNIX.mode=0700; a", "MFCT 2020 a", "MD5 a", "XCRC a", "XMD5 a",
                               "XSHA a", "XSHA1 a", "XSHA256 a", "XSHA512 a", "AVBL", "CSID x", "SSCN ON", "CPSV", "COMB a b", "RMDA d")],
    ("HOST x", 502), ("CCC", 502), ("ADAT x", 502), ("MIC x", 502), ("CONF x", 502), ("ENC x", 502),
    ("XYZZ", 500), ("", 500), ("RETRX a", 500), ("QUIT x", 501), ("EPSV ALL", 200), ("PASV", 501), ("PORT 127,0,0,1,200,1", 501),
    ("EPRT |1|127.0.0.1|50000|", 501), ("EPSV", 229), ("REIN", 220), ("PWD", 530), ("USER x", 331), ("QUIT", 221),
]


@pytest.fixture
def all_rights(ftp_server):
    server = ftp_server("--anonymous", "all")
    (server.root / "a").write_bytes(TEXT)
    (server.root / "d").mkdir()
    (server.root / "d/inner").write_text("inner")
    return server


def test_every_command_has_its_code(all_rights):
    session = all_rights.session()
    for line, code in CODES:
        reply = session.ask(line)
        assert reply.startswith(f"{code} ") or reply.startswith(f"{code}-"), f"{line}: {reply!r}, not {code}"
    assert session.closed()


def test_no_command_before_the_log_in(all_rights):
    session = all_rights.connect()
    session.next(220)
    for line in ("PWD", "CWD d", "RETR a", "STOR b", "LIST", "EPSV", "PASV", "PORT 127,0,0,1,200,1", "SIZE a",
                 "MLST", "MLSD", "DELE a", "RNFR a", "RNTO a", "STAT", "STAT a", "MFMT 20200102030405 a", "ABOR",
                 "REST 5", "TYPE I", "ALLO 5", "SITE HELP"):
        session.expect(line, 530)
    for line, code in (("NOOP", 200), ("SYST", 215), ("FEAT", 211), ("HELP", 214), ("PASS x", 503), ("OPTS UTF8 ON", 200)):
        session.expect(line, code)


def test_nothing_is_opened_without_a_data_connection(all_rights):
    session = all_rights.session()
    for line in ("RETR a", "LIST", "NLST", "MLSD", "STOR x", "STOU", "APPE a"):
        session.expect(line, 425)


@pytest.mark.parametrize("line, code", [
    ("RETR none", 550), ("RETR d", 550), ("STOR d", 553), ("STOR none/x", 553), ("APPE d", 550), ("LIST none", 450),
    ("NLST none", 450), ("MLSD none", 550), ("MLSD a", 501), ("STOU none/x", 553), ("RETR", 501)])
def test_a_transfer_that_cannot_be_is_answered_before_its_data_connection(all_rights, line, code):
    session = all_rights.session()
    with session.passive() as data:
        session.expect(line, code)
        if line != "RETR":
            assert ended(data)
    session.expect("NOOP", 200)


def test_binary_and_ascii_both_ways(all_rights):
    session = all_rights.session()
    assert session.fetch("RETR a") == WIRE, "TYPE A is where a session begins"
    assert session.expect("SIZE a", 213) == f"213 {len(WIRE)}\n"
    session.put("STOR b", WIRE)
    assert (all_rights.root / "b").read_bytes() == TEXT
    session.expect("TYPE I", 200)
    assert session.fetch("RETR a") == TEXT
    assert session.expect("SIZE a", 213) == f"213 {len(TEXT)}\n"
    session.put("STOR b", WIRE)
    assert (all_rights.root / "b").read_bytes() == WIRE


@pytest.mark.parametrize("letter, wire", [("A", WIRE), ("I", TEXT)])
def test_rest_at_every_byte(all_rights, letter, wire):
    """Also between a CR and its LF; and one behind the end is an error."""
    session = all_rights.session()
    session.expect(f"TYPE {letter}", 200)
    for place in range(len(wire) + 1):
        session.expect(f"REST {place}", 350)
        assert session.fetch("RETR a") == wire[place:], place
        (all_rights.root / "b").write_bytes(TEXT)
        session.expect(f"REST {place}", 350)
        session.put("STOR b", wire[place:])
        assert (all_rights.root / "b").read_bytes() == TEXT, place
    for line in ("RETR a", "STOR b"):
        with session.passive():
            session.expect(f"REST {len(wire) + 1}", 350)
            session.expect(line, 554)
    assert session.fetch("RETR a") == wire, "a REST counts once"


def test_appe_and_stou(all_rights):
    session = all_rights.session()
    session.expect("TYPE I", 200)
    session.put("APPE new", b"one")
    session.put("APPE new", b"two")
    assert (all_rights.root / "new").read_bytes() == b"onetwo"
    names = []
    for line in ("STOU", "STOU", "STOU mine", "STOU mine"):
        names.append(re.fullmatch(r"150 FILE: (.*)\n", session.put(line, line.encode()))[1])
    assert names == ["file", "file.1", "mine", "mine.1"]
    for name, content in zip(names, ("STOU", "STOU", "STOU mine", "STOU mine"), strict=True):
        assert (all_rights.root / name).read_text() == content


def test_times_that_are_set_are_told(all_rights):
    session = all_rights.session()
    assert session.ask("MFMT 20200102030405 a") == "213 Modify=20200102030405; set.\n"
    assert session.ask("MDTM a") == "213 20200102030405\n"
    assert os.stat(all_rights.root / "a").st_mtime == 1577934245
    assert "modify=20200102030405;" in session.expect("MLST a", 250)
    with_fraction = session.expect("MFMT 19991231235959.5 a", 213)
    assert "19991231235959" in with_fraction and session.ask("MDTM a") == "213 19991231235959\n"


def test_facts_are_chosen(all_rights):
    session = all_rights.session()
    feat = session.expect("FEAT", 211)
    assert " MLST type*;size*;modify*;perm*;unique*;UNIX.mode*;\n" in feat
    for word in ("CLNT", "EPRT", "EPSV", "MDTM", "MFMT", "REST STREAM", "SIZE", "TVFS", "UTF8"):
        assert f" {word}\n" in feat
    assert session.ask("OPTS MLST size;type;bogus;") == "200 MLST OPTS type;size;\n"
    assert " MLST type*;size*;modify;perm;unique;UNIX.mode;\n" in session.expect("FEAT", 211)
    assert session.expect("MLST a", 250) == f"250-Listing:\n type=file;size={len(TEXT)}; /a\n250 End.\n"
    assert session.fetch("MLSD") == b"type=file;size=%d; a\r\ntype=dir; d\r\n" % len(TEXT)
    assert session.ask("OPTS MLST") == "200 MLST OPTS\n"
    assert b" a\r\n" in session.fetch("MLSD")


def test_listings(all_rights):
    session = all_rights.session()
    (all_rights.root / ".hidden").write_text("")
    os.symlink("a", all_rights.root / "link")
    assert session.fetch("NLST") == b"a\r\nd\r\nlink\r\n"
    # RFC 1123 section 4.1.2.7: names that can be used as they are.
    assert session.fetch("NLST d") == session.fetch("NLST d/*") == b"d/inner\r\n"
    assert session.fetch("NLST /d/inn[a-f]r") == b"/d/inner\r\n"
    assert session.fetch("NLST ?") == b"a\r\nd\r\n"
    assert session.fetch("LIST l*").count(b"\r\n") == 1
    session.port()
    session.expect("NLST d/*x", 450)
    long = session.fetch("LIST -al").decode().splitlines()
    assert [row.split()[8:] for row in long] == [["a"], ["d"], ["link", "->", "a"]]
    assert long[0].startswith("-rw") and long[1].startswith("drwx") and long[2].startswith("lrwx")
    assert long[0].split()[4] == str(len(TEXT))
    status = session.expect("STAT /", 212).splitlines()
    assert status[0] == "212-Status:" and status[-1] == "212 End." and len(status) == 5
    assert all(row.startswith(" ") for row in status[1:-1])


def ended(connection):
    """It ends, properly or not, without a byte."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def big_transfer(server, session, **options):
    """A RETR that moves and does not end: nobody reads it."""
    with (server.root / "big").open("wb") as big:
        big.truncate(1 << 30)
    session.expect("TYPE I", 200)
    data = session.passive(receive_bytes=4096)
    session.expect("RETR big", 150)
    return data


def test_commands_while_a_transfer_moves(all_rights):
    session = all_rights.session()
    with big_transfer(all_rights, session) as data:
        data.recv(1000)
        assert re.fullmatch(r"211 RETR: [1-9]\d* bytes moved so far\.\n", session.ask("STAT"))
        session.expect("NOOP", 200)
        session.send("PWD")
        session.send("ABOR")
        for code in (426, 257, 226):
            session.next(code)
    session.expect("NOOP", 200)


@pytest.mark.parametrize("before", [b"", b"PWD\r\nMLST a\r\nRETR a\r\n"])
@pytest.mark.parametrize("how", ["plain", "telnet", "urgent"])
def test_abor(all_rights, before, how):
    """With Telnet's IP and SYNCH (RFC 959 section 4.1.3), urgent or not, also behind what waits;
    every command has its reply in its order."""
    session = all_rights.session()
    with big_transfer(all_rights, session) as data:
        session.connection.sendall(before)
        if how == "urgent":
            session.connection.send(b"\xff\xf4\xff", socket.MSG_OOB)
            session.connection.sendall(b"\xf2ABOR\r\n")
        else:
            session.connection.sendall((b"" if how == "plain" else b"\xff\xf4\xff\xf2") + b"ABOR\r\n")
        session.next(426)
        if before:
            session.next(257)
            session.next(250)
            session.next(425)
        session.next(226)
        try:
            while data.recv(1 << 20):
                pass
        except ConnectionResetError:
            pass
    session.expect("NOOP", 200)
    eventually(lambda: all_rights.status()["counters"]["failed_transfers"], 1)


def test_aborted_transfers_are_in_the_logs(ftp_server, tmp_path):
    server = ftp_server("--anonymous", "all", "--xferlog", "x.log", "--json-log", "x.json")
    session = server.session()
    with big_transfer(server, session) as data:
        data.recv(1000)
        session.expect("ABOR", 426)
        session.next(226)
    with big_transfer(server, session) as data:
        data.recv(1000)
        session.close()
        eventually(lambda: server.logged().count(" leaves: closed its connection during a transfer"), 1)
    log = server.folder / "x.log"
    eventually(lambda: log.read_text().count("/big b _ o a anonymous ftp 0 * i\n"), 2)
    rows = [row.split() for row in log.read_text().splitlines()]
    assert all(int(row[7]) > 0 for row in rows), "with the bytes that moved"
    eventually(lambda: server.logged().count(" bytes, aborted"), 2)


def test_an_upload_is_there_when_it_is_whole_and_not_before(all_rights):
    session = all_rights.session()
    session.expect("TYPE I", 200)
    (all_rights.root / "b").write_bytes(b"old")
    for line, name in (("STOR new", "new"), ("STOR b", "b"), ("APPE b", "b")):
        seen = visible(all_rights.root)
        with session.passive() as data:
            session.expect(line, 150)
            data.sendall(b"half")
            eventually(lambda: session.ask("STAT").split()[2], "4")
            assert visible(all_rights.root) == seen
            assert name == "new" or (all_rights.root / "b").read_bytes() == b"old"
            session.expect("ABOR", 426)
            session.next(226)
        assert visible(all_rights.root) == seen


def test_rein_begins_anew(all_rights):
    session = all_rights.session()
    session.expect("CWD d", 250)
    session.expect("TYPE I", 200)
    session.expect("REIN", 220)
    session.expect("LIST", 530)
    session.expect("USER anonymous", 331)
    session.expect("PASS x", 230)
    assert session.ask("PWD") == '257 "/" is the working directory.\n'
    assert session.fetch("RETR a") == WIRE


def test_allo_tells_when_an_upload_is_whole(all_rights):
    """A client that dies after the last byte has left its file."""
    session = all_rights.session()
    session.expect("TYPE I", 200)
    data = session.passive()
    session.expect("ALLO 5", 200)
    session.expect("STOR told", 150)
    data.sendall(b"12345")
    data.close()
    session.close()
    eventually(lambda: "told" in visible(all_rights.root), True)


def test_active_data_connections(all_rights):
    session = all_rights.session()
    for form in ("PORT 127,0,0,1,{high},{low}", "EPRT |1|127.0.0.1|{port}|"):
        with socket.create_server(("127.0.0.1", 0)) as waits:
            port = waits.getsockname()[1]
            session.expect(form.format(high=port >> 8, low=port & 255, port=port), 200)
            session.expect("RETR a", 150)
            data, peer = waits.accept()
            assert peer[0] == "127.0.0.1"
            with data:
                assert read_all(data) == WIRE
            session.next(226)
    with socket.create_server(("127.0.0.1", 0)) as waits:
        port = waits.getsockname()[1]
    session.expect(f"EPRT |1|127.0.0.1|{port}|", 200)
    session.expect("RETR a", 150)
    session.next(425)


def test_ipv6(ftp_server):
    server = ftp_server("--anonymous", "all", host="::1")
    session = server.session()
    session.put("STOR x", b"six")
    assert session.fetch("RETR x") == b"six"
    session.expect("PASV", 425)
    session.expect("EPSV 1", 522)
    session.expect("PORT 127,0,0,1,200,1", 501)
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as waits:
        session.expect(f"EPRT |2|::1|{waits.getsockname()[1]}|", 200)
        session.expect("RETR x", 150)
        data, _ = waits.accept()
        assert read_all(data) == b"six"
        session.next(226)
    assert f"[::1]:{session.connection.getsockname()[1]} requests: RETR x" in server.logged()


def test_telnet_byte_in_a_name(all_rights):
    """RFC 854: byte 255 is sent twice, in every reply that tells a name."""
    session = all_rights.session()
    twice = "\udcff\udcff"
    session.expect(f"MKD a{twice}b", 257)
    session.expect(f"CWD a{twice}b", 250)
    for line, code in ("PWD", 257), ("MLST", 250), (f"MKD c{twice}d", 257), ("STAT /", 212), ("STAT .", 212):
        reply = session.expect(line, code)
        assert twice in reply and "\udcff" not in reply.replace(twice, ""), (line, reply)


@pytest.mark.parametrize("sent, codes", [
    (b"NOOP" + b" " * 20000 + b"\r\n", [500]),
    (b"X" * 20000 + b"\r\nNOOP\r\n", [500, 200]),
    (b"NOOP\nNOOP\n", [200, 200]),
    (b"NO\rOP\r\n", [500]),
    (b"NOOP\0\r\n", [501]),
    (b"RETR a\0b\r\n", [501]),
    (b"\xff\xfb\x01NO\xff\xf1OP\r\n", [200]),
    (b"\xff\xfd\r\nNOOP\r\n", [500, 200]),
    (b"\r\n\r\nNOOP\r\n", [500, 500, 200]),
    (b"PWD\r\nSYST\r\nNOOP\r\n", [257, 215, 200]),
    (b"CWD \xff\xff\xfe\r\nNOOP\r\n", [550, 200]),
])
def test_hard_lines(all_rights, sent, codes):
    session = all_rights.session()
    session.connection.sendall(sent)
    for code in codes:
        session.next(code)
    session.expect("SYST", 215)


def test_an_idle_client_and_a_slow_log_in_are_let_go(ftp_server):
    server = ftp_server("--idle-time", "0.3", "--login-time", "0.3")
    idle, stranger = server.session(), server.connect()
    stranger.next(220)
    for session in (idle, stranger):
        began = time.monotonic()
        session.next(421)
        assert session.closed() and time.monotonic() - began < 10
    eventually(lambda: server.status()["served"], [])
