"""What a node is given besides its network: binds, sysctls, exec, workdir.

    a -- s -- b      one segment, 10.0.0.0/24
"""
import os
import subprocess
from pathlib import Path

import pytest

from conftest import BIN

TEXT = """name: t
topology:
  defaults: {%(defaults)s}
  nodes:
    s: {kind: switch, ipv4: 10.0.0.0/24}
    a: {%(a)s}
    b: {%(b)s}
  links: [{endpoints: [a, s]}, {endpoints: [b, s]}]
scenarios:
  x: {title: X, steps: [%(steps)s]}
"""

ORDINARY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
            "--bounding-set=-all"]


def text(defaults="", a="", b="", steps="{on: a, run: 'true'}"):
    return TEXT % {"defaults": defaults, "a": a, "b": b, "steps": steps}


@pytest.fixture(params=["root", "ordinary"])
def run(request, tmp_path, topology):
    """Run a topology as root and as an ordinary user; what is in its folder is that user's."""
    if request.param == "ordinary" and os.geteuid() != 0:
        pytest.skip("the tests run as an ordinary user: the other case is that")
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.name.startswith(("pytest-", "popen-", "test_")):
            folder.chmod(folder.stat().st_mode | 0o055)

    def carry_out(content):
        path = topology(content)
        if request.param == "ordinary":
            tmp_path.chmod(0o777)
            for entry in tmp_path.rglob("*"):
                os.chown(entry, 65534, 65534)
        words = ORDINARY if request.param == "ordinary" else []
        ended = subprocess.run(
            [*words, BIN / "sim", "run", "--results", tmp_path / "results", path],
            capture_output=True, text=True, timeout=60, cwd="/")
        ended.logs = {log.name: log.read_text()
                      for log in (tmp_path / "results").glob("t/latest/x/logs/*")}
        return ended

    return carry_out


def held(ended):
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.logs


def test_binds(run, tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "of.txt").write_text("of the host\n")
    (tmp_path / "hosts").write_text("10.9.9.9 elsewhere\n")
    logs = held(run(text(
        defaults="binds: ['conf:/run/conf:ro']",
        a="binds: ['conf:/tmp/deep/er', 'hosts:/etc/hosts:ro', 'conf/of.txt:/run/file']",
        steps="{on: a, run: \"sh -c 'cat /run/conf/of.txt /tmp/deep/er/of.txt /run/file /etc/hosts'\"},"
              "{on: [a, b], run: touch /run/conf/new, expect: {exit: 1, output: Read-only file system}},"
              "{on: a, run: touch /tmp/deep/er/new}, {on: b, run: ls /run/conf, expect: {output: new}}")))
    assert logs["a.1-sh.log"] == "of the host\n" * 3 + "10.9.9.9 elsewhere\n"
    assert (tmp_path / "conf" / "new").exists()


