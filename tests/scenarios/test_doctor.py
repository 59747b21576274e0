"""sim doctor: each feature is really tried: where it is taken away, and only there, it is missing."""
import ctypes
import json
import os
import resource
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from conftest import BIN, TREE, host_state, need

SIM = str(BIN / "sim")
FEATURES = {"name", "for", "tried", "state", "found", "costs", "mend"}
LIMITS = {"name", "where", "allowed", "needed", "enough", "of", "costs", "mend"}
TOOLS = {"name", "there", "costs", "package"}


def ask(*before, **options):
    """`sim doctor --json`, behind other words; its exit status is what it says."""
    ended = subprocess.run([*before, SIM, "doctor", "--json"], capture_output=True, text=True, timeout=120, **options)
    assert ended.stderr == "", ended.stderr
    doctor = json.loads(ended.stdout)
    assert ended.returncode == (0 if doctor["able"] else 3)
    return doctor


def missing(doctor):
    return {row["name"] for row in doctor["features"] if row["state"] != "holds"}


@pytest.fixture(scope="module")
def here():
    """What this machine has as it is."""
    doctor = ask()
    assert doctor["able"], missing(doctor)
    return doctor


def test_shape(here):
    assert here["root"] == (os.geteuid() == 0) and here["kernel"].startswith("Linux ")
    assert len(here["features"]) > 20
    for row in here["features"]:
        assert set(row) == FEATURES and row["for"] in ("every lab", "some labs")
        assert row["state"] in ("holds", "missing", "untried") and row["tried"] and row["costs"]
        assert bool(row["mend"]) == bool(row["found"]) == (row["state"] == "missing"), row
    for row in here["limits"]:
        assert set(row) == LIMITS and row["of"] in ("sim", "programs")
        assert row["enough"] == (row["allowed"] is None or row["allowed"] >= row["needed"])
        assert bool(row["mend"]) != row["enough"]
    for row in here["tools"]:
        assert set(row) == TOOLS and row["there"] == bool(shutil.which(row["name"], path=f"{os.environ['PATH']}:/usr/sbin:/sbin"))
    assert 0 < here["nodes"]["running"] <= here["nodes"]["bare"]


def test_text(here):
    """The same facts for people: what holds in a line or two, and of what does not what it costs and how to mend it."""
    ended = subprocess.run([SIM, "doctor"], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stderr) == (0, "")
    words = " ".join(ended.stdout.split())
    assert "sim can build labs here, as " + ("root" if here["root"] else "this user") in words
    for row in here["features"]:
        assert row["name"] in words
        if row["state"] == "missing":
            for part in ("tried", "found", "costs", "mend"):
                assert row[part] in words
    for row in here["limits"]:
        assert row["enough"] or (row["mend"] in ended.stdout and row["costs"] in words)
    for row in here["tools"]:
        assert row["there"] or f"sudo apt-get install {row['package']}" in ended.stdout
    assert all(len(line) <= 100 or "mend" in line for line in ended.stdout.splitlines())


def test_a_kind_that_the_kernel_lacks_is_what_it_says(here):
    """The kernel's own answer, and none of ours to another question."""
    for row in here["features"]:
        if row["name"] in ("netem", "VLAN", "VRF", "dummy interfaces") and row["state"] == "missing":
            assert "the kernel has no " in row["found"], row


def groups():
    return {path for path in Path("/sys/fs/cgroup").rglob("sim.*") if path.is_dir()} if os.path.isdir("/sys/fs/cgroup") else set()


def test_nothing_is_left(tmp_path):
    before = host_state(), groups(), set(os.listdir("/tmp"))
    ask(cwd=tmp_path)
    links, mounts = host_state()
    assert (links, mounts) == before[0]
    assert groups() <= before[1]
    assert not [name for name in set(os.listdir("/tmp")) - before[2] if "doctor" in name]
    assert not list(tmp_path.iterdir())
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                assert b"doctor\0--json" not in (entry / "cmdline").read_bytes() or other(entry)
            except OSError:
                continue


def other(entry):
    """Of another test, that runs beside this one."""
    return os.getpgid(int(entry.name)) != os.getpgid(0) or (entry / "stat").read_text().split()[3] != "1"


