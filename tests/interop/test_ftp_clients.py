"""Stock FTP clients at our server: each fetches, sends, lists, resumes and walks through folders in all
the ways it knows, over IPv4 and IPv6, plain and in TLS. `ftp_hosts.py` is the network.

Every client has a folder of its own at both ends, so that they need not wait for each other.
"""
import json
import os
import random
import shutil
import subprocess

import pytest
from conftest import BIN, eventually, need
from ftp_hosts import ADDRESSES, Capture, FtpLab

TEXT = b"one\ntwo\n\nfour\n"
MANY = 5


def lines(content):
    """As TYPE A has it on the wire."""
    return content.replace(b"\n", b"\r\n")


class Place:
    """A client's folder here and its folder at the server, which has the same things each time."""

    def __init__(self, lab, name, family, tls):
        self.lab, self.family, self.tls, self.name = lab, family, tls, name
        self.here, self.there = lab.folder / f"at-{name}", lab.folder / "files" / name
        self.here.mkdir()
        for folder in ("many", "tree/a/b"):
            (self.there / folder).mkdir(parents=True)
        self.big = random.randbytes(2_000_000)
        contents = {"big": self.big, "empty": b"", "text": TEXT, "tree/top": b"t", "tree/a/b/deep": b"d",
                    "tree/a/middle": TEXT, **{f"many/f{i}": b"%d" % i for i in range(MANY)}}
        for path, content in contents.items():
            (self.there / path).write_bytes(content)
        (self.here / "big").write_bytes(self.big)
        (self.here / "text").write_bytes(TEXT)
        self.host = ADDRESSES[family]
        at = f"[{self.host}]" if family == 6 else self.host
        self.url = f"ftp://{at}/{name}/"
        self.certificate = lab.folder / "certificate.pem"

    def run(self, *words, **options):
        """The client's command in its folder; nothing of ours is in its HOME."""
        return self.lab.run(self.lab.client, *words, cwd=self.here, env={
            "HOME": str(self.here), "TERM": "dumb", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}, **options)

    def part(self, path, length=1_000_000):
        path.write_bytes(self.big[:length])

    def got(self, path, content):
        assert (self.here / path).read_bytes() == content, f"{path} came otherwise"

    def sent(self, path, content):
        assert (self.there / path).read_bytes() == content, f"{path} went otherwise"

    def fetched_tree(self, path):
        same_tree(self.there / "tree", self.here / path)


def same_tree(one, other):
    seen = [{str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*")
             if path.is_file() and path.name != ".listing"} for top in (one, other)]
    assert seen[0] == seen[1]


def curl(at):
    words = ["curl", "-sS", "-g"]
    if at.tls:
        words += ["--ssl-reqd", "--cacert", at.certificate]
    ways = [[], ["--ftp-method", "nocwd"], ["--ftp-method", "singlecwd"]]
    if at.family == 4:
        ways.append(["--disable-epsv"])
    if not at.tls:  # curl 7.88 never begins the handshake in active mode: curl issue 10666
        ways += [["--ftp-port", "-"], *([["--disable-eprt", "--ftp-port", "-"]] * (at.family == 4))]
    for way in ways:
        at.run(*words, *way, "-o", "got", at.url + "big", "-o", "got-empty", at.url + "empty")
        at.got("got", at.big)
        at.got("got-empty", b"")
        at.run(*words, *way, "-T", "big", at.url + "new")
        at.sent("new", at.big)
    at.run(*words, "-B", "-o", "got-text", at.url + "text")
    at.got("got-text", TEXT)
    at.run(*words, "-B", "--crlf", "-T", "text", at.url + "new-text")
    at.sent("new-text", TEXT)
    at.part(at.here / "rest")
    at.run(*words, "-C", "-", "-o", "rest", at.url + "big")
    at.got("rest", at.big)
    at.part(at.there / "rest")
    at.run(*words, "-C", "-", "-T", "big", at.url + "rest")
    at.sent("rest", at.big)
    at.run(*[word for word in words if word != "-g"], "-o", "f#1",
           at.url.replace("[", "\\[").replace("]", "\\]") + f"many/f[0-{MANY - 1}]")
    for i in range(MANY):
        at.got(f"f{i}", b"%d" % i)
    assert sorted(at.run(*words, "-l", at.url + "tree/").stdout.split()) == ["a", "top"]
    assert "deep" in at.run(*words, at.url + "tree/a/b/").stdout
    assert f"Content-Length: {len(at.big)}" in at.run(*words, "-I", at.url + "big").stdout
    at.run(*words, "--ftp-create-dirs", "-T", "text", at.url + "x/y/text")
    at.sent("x/y/text", TEXT)
    at.run(*words, "-a", "-T", "text", at.url + "x/y/text")
    at.sent("x/y/text", TEXT + TEXT)
    at.run(*words, "-Q", f"-RNFR /{at.name}/x/y/text", "-Q", f"-RNTO /{at.name}/x/moved",
           "-Q", f"-RMD /{at.name}/x/y", "-Q", f"-DELE /{at.name}/x/moved", "-Q", f"-RMD /{at.name}/x",
           "-l", at.url)
    assert not (at.there / "x").exists()


