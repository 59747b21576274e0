"""`./sim`, the launcher, and deps/install behind it, in a small tree of their own: their scripts are
the real ones, the Makefile notes each build, and PATH holds nothing but what we put there. apt-get,
dpkg-query, sudo and id are played: what they would change belongs to the machine.
"""
import os
import shutil
import stat
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# What is on every Debian, however small, and make.
TOOLS = """cat chown cp dirname env find flock getent grep head ln make mkdir mktemp mv printf readlink
rm sed setpriv sh tail test touch tr true""".split()

MAKEFILE = """\
all: build/bin/sim
build/bin/sim: core/sim.sh
	@mkdir -p build/bin
	@echo one >>build/builds
	@[ ! -p hold ] || read line <hold
	@grep -q '^#!' $< || { echo "core/sim.sh:1: error: no program" >&2; exit 1; }
	@cp $< $@
"""
PROGRAM = """\
#!/bin/sh
printf 'program %s:' $$
printf ' <%s>' "$@"
echo
exit 1
"""

# dpkg-query has every package but those in the file `missing`; apt-get takes from it what it
# installs and brings the command of that name.
DPKG_QUERY = """\
for package; do
	case $package in -*|'${'*) continue ;; esac
	grep -qx "$package" "$STAGE/missing" || printf 'installed:%s ' "$package"
done
"""
APT_GET = """\
echo "$*" >>"$STAGE/apt"
[ ! -e "$STAGE/apt-fails" ] || { echo 'E: Unable to locate package gcc'; exit 100; }
case " $* " in *' update '*)
	rm -f "$STAGE/apt-stale"
	exit 0
esac
[ ! -e "$STAGE/apt-stale" ] || { echo 'E: Failed to fetch'; exit 100; }
for package; do
	grep -vx "$package" "$STAGE/missing" >"$STAGE/left"
	mv "$STAGE/left" "$STAGE/missing"
	[ ! -e "$STAGE/kept/$package" ] || mv "$STAGE/kept/$package" "$STAGE/bin/$package"
done
"""


def eventually(probe, seconds=15.0):
    deadline = time.monotonic() + seconds
    while not (seen := probe()):
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)
    return seen


class Stage:
    """A tree with a launcher, and the PATH it runs with."""

    def __init__(self, folder):
        self.folder, self.tree, self.bin = folder, folder / "a tree", folder / "bin"
        for each in (self.tree / "core", self.tree / "deps", self.bin, folder / "kept"):
            each.mkdir(parents=True)
        shutil.copy(ROOT / "sim", self.tree)
        for script in ("install", "as-user", "build"):
            shutil.copy(ROOT / "deps" / script, self.tree / "deps")
        (self.tree / "Makefile").write_text(MAKEFILE)
        self.source = self.tree / "core" / "sim.sh"
        self.write_source(PROGRAM)
        for tool in TOOLS:
            os.symlink(shutil.which(tool), self.bin / tool)
        self.play("dpkg-query", DPKG_QUERY)
        self.play("apt-get", APT_GET)
        self.play("pkg-config", "exit 1")
        self.be("user")
        (folder / "missing").write_text("")

    def play(self, name, body):
        (self.bin / name).write_text(f"#!/bin/sh\n{body}\n")
        (self.bin / name).chmod(0o755)

    def be(self, who):
        """A user (without sudo), or root."""
        self.play("id", f"echo {0 if who == 'root' else 1000}")

    def lack(self, *packages):
        (self.folder / "missing").write_text("".join(f"{each}\n" for each in packages))
        for each in packages:
            if (self.bin / each).exists():
                (self.bin / each).rename(self.folder / "kept" / each)

    def write_source(self, text):
        self.source.write_text(text)
        self.source.chmod(0o755)

    def environment(self):
        return {"PATH": str(self.bin), "STAGE": str(self.folder), "TMPDIR": str(self.folder)}

    def start(self, *arguments, command=None, **more):
        return subprocess.Popen([command or self.tree / "sim", *arguments], text=True, cwd="/",
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env={**self.environment(), **more})

    def run(self, *arguments, **more):
        process = self.start(*arguments, **more)
        process.stdout_text, process.stderr_text = process.communicate(timeout=60)
        return process

    def builds(self):
        notes = self.tree / "build" / "builds"
        return notes.read_text().count("\n") if notes.exists() else 0

    def apt(self):
        notes = self.folder / "apt"
        return notes.read_text().splitlines() if notes.exists() else []

    def age(self, *paths):
        """Let these files be an hour old."""
        for each in paths:
            os.utime(each, (time.time() - 3600,) * 2)


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path)


def said(process, *arguments, program="program"):
    """What the program prints, as the very process that was the launcher."""
    return f"{program} {process.pid}:" + "".join(f" <{each}>" for each in arguments) + "\n"


def ran(process):
    """The program ran, with our arguments, and its exit status is ours."""
    return process.stdout_text == said(process, *ARGUMENTS) and process.returncode == 1


