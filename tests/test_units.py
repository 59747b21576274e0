"""Every C unit test (tests/unit/*_test.c) is one test item."""
import subprocess

import pytest
from conftest import BUILD, TREE

NAMES = sorted(path.stem for path in (TREE / "tests" / "unit").glob("*_test.c"))


@pytest.mark.parametrize("name", NAMES)
def test_unit(name):
    ended = subprocess.run([BUILD / "tests" / name], capture_output=True, text=True, timeout=300,
                           cwd=TREE)
    assert ended.returncode == 0, ended.stdout + ended.stderr