def lftp(at):
    safe = (f"set ftp:ssl-force yes; set ftp:ssl-protect-data yes; set ssl:ca-file {at.certificate};"
            if at.tls else "set ftp:ssl-allow no;")
    for way in ("", "set ftp:passive-mode no;", *(["set ftp:prefer-epsv yes;"] if at.family == 4 else [])):
        for old in ("got", "got-text", "rest", "walked"):
            shutil.rmtree(at.here / old, ignore_errors=True)
            (at.here / old).unlink(missing_ok=True)
        for old in ("new", "new-text", "rest", "walked", "moved"):
            shutil.rmtree(at.there / old, ignore_errors=True)
            (at.there / old).unlink(missing_ok=True)
        at.part(at.here / "rest")
        at.part(at.there / "put-rest")
        (at.here / "put-rest").write_bytes(at.big)
        ended = at.run("lftp", "-c", f"""
            set net:max-retries 1; set net:timeout 30; set cmd:fail-exit yes; set xfer:clobber yes; {safe}
            {way} open ftp://{at.host if at.family == 4 else '[' + at.host + ']'}; cd {at.name}
            get big -o got; get empty; get -a text -o got-text; get -c big -o rest; pget -n 3 big -o parts
            put big -o new; put -a text -o new-text; reput put-rest; put -c put-rest
            mkdir -p x/y; mv new-text x/y/text; mrm x/y/text; rmdir x/y x; mget many/*
            mirror tree walked; mirror -R walked; mirror --only-newer tree walked
            mv put-rest moved; cls -1; ls; nlist; du; find tree""")
        at.got("got", at.big)
        at.got("parts", at.big)
        at.got("rest", at.big)
        at.got("empty", b"")
        at.got("got-text", TEXT)
        at.sent("new", at.big)
        at.sent("moved", at.big)
        at.fetched_tree("walked")
        same_tree(at.there / "walked", at.here / "walked")
        assert not (at.there / "x").exists()
        assert "./" not in ended.stderr and "tree/a/b/deep" in ended.stdout
        for i in range(MANY):
            at.got(f"f{i}", b"%d" % i)


def wget(at):
    words = ["wget", "-nv", "-t", "1"]
    url = at.url
    if at.tls:
        words += ["--ca-certificate", at.certificate]
        url = url.replace("ftp:", "ftps:")
    for way in ([], ["--no-passive-ftp"]):
        at.run(*words, *way, "-O", "got", url + "big")
        at.got("got", at.big)
        at.run(*words, *way, "-O", "got-empty", url + "empty")
        at.got("got-empty", b"")
    at.run(*words, "-O", "got-text", url + "text;type=a")
    at.got("got-text", lines(TEXT))
    (at.here / "rest").mkdir()
    at.part(at.here / "rest/big")
    at.run(*words, "-c", "-P", "rest", url + "big")
    at.got("rest/big", at.big)
    at.run(*words, "-r", "-nH", "--cut-dirs=2", "-P", "walked", url + "tree/")
    at.fetched_tree("walked")
    at.run(*words, "-r", "-nH", "--cut-dirs=2", "-P", "many", url + "many/f*") if at.family == 4 else None
    at.run(*words, "-O", "listing.html", url + "tree/")
    assert "top" in (at.here / "listing.html").read_text()


