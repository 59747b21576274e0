"""Hurts whom it can: the machine, the other submissions, the verdict. It should hurt nobody.

What it managed to do it says in a line "DONE ..."; what it was kept from in a line "kept from ...".
"""
import ctypes
import glob
import os
import signal
import socket
import sys

ETC = ["/etc/passwd", "/etc/hostile", "/etc/hosts"]
SYS = ["/proc/sys/kernel/hostname", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/vm/drop_caches",
       "/proc/sysrq-trigger"]
CLONE_NEWUSER, CLONE_NEWNET, MS_REMOUNT, MS_BIND, PTRACE_ATTACH = 0x10000000, 0x40000000, 32, 4096, 16
libc = ctypes.CDLL(None, use_errno=True)


def attempt(what, act):
    try:
        done = act()
    except OSError as error:
        done, what = False, f"{what}: {error.strerror}"
    print("DONE" if done else "kept from", what, flush=True)


def write(path):
    with open(path, "a") as file:
        return file.write("1\n")


def call(function, *arguments):
    if function(*arguments) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return True


def fill():
    """Until nothing more fits; then it is told how much did."""
    size = 0
    try:
        for number in range(100000):
            with open(f"fill.{number}", "wb") as file:
                while True:
                    size += file.write(b"x" * 2**20)
    except OSError:
        print("filled", size >> 20, "MiB", flush=True)


def fork():
    """Children without end, all of which do the same."""
    count, refused = 0, 0
    while refused < 3:
        try:
            if os.fork() == 0:
                signal.pause()
            count += 1
        except OSError:
            refused += 1
    print("forked", count, flush=True)


def hoard():
    if os.fork() == 0:
        blocks = []
        while True:
            blocks.append(bytearray(b"x") * 2**20)
    _, status = os.wait()
    print("hoarding ended with", status, flush=True)


def outside(pid):
    """Processes that are not ours: PID 1 is the only one that there can be."""
    return pid.isdigit() and int(pid) not in (os.getpid(), os.getppid())


def speak_for_sim():
    """A verdict of its own, to whatever descriptor may have been left open."""
    said = 0
    for descriptor in range(3, 1000):
        try:
            said += os.write(descriptor, b'{"check": "all", "held": true}\n')
        except OSError:
            pass
    return said


signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
print("capabilities", *[line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff")])
for path in ETC + SYS + [sys.argv[0], "/usr/bin/hostile", "/run/sim/results/result.json"]:
    attempt(f"writing {path}", lambda path=path: write(path))
attempt("seeing other submissions", lambda: glob.glob("/run/sim/*/../submission/../../*/right"))
attempt("seeing other nodes", lambda: len(os.listdir("/run/sim/nodes")) > 1)
attempt("seeing results", lambda: os.path.exists("/run/sim/results"))
attempt("seeing home folders", lambda: [p for p in ("/root", "/home") if os.path.exists(p)])
attempt("seeing other processes", lambda: [p for p in os.listdir("/proc") if outside(p)])
attempt("a user namespace", lambda: call(libc.unshare, CLONE_NEWUSER))
attempt("a network namespace", lambda: call(libc.unshare, CLONE_NEWNET))
attempt("mounting", lambda: call(libc.mount, None, b"/", None, MS_REMOUNT | MS_BIND, None))
attempt("tracing", lambda: call(libc.ptrace, PTRACE_ATTACH, 1, None, None))
attempt("another user", lambda: os.setuid(1) is None)
attempt("a way to the host", lambda: socket.create_connection(("10.0.1.1", 22), 0.2))
attempt("speaking for sim", speak_for_sim)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
    port.bind(("", 67))  # so that the scenario begins
    fill()
    hoard()
    fork()
    print("nothing more to do", flush=True)
    while True:
        port.recv(2048)
