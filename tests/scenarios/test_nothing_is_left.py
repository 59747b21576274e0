"""kill -9, Ctrl-C and failures at any moment: the kernel has removed everything."""
import os
import random
import signal
import subprocess
import time

import pytest
from conftest import BIN, TREE, eventually, host_state, lab_namespaces, left_of


class Started:
    def __init__(self, folder):
        self.marker = folder / "results"
        self.host = host_state()
        self.process = subprocess.Popen(
            [BIN / "sim", "run", "two-subnets", "lease-and-fetch", "release", "--results",
             self.marker], cwd=TREE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True)

    def wait(self, seconds):
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass

    def is_gone(self, namespaces):
        eventually(lambda: left_of(namespaces, self.marker), set())
        assert host_state() == self.host


@pytest.fixture
def started(tmp_path):
    """A run that has just begun."""
    begun = Started(tmp_path)
    yield begun
    if begun.process.poll() is None:
        begun.process.kill()
    begun.process.communicate()


@pytest.mark.parametrize("number", range(20))
def test_killed_at_a_random_moment(started, number):
    started.wait(random.Random(number).uniform(0, 1.5))
    started.process.send_signal(signal.SIGSTOP)  # so that nothing is made after we have looked
    namespaces = lab_namespaces(started.process.pid)
    started.process.send_signal(signal.SIGKILL)
    started.process.wait()
    started.is_gone(namespaces)


def test_the_check_above_sees_a_lab(started):
    """While it runs, what the checks look for is there."""
    eventually(lambda: len(lab_namespaces(started.process.pid)) > 29, True)
    namespaces = lab_namespaces(started.process.pid)
    assert {name.split(":")[0] for name in namespaces} >= {"net", "mnt", "pid"}
    assert left_of(namespaces, started.marker)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("moment", [0.02, 0.15, 0.6])
def test_interrupted(started, number, moment):
    started.wait(moment)
    namespaces = lab_namespaces(started.process.pid)
    begun = time.monotonic()
    os.killpg(started.process.pid, number)  # the terminal tells the whole group
    out, errors = started.process.communicate(timeout=60)
    assert time.monotonic() - begun < 30
    assert started.process.returncode == -number, (out, errors)  # as a shell expects
    if errors:
        assert errors.startswith("sim: interrupted; what was done so far is in ")
        assert len(errors.splitlines()) == 1
    started.is_gone(namespaces)


@pytest.fixture
def slow_dot(tmp_path, monkeypatch):
    """A Graphviz that never ends."""
    (tmp_path / "dot").write_text("#!/bin/sh\nexec sleep 1000\n")
    (tmp_path / "dot").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


def dots(parent):
    """The children of a running sim that draw."""
    try:
        children = open(f"/proc/{parent}/task/{parent}/children").read().split()
    except OSError:
        return []
    return [child for child in children if open(f"/proc/{child}/comm").read() == "sleep\n"]


def is_gone(process):
    try:
        return open(f"/proc/{process}/stat").read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_graphviz_that_never_ends(slow_dot, started, number):
    eventually(lambda: len(dots(started.process.pid)), 1)
    dot, = dots(started.process.pid)
    os.kill(started.process.pid, number)
    assert started.process.wait(30) == -number
    eventually(lambda: is_gone(dot), True)


def test_run_without_its_picture(slow_dot, sim):
    ended = sim("run", "two-subnets", "lease-and-fetch")
    ended.all_held()
    assert "(No picture:" in (ended.folder / "report.md").read_text()