ARGUMENTS = ("list", "--json", "a b")


def test_builds_and_becomes_the_program(stage):
    first = stage.run(*ARGUMENTS)
    assert ran(first) and first.stderr_text == "sim: building...\n"
    again = stage.run(*ARGUMENTS)
    assert ran(again) and again.stderr_text == ""
    assert stage.builds() == 1 and stage.apt() == []


def test_the_tab_key_builds_nothing(stage):
    """Where there is no program there is nothing to complete; an old one knows most."""
    first = stage.run("complete", "")
    assert (first.returncode, first.stdout_text + first.stderr_text, stage.builds()) == (3, "", 0)
    stage.run()
    stage.age(stage.tree / "build" / ".built", stage.tree / "build" / "bin" / "sim")
    stage.source.touch()
    again = stage.run("complete", "ru", "")
    assert (again.stdout_text, again.stderr_text) == (said(again, "complete", "ru", ""), "")
    assert stage.builds() == 1


def test_is_found_through_symlinks(stage):
    folder = stage.folder / "elsewhere"
    folder.mkdir()
    (folder / "one").symlink_to(Path("..") / "a tree" / "sim")
    (folder / "two").symlink_to("one")
    assert ran(stage.run(*ARGUMENTS, command=folder / "two")) and stage.builds() == 1


@pytest.mark.parametrize("change", ["source", "Makefile", "binary", "new file", "removed file"])
def test_a_stale_program_is_built_again(stage, change):
    other = stage.tree / "core" / "other.sh"
    other.write_text("")
    stage.run()
    stage.age(stage.source, other, stage.tree / "core", stage.tree / "Makefile",
              stage.tree / "build" / "bin" / "sim")
    if change == "source":
        stage.write_source(PROGRAM.replace("program", "changed"))
    elif change == "Makefile":
        (stage.tree / "Makefile").touch()
    elif change == "binary":
        (stage.tree / "build" / "bin" / "sim").unlink()
    elif change == "new file":
        (stage.tree / "core" / "new.sh").write_text("")
    else:
        other.unlink()
    stage.age(stage.tree / "build" / ".built")
    if change == "binary":
        os.utime(stage.tree / "build" / ".built")
    seen = stage.run("x")
    assert seen.stderr_text == "sim: building...\n"
    program = "changed" if change == "source" else "program"
    assert seen.stdout_text == said(seen, "x", program=program)
    assert stage.run("x").stderr_text == ""


def test_a_failed_build_does_not_run_the_old_program(stage):
    stage.run()
    stage.age(stage.tree / "build" / ".built", stage.tree / "build" / "bin" / "sim")
    stage.write_source("nothing\n")
    seen = stage.run()
    assert seen.returncode == 3 and seen.stdout_text == ""
    assert "core/sim.sh:1: error: no program" in seen.stderr_text
    assert "sim: the program of an earlier build is not used" in seen.stderr_text
    log = stage.tree / "build" / "build.log"
    assert seen.stderr_text.endswith(f"sim: the build failed; all it said is in {log}\n")
    assert "error: no program" in log.read_text()
    assert stage.run().returncode == 3, "the second time as the first"
    stage.write_source(PROGRAM)
    assert ran(stage.run(*ARGUMENTS))


def test_a_make_above_does_not_tell_ours_what_to_do(stage):
    seen = stage.run(*ARGUMENTS, MAKEFLAGS="n -j7 --jobserver-auth=98,99", MAKELEVEL="1")
    assert ran(seen) and stage.builds() == 1


@pytest.mark.parametrize("sudo, command", [
    (None, "su -c 'apt-get update && apt-get install --no-install-recommends make gcc libmnl-dev'"),
    ("exit 1",
     "sudo sh -c 'apt-get update && apt-get install --no-install-recommends make gcc libmnl-dev'"),
])
def test_a_user_who_may_not_install_is_told_the_command(stage, sudo, command):
    if sudo:
        stage.play("sudo", sudo)
    stage.lack("make", "gcc", "libmnl-dev")
    seen = stage.run()
    assert seen.stderr_text == (
        "sim: missing: make gcc libmnl-dev\n"
        "sim: an administrator installs them with:\n"
        f"    {command}\n")
    assert seen.returncode == 3 and stage.apt() == [] and not (stage.tree / "build").exists()


def test_what_is_there_without_its_package_is_good_enough(stage):
    (stage.folder / "missing").write_text("make\nlibmnl-dev\ngraphviz\n")
    stage.play("dot", "")
    stage.play("pkg-config", '[ "$*" = "--exists libmnl" ]')
    assert ran(stage.run(*ARGUMENTS))


