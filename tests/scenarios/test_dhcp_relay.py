"""dhcp-relay in real namespaces: two client links, two servers, and those who mean it no good.

    server1 -+                    +- lan-b --- b1
             +- lan-a --- relay --+     10.0.2.0/24
    server2 -+  10.0.1.0/24       +- lan-c --- c1
                                        10.0.3.0/24
"""
import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from conftest import BIN, TREE, eventually, need

LAB = """name: relayed
vars:
  options: ""
  config: ""
  server1: dhcp-server --subnet 10.0.2.0/24 --pool 10.0.2.100-10.0.2.109 --router 10.0.2.1
  server2: dhcp-server --subnet 10.0.3.0/24 --pool 10.0.3.100-10.0.3.109 --router 10.0.3.1
topology:
  nodes:
    lan-a: {kind: switch, ipv4: 10.0.1.0/24}
    lan-b: {kind: switch, ipv4: 10.0.2.0/24}
    lan-c: {kind: switch, ipv4: 10.0.3.0/24}
    relay:
      kind: router
      mac: {eth1: "02:00:00:00:00:e1", eth2: "02:00:00:00:00:e2"}
      files: {relay.conf: "${config}"}
      run: [{name: relay, cmd: "dhcp-relay ${options}", ready: true}]
    server1: {run: [{name: dhcp, cmd: "${server1}", ready: {port: 67}}]}
    server2: {run: [{name: dhcp, cmd: "${server2}", ready: {port: 67}}]}
    b1: {mac: "02:00:00:00:00:0b"}
    c1: {mac: "02:00:00:00:00:0c"}
  links:
    - {endpoints: ["relay:eth0", lan-a], ipv4: [10.0.1.1/24]}
    - {endpoints: ["server1:eth0", lan-a], ipv4: [10.0.1.11/24]}
    - {endpoints: ["server2:eth0", lan-a], ipv4: [10.0.1.12/24]}
    - {endpoints: ["relay:eth1", lan-b], ipv4: [10.0.2.1/24]}
    - {endpoints: ["relay:eth2", lan-c], ipv4: [10.0.3.1/24]}
    - {endpoints: ["b1:eth0", lan-b], ipv4: none}
    - {endpoints: ["c1:eth0", lan-c], ipv4: none}
"""
SERVERS = "--server 10.0.1.11 --server 10.0.1.12"
BOTH = f"{SERVERS} --interface eth1 --interface eth2"