def test_as_an_ordinary_user(here):
    if os.geteuid() != 0:
        pytest.skip("these tests are an ordinary user's already")
    doctor = ask("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    assert not doctor["root"] and doctor["able"]
    assert missing(doctor) - missing(here) <= {"limits on processes", "limits on memory", "limits on processors"}
    for row in doctor["features"]:
        if row["name"] in missing(doctor) - missing(here):
            assert "systemd-run" in row["mend"]


class filtered:
    """A seccomp filter: a system call is refused where, if that is given, an argument has a value. As containers do."""

    ARGUMENT = 16  # of struct seccomp_data; each has 8 bytes, the low ones first on the machines we have

    def __init__(self, *calls, code):
        self.program = b""
        for number, arguments in calls:
            checks = [(0, number), *((self.ARGUMENT + 8 * at, value) for at, value in arguments.items())]
            for i, (offset, value) in enumerate(checks):
                skipped = 2 * (len(checks) - i - 1) + 1
                self.program += struct.pack("=HBBI", 0x20, 0, 0, offset)  # load a word
                self.program += struct.pack("=HBBI", 0x15, 0, skipped, value)  # equal, or on to the next call
            self.program += struct.pack("=HBBI", 0x06, 0, 0, 0x00050000 | code)  # refuse
        self.program += struct.pack("=HBBI", 0x06, 0, 0, 0x7fff0000)  # allow

    def __call__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        text = ctypes.create_string_buffer(self.program, len(self.program))
        head = ctypes.create_string_buffer(struct.pack("@HP", len(self.program) // 8, ctypes.addressof(text)))
        if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, head, 0, 0):
            os._exit(99)


EPERM, ENOSYS, EAFNOSUPPORT, ENOPROTOOPT, EPROTONOSUPPORT = 1, 38, 97, 92, 93
SOCKET, SETSOCKOPT, MOUNT, SETHOSTNAME, PIDFD_OPEN, LANDLOCK, UNSHARE = 41, 54, 165, 170, 434, 444, 272
CLONE_NEWUSER = 0x10000000
PACKET, NETLINK, ROUTE, NETFILTER = 17, 16, 0, 12


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of system calls are those of x86-64")
@pytest.mark.parametrize("calls, code, gone", [
    ([(LANDLOCK, {})], ENOSYS, {"Landlock"}),
    ([(PIDFD_OPEN, {})], ENOSYS, {"processes that end with the lab"}),
    ([(SETHOSTNAME, {})], EPERM, {"nodes' own files"}),
    ([(SOCKET, {0: PACKET})], EAFNOSUPPORT, {"capture", "offloaded frames"}),
    ([(SOCKET, {0: NETLINK, 2: NETFILTER})], EPROTONOSUPPORT, {"nftables"}),
    ([(SETSOCKOPT, {1: 263, 2: 15})], ENOPROTOOPT, {"offloaded frames"}),
    ([(SETSOCKOPT, {1: 270, 2: 1})], ENOPROTOOPT, set()),  # what libmnl's buffers want is no feature
], ids=["landlock", "pidfd", "sethostname", "packet sockets", "nfnetlink", "vnet header", "none"])
def test_what_a_container_forbids(here, calls, code, gone):
    doctor = ask(preexec_fn=filtered(*calls, code=code))
    assert missing(doctor) - missing(here) == gone - missing(here)
    for row in doctor["features"]:
        assert row["name"] not in gone or (row["state"] == "missing" and row["found"] and row["mend"])
    assert doctor["able"] == all(row["state"] == "holds" for row in doctor["features"] if row["for"] == "every lab")


def in_user_namespace(script, *also):
    """As root of a user namespace, which has limits and mounts of its own."""
    need("unshare")
    return ask("unshare", "-Urmn", *also, "sh", "-c", script + '; exec "$@"', "sh")


def test_no_network_namespaces(here):
    """Its count is of its own user namespace: one is there already."""
    doctor = in_user_namespace("echo 2 > /proc/sys/user/max_net_namespaces")
    assert "privilege" not in missing(doctor) and "network namespaces" in missing(doctor)
    row = next(row for row in doctor["features"] if row["name"] == "network namespaces")
    assert row["found"] == ("this topology needs 2 network namespaces, and 1 are allowed: see "
                            "/proc/sys/user/max_net_namespaces") or "no more" in row["found"]
    assert "user.max_net_namespaces" in row["mend"]
    assert doctor["nodes"] == {"bare": 2, "running": 2, "limit": "network namespaces"}


def test_no_user_namespaces():
    """Who has no capability, and may make no user namespace, can do nothing: one reason, and its mend."""
    doctor = in_user_namespace("echo 0 > /proc/sys/user/max_user_namespaces; "
                               "set -- setpriv --bounding-set=-all --inh-caps=-all \"$@\"")
    assert not doctor["able"]
    first, *others = doctor["features"]
    assert first["name"] == "privilege" and first["state"] == "missing"
    assert "user.max_user_namespaces is 0" in first["found"]
    assert first["mend"] == "sudo sysctl -w user.max_user_namespaces=15000"
    assert {row["state"] for row in others} == {"untried"}


def test_text_where_nothing_can_be_built():
    need("unshare")
    ended = subprocess.run(
        ["unshare", "-Urmn", "sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces; "
         "exec setpriv --bounding-set=-all --inh-caps=-all \"$@\"", "sh", SIM, "doctor"],
        capture_output=True, text=True, timeout=60)
    assert ended.returncode == 3
    assert "sim cannot build labs here as it is." in ended.stdout
    assert "every lab needs   0 of 10\n" in ended.stdout and "9 could not be tried without it" in ended.stdout
    assert "sudo sysctl -w user.max_user_namespaces=15000" in ended.stdout


def test_settings_that_cannot_be_written(here):
    """/proc/sys as containers have it."""
    doctor = in_user_namespace("mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys")
    gone = missing(doctor) - missing(here)
    assert "routes and forwarding" in gone
    row = next(row for row in doctor["features"] if row["name"] == "routes and forwarding")
    assert "Read-only file system" in row["found"] and "systempaths=unconfined" in row["mend"]


def test_few_descriptors(here):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))

    doctor = ask(preexec_fn=few)
    assert missing(doctor) == missing(here)
    assert doctor["nodes"]["limit"] == "open files" and doctor["nodes"]["running"] < doctor["nodes"]["bare"] < 300
    row = next(row for row in doctor["limits"] if row["name"] == "open files")
    assert (row["allowed"], row["enough"]) == (300, False)
    assert row["mend"].startswith(f"sudo prlimit --pid $$ --nofile={row['needed']}:{row['needed']}")


