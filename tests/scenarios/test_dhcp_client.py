"""Our DHCP client against our own server, on one link between two network namespaces.

    server (s0 10.0.2.1/24) ---------- client (c0)

What must be there afterwards is read from the kernel (`ip -j`), from files and from the server's
status, never from what the client says of itself alone.
"""
import contextlib
import json
import os
import pty
import select
import signal
import stat
import subprocess
import time

import pytest
from conftest import BIN, eventually

PAIR = """
name: pair
topology:
  nodes: {server: {}, client: {}}
  links: [{endpoints: ["server:s0", "client:c0"], ipv4: [10.0.2.1/24, none]}]
capture: none
"""
OTHER_HOST = "02:00:00:00:0e:0e"
FAST_PROBE = ("--probe-times=wait=0.1,probes=3,min=0.05,max=0.1,announce-wait=0.1,announcements=2,"
              "announce-interval=0.1")


class Network:
    """The lab, and the two programs in it."""

    def __init__(self, lab):
        self.server, self.client, self.folder = lab["server"], lab["client"], lab.folder

    def link(self, node, interface):
        return json.loads(node.run("ip", "-j", "link", "show", "dev", interface).stdout)[0]

    def addresses(self):
        return self.client.addresses("c0")

    def routes(self):
        """{destination: router} of what DHCP made; None: on the link."""
        shown = self.client.run("ip", "-j", "-4", "route", "show", "proto", "dhcp").stdout
        return {r["dst"]: r.get("gateway") for r in json.loads(shown or "[]")}

    def serve(self, *options, subnet="10.0.2.0/24", pool="10.0.2.100-10.0.2.103"):
        process = self.server.popen("dhcp-server", "--interface", "s0", "--subnet", subnet, "--pool", pool, *options)
        process.expect(f"serving {subnet}")
        return process

    def lease(self, *options, resolver="none"):
        """Run the client with JSON events; returns it with .events()."""
        process = self.client.popen("dhcp-client", "--interface", "c0", "--json", "--resolver-file", resolver, *options)
        process.events = lambda: [json.loads(line) for line in process.output.splitlines() if line.startswith("{")]
        process.names = lambda: [event["event"] for event in process.events()]
        process.first = lambda name: next(e for e in process.events() if e["event"] == name)
        return process

    def once(self, *options, status=0, **more):
        process = self.lease("--once", *options, **more)
        process.wait(exit=status)
        return process


@pytest.fixture
def net(lab_factory):
    with lab_factory(PAIR) as lab:
        yield Network(lab)


def ended(process, status=0):
    process.signal(signal.SIGTERM)
    process.wait(exit=status)


def bound(process, name="bound", count=1):
    eventually(lambda: process.names().count(name) >= count, True)
    return [event for event in process.events() if event["event"] == name][-1]


def test_a_lease_is_put_on_the_interface_and_taken_off(net):
    net.serve("--router", "10.0.2.1", "--option", "dns=10.0.2.1", "--lease", "600")
    client = net.lease("--release-on-exit")
    event = bound(client)
    assert event["address"] == "10.0.2.100/24" and event["server"] == "10.0.2.1"
    assert event["lease_seconds"] == 600 and 0 < event["ends_in_seconds"] <= 600
    assert event["options"]["dns"] == "10.0.2.1" and event["interface"] == "c0"
    assert net.addresses() == ["10.0.2.100/24"]
    assert net.routes() == {"default": "10.0.2.1"}
    ended(client)
    assert net.addresses() == [] and net.routes() == {}
    assert client.names()[-2:] == ["released", "finished"] or client.names()[-1] == "finished"
    assert "released" in client.names()


def test_an_interface_that_is_down_is_set_up(net):
    net.client.run("ip", "link", "set", "c0", "down")
    net.serve()
    net.once("--retry", "0.3")
    assert net.link(net.client, "c0")["operstate"] == "UP" and net.addresses() == ["10.0.2.100/24"]


