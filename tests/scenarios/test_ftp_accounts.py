"""Who may log in, what they may do, and what a guesser learns."""
import concurrent.futures
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import BIN
from ftp_lab import PATIENCE, eventually, ftp_server, read_all, visible  # noqa: F401

YESCRYPT = "$y$j9T$PKXc3hCOSyMqdaEQArI62/$bc7WaCIjAPMWcmNd/JDSI5GGJHVdVTnvnuNCkKUKd40"


def hash_of(password, method="6"):
    done = subprocess.run(["openssl", "passwd", f"-{method}", "-salt", "saltsalt", password], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def secret():
    return hash_of("secret")


def test_each_account_has_its_own_root_and_rights(ftp_server, tmp_path, secret):
    own = tmp_path / "own root"
    own.mkdir()
    (own / "mine").write_text("mine")
    passwords = tmp_path / "passwords"
    passwords.write_text(f"# who may\n\nanna {secret} root='{own}'\n  bob {secret} rights=read\ncarl {secret} rights=read,add\n")
    server = ftp_server("--passwords", passwords, "--user", f"dora {secret} rights=none", "--anonymous", "none")
    (server.root / "shared").write_text("shared")
    anna = server.session("anna", "secret")
    assert anna.fetch("NLST") == b"mine\r\n"
    anna.put("STOR mine", b"changed")
    assert (own / "mine").read_text() == "changed"
    bob = server.session("bob", "secret")
    assert bob.fetch("NLST") == b"shared\r\n"
    for line in ("MKD d", "DELE shared", "RNFR shared", "MFMT 20200102030405 shared", "RMD d"):
        bob.expect(line, 550)
    with bob.passive():
        bob.expect("STOR x", 553)
        bob.expect("APPE x", 550)
    carl = server.session("carl", "secret")
    carl.put("STOR new", b"new")
    with carl.passive():
        carl.expect("STOR new", 553)
    with carl.passive():
        carl.expect("APPE new", 550)
    carl.expect("DELE new", 550)
    assert (server.root / "new").read_text() == "new"
    for user in ("anonymous", "ftp", "nobody-at-all"):
        session = server.connect()
        session.next(220)
        session.expect(f"USER {user}", 331)
        session.expect("PASS secret", 530)
    users = {row.get("user") for row in server.status()["served"]}
    assert {"anna", "bob", "carl"} <= users


@pytest.mark.parametrize("method, password", [("6", "secret"), ("5", "secret"), ("1", "secret"), ("6", "p\xe4ss w\xf6rd %n")])
def test_hashes_of_every_kind(ftp_server, method, password):
    server = ftp_server("--user", f"anna {hash_of(password, method)}")
    server.session("anna", password)
    session = server.connect()
    session.next(220)
    session.expect("USER anna", 331)
    session.expect(f"PASS {password}x", 530)
    session.expect("USER anna", 331)
    session.expect(f"PASS {password}", 230)


def wrong(server, user, password):
    """The replies, in words, and how long the answer took."""
    session = server.connect()
    session.next(220)
    began = time.monotonic()
    replies = [session.ask(f"USER {user}"), session.ask(f"PASS {password}")]
    return replies, time.monotonic() - began


def test_wrong_names_and_wrong_passwords_are_the_same(ftp_server, secret):
    """The same words; and the same work: each is checked by crypt(3) and held back as a guess."""
    server = ftp_server("--user", f"anna {secret}", "--user", f"locked {secret} rights=none", "--anonymous", "none")
    answers = [wrong(server, user, password)[0] for user, password in (
        ("anna", "wrong"), ("nobody", "secret"), ("anonymous", "x"), ("x" * 64, "y"), ("x" * 500, "y"), ("anna", ""))]
    assert all(answer == answers[0] for answer in answers) and answers[0][1].startswith("530 ")
    assert server.logged().count("gives a wrong name or password") == len(answers)
    assert server.status()["counters"]["wrong_logins"] == len(answers)


def processor_seconds(server):
    fields = Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_wrong_names_take_the_same_work(ftp_server):
    """Of a hash that takes long: what the server works for a name that there is not is what it works for one."""
    dear = subprocess.run(["perl", "-e", "print crypt('secret', $ARGV[0])", "$y$jCT$PKXc3hCOSyMqdaEQArI62/$"],
                          capture_output=True, text=True)
    if dear.returncode or not dear.stdout.startswith("$y$"):
        pytest.skip("perl has no yescrypt here")
    server = ftp_server("--user", f"anna {dear.stdout}", "--anonymous", "none")
    worked = {}
    for number, user in enumerate(("anna", "nobody", "anonymous")):
        session = server.connect(source=f"127.0.0.{number + 2}")  # whose first guess it is
        session.next(220)
        session.expect(f"USER {user}", 331)
        before = processor_seconds(server)
        session.expect("PASS wrong", 530)
        worked[user] = processor_seconds(server) - before
    assert min(worked.values()) > 0.1, worked
    assert max(worked.values()) < 2 * min(worked.values()), worked


def test_guesses_are_slowed_and_counted(ftp_server, secret):
    """Each one of an address is answered a second later than the one before; the fifth of a
    connection ends it; another address and a right password wait for nobody."""
    server = ftp_server("--user", f"anna {secret}", "--clients", 20)
    session = server.connect()
    session.next(220)
    began, last = time.monotonic(), 0
    for number in range(1, 4):
        session.expect("USER anna", 331)
        session.expect(f"PASS {number}", 530)
        now = time.monotonic() - began
        assert now - last >= number, "held back"
        last = now
    with concurrent.futures.ThreadPoolExecutor() as pool:
        held = pool.submit(wrong, server, "anna", "again")
        eventually(lambda: server.status()["counters"]["wrong_logins"], 4)
        server.session("anna", "secret")
        server.session(source="127.0.0.5")
        assert not held.done()
        assert held.result(PATIENCE)[1] >= 4


def test_the_fifth_wrong_guess_ends_the_connection(ftp_server, secret):
    server = ftp_server("--user", f"anna {secret}", "--login-time", 3600)
    session = server.connect()
    session.next(220)
    for code in (530, 530, 530, 530, 421):
        session.expect("USER anna", 331)
        session.expect("PASS x", code)
    assert session.closed()


def test_who_gives_up_while_its_password_is_checked(ftp_server):
    server = ftp_server("--user", f"anna {YESCRYPT}", "--clients", 50)
    rest = server.descriptors()
    for _ in range(30):
        session = server.connect()
        session.next(220)
        session.connection.sendall(b"USER anna\r\nPASS x\r\n")
        session.close()
    eventually(lambda: server.descriptors() <= rest and server.status()["served"], [])


def test_a_password_check_stops_nobody(ftp_server):
    """While sixteen dear ones are being checked, somebody else's requests are answered: at least as
    many between one check's end and the next's as would fit nowhere if the loop itself did them."""
    dear = "$y$jCT$PKXc3hCOSyMqdaEQArI62/$"
    salt = subprocess.run(["perl", "-e", "print crypt('secret', $ARGV[0])", dear], capture_output=True, text=True)
    if salt.returncode or not salt.stdout.startswith("$y$"):
        pytest.skip("perl has no yescrypt here")
    server = ftp_server("--user", f"anna {salt.stdout}", "--clients", 50)
    other = server.session()
    guessers = []
    for _ in range(16):
        session = server.connect()
        session.next(220)
        session.expect("USER anna", 331)
        session.send("PASS secret")
        guessers.append(session)
    answered = 0
    while server.status()["counters"]["logins"] < 2:
        for _ in range(10):
            other.expect("NOOP", 200)
            answered += 1
    assert answered >= 10
    log = server.logged()
    assert log.count("requests: PASS ***") == 17
    for session in guessers:
        session.next(230)


def test_nobody_waits_for_files_that_are_measured(ftp_server, secret):
    """SIZE in TYPE A reads all of a file. Four of a tebibyte are asked for: others log in meanwhile,
    and the server ends when it is told to (the fixture sees to that)."""
    server = ftp_server("--user", f"anna {secret}")
    with (server.root / "huge").open("wb") as huge:
        huge.truncate(1 << 40)
    asking = [server.session() for _ in range(4)]
    for session in asking:
        session.send("SIZE huge")
    anna = server.session("anna", "secret")
    asking[0].close()
    eventually(lambda: len(server.status()["served"]), 4)
    anna.expect("NOOP", 200)
    states = [row["state"] for row in server.status()["served"]]
    assert states.count("asking") == 3


def test_sighup_reads_the_accounts_again(ftp_server, tmp_path, secret):
    """Whoever is logged in stays so; a faulty file changes nothing, and the log says so."""
    passwords = tmp_path / "passwords"
    passwords.write_text(f"anna {secret}\n")
    server = ftp_server("--passwords", passwords)
    (server.root / "f").write_text("f")
    anna = server.session("anna", "secret")
    passwords.write_text(f"bob {secret}\n")
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: server.logged().count("accounts read again: 2"), 1)
    assert anna.fetch("NLST") == b"f\r\n"
    server.session("bob", "secret")
    assert wrong(server, "anna", "secret")[0][1].startswith("530")
    passwords.write_text("bob in-clear-text\n")
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: "the accounts stay as they were: " in server.logged(), True)
    assert f"{passwords}:1: the user 'bob' has no hash of crypt(3)" in server.logged()
    server.session("bob", "secret")