def test_a_mount_point_is_made_in_no_folder_of_the_host(run, tmp_path):
    """/var/tmp is the host's: reached by a link from a place where one may be made, it is not."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "out").symlink_to("/var/tmp")
    ended = run(text(a="binds: ['sub:/run/sub', 'sub:/run/sub/out/t-of-the-test']"))
    assert ended.returncode == 3
    assert "there is no such path, and it cannot be made outside of the node's own" in ended.stderr
    assert not Path("/var/tmp/t-of-the-test").exists()


def test_sysctls(run):
    before = {path: Path(path).read_text() for path in ("/proc/sys/kernel/shmmni", "/proc/sys/kernel/domainname")}
    show = "{on: [a, b], run: cat /proc/sys/net/ipv4/tcp_sack /proc/sys/net/ipv4/conf/eth0/rp_filter" \
           " /proc/sys/net/ipv4/conf/eth0/log_martians /proc/sys/kernel/shmmni /proc/sys/kernel/domainname}"
    ended = run(text(
        defaults="sysctls: {net.ipv4.tcp_sack: 0, net.ipv4.conf.default.rp_filter: 2}",
        a="sysctls: {net.ipv4.tcp_sack: 1, net.ipv4.conf.eth0.log_martians: 1, kernel.shmmni: 17,"
          " kernel.domainname: lab}", steps=show))
    if "sysctl kernel.shmmni: it cannot be written" in ended.stderr:
        pytest.skip("this kernel lets only root set the limits of a node's IPC namespace")
    logs = held(ended)
    host = before["/proc/sys/kernel/shmmni"], before["/proc/sys/kernel/domainname"]
    assert logs["a.1-cat.log"].split() == ["1", "2", "1", "17", "lab"]
    assert logs["b.1-cat.log"] == "0\n2\n0\n" + host[0] + host[1]
    assert {path: Path(path).read_text() for path in before} == before


@pytest.mark.parametrize("sysctl, sentence", [
    ("net.ipv4.no_such: 1", "node a: sysctl net.ipv4.no_such: a node has no such setting on this kernel"),
    ("net.ipv4.tcp_congestion_control: nosuch",
     "node a: sysctl net.ipv4.tcp_congestion_control: the kernel does not take 'nosuch'"),
    ("net.ipv4.ip_local_port_range: 9 1", "the kernel does not take '9 1': Invalid argument"),
])
def test_sysctl_that_cannot_be(run, sysctl, sentence):
    ended = run(text(a=f"sysctls: {{{sysctl}}}"))
    assert ended.returncode == 3
    assert sentence in ended.stderr


def test_exec(run):
    """In their order, those of defaults first, before the services; each node by itself."""
    logs = held(run(text(
        defaults="exec: [sh -c 'echo 1 > /run/order']",
        a="exec: [sh -c 'echo 2 >> /run/order', ip route add blackhole 10.9.0.0/16],"
          " run: [{name: w, cmd: \"sh -c 'cat /run/order; echo up; exec sleep 99'\", ready: {log: up}}]",
        steps="{on: a, run: ip route, expect: {output: blackhole 10.9.0.0/16}},"
              "{on: b, run: cat /run/order}")))
    assert logs["a.w.log"] == "1\n2\nup\n"
    assert logs["b.2-cat.log"] == "1\n"


@pytest.mark.parametrize("command, seen", [
    ("sh -c 'echo no >&2; exit 3'", "it ended with exit status 3; last printed 'no'"),
    ("no-such-command", "the command 'no-such-command' does not exist"),
])
def test_exec_that_fails(sim, topology, command, seen):
    path = topology(text(a=f"exec: ['true', \"{command}\", touch never]"))
    ended = sim("run", path)
    assert ended.status == 1
    assert f"exec of a: {command}" in ended.stdout
    assert seen in ended.stdout
    assert not list(ended.folder.rglob("never"))


def test_workdir(run):
    logs = held(run(text(a="workdir: sub/dir, files: {x: y}", b="workdir: /run",
                         steps="{on: [a, b], run: \"sh -c 'pwd; echo $PWD'\"}")))
    inside = logs["a.1-sh.log"].splitlines()
    assert inside[0] == inside[1] and inside[0].endswith("/x/nodes/a/sub/dir")
    assert logs["b.1-sh.log"] == "/run\n/run\n"


def test_workdir_that_is_not_there(sim, topology):
    ended = sim("run", topology(text(a="workdir: /run/none")))
    assert ended.status == 1
    assert "cannot work in '/run/none' of the node: No such file or directory" in ended.stdout


def test_shared_memory_of_a_lab_is_its_own(run):
    """System V shared memory outlives processes, and would outlive the lab."""
    need = subprocess.run(["ipcs", "-m"], capture_output=True, text=True, timeout=10).stdout
    held(run(text(steps="{on: a, run: ipcmk -M 4096}, {on: b, run: ipcs -m, expect: {output: '4096'}}")))
    assert subprocess.run(["ipcs", "-m"], capture_output=True, text=True, timeout=10).stdout == need


def test_plan_shows_them(sim, topology):
    path = topology(text(a="binds: ['/usr:/mnt:ro'], sysctls: {net.ipv4.tcp_sack: 0}, exec: [echo 'a b'],"
                           " workdir: w, cpu: 0.5, memory: 256MB"))
    shown = sim("plan", path).stdout
    for line in ("bind     /usr at /mnt, read-only", "sysctl   net.ipv4.tcp_sack = 0", "exec     echo 'a b'",
                 "workdir  w", "cpu      0.5 of a processor", "memory   256000000 bytes"):
        assert f"a     {line}\n" in shown