def test_the_states_are_told_in_their_order(net):
    net.serve()
    client = net.once()
    steps = [(e["from"], e["to"]) for e in client.events() if e["event"] == "state"]
    assert steps == [("INIT", "SELECTING"), ("SELECTING", "REQUESTING"), ("REQUESTING", "BOUND")]


def test_a_saved_lease_is_asked_for_again(net):
    server = net.serve()
    saved = net.folder / "lease.json"
    first = net.once("--lease-file", saved)
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert not list(net.folder.glob("lease.json.*")), "no temporary file is left"
    again = net.once("--lease-file", saved)
    steps = [(e["from"], e["to"]) for e in again.events() if e["event"] == "state"]
    assert steps == [("INIT", "REBOOTING"), ("REBOOTING", "BOUND")]
    assert again.first("bound")["address"] == first.first("bound")["address"]
    assert server.output.count("DHCPDISCOVER") == 1


@pytest.mark.parametrize("damage", ["", "{", "[1,2]", '{"address": "10.0.2.100/24"}', "mac", "long"])
def test_a_damaged_saved_lease_is_ignored_with_a_sentence(net, damage):
    net.serve()
    saved = net.folder / "lease.json"
    net.once("--lease-file", saved)
    if damage == "mac":
        held = json.loads(saved.read_text())
        saved.write_text(json.dumps(held | {"mac": OTHER_HOST}))
    else:
        saved.write_text("x" * 100000 if damage == "long" else damage)
    again = net.once("--lease-file", saved)
    assert "saved lease" in again.output and "not used" in again.output
    assert "REBOOTING" not in again.output
    assert json.loads(saved.read_text())["address"] == "10.0.2.100/24"


def test_a_saved_lease_of_another_network_is_refused(net):
    server = net.serve()
    saved = net.folder / "lease.json"
    net.once("--lease-file", saved)
    ended(server)
    net.server.run("ip", "address", "flush", "dev", "s0")
    net.server.run("ip", "address", "add", "10.0.7.1/24", "dev", "s0")
    net.serve(subnet="10.0.7.0/24", pool="10.0.7.100-10.0.7.103")
    moved = net.once("--lease-file", saved)
    assert moved.names().index("refused") < moved.names().index("bound")
    assert moved.first("bound")["address"] == "10.0.7.100/24"
    assert net.addresses() == ["10.0.7.100/24"]


def test_without_an_answer_a_saved_lease_is_used_only_where_wanted(net):
    server = net.serve()
    saved = net.folder / "lease.json"
    net.once("--lease-file", saved)
    net.client.run("ip", "address", "flush", "dev", "c0")
    ended(server)
    net.once("--lease-file", saved, "--retry", "0.1", "--wait", "1.5", status=4)
    assert net.addresses() == []
    kept = net.once("--lease-file", saved, "--retry", "0.1", "--keep-unverified")
    assert kept.first("kept")["address"] == "10.0.2.100/24"
    assert net.addresses() == ["10.0.2.100/24"]


def test_probing_finds_a_conflict_and_declines(net):
    """Another host on the link already uses the first address of the pool."""
    server = net.serve()
    net.server.popen("/usr/bin/python3", "-c", ANSWER_ARP, "s0", "10.0.2.100").expect("ready")
    client = net.once("--probe", FAST_PROBE, "--decline-wait", "0.1", "--wait", "30")
    assert client.first("declined")["address"] == "10.0.2.100/24"
    assert client.first("bound")["address"] == "10.0.2.101/24"
    assert net.addresses() == ["10.0.2.101/24"]
    assert "DHCPDECLINE" in server.output
    states = [e["to"] for e in client.events() if e["event"] == "state"]
    assert states.count("PROBING") == 2