def test_the_number_of_nodes_is_true(sim, topology):
    """So many can be built as it says, and one more is refused."""
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))

    most = ask(preexec_fn=few)["nodes"]["bare"]
    for count, status in ((most, 0), (most + 1, 3)):
        text = ("name: t\ntopology:\n  nodes: {s: {kind: switch, ipv4: 10.0.0.0/16}, \"h[1-%d]\": {}}\n"
                "  links: [{endpoints: [\"h[1-%d]\", s]}]\ncapture: none\n"
                "scenarios: {x: {title: X, steps: [{on: h1, addresses: eth0, expect: {count: 1}}]}}\n")
        ended = sim("run", topology(text % (count - 1, count - 1)), preexec_fn=few)
        assert ended.status == status, (count, ended.stdout, ended.stderr)


def test_no_commands(tmp_path):
    doctor = ask(env={**os.environ, "PATH": str(tmp_path)})
    there = {row["name"]: row["there"] for row in doctor["tools"]}
    assert there["dot"] is False
    assert doctor["able"]


def test_apparmor_forbids_user_namespaces():
    """As on Ubuntu 24.04: a profile for this program mends it. The setting is played: this kernel may lack it."""
    doctor = in_user_namespace(
        "mount -t tmpfs none /proc/sys/kernel && echo 1 > /proc/sys/kernel/apparmor_restrict_unprivileged_userns; "
        "echo 0 > /proc/sys/user/max_user_namespaces; "
        "set -- setpriv --bounding-set=-all --inh-caps=-all \"$@\"")
    row = doctor["features"][0]
    assert row["state"] == "missing" and "AppArmor: kernel.apparmor_restrict_unprivileged_userns is 1" in row["found"]
    command, _, rest = row["mend"].partition(" | ")
    assert rest == "sudo tee /etc/apparmor.d/sim && sudo apparmor_parser -r /etc/apparmor.d/sim"
    profile = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout
    assert profile == (f"abi <abi/4.0>,\nprofile sim {SIM} flags=(unconfined) {{\n  userns,\n}}\n")
