"""Our FTP client at stock servers: vsftpd, pure-ftpd and proftpd, over IPv4 and IPv6, plain and in TLS,
passive and active; and what it makes of their limits.
"""
import os
import random
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import BIN, eventually, need
from ftp_hosts import ADDRESSES, FtpLab

TEXT = b"one\ntwo\n\nfour\n"

VSFTPD = """listen={listen4}
listen_ipv6={listen6}
background=NO
anonymous_enable=YES
anon_root={root}
write_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
anon_umask=022
secure_chroot_dir={empty}
ftp_username=daemon
nopriv_user=nobody
seccomp_sandbox=NO
connect_from_port_20=NO
ascii_download_enable=YES
ascii_upload_enable=YES
ssl_enable=YES
allow_anon_ssl=YES
force_local_data_ssl=NO
force_local_logins_ssl=NO
rsa_cert_file={certificate}
rsa_private_key_file={key}
ssl_ciphers=HIGH
require_ssl_reuse={reuse}
max_clients={clients}
"""

PROFTPD = """ServerType standalone
DefaultAddress {address}
SocketBindTight on
UseIPv6 on
Port 21
User nobody
Group nogroup
PidFile {folder}/proftpd.pid
ScoreboardFile {folder}/proftpd.scoreboard
DelayTable {folder}/proftpd.delay
WtmpLog off
TransferLog none
UseReverseDNS off
RequireValidShell off
ModulePath {modules}
LoadModule mod_tls.c
AllowStoreRestart on
AllowOverwrite on
AllowRetrieveRestart on
MaxClients {clients}
<IfModule mod_tls.c>
TLSEngine on
TLSProtocol TLSv1.2 TLSv1.3
TLSRSACertificateFile {certificate}
TLSRSACertificateKeyFile {key}
TLSRequired off
TLSLog {folder}/proftpd-tls.log
TLSOptions {reuse}
</IfModule>
<Anonymous {root}>
User daemon
Group daemon
UserAlias anonymous daemon
</Anonymous>
"""


def modules():
    """Where proftpd's modules are: the machine's, or unpacked beside the program."""
    here = Path(shutil.which("proftpd")).resolve().parent.parent
    for folder in (Path("/usr/lib/proftpd"), here / "lib/proftpd"):
        if (folder / "mod_tls.so").exists():
            return folder
    return pytest.skip("proftpd-mod-crypto is not installed")


def vsftpd(fill):
    path = fill["folder"] / "vsftpd.conf"
    path.write_text(VSFTPD.format(listen4="YES" if fill["family"] == 4 else "NO",
                                  listen6="YES" if fill["family"] == 6 else "NO",
                                  **{**fill, "reuse": "YES" if fill["reuse"] else "NO"}))
    return ["vsftpd", path]


def proftpd(fill):
    path = fill["folder"] / "proftpd.conf"
    (fill["folder"] / "proftpd.scoreboard").unlink(missing_ok=True)
    path.write_text(PROFTPD.format(modules=modules(),
                                   **{**fill, "clients": fill["clients"] or "none", "reuse": "" if fill["reuse"] else "NoSessionReuseRequired"})
                    .replace("TLSOptions \n", ""))
    return ["proftpd", "--nodaemon", "--config", path]


def pureftpd(fill):
    """It takes anonymous to the home of a user `ftp`, which this lab's /etc/passwd has."""
    whole = fill["folder"] / "both.pem"
    whole.write_text(fill["key"].read_text() + fill["certificate"].read_text())
    return ["pure-ftpd", "-S", f"{fill['address']},21", "-M", "-w", "-u", "1", "-c",
            str(fill["clients"] or 50), "-H", "-Y", "1", "-2", whole, "-l", "unix"]


SERVERS = {"vsftpd": vsftpd, "pure-ftpd": pureftpd, "proftpd": proftpd}