def test_a_free_address_is_probed_announced_and_defended(net):
    net.serve()
    sniffed = net.server.popen("/usr/bin/python3", "-c", LISTEN_ARP, "s0")
    sniffed.expect("ready")
    client = net.lease("--probe", FAST_PROBE, "--decline-wait", "0.1")
    bound(client)
    heard = [["0.0.0.0", "10.0.2.100"]] * 3 + [["10.0.2.100", "10.0.2.100"]] * 2
    eventually(lambda: [line.split() for line in sniffed.output.splitlines()[1:]], heard)
    for _ in range(2):  # the first is answered, the second within 10 s ends the lease
        net.server.run("/usr/bin/python3", "-c", CLAIM_ADDRESS, "s0", "10.0.2.100")
        if _ == 0:
            bound(client, "defended")
            eventually(lambda: sniffed.output.splitlines()[6:], ["10.0.2.100 10.0.2.100"])
            assert net.addresses() == ["10.0.2.100/24"]
    bound(client, "declined")
    assert bound(client, count=2)["address"] != "10.0.2.100/24"
    eventually(net.addresses, ["10.0.2.101/24"])


LISTEN_ARP = """
import socket, sys
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
link.bind((sys.argv[1], 0x0806))
print("ready", flush=True)
while True:
    frame, where = link.recvfrom(2048)
    if where[2] != 4 and frame[20:22] == b"\\0\\1" and frame[38:42] == bytes((10, 0, 2, 100)):
        print(socket.inet_ntoa(frame[28:32]), socket.inet_ntoa(frame[38:42]), flush=True)
"""

ANSWER_ARP = """
import socket, sys
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
link.bind((sys.argv[1], 0x0806))
mac, address = bytes.fromhex("020000000e0e"), socket.inet_aton(sys.argv[2])
print("ready", flush=True)
while True:
    frame, where = link.recvfrom(2048)
    if where[2] != 4 and frame[20:22] == b"\\0\\1" and frame[38:42] == address:
        link.send(frame[6:12] + mac + bytes.fromhex("08060001080006040002") + mac + address
                  + frame[22:32])
"""

CLAIM_ADDRESS = """
import socket, sys
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind((sys.argv[1], 0))
mac, address = bytes.fromhex("020000000e0e"), socket.inet_aton(sys.argv[2])
link.send(b"\\xff" * 6 + mac + bytes.fromhex("08060001080006040001") + mac + address + bytes(6) + address)
"""

HOOK = """#!/bin/sh
{ echo "argument $1 $#"; env | grep -E '^(interface|ip|subnet|mask|router|dns|domain|search|lease|serverid|hostname|mtu|ntpsrv|staticroutes|broadcast|opt[0-9]+)='; echo end; } >> LOG
"""


def hook_calls(log):
    calls = []
    for block in (log.read_text() if log.exists() else "").split("end\n")[:-1]:
        first, *rest = block.splitlines()
        calls.append((first.split()[1], dict(line.split("=", 1) for line in rest)))
    return calls


@pytest.fixture
def hook(net):
    path, log = net.folder / "hook", net.folder / "hook.calls"
    path.write_text(HOOK.replace("LOG", str(log)))
    path.chmod(0o755)
    return path, lambda: hook_calls(log)


def test_the_hook_is_told_as_udhcpc_tells_its_script(net, hook):
    path, calls = hook
    net.serve("--router", "10.0.2.1", "--option", "dns=10.0.2.1,10.0.2.9", "--option",
              "domain=lab.example", "--option", "domain-search=a.example,b.example", "--option",
              "ntp=10.0.2.1", "--option", "43=hex:0102ff", "--option",
              "classless-routes=10.9.0.0/16=10.0.2.9,0.0.0.0/0=10.0.2.1", "--lease", "4")
    client = net.lease("--hook", path, "--request", "vendor-options", "--release-on-exit")
    eventually(lambda: [name for name, _ in calls()][:3], ["deconfig", "bound", "renew"])
    told = dict(calls()[1][1])
    assert told.pop("opt43") == "0102ff" and told.pop("opt53") == "05"
    assert told.pop("lease") in ("4", "3")
    assert told == {
        "interface": "c0", "ip": "10.0.2.100", "subnet": "255.255.255.0", "mask": "24",
        "router": "10.0.2.1", "dns": "10.0.2.1 10.0.2.9", "domain": "lab.example",
        "search": "a.example b.example", "ntpsrv": "10.0.2.1", "serverid": "10.0.2.1",
        "staticroutes": "10.9.0.0/16 10.0.2.9 0.0.0.0/0 10.0.2.1",
        **{name: told[name] for name in ("opt58", "opt59", "broadcast") if name in told}}
    ended(client)
    assert calls()[-1][0] == "deconfig", "the last hook is waited for"