@pytest.mark.parametrize("form", ["--config={}", "--config {}"])
def test_sighup_reads_what_an_editor_put_in_the_place(ftp_server, tmp_path, secret, form):
    """A new file under the old name, as most editors save: what confines the server must not shut it out."""
    passwords, conf = tmp_path / "passwords", tmp_path / "conf"

    def save(path, text):
        path.with_suffix(".new").write_text(text)
        path.with_suffix(".new").rename(path)

    save(passwords, f"anna {secret}\n")
    save(conf, f"passwords {passwords}\n")
    server = ftp_server(*form.format(conf).split())
    save(passwords, f"bob {secret}\n")
    save(conf, f"passwords {passwords}\nanonymous none\nuser carla {secret}\n")
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: "accounts read again: 3" in server.logged(), True)
    for name in ("bob", "carla"):
        server.session(name, "secret").expect("PWD", 257)


def test_sighup_while_many_log_in(ftp_server, tmp_path, secret):
    """Each is judged by one reading of the file, and none is lost."""
    passwords = tmp_path / "passwords"
    passwords.write_text(f"anna {secret}\n")
    server = ftp_server("--passwords", passwords, "--clients", 100)
    sessions = []
    for number in range(40):
        session = server.connect()
        session.next(220)
        session.connection.sendall(b"USER anna\r\nPASS secret\r\nPWD\r\n")
        sessions.append(session)
        if number % 4 == 0:
            server.process.send_signal(signal.SIGHUP)
    for session in sessions:
        for code in (331, 230, 257):
            session.next(code)