@pytest.mark.parametrize("sudo", [False, True])
def test_installs_what_is_missing(stage, sudo):
    if sudo:
        stage.play("sudo", 'echo "$*" >>"$STAGE/sudo"; shift; exec "$@"')
    else:
        stage.be("root")
    stage.lack("make", "gcc")
    seen = stage.run(*ARGUMENTS)
    assert seen.stderr_text == "sim: installing: make gcc\nsim: building...\n"
    assert ran(seen) and len(stage.apt()) == 1
    install = stage.apt()[0]
    assert install.endswith("install -y --no-install-recommends --no-remove make gcc")
    assert "DPkg::Lock::Timeout=120" in install
    assert (stage.folder / "sudo").exists() == sudo


def test_old_package_lists_are_fetched_again(stage):
    stage.be("root")
    stage.lack("make")
    (stage.folder / "apt-stale").write_text("")
    assert ran(stage.run(*ARGUMENTS))
    assert [line.split()[3] for line in stage.apt()] == ["install", "update", "install"]


def test_a_failed_installation_says_why(stage):
    stage.be("root")
    stage.lack("gcc")
    (stage.folder / "apt-fails").write_text("")
    seen = stage.run()
    assert seen.returncode == 3 and stage.builds() == 0
    assert seen.stderr_text.endswith("sim: cannot install gcc: Unable to locate package gcc\n")


def test_a_system_without_apt_is_told_what_to_look_for(stage):
    for tool in ("apt-get", "dpkg-query", "make"):
        (stage.bin / tool).unlink()
    for tool in ("cc", "dot"):
        stage.play(tool, "")
    stage.play("pkg-config", '[ "$*" != "--exists libmnl" ]')
    stage.be("root")
    seen = stage.run()
    assert seen.stderr_text == (
        "sim: this system has no apt-get; install by its own means:\n"
        "    command make (in Debian: make)\n"
        "    library libmnl, with its headers (in Debian: libmnl-dev)\n")
    assert seen.returncode == 3


def test_two_at_once_build_once(stage):
    os.mkfifo(stage.tree / "hold")
    first = stage.start("first")
    eventually(lambda: stage.builds() == 1)
    second = stage.start("second")
    assert second.stderr.readline() == "sim: waiting for the build that is going on\n"
    (stage.tree / "hold").write_text("go\n")
    assert first.communicate(timeout=60) == (said(first, "first"), "sim: building...\n")
    assert second.communicate(timeout=60) == (said(second, "second"), "")
    assert stage.builds() == 1


def test_a_source_changed_during_the_build_is_built_next_time(stage):
    os.mkfifo(stage.tree / "hold")
    first = stage.start()
    eventually(lambda: stage.builds() == 1)
    (stage.tree / "core" / "late.sh").write_text("")
    (stage.tree / "hold").write_text("go\n")
    first.communicate(timeout=60)
    assert stage.run().stderr_text == "sim: building...\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can show that root builds as the user")
@pytest.mark.parametrize("earlier", [False, True], ids=["new", "after a build of root's"])
def test_under_sudo_the_build_is_the_users(earlier):
    user, group = 12345, 23456
    # pytest's own folders are closed to other users.
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        shutil.rmtree(stage.folder / "kept")
        (stage.bin / "id").unlink()
        os.symlink(shutil.which("id"), stage.bin / "id")
        stage.folder.chmod(0o755)
        for path in (stage.tree, *stage.tree.rglob("*")):
            os.chown(path, user, group)
        if earlier:
            stage.run()
            (stage.tree / "build" / ".built").unlink()
            (stage.tree / "build" / "bin" / "sim").unlink()
        seen = stage.run(*ARGUMENTS, SUDO_UID=str(user), SUDO_GID=str(group))
        assert ran(seen), seen.stderr_text
        for path in (stage.tree / "build", *(stage.tree / "build").rglob("*")):
            assert (path.stat().st_uid, path.stat().st_gid) == (user, group), path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can have a tree that is not the user's")
def test_under_sudo_a_tree_of_roots_is_built_by_root(stage):
    (stage.bin / "id").unlink()
    os.symlink(shutil.which("id"), stage.bin / "id")
    assert ran(stage.run(*ARGUMENTS, SUDO_UID="12345", SUDO_GID="23456"))
    assert (stage.tree / "build").stat().st_uid == 0


def test_the_launcher_adds_less_than_20_ms(stage):
    def quickest(command):
        times = []
        for _ in range(20):
            begin = time.monotonic()
            subprocess.run([command], stdout=subprocess.DEVNULL, env=stage.environment(), check=False)
            times.append(time.monotonic() - begin)
        return min(times)
    # The real number of sources to look at.
    shutil.copytree(ROOT / "core", stage.tree / "core" / "real")
    stage.run()
    added = quickest(stage.tree / "sim") - quickest(stage.tree / "build" / "bin" / "sim")
    assert added < 0.020, f"{added * 1000:.1f} ms"


@pytest.mark.parametrize("script", ["sim", "deps/install", "deps/as-user", "deps/with-judges",
                                    "tests/lint/format", "tests/lint/cppcheck", ".ci/run"])
def test_scripts_are_executable(script):
    assert (ROOT / script).stat().st_mode & stat.S_IXUSR