def test_a_hook_that_hangs_is_killed_and_holds_nothing_up(net):
    path = net.folder / "hook"
    path.write_text("#!/bin/sh\nsleep 600 & sleep 600\n")
    path.chmod(0o755)
    net.serve()
    client = net.once("--hook", path, "--hook-time", "0.3")
    assert net.addresses() == ["10.0.2.100/24"]
    assert client.output.count("took too long: it is killed") == 2


def test_a_hostile_text_never_reaches_the_hook_or_the_resolver_file(net, hook):
    path, calls = hook
    resolver = net.folder / "resolv.conf"
    net.serve("--option", "dns=10.0.2.1", "--option", "15=hex:" + b"a;rm -rf $(x)\nb".hex(),
              "--option", "12=hex:" + b"`id`".hex())
    net.once("--hook", path, "--request", "host-name", resolver=resolver)
    told = calls()[1][1]
    assert "domain" not in told and "hostname" not in told
    assert told["opt12"] == b"`id`".hex() and told["opt15"] == b"a;rm -rf $(x)\nb".hex()
    assert resolver.read_text().splitlines()[1:] == ["nameserver 10.0.2.1"]


def test_no_configure_leaves_the_node_alone(net, hook):
    path, calls = hook
    net.serve("--router", "10.0.2.1")
    net.once("--hook", path, "--no-configure")
    assert [name for name, _ in calls()] == ["deconfig", "bound"]
    assert net.addresses() == [] and net.routes() == {}


def test_the_resolver_file_is_written_and_put_back(net):
    resolver = net.folder / "resolv.conf"
    resolver.write_text("nameserver 192.0.2.53\n")
    net.serve("--option", "dns=10.0.2.1,10.0.2.2", "--option", "domain=lab.example", "--option",
              "domain-search=a.example,b.example")
    client = net.lease("--release-on-exit", resolver=resolver)
    bound(client)
    assert resolver.read_text().splitlines()[1:] == [
        "search a.example b.example", "nameserver 10.0.2.1", "nameserver 10.0.2.2"]
    client.kill()  # it dies, and a later run still puts the first file back
    client = net.lease("--release-on-exit", resolver=resolver)
    bound(client)
    assert "lab.example" not in resolver.read_text() and "10.0.2.2" in resolver.read_text()
    ended(client)
    assert resolver.read_text() == "nameserver 192.0.2.53\n"
    assert sorted(path.name for path in net.folder.glob("resolv.conf*")) == ["resolv.conf"]


def test_the_hosts_resolver_file_is_left_alone(net):
    before = open("/etc/resolv.conf", "rb").read()
    net.serve("--option", "dns=10.0.2.1")
    # A node has an /etc of its own; the mounts of the lab's first process are the host's.
    process = net.client.popen("nsenter", "-t", "1", "-m", BIN / "dhcp-client", "--interface", "c0", "--once")
    process.wait()
    assert "left alone" in process.output
    assert open("/etc/resolv.conf", "rb").read() == before


def test_classless_routes_come_instead_of_the_router(net):
    net.serve("--router", "10.0.2.1", "--option",
              "classless-routes=10.9.0.0/16=10.0.2.9,10.8.0.0/24=0.0.0.0,0.0.0.0/0=10.0.2.7")
    client = net.lease("--release-on-exit")
    bound(client)
    assert net.routes() == {"default": "10.0.2.7", "10.9.0.0/16": "10.0.2.9",
                                   "10.8.0.0/24": None}
    ended(client)
    assert net.routes() == {}


