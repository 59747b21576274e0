"""What hostile programs, files and circumstances do to a run: it ends, says so, and leaves nothing."""
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import BIN, PAIR, TREE, eventually, need


def run_on_b(*commands):
    """A topology whose only scenario runs the shell commands on b, one after another."""
    steps = ", ".join("{on: b, run: %s}" % json.dumps(f"sh -c '{one}'") for one in commands)
    return PAIR % ("", steps)


def test_service_that_ignores_sigterm(sim, topology):
    """The lab's init cannot end before its maker has reaped what it started in there."""
    service = """{name: p, cmd: "sh -c 'trap : TERM; echo up; while :; do sleep 0.1; done'", ready: {log: up}}"""
    sim("run", topology(PAIR % (service, "{on: b, run: 'true'}")), timeout=20).all_held()


def test_lab_init_that_is_killed(tmp_path, topology):
    """With it dies all that runs in the lab; the next command cannot be born there."""
    path = topology(PAIR % ("", "{on: b, run: sleep 60, expect: {exit: 137}}, {on: b, run: 'true'}"))
    run = subprocess.Popen([BIN / "sim", "run", path, "--results", tmp_path / "results"], cwd=TREE,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def children(name):
        family = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        return [pid for pid in family if Path(f"/proc/{pid}/comm").read_text() == f"{name}\n"]

    eventually(lambda: len(children("sleep")), 1)
    os.kill(int(children("lab-init")[0]), signal.SIGKILL)
    _, errors = run.communicate(timeout=20)
    assert run.returncode == 3, errors
    assert errors == "sim: x: b: the lab's first process was killed, and all that ran in the lab with it\n"


def refused(ended, sentence):
    assert ended.status == 3, ended.stdout + ended.stderr
    assert ended.stderr.startswith("sim: ") and sentence in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_log_that_is_a_fifo(sim, topology):
    ended = sim("run", topology(run_on_b("mkfifo ../../logs/b.2-sh.log", "true")), timeout=20)
    refused(ended, "cannot write the log")
    (ended.results / "t" / os.listdir(ended.results / "t")[0] / "x/logs/b.2-sh.log").unlink()


@pytest.mark.parametrize("place", ["../../logs", "../b"])
def test_folder_replaced_by_a_link(sim, topology, tmp_path, place):
    (tmp_path / "outside").mkdir()
    replace = f"rm -rf {place}; ln -s {tmp_path}/outside {place}"
    refused(sim("run", topology(run_on_b(replace, "true")), timeout=20),
            "is not the folder that was made there")
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("place", ["mkfifo", "ln -s ../../outside"])
def test_files_of_the_run_in_whose_place_stands_something_else(sim, topology, tmp_path, place):
    (tmp_path / "results" / "t").mkdir(parents=True)
    (tmp_path / "results" / "outside").write_text("untouched")
    ended = sim("run", topology(run_on_b(
        "for name in report.md result.json manifest.json x/result.json; do "
        f"rm -f ../../../$name; {place} ../../../$name; done")), timeout=20)
    ended.all_held()
    assert ended.result("x")["held"]
    assert "# t" in (ended.folder / "report.md").read_text()
    assert (tmp_path / "results" / "outside").read_text() == "untouched"


@pytest.mark.parametrize("prepare, first, second, seen", [
    ("ln -s /dev d", "b:d/zero", "b:d/zero", "b:d/zero is not in the node's working directory"),
    ("mknod z c 1 5", "b:z", "b:z", "b:z is not a regular file"),
    ("true", "b:../../result.json", "b:x", "b:../../result.json is not in the node's working directory"),
    ("echo a > x; ln -s /etc/passwd y", "b:x", "b:y", "b:y is not in the node's working directory"),
    ("truncate -s 200G x; ln x y", "b:x", "b:y", "the time was over when the first"),
    ("echo ab > x; echo ac > y", "b:x", "b:y", "they differ at byte 1"),
    ("printf ab > x; printf abc > y", "b:y", "b:x", "b:x is shorter: it ends after 2 bytes"),
    ("mkdir d; echo a > d/x; ln -s d/x y", "b:y", "b:d/x", None),
    ("true > x; true > y", "b:x", "b:y", None),
])
def test_files_that_are_compared(sim, topology, prepare, first, second, seen):
    if "mknod" in prepare and os.geteuid() != 0:
        pytest.skip("only root makes a device")
    ended = sim("run", topology(PAIR % ("", "{on: b, run: \"sh -c '%s'\"}, "
                "{same-files: [\"%s\", \"%s\"], timeout: 0.2}" % (prepare, first, second))), timeout=20)
    assert ended.status == (1 if seen else 0), ended.stdout + ended.stderr
    assert not seen or seen in ended.stdout


def test_manifest_of_an_endless_file(sim, topology):
    ended = sim("run", topology(run_on_b("truncate -s 4T endless; echo a > short")), timeout=20)
    ended.all_held()
    files = json.loads((ended.folder / "manifest.json").read_text())["files"]
    assert files["x/nodes/b/endless"] == {"bytes": 4 << 40, "sha256": None}
    assert files["x/nodes/b/short"]["sha256"].startswith("87428fc522803d31")


def in_shell(command, *words, **options):
    return subprocess.run(["sh", "-c", command, "sh", *map(str, words)], capture_output=True, text=True,
                          timeout=30, **{"cwd": TREE, **options})


@pytest.mark.parametrize("closed, status", [("<&-", 0), (">&-", 3), ("2>&-", 0), ("<&- >&- 2>&-", 3)])
def test_standard_streams_that_are_closed(topology, tmp_path, closed, status):
    """Nothing that is opened later stands in their place, and is written to as if it were one."""
    path = topology(run_on_b("echo to out; echo to err >&2", "ls -l /proc/$PPID/fd; exit 3"))
    ended = in_shell(f'exec "$1" run "$2" --results "$3" {closed}', BIN / "sim", path, tmp_path / "results")
    assert ended.returncode == (status or 1)
    folder = (tmp_path / "results/t/latest").resolve()
    assert (folder / "x/logs/b.1-sh.log").read_text() == "to out\nto err\n"
    assert (folder / "topology.dot").read_text().endswith("}\n")
    for line in (folder / "x/events.jsonl").read_text().splitlines():
        json.loads(line)


def test_working_directory_that_is_gone(topology, tmp_path):
    path = topology(run_on_b("true"))
    ended = in_shell('mkdir gone && cd gone && rmdir ../gone && "$1" run "$2" --results "$3"',
                     BIN / "sim", path, tmp_path / "results", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("limit", [5, 20, 40])
def test_few_descriptors(topology, tmp_path, limit):
    need("prlimit")
    ended = subprocess.run(["prlimit", f"--nofile={limit}:{limit}", BIN / "sim", "run", topology(run_on_b("true")),
                            "--results", tmp_path / "results"], capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stderr) in (
        (0, ""), (3, "sim: this topology needs at least 37 open files, and "
                     f"{limit} are allowed (ulimit -Hn)\n"))
    assert (ended.returncode == 0) == (limit >= 40)


@pytest.mark.parametrize("prepare, sentence", [
    ("true", None),
    ("echo 2 > /proc/sys/user/max_net_namespaces", "see /proc/sys/user/max_net_namespaces"),
    ("echo 0 > /proc/sys/user/max_pid_namespaces", "see /proc/sys/user/max_{pid,mnt,ipc}_namespaces"),
    ("echo 0 > /proc/sys/user/max_uts_namespaces", "see /proc/sys/user/max_uts_namespaces"),
])
def test_root_of_a_user_namespace(topology, tmp_path, prepare, sentence):
    """That somebody else has made, and whose network is the host's."""
    need("unshare")
    if subprocess.run(["unshare", "-Ur", "true"], capture_output=True).returncode:
        pytest.skip("this system has no user namespaces for us")
    ended = subprocess.run(["unshare", "-Ur", "sh", "-c", f'{prepare}; exec "$@"', "sh", BIN / "sim", "run",
                            topology(run_on_b("true")), "--results", tmp_path / "results"],
                           capture_output=True, text=True, timeout=30)
    if not sentence:
        assert (ended.returncode, ended.stderr) == (0, "")
        return
    assert ended.returncode == 3 and sentence in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_texts_that_would_act_on_a_terminal(sim, topology):
    path = topology('name: t\ntopology: {nodes: {b: {run: [{name: p, cmd: "sleep 9 \\e[1m"}]}}}\nscenarios: {x: {'
                    'title: "\\e[31mred\\nline", steps: [{on: b, name: "\\e[5mname", run: "true", '
                    'expect: {output: "\\e[7m"}}]}}\n')
    ended = sim("run", path)
    assert ended.status == 1 and len(ended.stdout.splitlines()) == 7
    plan = sim("plan", path)
    wrong = sim("validate", topology('name: "\\e[2J\\nx"\ntopology: {nodes: {}}\n'))
    assert wrong.status == 2 and len(wrong.stderr.splitlines()) == 1
    assert "\x1b" not in ended.stdout + plan.stdout + wrong.stderr


@pytest.mark.parametrize("before", ["", "x"])
def test_sentence_that_is_cut_within_a_character(sim, topology, before):
    ended = sim("run", topology(PAIR % ("", "{on: b, run: %s}" % (before + "é" * 600))))
    step = ended.result("x")["steps"][0]
    assert not step["held"] and step["seen"].startswith("the command '" + before + "é")


def test_path_that_is_no_text(sim, topology, tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff\xfe.yaml"
    os.rename(topology(run_on_b("true")), path)
    ended = sim("run", path.decode(errors="surrogateescape"), "--json", errors="replace")
    assert ended.status == 0 and json.loads(ended.stdout)["held"]
    valid = subprocess.run([BIN / "sim", "validate", path, "--json"], capture_output=True, timeout=30)
    assert json.loads(valid.stdout)["valid"]


def test_path_that_is_longer_than_a_sentence(sim, topology, tmp_path):
    folder = tmp_path.joinpath(*["p" * 200] * 5)
    folder.mkdir(parents=True)
    (folder / "t.yaml").write_text("name: t\ntopolgy: {}\n")
    ended = sim("validate", folder / "t.yaml")
    assert ended.stderr.endswith("p/t.yaml:2:1: unknown key 'topolgy' in a topology file; did you mean 'topology'?\n")


def test_hard_link_to_a_file_of_the_host(sim, topology, tmp_path):
    """What belongs to the caller of sudo is what the run made."""
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    (tmp_path / "host").write_text("")
    ended = sim("run", topology(run_on_b(f"ln {tmp_path}/host linked; touch own")), timeout=20,
                env={**os.environ, "SUDO_UID": "1234", "SUDO_GID": "1234"})
    ended.all_held()
    assert (ended.folder / "x/nodes/b/own").stat().st_uid == 1234
    assert (tmp_path / "host").stat().st_uid == 0


def test_observer_that_is_stopped(tmp_path, topology):
    """As soon as it is there: it may be ready by then, or not."""
    run = subprocess.Popen([BIN / "sim", "run", topology(run_on_b("sleep 0.5")), "--results", tmp_path / "results"],
                           cwd=TREE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def observers():
        found = []
        for pid in Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split():
            try:
                if Path(f"/proc/{pid}/comm").read_text() == "sim-observer\n":
                    found.append(int(pid))
            except OSError:
                pass  # it has ended meanwhile
        return found

    eventually(lambda: bool(observers()), True, every=0)
    os.kill(observers()[0], signal.SIGSTOP)
    _, errors = run.communicate(timeout=30)
    assert run.returncode == 3
    assert errors in ("sim: x: the observer does not get ready\n",
                      "sim: x: the observer did not finish within 5000 ms\n")
