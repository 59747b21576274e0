"""pytest, as whoever writes topologies uses it: in a folder of one's own."""
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BIN

HERE = Path(__file__).resolve().parent
LESSON = """
name: lesson
vars: {word: hello}
topology: {nodes: {one: {}}}
scenarios:
  says-it:
    title: One says hello
    steps:
      - {on: one, run: "echo ${word}", expect: {output: hello}}
  ends-so:
    title: Its exit status is what it is
    steps:
      - {on: one, run: "sh -c 'exit 3'", expect: {exit: 3}}
"""


class Folder:
    """A folder with the topology file lesson.yaml; called with words, it runs pytest there."""

    def __init__(self, path):
        self.path = path
        (path / "lesson.yaml").write_text(LESSON)

    def words(self, *words, plugin=("-p", "pytest_sim")):
        return [sys.executable, "-m", "pytest", *plugin, "-p", "no:cacheprovider",
                f"--basetemp={self.path}/temp", *words]

    def environment(self, path=HERE, **changes):
        return {**os.environ, "PYTHONPATH": f"{path}:{os.environ.get('PYTHONPATH', '')}",
                "SIM": str(BIN / "sim"), **changes}

    def __call__(self, *words, plugin=("-p", "pytest_sim"), path=HERE, **changes):
        return subprocess.run(self.words(*words, plugin=plugin), capture_output=True, text=True, timeout=300,
                              check=False, cwd=self.path, env=self.environment(path, **changes))

    def start(self, *words):
        """Goes on by itself, in a session of its own; it hears an interrupt."""
        return subprocess.Popen(self.words(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                cwd=self.path, env=self.environment(), start_new_session=True,
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))

    def test(self, text, name="test_it.py"):
        """Write a file of tests."""
        (self.path / name).write_text("import os, pytest\nfrom pytest_sim import eventually\n" + text)
        return name


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)