@pytest.mark.parametrize("told,expected", [(1400, 1400), (100, 1500)])
def test_the_mtu_is_set_within_bounds_and_put_back(net, told, expected):
    net.serve("--option", f"mtu={told}")
    client = net.lease("--release-on-exit")
    bound(client)
    assert net.link(net.client, "c0")["mtu"] == expected
    ended(client)
    assert net.link(net.client, "c0")["mtu"] == 1500


def test_a_renewal_does_not_touch_what_stands(net):
    net.serve("--router", "10.0.2.1", "--lease", "2")
    client = net.lease()
    bound(client)
    monitor = net.client.popen("ip -4 monitor route")
    bound(client, "renewed", 2)
    monitor.end()
    assert "default" not in monitor.output
    assert net.routes() == {"default": "10.0.2.1"}


def test_the_default_route_returns_with_the_link(net):
    net.serve("--router", "10.0.2.1")
    client = net.lease()
    bound(client)
    net.client.run("ip", "link", "set", "c0", "down")
    eventually(lambda: client.names()[-1], "link")
    assert net.routes() == {}
    net.client.run("ip", "link", "set", "c0", "up")
    eventually(net.routes, {"default": "10.0.2.1"})
    bound(client, "renewed")
    steps = [(e["from"], e["to"]) for e in client.events() if e["event"] == "state"]
    assert steps[-2:] == [("BOUND", "REBOOTING"), ("REBOOTING", "BOUND")]
    net.server.run("ip", "link", "set", "s0", "down")  # the carrier alone
    eventually(lambda: [e["up"] for e in client.events() if e["event"] == "link"],
               [False, True, False])
    assert net.addresses() == ["10.0.2.100/24"]
    net.server.run("ip", "link", "set", "s0", "up")
    bound(client, "renewed", 2)


def test_a_link_that_is_down_for_a_moment_is_noticed(net):
    """Down and up before the client looks: the kernel has dropped the route all the same."""
    net.serve("--router", "10.0.2.1")
    client = net.lease()
    bound(client)
    flaps = net.folder / "flaps"
    flaps.write_text("link set c0 down\nlink set c0 up\n" * 3)
    net.client.run("ip", "-batch", flaps)
    bound(client, "link-back")
    eventually(net.routes, {"default": "10.0.2.1"})
    bound(client, "renewed")


def test_a_link_that_leads_elsewhere_gets_another_lease(net):
    server = net.serve("--router", "10.0.2.1")
    client = net.lease()
    bound(client)
    net.server.run("ip", "link", "set", "s0", "down")
    eventually(lambda: client.names()[-1], "link")
    ended(server)
    net.server.run("ip", "address", "flush", "dev", "s0")
    net.server.run("ip", "address", "add", "10.0.7.1/24", "dev", "s0")
    net.server.run("ip", "link", "set", "s0", "up")
    net.serve(subnet="10.0.7.0/24", pool="10.0.7.100-10.0.7.103")
    net.server.run("ip", "link", "set", "s0", "down")
    eventually(lambda: client.events()[-1].get("up"), False)
    net.server.run("ip", "link", "set", "s0", "up")
    bound(client, "refused")
    eventually(net.addresses, ["10.0.7.100/24"])
    eventually(net.routes, {})


def test_a_vanished_interface_ends_it_with_a_sentence(net):
    resolver = net.folder / "resolv.conf"
    resolver.write_text("nameserver 192.0.2.53\n")
    net.serve("--option", "dns=10.0.2.1")
    client = net.lease(resolver=resolver)
    bound(client)
    net.client.run("ip", "link", "del", "c0")
    client.wait(exit=3)
    assert "interface 'c0' is gone" in client.output
    assert client.names()[-2:] == ["gone", "finished"]
    assert resolver.read_text() == "nameserver 192.0.2.53\n"


def test_rapid_commit_takes_two_messages(net):
    server = net.serve("--rapid-commit")
    net.once("--rapid-commit")
    log = server.output
    assert "DHCPACK" in log and "DHCPOFFER" not in log and "DHCPREQUEST" not in log


