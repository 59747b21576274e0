"""Stock DHCP clients, relays and servers judge ours, and each other where they meet behind us.

Each test is one run of sim: strangers and our programs exchange real messages, side by side where they
can; afterwards tshark judges every packet that a program of ours has sent (wireshark.py).

    server --- lan-a --- router --- lan-b --- clients
             10.0.1.0/24         10.0.2.0/24
"""
import json
import re

import pytest
import wireshark
from conftest import TREE, need

SCRIPT = TREE / "tests" / "interop" / "dhcp_script"
SCENARIO = "stranger"


def network(clients, *, server="", router="", hosts=(), files=None):
    """The picture above. server, router: what runs there; clients have no address, hosts have one."""

    def service(command, ready=True):
        return [{"name": "dhcp", "cmd": command, "ready": ready}] if command else []

    def node(name, programs):
        return {"run": programs, "files": (files or {}).get(name, {})}

    nodes = {
        "lan-a": {"kind": "switch", "ipv4": "10.0.1.0/24"},
        "lan-b": {"kind": "switch", "ipv4": "10.0.2.0/24"},
        "server": node("server", service(*server) if server else []),
        "router": {"kind": "router", **node("router", service(*router) if router else [])},
    }
    links = [
        {"endpoints": ["server:eth0", "lan-a"], "ipv4": ["10.0.1.10/24"]},
        {"endpoints": ["router:eth0", "lan-a"]},
        {"endpoints": ["router:eth1", "lan-b"]},
    ]
    for number, name in enumerate([*clients, *hosts]):
        nodes[name] = node(name, [])
        address = ["10.0.2.%d/24" % (200 + number)] if name in hosts else "none"
        links.append({"endpoints": [f"{name}:eth0", "lan-b"], "ipv4": address})
    return {"name": "strangers", "topology": {"nodes": nodes, "links": links}}


@pytest.fixture
def held(sim, topology):
    """Run these steps in that network: they all must hold, and tshark have nothing to say against what
    was sent at the interfaces `ours`."""

    def run(net, steps, ours):
        net["scenarios"] = {SCENARIO: {"title": "A stranger judges us", "steps": steps}}
        ended = sim("run", topology(json.dumps(net, indent=1).replace("$", "$$")))
        ended.all_held()
        ended.judged = wireshark.judge(ended, SCENARIO, ours)
        return ended

    return run


def said(run, log):
    """What dhcp_script told in a log: "bound 10.0.2.100" and the like."""
    kinds = "deconfig|preinit|bound|renew|rebind|reboot|nak|expire|release|fail|stop"
    return re.findall(rf"^(?:{kinds}) .*$", run.log(SCENARIO, log), re.M)


# Strangers as clients of our server ---------------------------------------------------------------

OUR_SERVER = ("dhcp-server --interface {interface} --subnet 10.0.2.0/24 --pool 10.0.2.100-10.0.2.179"
              " --router 10.0.2.1 --lease 600 --database leases.db")
OUR_RELAY = ("dhcp-relay --interface eth1 --server 10.0.1.10",)
ISC_RELAY = "dhcrelay -4 -d --no-pid -a -m append {options} -id eth1 -iu eth0 10.0.1.10"
READY_ISC_RELAY = {"log": "Sending on   Socket/fallback"}

# How clients reach our server: what runs on the server's node and on the router, and where we speak.
PATHS = {
    "direct": {"router": (OUR_SERVER.format(interface="eth1"),), "ours": {"router:eth1"}},
    "our-relay": {"server": (OUR_SERVER.format(interface="eth0"),), "router": OUR_RELAY,
                  "ours": {"server:eth0", "router:eth0", "router:eth1"}},
    "dhcrelay": {"server": (OUR_SERVER.format(interface="eth0"),),
                 "router": (ISC_RELAY.format(options=""), READY_ISC_RELAY), "ours": {"server:eth0"}},
}

UDHCPC = f"busybox udhcpc -i eth0 -f -t 4 -T 1 -p pid -s {SCRIPT}"
DHCLIENT = f"dhclient -4 -d -v -cf dhclient.conf -lf leases -pf pid -sf {SCRIPT} eth0"
# Its first DISCOVER waits up to `initial-interval`; the lease is short so that it renews itself.
DHCLIENT_CONF = """timeout 10; retry 1; initial-interval 1; backoff-cutoff 2; reboot 2;
request subnet-mask, routers, domain-name-servers;
"""
LEASE_ELSEWHERE = """lease {
  interface "eth0";
  fixed-address 192.168.77.5;
  option subnet-mask 255.255.255.0;
  option dhcp-lease-time 600;
  option dhcp-message-type 5;
  option dhcp-server-identifier 192.168.77.1;
  renew 4 2036/01/03 00:00:00;
  rebind 4 2036/01/03 00:00:00;
  expire 4 2036/01/03 00:00:00;
}
"""
SHORT_LEASE = "send dhcp-lease-time 4;\n"

# nmap's script fails on an interface without an address.
DISCOVER = ("nmap -n --script broadcast-dhcp-discover"
            " --script-args broadcast-dhcp-discover.timeout=1 -e eth0")