@pytest.fixture(scope="module")
def lab():
    if os.geteuid() != 0:
        pytest.skip("stock servers give up root for another user, which a user namespace does not have")
    need("openssl", "ip", "ss")
    # Other users walk through it; pytest keeps its own folders closed to them.
    made = FtpLab(Path(tempfile.mkdtemp(prefix="sim-ftp-")))
    try:
        made.folder.chmod(0o755)
        made.run(made.client, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=server", "-addext",
                 "subjectAltName=IP:10.0.1.1,IP:fd00:1::1", "-keyout", "key.pem", "-out",
                 "certificate.pem")
        root = made.folder / "root"
        (made.folder / "empty").mkdir(mode=0o555)
        (made.folder / "passwd").write_text("root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/:/bin/sh\n"
                                            f"ftp:x:1:1::{root}:/bin/sh\n"
                                            "nobody:x:65534:65534::/:/bin/sh\n")
        made.run(made.server, "mount", "--bind", made.folder / "passwd", "/etc/passwd")
        yield made
    finally:
        made.end()
        shutil.rmtree(made.folder)


@pytest.fixture
def stock(lab, request):
    """stock(kind, family, ...): its folder `in` may be written to. One at a time."""
    running = []

    def start(kind, family, clients=0, reuse=False):
        need(kind)
        root = lab.folder / "root"
        shutil.rmtree(root, ignore_errors=True)
        for folder in ("many", "tree/a/b", "in"):
            (root / folder).mkdir(parents=True)
        (root / "in").chmod(0o777)
        for path, content in {"big": random.randbytes(2_000_000), "empty": b"", "text": TEXT,
                              "tree/top": b"t", "tree/a/b/deep": b"d", "tree/a/middle": TEXT,
                              **{f"many/f{i}": b"%d" % i for i in range(20)}}.items():
            (root / path).write_bytes(content)
        words = SERVERS[kind]({
            "root": root, "folder": lab.folder, "empty": lab.folder / "empty", "family": family,
            "address": ADDRESSES[family], "clients": clients, "reuse": reuse,
            "key": lab.folder / "key.pem", "certificate": lab.folder / "certificate.pem"})
        running.append(lab.start(lab.server, *words, name=kind))
        eventually(lambda: lab.listens() or running[-1].poll() is not None, True)
        assert running[-1].poll() is None, lab.log(kind)
        return root

    yield start
    for process in running:
        lab.stop(process, None)
    eventually(lab.listens, False)


class Client:
    """Our client's commands, in a folder of its own."""

    def __init__(self, lab, folder, family, *options):
        self.lab, self.folder = lab, folder
        folder.mkdir()
        host = ADDRESSES[family]
        self.words = [BIN / "ftp-client", *options, f"[{host}]" if family == 6 else host]

    def __call__(self, *words, expect=0, options=(), stdin=None):
        ended = self.lab.run(self.lab.client, self.words[0], *options, *self.words[1:], *words,
                             cwd=self.folder, check=False, stdin=stdin)
        assert ended.returncode == expect, (words, ended.returncode, ended.stdout, ended.stderr)
        return ended


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*")
            if path.is_file()}


MEETINGS = [(kind, family, tls) for kind in SERVERS for family in (4, 6) for tls in (False, True)]
ACTIVE = """get big
get empty
ls in
put big in/active-big
put text in/active-text
size big
cd tree
pwd
get top
quit
"""


@pytest.mark.parametrize("kind,family,tls", MEETINGS, ids=[
    f"{kind}-ipv{family}{'-tls' * tls}" for kind, family, tls in MEETINGS])