class Relayed:
    """The lab, its relay, and what can be asked of it."""

    def __init__(self, lab):
        self.lab, self.relay, self.read = lab, lab["relay"], 0

    def lease(self, *clients):
        for client in clients:
            address = {"b1": "10.0.2.100", "c1": "10.0.3.100"}[client]
            assert address in self.lab[client].run("dhcp-client --interface eth0 --once").output

    def send(self, node, **keys):
        words = [f"{key}={value}" for key, value in keys.items()]
        self.lab[node].run("/usr/bin/python3", Path(__file__).parent / "send_dhcp.py", "eth0", *words)

    def status(self):
        return json.loads(self.relay.run("dhcp-relay status --json").stdout)

    def dropped(self):
        return {reason: number for reason, number in self.status()["dropped"].items() if number}

    def drops(self, reason, number=1):
        eventually(lambda: self.dropped().get(reason), number)

    def passes(self, message, number, **fields):
        """So many of them leave the relay."""
        eventually(lambda: len(self.lab.messages(message=message, node="relay", **fields)), number)

    def says(self, text):
        """Behind what it said before."""
        eventually(lambda: self.relay.log("relay").find(text, self.read) >= 0, True)
        self.read = self.relay.log("relay").index(text, self.read) + len(text)

    def option_82(self, source):
        """(circuit id, remote id, link) of what `source` has sent, as tshark decodes it; "" for what is not there."""
        suboptions = ["agent_circuit_id", "agent_remote_id", "link_selection"]
        fields = [f"dhcp.option.agent_information_option.{name}" for name in suboptions]
        told = self.tshark(f"dhcp && ip.src == {source}", "-T", "fields", *(word for field in fields for word in ("-e", field)))
        return {tuple(line.split("\t")) for line in told.splitlines()}

    def tshark(self, chosen, *words):
        """The lab ends: its capture is whole then."""
        need("tshark")
        self.lab.down()
        return subprocess.run(["tshark", "-r", self.lab.folder / "capture.pcapng", "-Y", chosen, *words],
                              capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture
def relayed(lab_factory):
    """relayed(the relay's options, further vars) -> a lab in which it is ready."""
    return lambda options, **variables: Relayed(lab_factory(LAB, options=options, **variables))


def test_two_links_two_servers(relayed):
    net = relayed(BOTH)
    net.lease("b1", "c1")
    status = net.status()
    net.lab.down()
    assert not any(status["dropped"].values())
    for row, name, address in zip(status["interfaces"], ("eth1", "eth2"), ("10.0.2.1/24", "10.0.3.1/24")):
        assert row == {"name": name, "state": "ready", "address": address, "trusted": False,
                       "requests": 2, "replies": 2}
    assert [server["requests"] for server in status["servers"]] == [4, 4]
    assert [server["replies"] for server in status["servers"]] == [2, 2]
    assert status["requests"] == {"passed": 4, "types": {"DHCPDISCOVER": 2, "DHCPREQUEST": 2}}
    assert status["replies"] == {"passed": 4, "types": {"DHCPOFFER": 2, "DHCPACK": 2}}
    # Each client's request reached both servers, once.
    sent = Counter((line["message"], line["destination"]) for line in net.lab.messages(sent_at="relay:eth0"))
    assert sent == {(kind, server): 2 for kind in ("DHCPDISCOVER", "DHCPREQUEST")
                    for server in ("10.0.1.11", "10.0.1.12")}
    # No ARP was asked for the client's address before it had it: frames go to its hardware address.
    assert {line["destination"] for line in net.lab.messages(sent_at="relay:eth1")} == {"10.0.2.100"}


def hexed(text):
    return text.encode().hex()


def test_option_82_is_added_and_removed(relayed):
    net = relayed(f"{SERVERS} --remote-id mac --interface eth1 --circuit-id port-7 --interface eth2 --remote-id us")
    net.lease("b1", "c1")
    assert net.status()["option_82"] == {"added": 4, "replaced": 0, "kept": 0, "left_out": 0, "removed": 4}
    mac = "0200000000e1"
    assert net.option_82("10.0.1.1") == {(hexed("port-7"), mac, ""), (hexed("eth2"), hexed("us"), "")}
    # The servers echo it; the clients never see it.
    assert net.option_82("10.0.1.11") == {(hexed("port-7"), mac, "")}
    assert net.option_82("10.0.2.1") == net.option_82("10.0.3.1") == {("", "", "")}
    # What tshark finds wrong; checksums are the local sockets' (see results/README.md).
    assert net.tshark("dhcp && (_ws.malformed || _ws.expert)") == ""


MANUAL = (TREE / "core/programs/dhcp/RELAY.md").read_text()


def test_the_manual(relayed):
    """Its example works as it says, and its table has every reason that status has."""
    example = MANUAL.partition("```conf\n")[2].partition("```")[0].replace("10.0.1.10\n", "10.0.1.11\nserver 10.0.1.12\n")
    net = relayed("--config relay.conf", config=example)
    net.lease("b1", "c1")
    net.send("c1", options="52030101aa")
    net.passes("DHCPDISCOVER", 6)
    status = net.status()
    assert status["option_82"]["replaced"] == 1
    assert net.option_82("10.0.1.1") == {(hexed("building-7"), "0200000000e1", ""),
                                         (hexed("eth2"), "0200000000e2", "")}
    table = MANUAL.partition("| reason | means |")[2].partition("\n\n")[0]
    told = [word for row in table.splitlines()[2:] for word in row.split("|")[1].replace("`", "").split()]
    assert sorted(told) == sorted(status["dropped"])


FORGERIES = {
    "forged-giaddr": [("b1", {"giaddr": "10.0.2.1"}), ("b1", {"giaddr": "10.0.3.1"}), ("b1", {"giaddr": "10.0.1.1"})],
    "unknown-giaddr": [("b1", {"giaddr": "10.0.7.1"})],
    "forged-option-82": [("b1", {"options": "52030101aa"}), ("c1", {"options": "5200"}),
                         ("b1", {"options": "52030101aa520301ffff"})],
    "too-many-hops": [("b1", {"hops": 255}), ("c1", {"hops": 5}), ("b1", {"hops": 17, "giaddr": "10.0.2.1"})],
    "malformed": [("b1", {"length": 200}), ("b1", {"magic": "00000000"}), ("b1", {"op": 7}), ("b1", {"hlen": 255}),
                  ("b1", {"options": "3d30", "length": 246}), ("b1", {"options": "350101"})],
    "reply-from-clients": [("b1", {"op": 2, "type": 5, "giaddr": "10.0.3.1", "source": "10.0.2.66"})],
    "other-giaddr": [("b1", {"op": 2, "type": 5}), ("b1", {"op": 2, "type": 6, "giaddr": "10.0.1.1"}),
                     ("b1", {"op": 2, "type": 2, "giaddr": "10.0.9.9"})],
    "not-a-client-interface": [("server1", {}), ("server1", {"to": "10.0.1.1"})],
}


def test_forgeries_are_dropped_and_counted(relayed):
    """Nothing of it reaches a server or a client, each is counted by what it is, and others are served."""
    net = relayed(f"{BOTH} --option-82 --downstream 10.0.9.0/24")
    for sent in FORGERIES.values():
        for node, keys in sent:
            net.send(node, **keys)
    eventually(net.dropped, {reason: len(sent) for reason, sent in FORGERIES.items()})
    net.lease("b1", "c1")
    status = net.status()
    assert status["requests"]["passed"] == status["replies"]["passed"] == 4
    net.lab.down()
    assert net.lab.messages("dhcp", node="relay", chaddr="02:00:00:00:00:0b")
    assert net.lab.messages("dhcp", node="relay", chaddr="02:00:00:00:00:99") == []


def test_a_flood_of_forgeries_is_counted_to_the_last(relayed):
    net = relayed(BOTH)
    net.send("b1", hops=99, times=6000)
    net.drops("too-many-hops", 6000)
    net.says("lines more were not logged")
    net.lease("b1")
    assert net.dropped() == {"too-many-hops": 6000}
    # Each would be two lines.
    assert len(net.relay.log("relay").splitlines()) < 12000


@pytest.mark.parametrize("options, agent, passed, counted", [
    ("--trust", "52030101aa", "aa", {"kept": 1}),
    ("--trust --option-82 --policy replace", "52030101aa", hexed("eth1"), {"replaced": 1}),
    ("--trust --policy drop", "52030101aa", None, {}),
    ("--option-82", "", hexed("eth1"), {"added": 1}),
    ("--option-82 --max-size 300", "3d3c01" + "07" * 59, "", {"left_out": 1}),
    ("--circuit-id none --remote-id us", "", "", {"added": 1}),
])
def test_policies(relayed, options, agent, passed, counted):
    net = relayed(f"{options} {BOTH}")
    net.send("b1", options=agent)
    if passed is None:
        net.drops("option-82-not-wanted")
    else:
        net.passes("DHCPDISCOVER", 2)
    # Whether an answer is there already to lose it is chance.
    assert {key: n for key, n in net.status()["option_82"].items() if n and key != "removed"} == counted
    circuits = {values[0] for values in net.option_82("10.0.1.1")}
    assert circuits == ({passed} if passed is not None else set())


def test_behind_another_relay(relayed):
    """What another relay has put in stays, and nothing is added; the reply goes to that relay itself."""
    net = relayed(f"{SERVERS} --interface eth1 --option-82 --downstream 10.0.2.0/24")
    net.send("b1", giaddr="10.0.2.77", hops=2, options="52030101aa")
    net.passes("DHCPDISCOVER", 2, giaddr="10.0.2.77")
    assert net.dropped() == {} and net.status()["option_82"]["kept"] == 1
    assert net.option_82("10.0.1.1") == {("aa", "", "")}


def test_link_selection(relayed):
    """The giaddr is the uplink's address, and the server finds the client's subnet in option 82 (RFC 3527)."""
    need("dnsmasq")
    server = "dnsmasq --no-daemon --leasefile-ro --conf-file=/dev/null --port=0 --dhcp-range={0}.100,{0}.100,255.255.255.0,1h"
    net = relayed(f"{BOTH} --link-selection eth0", server1=server.format("10.0.2"), server2=server.format("10.0.3"))
    net.lease("b1", "c1")
    net.passes("DHCPREQUEST", 4, giaddr="10.0.1.1")
    status = net.status()
    assert not any(status["dropped"].values())
    assert status["option_82"]["removed"] == status["replies"]["passed"] >= 4
    assert net.option_82("10.0.1.1") == {(hexed("eth1"), "", "10.0.2.1"), (hexed("eth2"), "", "10.0.3.1")}
    assert net.option_82("10.0.2.1") == {("", "", "")}


def test_patience(relayed):
    """Clients that have not waited long are left to a server on their own link."""
    net = relayed(f"{SERVERS} --interface eth1 --min-secs 60000")
    net.send("b1")
    net.drops("too-early")
    net.send("b1", type=7)
    net.passes("DHCPRELEASE", 2)
    assert net.dropped() == {"too-early": 1}


def test_interfaces_come_and_go(relayed):
    """Down, without its address, with another one, renamed away and back: told, survived, and used again."""
    net = relayed(BOTH)

    def ip(words):
        net.relay.run(f"ip {words}")

    net.lease("b1")
    ip("link set eth1 down")
    net.says("eth1 is down")
    net.lease("c1")  # the other one is served meanwhile
    ip("link set eth1 up")
    net.says("relaying from eth1")
    net.lease("b1")
    ip("addr del 10.0.2.1/24 dev eth1")
    net.says("eth1 has no IPv4 address now")
    net.send("b1")
    net.drops("no-giaddr")
    ip("addr add 10.0.2.2/24 dev eth1")
    net.says("relaying from eth1 (10.0.2.2)")
    net.lab["server1"].run("ip route replace 10.0.2.2 via 10.0.1.1")
    net.lease("b1")
    eventually(lambda: bool(net.lab.messages(message="DHCPREQUEST", node="relay", giaddr="10.0.2.2")), True)
    ip("link set eth1 down")
    ip("link set eth1 name away")
    net.says("eth1 is gone")
    net.lease("c1")
    ip("link set away name eth1")
    ip("link set eth1 up")
    net.lease("b1")
    ip("link del eth1")
    net.lease("c1")
    status = net.status()
    assert status["interfaces"][0]["state"] == "gone" and status["interfaces"][1]["state"] == "ready"
    assert net.dropped() == {"no-giaddr": 1}


def test_a_server_that_cannot_be_reached(relayed):
    """No route to it: counted and told, and the other one serves."""
    net = relayed(f"{SERVERS} --interface eth1 --server 192.0.2.9")
    net.lease("b1")
    assert net.dropped() == {"not-sent": 2}
    assert "cannot send to 192.0.2.9" in net.relay.log("relay")


@pytest.mark.parametrize("words, sentence", [
    ("--server 10.0.0.1", "--interface IF is missing"),
    ("--interface lo", "--server ADDR is missing"),
    ("--interface lo --interface lo --server 10.0.0.1", "--interface 'lo' is there twice"),
    ("--interface lo --server 0.0.0.0", "no address of a server"),
    ("--interface lo --server 10.0.0.1 --server 10.0.0.1", "--server '10.0.0.1' is there twice"),
    ("--interface lo --server 10.0.0.1 --max-hops 17", "no number from 0 to 16"),
    ("--interface lo --server 10.0.0.1 --policy append", "none of forward, replace and drop"),
    ("--interface lo --server 10.0.0.1 --policy replace", "--policy replace needs --option-82"),
    ("--interface lo --server 10.0.0.1 --circuit-id " + "x" * 65, "1 to 64 bytes"),
    ("--interface lo --server 10.0.0.1 --link-selection lo", "name the interface towards the servers"),
    ("--interface lo --server 10.0.0.1 --downstream x", "neither an address nor a subnet"),
    (f"--interface {128 * 'x'} --server 10.0.0.1", "no interface's name"),
])
def test_misuse(words, sentence):
    ended = subprocess.run([BIN / "dhcp-relay", *words.split()], capture_output=True, text=True, timeout=20)
    assert ended.returncode == 2 and sentence in ended.stderr and len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("words, sentence", [
    ("--interface nowhere", "there is no interface 'nowhere'"),
    ("--interface eth1 --link-selection nowhere", "there is no interface 'nowhere'"),
    ("--interface eth1 --server 10.0.3.1", "--server 10.0.3.1 is this machine's own address"),
])
def test_what_a_wrong_name_says(relayed, words, sentence):
    net = relayed(f"{SERVERS} --interface eth2")
    net.relay.run("pkill -x dhcp-relay")
    eventually(lambda: net.relay.run("pgrep -x dhcp-relay", exit=None).status, 1)
    assert sentence in net.relay.run(f"dhcp-relay --server 10.0.1.11 {words}", exit=3).output
