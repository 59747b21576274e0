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
from conftest import BIN, TREE, need

SEND = f"/usr/bin/python3 {Path(__file__).parent}/send_dhcp.py"
LAB = """name: t
topology:
  nodes:
    lan-a: {kind: switch, ipv4: 10.0.1.0/24}
    lan-b: {kind: switch, ipv4: 10.0.2.0/24}
    lan-c: {kind: switch, ipv4: 10.0.3.0/24}
    relay:
      kind: router
      mac: {eth1: "02:00:00:00:00:e1", eth2: "02:00:00:00:00:e2"}
      run: [{name: relay, cmd: "dhcp-relay --server 10.0.1.11 --server 10.0.1.12 %s", ready: true}]
    server1:
      run: [{name: dhcp, cmd: "dhcp-server --subnet 10.0.2.0/24 --pool 10.0.2.100-10.0.2.109 --router 10.0.2.1", ready: true}]
    server2:
      run: [{name: dhcp, cmd: "dhcp-server --subnet 10.0.3.0/24 --pool 10.0.3.100-10.0.3.109 --router 10.0.3.1", ready: true}]
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
scenarios:
  x:
    title: X
    steps:
"""
LEASE_B = "{on: b1, run: dhcp-client --interface eth0 --once, expect: {output: 10.0.2.100}}"
LEASE_C = "{on: c1, run: dhcp-client --interface eth0 --once, expect: {output: 10.0.3.100}}"
STATUS = "{on: relay, run: dhcp-relay status --json, expect: {output: dropped}}"


@pytest.fixture
def lab(sim, topology):
    """Run a scenario of these steps; returns the run, all of which held, and the last status."""

    def run(options, *steps):
        text = LAB % options + "".join(f"      - {step}\n" for step in (*steps, STATUS))
        ended = sim("run", topology(text))
        ended.all_held()
        return ended, json.loads(ended.log("x", f"relay.{len(steps) + 1}-dhcp-relay"))

    return run


def send(node, **keys):
    words = " ".join(f"{key}={value}" for key, value in keys.items())
    return json.dumps({"on": node, "run": f"{SEND} eth0 {words}"})


def relayed(reason, number=1):
    """A step that waits until so many have been dropped for that reason."""
    probe = (f"until dhcp-relay status --json | grep -q '\\\"{reason}\\\": *{number}\\\\b'; "
             "do sleep 0.02; done")
    return json.dumps({"on": "relay", "run": f'sh -c "{probe}"'})


def dropped(status):
    return {reason: number for reason, number in status["dropped"].items() if number}


def option_82(run, source):
    """(circuit id, remote id, link) of what `source` has sent, as tshark decodes it; "" for what is not there."""
    need("tshark")
    suboptions = ["agent_circuit_id", "agent_remote_id", "link_selection"]
    fields = [f"dhcp.option.agent_information_option.{name}" for name in suboptions]
    words = ["tshark", "-r", run.folder / "x/capture.pcapng", "-Y", f"dhcp && ip.src == {source}", "-T", "fields"]
    told = subprocess.run([*words, *(word for field in fields for word in ("-e", field))],
                          capture_output=True, text=True, check=True).stdout
    return {tuple(line.split("\t")) for line in told.splitlines()}


