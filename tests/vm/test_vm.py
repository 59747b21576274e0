"""The launcher of the guest, against machines that are not QEMU: what it does when the guest panics,
hangs, fills its disk or never lives, and what it leaves. The real one boots in `make vm-check`, and
in the last test here where QEMU and a kernel are there already."""
import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import TREE, eventually

sys.path.insert(0, str(Path(__file__).parent))
import cache  # noqa: E402
import guest  # noqa: E402
import vm  # noqa: E402

# Finds the folder it shares among QEMU's words, then does what a test says.
FAKE = """#!/bin/sh
for word; do
	case $word in *id=share,path=*) share=${{word##*path=}} ;; esac
done
alive() {{ . "$share/settings"; echo "$ALIVE"; }}
{does}
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """run(what the fake QEMU does, ...) -> (exit status, what people were told)."""
    monkeypatch.setattr(cache, "CACHE", tmp_path)
    for name in ("vmlinux", "initramfs", "busybox"):
        (tmp_path / name).write_text("")
    (tmp_path / "modules/lib/modules/6.1").mkdir(parents=True)
    told = []

    def run(does, **changes):
        fake = tmp_path / "qemu"
        fake.write_text(FAKE.format(does=does))
        fake.chmod(0o755)
        monkeypatch.setattr(guest, "find_qemu", lambda: [str(fake)])
        options = SimpleNamespace(accel="tcg", memory=64, timeout=60, results=tmp_path / "results",
                                  terminal=False)
        for name, value in changes.items():
            setattr(options, name, value)
        ended = guest.Guest(cache.Parts(tmp_path), options, told.append).run(["true"])
        assert not list(tmp_path.glob("run-*")), "the run's folder is gone"
        return ended, "\n".join(told)

    return run


def test_exit_status_output_and_results_come_back(machine, tmp_path, capfdbinary):
    ended, told = machine('alive; echo said; echo kept >"$share/results/file"; echo 7 >"$share/status"')
    assert ended == 7
    assert capfdbinary.readouterr().out.splitlines()[-1] == b"said"
    kept = list((tmp_path / "results/vm").glob("*/file"))
    assert len(kept) == 1 and kept[0].read_text() == "kept\n"
    assert "results: " in told


@pytest.mark.parametrize("does, status, words", [
    ('alive; echo "Kernel panic - not syncing" >"$share/console"', 125,
     ("ended without a status", "Kernel panic")),
    ('echo "no such machine" >&2', 125, ("ended while it booted", "no such machine")),
    ('alive; echo "9p: No space left on device" >"$share/console"', 125, ("No space left",)),
])
def test_a_guest_that_ends_without_a_status(machine, does, status, words):
    ended, told = machine(does)
    assert ended == status
    for word in words:
        assert word in told


def test_a_guest_that_hangs_is_killed(machine):
    ended, told = machine('alive; echo $$ >"$share/../../pid"; exec sleep 1000', timeout=1)
    assert ended == 124
    assert "not done in 1 s" in told


def test_a_guest_that_never_lives_is_given_up(machine, monkeypatch):
    monkeypatch.setattr(guest, "BOOT_SECONDS", 0.5)
    ended, told = machine("exec sleep 1000")
    assert ended == 124
    assert "did not boot" in told


def test_kvm_without_a_sign_of_life_is_given_up_for_emulation(machine, monkeypatch):
    monkeypatch.setattr(guest, "KVM_SECONDS", 0.5)
    monkeypatch.setattr(guest, "kvm_is_there", lambda: True)
    ended, told = machine('case $* in *accel=kvm*) exec sleep 1000 ;; esac; alive; echo 0 >"$share/status"',
                          accel=None)
    assert ended == 0
    assert "no sign of life" in told and "emulated" in told


def test_what_a_killed_run_left_goes_with_the_next(machine, tmp_path):
    (tmp_path / "run-old/share").mkdir(parents=True)
    (tmp_path / "run-old/lock").write_text("")
    assert machine('alive; echo 0 >"$share/status"')[0] == 0
    assert not (tmp_path / "run-old").exists()


def test_nothing_is_left_of_an_interrupted_run(tmp_path):
    """Ctrl-C, SIGTERM and kill -9 of the launcher: QEMU dies with it."""
    fake = tmp_path / "qemu-system-x86_64"
    fake.write_text(FAKE.format(does=f'alive; echo $$ >{tmp_path}/pid; exec sleep 1000'))
    fake.chmod(0o755)
    program = f"""