@pytest.mark.parametrize("options, sentence", [
    (["--user", "anna"], "an account is NAME HASH"),
    (["--user", "anna secret"], "the user 'anna' has no hash of crypt(3)"),
    (["--user", "anna !"], "the user 'anna' has no hash of crypt(3)"),
    (["--user", "anna {hash} root"], "'root' says nothing of the user 'anna': root=DIR and rights=read,add,change do"),
    (["--user", "anna {hash} rights=fly"], "'rights=fly' says nothing of the user 'anna'"),
    (["--user", "anna {hash}", "--user", "anna {hash}"], "there is a user 'anna' already"),
    (["--user", "FTP {hash}"], "there is a user 'FTP' already"),
    (["--user", "anna {hash} root=/nowhere"], "the user 'anna': cannot open the root directory '/nowhere'"),
    (["--passwords", "/nowhere"], "cannot read the password file '/nowhere'"),
    (["--anonymous", "fly"], "--anonymous wants 'none', 'all', or some of 'read,add,change', not 'fly'"),
    (["--tls-required"], "--tls is missing, of which other options speak"),
    (["--tls", "/nowhere.pem"], "the certificate '/nowhere.pem' cannot be used"),
    (["--ports", "1000-2000"], "--ports '1000-2000' is no range of ports from 1024 to 65535"),
    (["--ports", "3000-2000"], "is no range of ports"),
    (["--clients", "0"], "--clients wants a number from 1 to 1000000, not '0'"),
    (["--wait-time", "soon"], "--wait-time 'soon' is no time"),
    (["--stall-time", "0"], "--stall-time '0' is no time: seconds above 0, with decimals if need be"),
    (["--connect-time=-1"], "--connect-time '-1' is no time"),
    (["--run-as", "nobody-at-all"], "there is no user 'nobody-at-all' on this system"),
    (["--root", "/nowhere"], "/nowhere"),
])
def test_slips_are_named(tmp_path, secret, options, sentence):
    words = [word.replace("{hash}", secret) for word in options]
    root = [] if "--root" in words else ["--root", str(tmp_path)]
    done = subprocess.run([str(BIN / "ftp-server"), "--listen", "127.0.0.1:1", "--control", str(tmp_path / "c"), *root, *words],
                          capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode in (2, 3) and sentence in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) <= 3 and re.match("ftp-server: ", done.stderr.splitlines()[-1])


def certificate(folder, name, *extra):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-days", "2",
                    "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt", *extra],
                   check=True, capture_output=True)


def test_certificates_from_files(ftp_server, tmp_path):
    for name in ("one", "two"):
        certificate(tmp_path, name)
    (tmp_path / "both.pem").write_text((tmp_path / "one.crt").read_text() + (tmp_path / "one.key").read_text())
    for options in (["--tls", tmp_path / "one.crt", "--tls-key", tmp_path / "one.key"], ["--tls", tmp_path / "both.pem"]):
        session = ftp_server(*options).connect()
        session.next(220)
        session.secure()
        assert b"one" in session.connection.getpeercert(binary_form=True)
    for key in ("two.key", "one.crt", "none"):
        done = subprocess.run([str(BIN / "ftp-server"), "--root", str(tmp_path), "--listen", "127.0.0.1:1", "--control",
                               str(tmp_path / "c"), "--tls", str(tmp_path / "one.crt"), "--tls-key", str(tmp_path / key)],
                              capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 3
        assert f"the private key '{tmp_path / key}' cannot be used with the certificate '{tmp_path}/one.crt'" in done.stderr