INFORM = "nmap -n -Pn -sU -p 67 --host-timeout 20s --script dhcp-discover 10.0.{net}"
PERFDHCP = "perfdhcp -4 -l 10.0.2.{host} -r 40 -R 20 -p 1 -W 300000 {server}"


def perfdhcp_lost_nothing(run, doubled):
    """Each of its twenty clients, again and again: every request answered, no address given to two.
    dhcrelay hears replies to another relay on its way through the router and delivers them once more:
    perfdhcp counts those as orphans."""
    figures = re.findall(r"^(sent packets|received packets|drops|orphans|rejected leases|non unique"
                         r" addresses): (\d+)", run.log(SCENARIO, "perfdhcp.perfdhcp"), re.M)
    for found in (dict(figures[:6]), dict(figures[6:])):
        assert int(found["sent packets"]) >= 20, figures
        orphans = "0" if not doubled else found["sent packets"]
        assert found == {"sent packets": found["sent packets"], "drops": "0", "orphans": orphans,
                         "received packets": found["sent packets"], "rejected leases": "0",
                         "non unique addresses": "0"}


def test_what_udhcpc_and_dhclient_call_is_executable():
    assert SCRIPT.stat().st_mode & 0o111 == 0o111


@pytest.mark.parametrize("path", PATHS)
def test_stock_clients_at_our_server(held, path):
    """udhcpc: lease, renewal, release, lease. dhclient: lease, renewal by itself, INIT-REBOOT,
    release; and with a lease of another network. nmap: DISCOVER and INFORM. perfdhcp: twenty at once,
    as a relay that speaks to our server."""
    need("busybox", "dhclient", "nmap", "perfdhcp", *(["dhcrelay"] if path == "dhcrelay" else []))
    setup = PATHS[path]
    files = {"dhclient": {"dhclient.conf": DHCLIENT_CONF + SHORT_LEASE, "leases": ""},
             "moved": {"dhclient.conf": DHCLIENT_CONF, "leases": LEASE_ELSEWHERE}}
    net = network(["udhcpc", "dhclient", "moved"], hosts=["nmap", "inform", "perfdhcp"], files=files,
                  **{key: setup[key] for key in ("server", "router") if key in setup})
    informed = "2.1" if path == "direct" else "1.10"
    ended = held(net, [
        {"on": "nmap", "start": DISCOVER, "as": "nmap"},
        {"on": "inform", "start": INFORM.format(net=informed), "as": "nmap"},
        {"on": "perfdhcp", "start": PERFDHCP.format(host=205, server="10.0." + informed),
         "as": "perfdhcp"},
        {"on": "dhclient", "start": DHCLIENT, "as": "dhclient", "expect": {"output": "bound 10.0.2."}},
        {"on": "udhcpc", "start": UDHCPC, "as": "udhcpc", "expect": {"output": "bound 10.0.2."}},
        {"on": "udhcpc", "run": "sh -c 'kill -USR1 $(cat pid)'"},
        {"on": "udhcpc", "watch": "udhcpc", "expect": {"output": "renew 10.0.2."}},
        {"on": "udhcpc", "run": "sh -c 'kill -USR2 $(cat pid)'"},
        {"on": "udhcpc", "messages": "DHCPRELEASE", "expect": {"count": 1}},
        {"on": "udhcpc", "run": "sh -c 'kill -USR1 $(cat pid)'"},
        {"on": "udhcpc", "messages": "DHCPREQUEST", "expect": {"count": 3}},
        {"on": "moved", "start": DHCLIENT, "as": "dhclient", "expect": {"output": "bound 10.0.2."}},
        {"on": ["udhcpc", "dhclient", "moved"], "addresses": "eth0",
         "expect": {"count": 3, "distinct": True, "within": "10.0.2.100-10.0.2.179"}},
        {"on": ["udhcpc", "dhclient", "moved"], "route": "default",
         "expect": {"count": 3, "is": "10.0.2.1"}},
        {"on": "dhclient", "watch": "dhclient", "expect": {"output": "renew 10.0.2."}},
        {"on": "dhclient", "stop": "dhclient", "expect": {"exit": 128 + 15}},  # keeps its lease
        {"on": "dhclient", "start": DHCLIENT, "as": "again", "expect": {"output": "reboot 10.0.2."}},
        {"on": "dhclient", "run": DHCLIENT.replace("-d", "-r")},
        {"on": "dhclient", "messages": "DHCPRELEASE", "expect": {"count": 1}},
        {"on": "perfdhcp", "watch": "perfdhcp", "expect": {"exit": 0}},
        {"on": "inform", "watch": "nmap", "expect": {"exit": 0, "output": "DHCP Message Type: DHCPACK"}},
        {"on": "nmap", "watch": "nmap", "expect": {"exit": 0, "output": "DHCP Message Type: DHCPOFFER"}},
    ], setup["ours"])
    perfdhcp_lost_nothing(ended, doubled=path == "dhcrelay")
    assert set(ended.judged) >= {"DHCPOFFER", "DHCPACK", "DHCPNAK"}
