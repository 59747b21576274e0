"""The tree builds without a warning with both compilers, and `make` keeps what it says about itself.
The builds lie beside the ordinary one and are kept, so that the next time only what changed is built.
"""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def make(*arguments, become=(ROOT / "deps" / "as-user",)):
    """As the user who called sudo, where one did: the build is that user's."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    return subprocess.run([*become, "make", *arguments], cwd=ROOT, text=True, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          timeout=900)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_builds_without_a_warning(compiler):
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not installed")
    options = (f"BUILD=build/{compiler}-werror", f"CC={compiler}", "WERROR=1")
    seen = make(*options, "all", "units")
    assert seen.returncode == 0, seen.stdout
    again = make(*options, "-q", "all", "units")
    assert again.returncode == 0, "a second make would build again:\n" + again.stdout


def test_sanitizers_find_nothing(tmp_path):
    """Every unit test and the main job with ASan and UBSan. The whole suite with them:
    make BUILD=build/asan SANITIZE=1 all units && SIM_BUILD=build/asan make tests"""
    seen = make("BUILD=build/asan", "SANITIZE=1", "WERROR=1", "all", "units")
    if "cannot find" in seen.stdout and "asan" in seen.stdout:
        pytest.skip("the compiler has no sanitizer libraries")
    assert seen.returncode == 0, seen.stdout
    build = ROOT / "build" / "asan"
    for test in sorted((build / "tests").glob("*_test")):
        ended = subprocess.run([test], cwd=ROOT, text=True, capture_output=True, timeout=300,
                               check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
    ended = subprocess.run([build / "bin" / "sim", "run", "two-subnets", "--results", tmp_path],
                           cwd=ROOT, text=True, capture_output=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    for log in tmp_path.rglob("*.log"):
        assert "Sanitizer" not in log.read_text() and "runtime error" not in log.read_text(), log


def test_every_function_has_a_name_of_its_own():
    """Of two in the archive a program would silently get the first."""
    if not shutil.which("nm"):
        pytest.skip("nm is not installed")
    build = ROOT / os.environ.get("SIM_BUILD", "build")
    listed = subprocess.run(["nm", "--defined-only", "--extern-only", build / "core.a"], text=True,
                            capture_output=True, timeout=60, check=True).stdout
    names = [line.split()[2] for line in listed.splitlines()
             if re.match(r"[0-9a-f]+ [TDBR] (?!__)", line)]
    assert len(names) > 500
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_installs_what_users_have_and_removes_it_again(tmp_path):
    (tmp_path / "opt/sim/share/man/man1").mkdir(parents=True)
    (tmp_path / "opt/sim/share/man/man1/other.1").write_text("of another\n")
    seen = make("install", f"DESTDIR={tmp_path}", "PREFIX=/opt/sim", become=())
    assert seen.returncode == 0, seen.stdout

    def installed():
        return {str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777
                for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink() and path.name != "other.1"}

    files = installed()
    programs = ("sim", "dhcp-server", "dhcp-client", "dhcp-relay", "ftp-server", "ftp-client")
    expected = {f"opt/sim/bin/{name}": 0o755 for name in programs}
    expected |= {f"opt/sim/share/sim/topologies/{path.name}": 0o644
                 for path in (ROOT / "topologies").iterdir() if path.suffix != ".md"}
    pages = ("sim.1", "ftp-client.1", "sim-topology.5", "sim-pytest.7", "dhcp-server.8", "dhcp-client.8", "dhcp-relay.8", "ftp-server.8")
    expected |= {f"opt/sim/share/man/man{page[-1]}/{page}": 0o644 for page in pages}
    expected["opt/sim/share/bash-completion/completions/sim"] = 0o644
    links = {path.name: os.readlink(path) for path in tmp_path.rglob("*") if path.is_symlink()}
    assert links == dict.fromkeys(programs[1:], "sim")
    # The plugin is where Python looks, which depends on its version.
    plugin = {path for path in files if "/dist-packages/pytest_sim" in path}
    modules = [path.name for path in (ROOT / "tests/plugin/pytest_sim").glob("*.py")]
    assert sorted(Path(path).name for path in plugin) == sorted(["METADATA", "entry_points.txt", *modules])
    assert {path: mode for path, mode in files.items() if path not in plugin} == expected
    seen = make("uninstall", f"DESTDIR={tmp_path}", "PREFIX=/opt/sim", become=())
    assert seen.returncode == 0, seen.stdout
    assert installed() == {} and not any(path.is_symlink() for path in tmp_path.rglob("*"))
    assert (tmp_path / "opt/sim/share/man/man1/other.1").exists()
    assert not (tmp_path / "opt/sim/share/sim").exists()
    # Where there is no Python, and where there is nothing any more.
    for target in ("install", "uninstall", "uninstall"):
        seen = make(target, f"DESTDIR={tmp_path}", "PREFIX=/opt/sim", "PYTHON=", become=())
        assert seen.returncode == 0, seen.stdout
        assert not [path for path in installed() if "python" in path]
    assert installed() == {}


def test_help_names_every_target_there_is():
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY:((?:.*\\\n)*.*)$", text, re.M).group(1).replace("\\\n", " ").split()
    listed = [line.split()[0] for line in make("help").stdout.splitlines()]
    assert sorted(listed) == sorted(name for name in phony if not name.startswith("lint-"))


def test_every_library_has_its_package():
    """What the Makefile asks pkg-config for, deps/build installs."""
    wanted = re.search(r"^PACKAGES = (.*)$", (ROOT / "Makefile").read_text(), re.M).group(1).split()
    brought = re.findall(r"^\S+ +pc:(\S+)", (ROOT / "deps" / "build").read_text(), re.M)
    assert sorted(brought) == sorted(wanted)
