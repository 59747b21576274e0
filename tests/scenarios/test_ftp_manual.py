"""The FTP server's manual says what is so: its example is taken, its keys are the ones that there are."""
import json
import re
import subprocess

import pytest
from conftest import BIN, TREE
from ftp_lab import eventually, ftp_server  # noqa: F401

MANUAL = (TREE / "core/programs/ftp/README.md").read_text()


def test_the_example_is_a_configuration(ftp_server, tmp_path):
    """As it stands but for its paths and its port, which are another's here."""
    example = re.search(r"```conf\n(.*?)```", MANUAL, re.S)[1]
    hashed = subprocess.run(["openssl", "passwd", "-6", "secret"], capture_output=True, text=True, check=True).stdout.strip()
    for path in ("/srv/ftp", "/srv/handin", "/etc/ftp-passwords", "/var/log/xferlog", "/var/log/ftp.jsonl"):
        assert path in example
        own = tmp_path / path.rsplit("/", 1)[1]
        if path.startswith("/srv"):
            own.mkdir()
        elif path.startswith("/etc"):
            own.write_text(f"anna {hashed}\n")
        example = example.replace(path, str(own))
    example = example.replace("$6$saltsalt$HASH", hashed).replace("listen 0.0.0.0:2121", "")
    (tmp_path / "ftp.conf").write_text(example)
    server = ftp_server("--config", tmp_path / "ftp.conf", root=tmp_path / "ftp", named_root=False)
    assert server.status()["limits"] == {"clients": 20, "waiting": 10, "per_address": 4}
    handin = server.session("handin", "secret")
    handin.put("STOR work", b"work")
    assert (tmp_path / "handin/work").read_bytes() == b"work"
    with handin.passive():
        handin.expect("RETR work", 550)
    anna = server.session("anna", "secret")
    anna.put("STOR x", b"x")
    row = json.loads((tmp_path / "ftp.jsonl").read_text().splitlines()[0])
    assert f"`{'` `'.join(list(row)[:6])}`" in MANUAL
    for key in row:
        assert f"`{key}`" in MANUAL, key
    assert row["user"] == "handin" and row["direction"] == "upload" and row["complete"] is True
    fields = (tmp_path / "xferlog").read_text().splitlines()[0].split()
    assert len(fields) == 18 and fields[11:] == ["i", "r", "handin", "ftp", "0", "*", "c"]


def test_every_key_of_the_status_is_told(ftp_server):
    server = ftp_server("--clients", 1, "--waiting", 1)
    with (server.root / "big").open("wb") as big:
        big.truncate(1 << 28)
    session, waiting = server.session(), server.connect()
    assert waiting.line()
    with session.passive(receive_bytes=4096):
        session.expect("RETR big", 150)
        status = server.status()
    keys = {*status, *status["limits"], *status["counters"], *status["served"][0], *status["waiting"][0],
            *status["served"][0]["transfer"]}
    told = set(re.findall(r"`(\w+)`", MANUAL.split("## Operation")[1].split("## Logs")[0]))
    assert keys <= told, keys - told


@pytest.mark.parametrize("program, manual", [("ftp-server", "README.md"), ("ftp-client", "CLIENT.md")])
def test_every_option_is_told(program, manual):
    helped = subprocess.run([BIN / program, "--help"], capture_output=True, text=True, check=True).stdout
    told = (TREE / "core/programs/ftp" / manual).read_text()
    for option in re.findall(r"^  --([\w-]+)", helped, re.M):
        if option not in ("help", "version"):
            assert re.search(rf"\b{option}\b", told), option


def test_every_command_is_told():
    """Those that `help` lists, and each is known."""
    listed = subprocess.run([BIN / "ftp-client", "127.0.0.1:1", "nosuch"], capture_output=True, text=True)
    assert listed.returncode == 2 and "help lists the known ones" in listed.stderr
    helped = subprocess.run([BIN / "ftp-client", "--help"], capture_output=True, text=True, check=True).stdout
    told = (TREE / "core/programs/ftp/CLIENT.md").read_text()
    named = re.findall(r"^  (get|put|ls) ", helped, re.M) + re.search(r"ls \[PATH\] +and (.*)", helped)[1].split()
    assert len(named) == 11
    for command in named:
        assert re.search(rf"`{command}\b", told), command


def test_the_status_for_people(ftp_server):
    """What `ftp-server status` prints without --json: who, where in line, how far and how fast."""
    server = ftp_server("--clients", 1, "--waiting", 1)
    with (server.root / "big").open("wb") as big:
        big.truncate(1 << 28)
    session, waiting = server.session(), server.connect()
    assert waiting.line()
    with session.passive(receive_bytes=4096) as data:
        session.expect("RETR big", 150)
        data.recv(1000)
        said = subprocess.run([BIN / "ftp-server", "status", "--control", server.control], capture_output=True, text=True,
                              check=True, timeout=60).stdout
    names = [f"127.0.0.1:{one.connection.getsockname()[1]}" for one in (session, waiting)]
    assert re.search(rf"^served   1 of 1\n{names[0]} +anonymous +transfer +\d+ s *\n  RETR /big: [1-9]\d* bytes, [\d.]+ MB/s$",
                     said, re.M), said
    assert re.search(rf"^in line  1 of 1\n{names[1]} +number 1, for \d+ s$", said, re.M), said
    nobody = subprocess.run([BIN / "ftp-server", "status", "--control", server.folder / "none"], capture_output=True, text=True)
    assert nobody.returncode == 3 and "no ftp-server listens at" in nobody.stderr
