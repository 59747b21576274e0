"""The fuzz targets (tests/fuzz): their named corpus is replayed, with the sanitizers too, and it is
what its script writes. `make fuzz` itself searches for more; here it shows that it can."""
import filecmp
import os
import shutil
import subprocess
import sys

import pytest
from conftest import BUILD, TREE

FUZZ = TREE / "tests" / "fuzz"
TARGETS = sorted(path.stem for path in FUZZ.glob("*.c") if path.stem != "replay")


def make(*arguments):
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    return subprocess.run([TREE / "deps" / "as-user", "make", *arguments], cwd=TREE, text=True,
                          env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, timeout=900)


def replay(build, target):
    files = sorted((FUZZ / "corpus" / target).iterdir())
    assert files
    ended = subprocess.run([build / "fuzz" / target, *files], capture_output=True, text=True,
                           timeout=300, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(ended.stdout.splitlines()) == len(files)


@pytest.mark.parametrize("target", TARGETS)
def test_corpus(target):
    replay(BUILD, target)


def test_corpus_with_sanitizers():
    built = make("BUILD=build/asan", "SANITIZE=1", "WERROR=1",
                 *(f"build/asan/fuzz/{target}" for target in TARGETS))
    if "cannot find" in built.stdout and "asan" in built.stdout:
        pytest.skip("the compiler has no sanitizer libraries")
    assert built.returncode == 0, built.stdout
    for target in TARGETS:
        replay(TREE / "build" / "asan", target)


def test_corpus_is_what_its_script_writes(tmp_path):
    subprocess.run([sys.executable, FUZZ / "make_corpus.py", tmp_path], check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == TARGETS
    for target in TARGETS:
        there, written = FUZZ / "corpus" / target, tmp_path / target
        names = sorted(path.name for path in there.iterdir())
        assert names == sorted(path.name for path in written.iterdir())
        _, differ, failed = filecmp.cmpfiles(there, written, names, shallow=False)
        assert not differ and not failed, f"{target}: run tests/fuzz/make_corpus.py tests/fuzz/corpus"


def test_fuzzers_run():
    """libFuzzer builds, begins with the corpus, and finds nothing in a moment."""
    if not shutil.which("clang"):
        pytest.skip("clang is not installed")
    seen = make("fuzz", "RUNS=2000")
    if "libclang_rt.fuzzer" in seen.stdout:
        pytest.skip("clang has no libFuzzer here (libclang-rt-dev)")
    assert seen.returncode == 0, seen.stdout[-3000:]
    for target in TARGETS:
        assert f"== {target}: 2000 runs" in seen.stdout
    assert seen.stdout.count("Done ") == len(TARGETS), seen.stdout[-3000:]
