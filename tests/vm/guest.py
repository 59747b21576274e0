"""One guest: QEMU, the folder it shares with us, and what comes out of it."""
import contextlib
import ctypes
import datetime
import fcntl
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
import tty
from pathlib import Path

import cache

KVM_SECONDS = 20  # without a sign of life KVM is given up
BOOT_SECONDS = 300  # then the guest
ALIVE = b"guest is alive"
# How much slower all is than on a machine of one's own: what SIM_TIME_SCALE says in the guest.
SCALES = {"kvm": 3, "tcg": 60}
TIME_OUT, NO_STATUS = 124, 125


def die_with_us():
    """In the child: killed with its parent, however that ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    os.setsid()  # Ctrl-C is ours to handle


class Ended(Exception):
    """The guest is over: exit status and why."""

    def __init__(self, status, why):
        super().__init__(why)
        self.status = status


def reason(error):
    """In a few words; of an error for each file of a folder, that of the first."""
    return error.args[0][0][2] if isinstance(error, shutil.Error) else error.strerror


def find_qemu():
    """Its path; where deps/install only unpacked it, with where its firmware is."""
    found = shutil.which("qemu-system-x86_64")
    if not found:
        raise cache.Missing("qemu-system-x86_64 is not installed (in Debian: qemu-system-x86)")
    share = Path(found).parent.parent / "share"
    if share == Path("/usr/share"):
        return [found]
    return [found, "-L", str(share / "qemu"), "-L", str(share / "seabios")]


def kvm_is_there():
    return os.access("/dev/kvm", os.R_OK | os.W_OK)


@contextlib.contextmanager
def run_folder(within):
    """A folder for one run, gone after it. Those of runs that were killed go too: nobody holds
    their lock."""
    for stale in within.glob("run-*"):
        with contextlib.suppress(OSError), (stale / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(stale)
    with tempfile.TemporaryDirectory(dir=within, prefix="run-") as folder:
        with (Path(folder) / "lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            share = Path(folder) / "share"
            share.mkdir()
            yield share


@contextlib.contextmanager
def raw_terminal(wanted):
    """Keys go to the guest as they are typed: Ctrl-C is its own."""
    if not (wanted and sys.stdin.isatty()):
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setraw(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


class Guest:
    """options: accel (None: both ways), memory (MiB), timeout (seconds), results (a folder), terminal
    (keys are passed on). tell: is told sentences for people."""

    def __init__(self, parts, options, tell):
        self.parts, self.options, self.tell = parts, options, tell
        self.qemu = find_qemu()

    # --- what is shared ---

    def write_share(self, share, words):
        for name in ("guest", "modprobe"):
            shutil.copy(cache.HERE / name, share)
        shutil.copy(self.parts.busybox, share / "busybox")
        (share / "results").mkdir()
        settings = {"TREE": cache.TREE, "MODULES": self.parts.modules, "ALIVE": ALIVE.decode(),
                    "TERM": os.environ.get("TERM", "dumb")}
        (share / "settings").write_text(
            "".join(f"{name}={shlex.quote(str(value))}\n" for name, value in settings.items()))
        size = shutil.get_terminal_size()
        lines = [f"stty sane cols {size.columns} rows {size.lines}"] if self.options.terminal else []
        (share / "command").write_text("\n".join(
            [*lines, f"cd {shlex.quote(str(cache.TREE))}", "export PYTHONDONTWRITEBYTECODE=1 SIM_IN_VM=1",
             "exec " + " ".join(map(shlex.quote, words))]) + "\n")

    def keep_results(self, share):
        """What of it cannot be kept is told; the command's exit status stays what it is."""
        unkept = share / "unkept"
        said = unkept.read_text(errors="replace").strip().splitlines() if unkept.exists() else []
        if said:
            self.tell(f"the guest could not hand over all results: {said[-1]}")
        if not any((share / "results").iterdir()):
            return
        moment = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H-%M-%SZ")
        kept = self.options.results / "vm" / moment
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(share / "results", kept, symlinks=True)
        except (OSError, shutil.Error) as error:
            self.tell(f"not all results could be kept in {kept}: {reason(error)}")
            return
        self.tell(f"results: {kept}")

    # --- QEMU ---

    def words(self, accel, share):
        cpu = "host" if accel == "kvm" else "max,la57=off"
        files = "local,security_model=none,multidevs=remap"
        return [*self.qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                "-machine", f"q35,accel={accel}", "-cpu", cpu, "-smp", str(min(os.cpu_count(), 4)),
                "-m", str(self.options.memory),
                "-kernel", self.parts.vmlinux, "-initrd", self.parts.initramfs,
                "-append", "console=ttyS0 loglevel=3 panic=-1 oops=panic mitigations=off rdinit=/init",
                "-serial", f"file:{share / 'console'}",
                "-fsdev", f"{files},id=host,path=/,readonly=on",
                "-device", "virtio-9p-pci,fsdev=host,mount_tag=host",
                "-fsdev", f"{files},id=share,path={share}",
                "-device", "virtio-9p-pci,fsdev=share,mount_tag=share",
                "-device", "virtio-serial-pci", "-chardev", "stdio,id=terminal,signal=off",
                "-device", "virtconsole,chardev=terminal", "-device", "virtio-rng-pci"]

    def start(self, accel, share):
        (share / "scale").write_text(f"{SCALES[accel]}\n")
        # Its standard input is a pipe that never ends: QEMU takes an end for one of the terminal.
        return subprocess.Popen([str(word) for word in self.words(accel, share)], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                                preexec_fn=die_with_us)

    def last_words(self, share, qemu):
        """What the kernel, or QEMU, said last: a panic is there."""
        console = share / "console"
        said = console.read_text(errors="replace").splitlines() if console.exists() else []
        said = said or qemu.stderr.read().decode(errors="replace").splitlines()
        return "".join(f"\n    {line}" for line in said[-12:])

    # --- what comes out of it ---

    def read(self, qemu, until):
        """Some bytes; b"" when QEMU has ended; None when the time is over."""
        left = until - time.monotonic()
        readable, _, _ = select.select([qemu.stdout], [], [], max(left, 0))
        return os.read(qemu.stdout.fileno(), 65536) if readable else None

    def wait_alive(self, qemu, share, seconds):
        """Returns what came after the sign of life; None where there was none in time."""
        until, said = time.monotonic() + seconds, b""
        while ALIVE not in said:
            some = self.read(qemu, until)
            if some is None:
                return None
            if not some:
                qemu.wait()
                raise Ended(NO_STATUS, "the guest ended while it booted:" + self.last_words(share, qemu))
            said += some
        return said.partition(ALIVE)[2].lstrip(b"\r\n")

    def boot(self, share):
        """A guest that lives: (QEMU, what it has said since)."""
        ways = [self.options.accel] if self.options.accel else ["kvm", "tcg"]
        if not self.options.accel and not kvm_is_there():
            ways = ["tcg"]
        for accel in ways:
            last = accel == ways[-1]
            qemu = self.start(accel, share)
            try:
                rest = self.wait_alive(qemu, share, BOOT_SECONDS if last else KVM_SECONDS)
                if rest is not None:
                    self.tell(f"Debian's kernel {self.parts.modules.name} is up"
                              + (" by KVM" if accel == "kvm" else ", emulated: all takes 20 to 60 times as long"))
                    return qemu, rest
            except Ended:
                if last:
                    raise
            except BaseException:
                self.kill(qemu)
                raise
            self.kill(qemu)
            if not last:
                self.tell("KVM gives no sign of life here; the processor is emulated")
        raise Ended(TIME_OUT, f"the guest did not boot in {BOOT_SECONDS} s:" + self.last_words(share, qemu))

    def kill(self, qemu):
        qemu.kill()
        qemu.wait()

    def stream(self, qemu, until, rest):
        """Pass on what it says, to its end; to a shell also what is typed."""
        typed = [sys.stdin] if self.options.terminal else []
        while True:
            sys.stdout.buffer.write(rest)
            sys.stdout.buffer.flush()
            rest = b""
            left = max(until - time.monotonic(), 0)
            readable, _, _ = select.select([qemu.stdout, *typed], [], [], left)
            if not readable:
                raise Ended(TIME_OUT, f"not done in {self.options.timeout:g} s; the guest is killed")
            if sys.stdin in readable:
                keys = os.read(sys.stdin.fileno(), 4096)
                typed = typed if keys else []
                qemu.stdin.write(keys)
            if qemu.stdout in readable and not (rest := os.read(qemu.stdout.fileno(), 65536)):
                return

    def run(self, words):
        """Boot, run, and return the exit status."""
        until = time.monotonic() + self.options.timeout
        with run_folder(cache.CACHE) as share:
            self.write_share(share, words)
            try:
                qemu, rest = self.boot(share)
                try:
                    with raw_terminal(self.options.terminal):
                        self.stream(qemu, until, rest)
                finally:
                    self.kill(qemu)
                status = share / "status"
                if not status.exists():
                    raise Ended(NO_STATUS, "the guest ended without a status:" + self.last_words(share, qemu))
                return int(status.read_text())
            except Ended as ended:
                self.tell(str(ended))
                return ended.status
            finally:
                self.keep_results(share)
