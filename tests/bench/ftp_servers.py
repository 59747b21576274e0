"""The FTP servers that are measured: each lets anybody fetch from `files` and put into `files/in`,
with no limit below what the bench asks for, and looks up no names."""
import shutil
import subprocess
from pathlib import Path

from net import SERVER
from servers import BUILD, first_line

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


class FtpServer:
    """One kind of server. `word`: its name on the command line; `label`: for people."""

    word = label = program = ""
    needs_users = True  # it gives up root for another user

    def missing(self):
        """Why it cannot be measured; None: it can."""
        if not shutil.which(self.program):
            return f"{self.program} is not installed"
        alone = len(Path("/proc/self/uid_map").read_text(encoding="utf-8").split()) == 3 and \
            Path("/proc/self/uid_map").read_text(encoding="utf-8").split()[2] == "1"
        if self.needs_users and alone:
            return "it becomes another user, which a user namespace does not have: run as root"
        return None

    def version(self):
        return ""

    def command(self, folder, files):
        """Write its configuration into `folder`; returns the words that start it."""
        raise NotImplementedError

    def environment(self, _files):
        return {}


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


SERVERS = [Floor(), Ours(), Vsftpd(), PureFtpd(), Proftpd()]
__all__ = ["SERVERS", "prepare_user"]