import sys, types, pathlib
sys.path.insert(0, {str(TREE / 'tests/vm')!r})
import cache, guest, vm
cache.CACHE = pathlib.Path({str(tmp_path)!r})
parts = types.SimpleNamespace(modules=pathlib.Path("6.1"), busybox="/dev/null", vmlinux="", initramfs="")
cache.parts = lambda tell: parts
sys.argv = ["vm.py", "--accel", "tcg", "run", "true"]
sys.exit(vm.main())
"""
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)):
        (tmp_path / "pid").unlink(missing_ok=True)
        run = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True,
                               stdout=subprocess.DEVNULL, preexec_fn=hear_interrupts,
                               env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
        eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "", True)
        there = int((tmp_path / "pid").read_text())
        run.send_signal(number)
        said = run.communicate(timeout=30)[1]
        assert run.returncode == status, said
        assert "Traceback" not in said
        eventually(lambda there=there: alive(there), False)
        if number != signal.SIGKILL:
            assert not list(tmp_path.glob("run-*"))


def hear_interrupts():
    """Who is started in the background is deaf to SIGINT, and so are its children: not this one."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_missing_qemu_is_a_sentence():
    """And the first thing that is looked at: nothing is fetched for nothing."""
    ended = subprocess.run([sys.executable, TREE / "tests/vm/vm.py", "run", "true"], capture_output=True, text=True,
                           timeout=60, check=False, env={**os.environ, "PATH": "/nowhere"})
    assert (ended.returncode, ended.stderr) == (
        3, "vm: qemu-system-x86_64 is not installed (in Debian: qemu-system-x86)\n")


def test_limits_of_tests_know_how_slow_the_guest_is(machine, capfdbinary):
    """By emulation all takes its time, by KVM hardly more than here."""
    for accel, least in (("tcg", 60), ("kvm", 1)):
        machine('alive; cat "$share/scale"; echo 0 >"$share/status"', accel=accel)
        assert float(capfdbinary.readouterr().out.split()[-1]) >= least
    assert 'SIM_TIME_SCALE="$($busybox cat /run/vm/scale)"' in (cache.HERE / "guest").read_text()


def test_output_is_streamed(machine, capfdbinary):
    """Before the guest has ended: it ends when somebody has read the first line."""
    seen = []

    def reader():
        eventually(lambda: b"first" in (seen.append(capfdbinary.readouterr().out) or b"".join(seen)), True)
        (cache.CACHE / "read").write_text("")

    thread = threading.Thread(target=reader)
    thread.start()
    ended, told = machine('alive; echo first; until [ -e "$share/../../read" ]; do sleep 0.05; done; echo 0 >"$share/status"')
    thread.join()
    assert ended == 0, told


def test_a_full_disk_of_the_guest_is_told(machine):
    """What the guest could not write onto the share, and the command's own status."""
    ended, told = machine('alive; echo "cp: write error: No space left on device" >"$share/unkept"; echo 4 >"$share/status"')
    assert ended == 4
    assert "could not hand over all results: cp: write error: No space left on device" in told


def test_results_that_cannot_be_kept(machine, tmp_path):
    (tmp_path / "results").write_text("a file where the folder should be")
    ended, told = machine('alive; echo kept >"$share/results/file"; echo 0 >"$share/status"')
    assert ended == 0
    assert "not all results could be kept" in told and "Not a directory" in told


def test_a_host_without_room_is_a_sentence(monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/somewhere")

    monkeypatch.setattr(guest, "find_qemu", lambda: ["qemu"])
    monkeypatch.setattr(cache, "parts", full)
    monkeypatch.setattr(sys, "argv", ["vm.py", "run", "true"])
    assert vm.main() == 3
    assert capsys.readouterr().err == "vm: there can be no guest: /somewhere: No space left on device\n"


def test_a_cache_half_written_is_never_taken(tmp_path, monkeypatch):
    """The folder of a version has its name when it is whole."""
    monkeypatch.setattr(cache, "CACHE", tmp_path)
    monkeypatch.setattr(cache, "stock_kernel", lambda: "linux-image-6.1")

    def fails(_kernel, folder):
        (folder / "vmlinux").write_text("half")
        raise cache.Missing("apt-get: the network is away")

    monkeypatch.setattr(cache, "make", fails)
    with pytest.raises(cache.Missing, match="network"):
        cache.parts(lambda sentence: None)
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


FULL = "cat /dev/zero >/tmp/full; rm /tmp/full; echo kept >/run/results/file; exit 5"


@pytest.mark.skipif(not any((TREE / "build/vm").glob("linux-image-*")), reason="no kernel was fetched: make vm-check does")
@pytest.mark.parametrize("command, status, out, told", [
    ("uname -v; exit 5", 5, "Debian", ""),
    (FULL, 5, "No space left on device", "results: "),
    ("echo c >/proc/sysrq-trigger", 125, "", "Kernel panic"),
], ids=["status", "full disk", "panic"])
def test_a_real_guest(tmp_path, command, status, out, told):
    began = time.monotonic()
    ended = subprocess.run([sys.executable, str(TREE / "tests/vm/vm.py"), "--memory", "512", "--results", tmp_path, "run",
                            "sh", "-c", command], capture_output=True, text=True, timeout=500, check=False)
    assert ended.returncode == status, f"{ended.stdout}{ended.stderr} after {time.monotonic() - began:.0f} s"
    assert out in ended.stdout and told in ended.stderr
    assert [path.read_text() for path in tmp_path.glob("vm/*/file")] == (["kept\n"] if "kept" in command else [])