INTERACTIVE = """open {host}
user anonymous guest
{way}
binary
cd {name}
get big got
get empty
reget big rest
put big new
{reput}
append text new-text
append text new-text
ascii
get text got-text
put text ascii-text
binary
prompt
mget many/f0 many/f1 many/f2
mput text empty
size big
modtime big
nlist tree
ls tree
mkdir x
rename new x/moved
cd x
pwd
cdup
delete x/moved
rmdir x
system
status
bye
"""


def interactive(at, words, ways, reput=""):
    for way in ways:
        (at.here / "many").mkdir(exist_ok=True)
        (at.there / "new-text").unlink(missing_ok=True)
        (at.here / "got").unlink(missing_ok=True)
        at.part(at.here / "rest")
        at.part(at.there / "put-rest")
        (at.here / "put-rest").write_bytes(at.big)
        ended = at.run(*words, stdin=INTERACTIVE.format(host=at.host, name=at.name, way=way, reput=reput))
        at.got("got", at.big)
        at.got("empty", b"")
        at.got("rest", at.big)
        at.got("got-text", TEXT)
        at.sent("ascii-text", TEXT)
        at.sent("new-text", TEXT + TEXT)
        if reput:
            at.sent("put-rest", at.big)
        for i in range(3):
            at.got(f"many/f{i}", b"%d" % i)
        assert not (at.there / "x").exists() and not (at.there / "new").exists()
        said = ended.stdout + ended.stderr
        assert f"/{at.name}/x" in said and str(len(at.big)) in said, said
        for complaint in ("?", "nvalid", "rror", "ot connected", "annot", "an't"):
            assert complaint not in said, said


def tnftp(at):
    at.run("tnftp", "-o", "fetched", at.url + "big")
    at.got("fetched", at.big)
    at.run("tnftp", "-u", at.url + "uploaded", "big")
    at.sent("uploaded", at.big)
    interactive(at, ["tnftp", "-n", "-v"], ["passive on", "passive off"])


def inetutils(at):
    interactive(at, ["inetutils-ftp", "-n", "-v"], ["passive", ""])


def ncftp(at):
    who = ["-V", "-r", "1"]
    for way in (["-F"], ["-E"]):
        at.run("ncftpget", *who, *way, "-C", at.host, f"{at.name}/big", "got")
        at.got("got", at.big)
        at.run("ncftpput", *who, *way, "-C", at.host, "big", f"{at.name}/new")
        at.sent("new", at.big)
        (at.there / "new").unlink()
        (at.here / "got").unlink()
    at.run("ncftpget", *who, "-a", "-C", at.host, f"{at.name}/text", "got-text")
    at.got("got-text", TEXT)
    at.run("ncftpput", *who, "-a", "-C", at.host, "text", f"{at.name}/ascii-text")
    at.sent("ascii-text", TEXT)
    (at.here / "walked").mkdir()
    at.run("ncftpget", *who, "-R", at.host, "walked", f"{at.name}/tree")
    at.fetched_tree("walked/tree")
    at.run("ncftpput", *who, "-R", "-m", at.host, f"{at.name}/sent", "walked/tree")
    same_tree(at.there / "sent/tree", at.here / "walked/tree")
    (at.here / "rest").mkdir()
    at.part(at.here / "rest/big")
    os.utime(at.here / "rest/big", (1, 1))
    at.run("ncftpget", *who, "-z", at.host, "rest", f"{at.name}/big")
    at.got("rest/big", at.big)
    at.run("ncftpget", *who, at.host, ".", f"{at.name}/many/*")
    for i in range(MANY):
        at.got(f"f{i}", b"%d" % i)
    assert sorted(at.run("ncftpls", "-1", "-r", "1", f"{at.url}tree/").stdout.split()) == ["a", "top"]
    assert "top" in at.run("ncftpls", "-l", "-r", "1", f"{at.url}tree/").stdout