def complaints(run):
    """What tshark finds wrong with the DHCP of a run; checksums are the local sockets' (see results/README.md)."""
    words = ["tshark", "-r", run.folder / "x/capture.pcapng", "-Y", "dhcp && (_ws.malformed || _ws.expert)"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_two_links_two_servers(lab):
    run, status = lab("--interface eth1 --interface eth2", LEASE_B, LEASE_C)
    assert dropped(status) == {}
    for row, name, address in zip(status["interfaces"], ("eth1", "eth2"), ("10.0.2.1/24", "10.0.3.1/24")):
        assert row == {"name": name, "state": "ready", "address": address, "trusted": False,
                       "requests": 2, "replies": 2}
    assert [server["requests"] for server in status["servers"]] == [4, 4]
    assert [server["replies"] for server in status["servers"]] == [2, 2]
    assert status["requests"] == {"passed": 4, "types": {"DHCPDISCOVER": 2, "DHCPREQUEST": 2}}
    assert status["replies"] == {"passed": 4, "types": {"DHCPOFFER": 2, "DHCPACK": 2}}
    # Each client's request reached both servers, once.
    sent = Counter((line["message"], line["destination"]) for line in run.lines("x", "messages.jsonl")
                   if line["sent_at"] == "relay:eth0")
    assert sent == {(kind, server): 2 for kind in ("DHCPDISCOVER", "DHCPREQUEST")
                    for server in ("10.0.1.11", "10.0.1.12")}
    # No ARP was asked for the client's address before it had it: frames go to its hardware address.
    replies = [line for line in run.lines("x", "messages.jsonl") if line["sent_at"] == "relay:eth1"]
    assert {line["destination"] for line in replies} == {"10.0.2.100"}


def hexed(text):
    return text.encode().hex()


def test_option_82_is_added_and_removed(lab):
    run, status = lab("--remote-id mac --interface eth1 --circuit-id port-7 --interface eth2 --remote-id us",
                      LEASE_B, LEASE_C)
    assert status["option_82"] == {"added": 4, "replaced": 0, "kept": 0, "left_out": 0, "removed": 4}
    mac = "0200000000e1"
    assert option_82(run, "10.0.1.1") == {(hexed("port-7"), mac, ""), (hexed("eth2"), hexed("us"), "")}
    # The servers echo it; the clients never see it.
    assert option_82(run, "10.0.1.11") == {(hexed("port-7"), mac, "")}
    assert option_82(run, "10.0.2.1") == option_82(run, "10.0.3.1") == {("", "", "")}
    assert complaints(run) == ""


MANUAL = (TREE / "core/programs/dhcp/RELAY.md").read_text()


def test_the_manual(sim, topology):
    """Its example works as it says, and its table has every reason that status has."""
    example = MANUAL.partition("```conf\n")[2].partition("```")[0].replace("10.0.1.10\n", "10.0.1.11\nserver 10.0.1.12\n")
    config = "".join(f"          {line}\n" for line in example.splitlines())
    text = (LAB % "").replace('cmd: "dhcp-relay --server 10.0.1.11 --server 10.0.1.12 "',
                              "cmd: dhcp-relay --config relay.conf")
    text = text.replace("    relay:\n", f"    relay:\n      files:\n        relay.conf: |\n{config}")
    sent = json.dumps({"on": "c1", "run": f"{SEND} eth0 options=52030101aa"})
    steps = (LEASE_B, LEASE_C, sent, "{on: relay, messages: DHCPDISCOVER, expect: {count: 6}}", STATUS)
    ended = sim("run", topology(text + "".join(f"      - {step}\n" for step in steps)))
    ended.all_held()
    assert option_82(ended, "10.0.1.1") == {(hexed("building-7"), "0200000000e1", ""),
                                            (hexed("eth2"), "0200000000e2", "")}
    status = json.loads(ended.log("x", "relay.5-dhcp-relay"))
    assert status["option_82"]["replaced"] == 1
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


def test_forgeries_are_dropped_and_counted(lab):
    """Nothing of it reaches a server or a client, each is counted by what it is, and others are served."""
    steps = [send(node, **keys) for reason in FORGERIES for node, keys in FORGERIES[reason]]
    steps += [relayed(reason, len(sent)) for reason, sent in FORGERIES.items()]
    run, status = lab("--interface eth1 --interface eth2 --option-82 --downstream 10.0.9.0/24", *steps,
                      LEASE_B, LEASE_C)
    assert dropped(status) == {reason: len(sent) for reason, sent in FORGERIES.items()}
    assert status["requests"]["passed"] == status["replies"]["passed"] == 4
    forged = [line for line in run.lines("x", "messages.jsonl")
              if line["sent_at"].startswith("relay:") and line["chaddr"] == "02:00:00:00:00:99"]
    assert forged == []


def test_a_flood_of_forgeries_is_counted_to_the_last(lab):
    says = '{on: relay, watch: relay, expect: {output: "lines more were not logged"}}'
    run, status = lab("--interface eth1 --interface eth2", send("b1", hops=99, times=6000),
                      relayed("too-many-hops", 6000), says, LEASE_B)
    assert dropped(status) == {"too-many-hops": 6000}
    # Each would be two lines.
    assert len(run.log("x", "relay.relay").splitlines()) < 12000


@pytest.mark.parametrize("options, agent, passed, counted", [
    ("--trust", "52030101aa", "aa", {"kept": 1}),
    ("--trust --option-82 --policy replace", "52030101aa", hexed("eth1"), {"replaced": 1}),
    ("--trust --policy drop", "52030101aa", None, {}),
    ("--option-82", "", hexed("eth1"), {"added": 1}),
    ("--option-82 --max-size 300", "3d3c01" + "07" * 59, "", {"left_out": 1}),
    ("--circuit-id none --remote-id us", "", "", {"added": 1}),
])
def test_policies(lab, options, agent, passed, counted):
    run, status = lab(f"{options} --interface eth1 --interface eth2", send("b1", options=agent),
                      relayed("option-82-not-wanted") if passed is None else
                      json.dumps({"on": "relay", "messages": "DHCPDISCOVER", "expect": {"count": 2}}))
    # Whether an answer is there already to lose it is chance.
    counters = {key: number for key, number in status["option_82"].items() if number and key != "removed"}
    assert counters == counted
    circuits = {values[0] for values in option_82(run, "10.0.1.1")}
    assert circuits == ({passed} if passed is not None else set())


def test_behind_another_relay(lab):
    """What another relay has put in stays, and nothing is added; the reply goes to that relay itself."""
    run, status = lab("--interface eth1 --option-82 --downstream 10.0.2.0/24",
                      send("b1", giaddr="10.0.2.77", hops=2, options="52030101aa"),
                      "{on: relay, messages: DHCPDISCOVER, giaddr: 10.0.2.77, expect: {count: 2}}")
    assert dropped(status) == {} and status["option_82"]["kept"] == 1
    assert option_82(run, "10.0.1.1") == {("aa", "", "")}


def test_link_selection(sim, topology):
    """The giaddr is the uplink's address, and the server finds the client's subnet in option 82 (RFC 3527)."""
    need("dnsmasq")
    text = LAB % "--interface eth1 --interface eth2 --link-selection eth0"
    for node, third in (("server1", 2), ("server2", 3)):
        at = text.index(f"    {node}:\n")
        ranges = f"--dhcp-range=10.0.{third}.100,10.0.{third}.100,255.255.255.0,1h"
        server = f"dnsmasq --no-daemon --leasefile-ro --conf-file=/dev/null --port=0 {ranges}"
        text = (text[:at] + f"    {node}:\n      run: [{{name: dhcp, cmd: '{server}', ready: {{port: 67}}}}]\n" +
                text[text.index("\n", text.index("run:", at)) + 1:])
    steps = (LEASE_B, LEASE_C, "{on: relay, messages: DHCPREQUEST, giaddr: 10.0.1.1, expect: {count: 4}}", STATUS)
    ended = sim("run", topology(text + "".join(f"      - {step}\n" for step in steps)))
    ended.all_held()
    status = json.loads(ended.log("x", "relay.4-dhcp-relay"))
    assert dropped(status) == {} and status["option_82"]["removed"] == status["replies"]["passed"] == 4
    assert option_82(ended, "10.0.1.1") == {(hexed("eth1"), "", "10.0.2.1"), (hexed("eth2"), "", "10.0.3.1")}
    assert option_82(ended, "10.0.2.1") == {("", "", "")}


def test_patience(lab):
    """Clients that have not waited long are left to a server on their own link."""
    _, status = lab("--interface eth1 --min-secs 60000", send("b1"), relayed("too-early"), send("b1", type=7),
                    "{on: relay, messages: DHCPRELEASE, expect: {count: 2}}")
    assert dropped(status) == {"too-early": 1}


def test_interfaces_come_and_go(lab):
    """Down, without its address, with another one, renamed away and back: told, survived, and used again."""

    def ip(*words):
        return json.dumps({"on": "relay", "run": f"ip {' '.join(words)}"})

    def says(text):
        return json.dumps({"on": "relay", "watch": "relay", "expect": {"output": text}})

    run, status = lab(
        "--interface eth1 --interface eth2", LEASE_B,
        ip("link set eth1 down"), says("eth1 is down"),
        LEASE_C,  # the other one is served meanwhile
        ip("link set eth1 up"), says("relaying from eth1"), LEASE_B,
        ip("addr del 10.0.2.1/24 dev eth1"), says("eth1 has no IPv4 address now"),
        send("b1"), relayed("no-giaddr"),
        ip("addr add 10.0.2.2/24 dev eth1"), says("relaying from eth1 (10.0.2.2)"),
        "{on: server1, run: ip route replace 10.0.2.2 via 10.0.1.1}", LEASE_B,
        "{on: relay, messages: DHCPREQUEST, giaddr: 10.0.2.2, expect: {at-least: 1}}",
        ip("link set eth1 down"), ip("link set eth1 name away"), says("eth1 is gone"),
        LEASE_C,
        ip("link set away name eth1"), ip("link set eth1 up"), LEASE_B,
        ip("link del eth1"), LEASE_C)
    assert status["interfaces"][0]["state"] == "gone" and status["interfaces"][1]["state"] == "ready"
    assert dropped(status) == {"no-giaddr": 1}


def test_a_server_that_cannot_be_reached(lab):
    """No route to it: counted and told, and the other one serves."""
    run, status = lab("--interface eth1 --server 192.0.2.9", LEASE_B)
    assert dropped(status) == {"not-sent": 2}
    assert "cannot send to 192.0.2.9" in run.log("x", "relay.relay")


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
def test_what_a_wrong_name_says(sim, topology, words, sentence):
    steps = json.dumps({"on": "relay", "run": f"dhcp-relay --server 10.0.1.11 {words}",
                        "expect": {"exit": 3, "output": sentence}})
    text = LAB % "--interface eth1" + f"      - {steps}\n"
    text = text.replace('      run: [{name: relay, cmd: "dhcp-relay --server 10.0.1.11 --server 10.0.1.12 '
                        '--interface eth1", ready: true}]\n', "")
    sim("run", topology(text)).all_held()
