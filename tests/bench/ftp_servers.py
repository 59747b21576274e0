"""The FTP servers that are measured: each lets anybody fetch from `files` and put into `files/in`,
with no limit below what the bench asks for, and looks up no names."""
import shutil
import subprocess
import sys
from pathlib import Path

from net import SERVER
from servers import BUILD, Server, first_line

USER = "ftp"  # whom a stock server becomes for an anonymous client
SESSIONS_MOST = 12000


def prepare_user(folder):
    """The stock servers look for the user `ftp`, which this machine need not have: one is put into
    the passwd file of our own mount namespace."""
    passwd = Path("/etc/passwd").read_text(encoding="utf-8").splitlines()
    lines = [line for line in passwd if not line.startswith(f"{USER}:")]
    made = folder / "passwd"
    made.write_text("\n".join([*lines, f"{USER}:x:65533:65534::{folder / 'files'}:/bin/sh", ""]),
                    encoding="utf-8")
    subprocess.run(["mount", "--bind", made, "/etc/passwd"], check=True)


class FtpServer(Server):
    """One kind of server; command() gets the folder of what is served in place of a pool."""

    needs_users = True  # it gives up root for another user

    def missing(self):
        if super().missing():
            return super().missing()
        alone = len(Path("/proc/self/uid_map").read_text(encoding="utf-8").split()) == 3 and \
            Path("/proc/self/uid_map").read_text(encoding="utf-8").split()[2] == "1"
        if self.needs_users and alone:
            return "it becomes another user, which a user namespace does not have: run as root"
        return None


class Floor(FtpServer):
    word, label, needs_users = "floor", "bare epoll server (floor)", False
    program = str(BUILD / "bench" / "ftp_floor")

    def command(self, folder, files):
        return [self.program, files]


class Ours(FtpServer):
    word, label, needs_users = "ours", "ftp-server (ours)", False
    program = str(BUILD / "bin" / "ftp-server")

    def version(self):
        return first_line(self.program, "--version")

    def command(self, folder, files):
        return [self.program, "--root", files, "--listen", f"{SERVER}:21", "--anonymous", "all",
                "--clients", SESSIONS_MOST, "--control", folder / "control"]


class Vsftpd(FtpServer):
    word = label = program = "vsftpd"

    def version(self):
        # It says its version on standard input's descriptor.
        told = subprocess.run([shutil.which(self.program), "-v"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        return told.stdout.strip() or self.program

    def command(self, folder, files):
        (folder / "empty").mkdir()
        made = folder / "vsftpd.conf"
        made.write_text("\n".join([
            "listen=YES", "background=NO", "anonymous_enable=YES", "local_enable=NO",
            "write_enable=YES", "anon_upload_enable=YES", f"anon_root={files}",
            f"ftp_username={USER}", "nopriv_user=nobody", "max_per_ip=0",
            f"secure_chroot_dir={folder / 'empty'}", ""]), encoding="utf-8")
        return [self.program, made]


class PureFtpd(FtpServer):
    word = label = program = "pure-ftpd"

    def version(self):
        return first_line(self.program, "--help")

    def command(self, folder, files):
        return [self.program, "-e", "-H", "-4", "-c", SESSIONS_MOST, "-C", SESSIONS_MOST,
                "-S", f"{SERVER},21", "-f", "none", "-g", folder / "pid"]

    def environment(self, files):
        return {"FTP_ANON_DIR": str(files)}


class Proftpd(FtpServer):
    word = label = program = "proftpd"

    def version(self):
        return first_line(self.program, "--version")

    def command(self, folder, files):
        made = folder / "proftpd.conf"
        made.write_text(f"""
            ServerType standalone
            DefaultServer on
            Port 21
            UseIPv6 off
            UseReverseDNS off
            User nobody
            Group nogroup
            MaxInstances none
            WtmpLog off
            RequireValidShell off
            TransferLog none
            SystemLog none
            PidFile {folder / "pid"}
            ScoreboardFile {folder / "scoreboard"}
            DelayTable {folder / "delay"}
            AllowOverwrite on
            <Anonymous {files}>
              User {USER}
              Group nogroup
              UserAlias anonymous {USER}
            </Anonymous>
        """, encoding="utf-8")
        return [self.program, "--nodaemon", "--quiet", "-c", made]


PYFTPDLIB = """
import logging
import resource
import sys
import warnings

warnings.simplefilter("ignore")
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

logging.basicConfig(level=logging.WARNING)
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
FTPHandler.authorizer = DummyAuthorizer()
FTPHandler.authorizer.add_anonymous(sys.argv[2], perm="elradfmw")
FTPServer.max_cons = int(sys.argv[3])
FTPServer((sys.argv[1], 21), FTPHandler, backlog=1024).serve_forever()
"""


class Pyftpdlib(FtpServer):
    word = label = "pyftpdlib"
    needs_users = False
    program = sys.executable

    def missing(self):
        return None if self.version() else "pyftpdlib is not installed"

    def version(self):
        told = subprocess.run(
            [self.program, "-c", "import pyftpdlib; print('pyftpdlib', pyftpdlib.__ver__)"],
            capture_output=True, text=True, check=False)
        return told.stdout.strip()

    def command(self, folder, files):
        made = folder / "serve.py"
        made.write_text(PYFTPDLIB, encoding="utf-8")
        return [self.program, "-B", made, SERVER, files, SESSIONS_MOST]


SERVERS = [Floor(), Ours(), Vsftpd(), PureFtpd(), Proftpd(), Pyftpdlib()]
__all__ = ["SERVERS", "prepare_user"]