def busybox(at):
    at.run("busybox", "ftpget", at.host, "got", f"{at.name}/big")
    at.got("got", at.big)
    at.run("busybox", "ftpget", at.host, "empty", f"{at.name}/empty")
    at.got("empty", b"")
    at.part(at.here / "rest")
    at.run("busybox", "ftpget", "-c", at.host, "rest", f"{at.name}/big")
    at.got("rest", at.big)
    at.run("busybox", "ftpput", at.host, f"{at.name}/new", "big")
    at.sent("new", at.big)
    at.run("busybox", "wget", "-q", "-O", "wgot", at.url + "big")
    at.got("wgot", at.big)


CLIENTS = {
    # Command, what it does, over which families, whether in TLS too
    "curl": ("curl", curl, (4, 6), True),
    "lftp": ("lftp", lftp, (4, 6), True),
    "wget": ("wget", wget, (4, 6), True),
    "tnftp": ("tnftp", tnftp, (4, 6), False),
    "ncftp": ("ncftpget", ncftp, (4,), False),
    "inetutils": ("inetutils-ftp", inetutils, (4, 6), False),
    "busybox": ("busybox", busybox, (4, 6), False),
}
MEETINGS = [(name, family, tls) for name, (_, _, families, secure) in CLIENTS.items()
            for family in families for tls in ([False, True] if secure else [False])]