def test_inform_asks_for_options_alone(net, hook):
    path, calls = hook
    resolver = net.folder / "resolv.conf"
    net.client.run("ip", "address", "add", "10.0.2.50/24", "dev", "c0")
    server = net.serve("--option", "dns=10.0.2.1")
    client = net.lease("--inform", "--hook", path, resolver=resolver)
    client.wait(exit=0)
    assert client.first("informed")["options"]["dns"] == "10.0.2.1"
    assert net.addresses() == ["10.0.2.50/24"], "nothing else came"
    assert [name for name, _ in calls()] == ["deconfig", "inform"]
    assert "nameserver 10.0.2.1" in resolver.read_text()
    assert "DHCPINFORM" in server.output


@pytest.mark.parametrize("given,known", [("01:02:03:0a", "0102030a"), ('"red"', b"red".hex()),
                                         ("lab client", b"lab client".hex())])
def test_the_client_identifier_says_who_it_is(net, given, known):
    net.serve("--bind", f"id:{known}=10.0.2.77")
    assert net.once("--client-id", given).first("bound")["address"] == "10.0.2.77/24"


def test_wishes_reach_the_server(net):
    net.serve("--lease", "600", "--lease-most", "9000")
    client = net.once("--address", "10.0.2.102", "--lease", "77", "--host-name", "red")
    assert client.first("bound")["address"] == "10.0.2.102/24"
    assert client.first("bound")["lease_seconds"] == 77


def test_no_address_to_be_had(net, hook):
    path, calls = hook
    client = net.lease("--wait", "0.7", "--retry", "0.1", "--hook", path)
    client.wait(exit=4)
    assert "unanswered" in client.names() and client.names()[-2:] == ["no-address", "finished"]
    assert calls()[-1][0] == "leasefail"


def read_terminal(fd, seen, until):
    """Read the terminal until that text has been shown."""
    deadline = time.monotonic() + 30
    while until not in seen[0]:
        assert time.monotonic() < deadline, seen[0]
        if select.select([fd], [], [], 0.1)[0]:
            try:
                seen[0] += os.read(fd, 4096).decode()
            except OSError:
                break
    assert until in seen[0], seen[0]


def test_interactive_on_a_terminal(net):
    net.serve()
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        net.client.words(("dhcp-client", "--interface", "c0", "--interactive")), stdin=theirs,
        stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0))
    seen = [""]
    read_terminal(ours, seen, "Online [IP: 10.0.2.100]")
    assert net.addresses() == ["10.0.2.100/24"]
    os.write(ours, b"q")  # no Enter
    read_terminal(ours, seen, "Offline\r\n")
    assert process.wait(20) == 0
    assert net.addresses() == []
    os.close(theirs)
    os.close(ours)


def test_interactive_with_pipes(net):
    net.serve()
    process = net.client.popen("dhcp-client --interface c0 --interactive")
    process.expect("Looking for an address ...\n")
    process.expect("Online [IP: 10.0.2.100]\n")
    process.type("q\n")
    process.expect("Offline\n")
    process.wait(exit=0)
    assert net.addresses() == []


def test_interactive_says_when_there_is_no_address(net):
    process = net.client.popen("dhcp-client --interface c0 --interactive --retry 0.1 --wait 1")
    process.expect("Looking for an address ...\n")
    process.expect("Offline [no address to be had]\n")
    process.wait(exit=4)


def test_a_stopped_reader_of_events_holds_nothing_up(net):
    """Nobody reads the pipe that the events go to; the lease is renewed all the same."""
    net.serve("--lease", "2")
    read, write = os.pipe()
    os.set_blocking(write, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write, b"x" * 4096)
    os.set_blocking(write, True)
    log = net.folder / "full.log"
    with log.open("w") as said:
        process = subprocess.Popen(net.client.words(("dhcp-client", "--interface", "c0", "--json", "--resolver-file", "none")),
                                   stdin=subprocess.DEVNULL, stdout=write, stderr=said)
    os.close(write)
    eventually(lambda: log.read_text().count("bound to") >= 3, True)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    os.close(read)