def test_our_client_at_a_stock_server(lab, stock, tmp_path, kind, family, tls):
    root = stock(kind, family, reuse=tls)
    big = (root / "big").read_bytes()
    safe = ["--tls", "--tls-ca", lab.folder / "certificate.pem"] if tls else []
    client = Client(lab, tmp_path / "passive", family, *safe)
    here = client.folder
    client("get", "text", options=["--ascii"])
    assert (here / "text").read_bytes() == TEXT
    client("put", "text", "in/text", options=["--ascii"])
    assert (root / "in/text").read_bytes() == TEXT
    (here / "big").write_bytes(big[:700_000])
    client("get", "big", options=["--resume"])
    assert (here / "big").read_bytes() == big
    client("put", "big", "in/big")
    assert (root / "in/big").read_bytes() == big
    listing = client("ls").stdout
    assert "big" in listing and "2000000" in listing, listing
    client("get", "missing", expect=5)
    client("get", "-r", "tree")
    assert tree(here / "tree") == tree(root / "tree")
    client("put", "-r", "-o", "in/tree", "tree")
    assert tree(here / "tree") == tree(root / "in/tree")
    client("get", *(f"many/f{i}" for i in range(20)), options=["--quiet"])
    assert [(here / f"f{i}").read_bytes() for i in range(20)] == [b"%d" % i for i in range(20)]
    assert client("get", "-o", "-", "text").stdout.encode() == TEXT

    client = Client(lab, tmp_path / "active", family, *safe, "--active")
    (client.folder / "text").write_bytes(TEXT)
    ended = client(stdin=ACTIVE)
    said = ended.stdout + ended.stderr
    for name, content in {"big": big, "empty": b"", "top": b"t"}.items():
        assert (client.folder / name).read_bytes() == content, said
    assert (root / "in/active-big").read_bytes() == big and "2000000" in said
    assert (root / "in/active-text").read_bytes() == TEXT and '"/tree' in said


@pytest.mark.parametrize("kind", SERVERS)
def test_at_its_limit(lab, stock, tmp_path, kind):
    """One is served; the next is refused, which our client says in the server's words, and ends."""
    stock(kind, 4, clients=1)
    first = Client(lab, tmp_path / "first", 4)
    words = lab.inside(lab.client, *first.words)
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT) as held:
        for line in held.stdout:
            if "230" in line:
                break
        second = Client(lab, tmp_path / "second", 4)
        refused = second("ls", expect=5)
        said = refused.stdout + refused.stderr
        assert ("530 " if kind == "proftpd" else "421 ") in said, said
        held.stdin.write("quit\n")
        held.stdin.close()
        held.stdout.read()
        assert held.wait(30) == 0
    eventually(lambda: lab.run(lab.client, *first.words, "ls", check=False).returncode, 0)


@pytest.mark.parametrize("kind", SERVERS)
def test_an_interrupt_in_the_middle(lab, stock, tmp_path, kind):
    """ABOR in the way each server hears it: both replies come, and the leave that is taken is heard."""
    root = stock(kind, 4)
    with (root / "endless").open("wb") as endless:
        endless.truncate(1 << 36)
    for number, safe in enumerate(((), ("--tls", "--tls-ca", lab.folder / "certificate.pem"))):
        client = Client(lab, tmp_path / f"here{number}", 4, *safe)
        for words in (["get", "endless", "/dev/null"], ["put", "-", f"in/half{number}"]):
            process = subprocess.Popen(lab.inside(lab.client, *client.words, *words), stdin=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
            process.stdin.write("half a file")
            process.stdin.flush()
            said = ""
            for line in process.stderr:
                said += line
                if line.startswith("150 "):
                    process.send_signal(signal.SIGINT)  # nsenter is gone by exec: it is the client itself
                if "interrupted" in line:
                    break  # only now its standard input may end
            said += process.communicate(timeout=60)[1]
            assert process.returncode == 3 and "interrupted" in said, said
            assert "does not answer" not in said, said
            # Where a data connection's handshake is cut short some servers end the session.
            ends = safe and "the server closed the connection" in said
            assert ends or said.splitlines()[-1].startswith("221"), said
        eventually(lambda: lab.run(lab.client, *client.words, "ls").returncode, 0)