# What a client is refused though all goes well: it finds out so what there is, or what we know.
REFUSED = {
    "curl": {("CWD", 550)},  # --ftp-create-dirs
    "lftp": {("SITE", 504)},  # CHMOD
    "ncftp": {("CWD", 550), ("MDTM", 550), ("RETR", 550)},  # is it a directory?
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Our server at both addresses, with a certificate that names them."""
    need("openssl", "ip")
    made = FtpLab(tmp_path_factory.mktemp("ftp"))
    try:
        (made.folder / "files").mkdir()
        made.run(made.client, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=server", "-addext",
                 "subjectAltName=IP:10.0.1.1,IP:fd00:1::1", "-keyout", "key.pem", "-out",
                 "certificate.pem")
        for family in ADDRESSES:
            made.serve(family, "--anonymous", "all", "--tls", made.folder / "certificate.pem",
                       "--tls-key", made.folder / "key.pem", "--clients", 20)
        yield made
    finally:
        made.end()


@pytest.mark.parametrize("name,family,tls", MEETINGS,
                         ids=[f"{name}-ipv{family}{'-tls' * tls}" for name, family, tls in MEETINGS])
def test_stock_client(lab, name, family, tls):
    command, acts, _, _ = CLIENTS[name]
    need(command)
    at = Place(lab, f"{name}{family}{'s' * tls}", family, tls)
    if tls:  # tshark has no key
        acts(at)
        return
    with Capture(lab, at.name, family) as capture:
        acts(at)
    refused = capture.judge()
    assert refused <= REFUSED.get(name, set()), refused


LINE_PORT = 2121
LINE_SCRIPT = "open {host} {port}\nuser anonymous guest\nbinary\nget big got\nput big new\nnlist\nbye\n"
# One command that fetches `big` into `got`, one that sends it as `new`, one that lists; {url} ends in a slash.
IN_LINE = {
    "curl": ["curl -sSg {curl_tls} -o got {url}big", "curl -sSg {curl_tls} -T big {url}new", "curl -sSg {curl_tls} -l {url}"],
    "lftp": ["lftp -c '{lftp_tls} open {url}; get big -o got; put big -o new; cls -1'"],
    "wget": ["wget -q -t 1 {wget_tls} -O got {wget_url}big", None, "wget -q -t 1 {wget_tls} -O - {wget_url}"],
    "tnftp": ["tnftp -o got {url}big", "tnftp -u {url}new big", "printf '" + LINE_SCRIPT + "' | tnftp -n -v"],
    "ncftp": ["ncftpget -V -r 1 -P {port} -C {host} big got", "ncftpput -V -r 1 -P {port} -C {host} big new",
              "ncftpls -1 -r 1 -P {port} {url}"],
    "inetutils": ["printf '" + LINE_SCRIPT + "' | inetutils-ftp -n -v"],
    "busybox": ["busybox ftpget -P {port} {host} got big", "busybox ftpput -P {port} {host} new big"],
}


@pytest.fixture
def line(lab):
    """start(family): a server that serves one, and somebody who is served: he leaves by what is returned."""
    servers = []

    def start(family):
        (lab.folder / "line").mkdir(exist_ok=True)
        servers.append(lab.serve(family, "--anonymous", "all", "--tls", lab.folder / "certificate.pem", "--tls-key",
                                 lab.folder / "key.pem", "--clients", 1, "--waiting", 5, root="line", port=LINE_PORT,
                                 name="line"))

    def hold(family):
        host = f"[{ADDRESSES[6]}]" if family == 6 else ADDRESSES[4]
        holder = lab.start(lab.client, BIN / "ftp-client", f"{host}:{LINE_PORT}", stdin=subprocess.PIPE, name="holder")
        eventually(lambda: len(served()["served"]), 1)
        return holder

    def served():
        words = [BIN / "ftp-server", "status", "--json", "--control", lab.folder / "line.sock"]
        return json.loads(subprocess.run(words, capture_output=True, check=True, timeout=60).stdout)

    start.hold, start.served = hold, served
    yield start
    for server in servers:
        lab.stop(server)


@pytest.mark.parametrize("name,family,tls", MEETINGS,
                         ids=[f"{name}-ipv{family}{'-tls' * tls}" for name, family, tls in MEETINGS])
def test_stock_client_in_line(lab, line, tmp_path, name, family, tls):
    """It comes second, waits in 220- lines, and fetches, sends and lists when the first has left."""
    need(CLIENTS[name][0])
    line(family)
    big = random.randbytes(300_000)
    files = lab.folder / "line"
    host, certificate = ADDRESSES[family], lab.folder / "certificate.pem"
    at = f"[{host}]" if family == 6 else host
    fill = {
        "host": host, "port": LINE_PORT, "url": f"ftp://{at}:{LINE_PORT}/",
        "wget_url": f"ftp{'s' * tls}://{at}:{LINE_PORT}/",
        "curl_tls": f"--ssl-reqd --cacert {certificate}" if tls else "",
        "wget_tls": f"--ca-certificate {certificate}" if tls else "",
        "lftp_tls": "set net:max-retries 1; set cmd:fail-exit yes; " + (
            f"set ftp:ssl-force yes; set ftp:ssl-protect-data yes; set ssl:ca-file {certificate};" if tls
            else "set ftp:ssl-allow no;")}
    here = tmp_path / "here"
    here.mkdir()
    (files / "big").write_bytes(big)
    (here / "big").write_bytes(big)
    said = ""
    for command in filter(None, IN_LINE[name]):
        holder = line.hold(family)
        stranger = lab.start(lab.client, "sh", "-c", command.format(**fill), cwd=here, name=f"{name}-stranger",
                             stdin=subprocess.DEVNULL, env={**os.environ, "HOME": str(here), "TERM": "dumb", "LC_ALL": "C.UTF-8"})
        eventually(lambda: len(line.served()["waiting"]), 1)
        holder.communicate(b"quit\n", timeout=60)
        assert stranger.wait(60) == 0, lab.log(f"{name}-stranger")
        for process in (holder, stranger):
            lab.started.remove(process)
        eventually(lambda: line.served()["served"], [])
        said = lab.log(f"{name}-stranger")
    assert (here / "got").read_bytes() == big
    if name != "wget":  # which sends nothing
        assert (files / "new").read_bytes() == big
        (files / "new").unlink()
    if name != "busybox":  # which lists nothing
        assert "big" in said, said
    (lab.folder / f"{name}-stranger.log").unlink()
