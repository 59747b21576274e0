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


def network(*, near=(), far=(), hosts=(), server=None, router=None, more=None):
    """The picture above. server, router: what runs there, a command and when it is ready; near and far
    have no address, hosts have one, on lan-b. more: further keys of nodes."""

    def node(name, program=None):
        run = [dict(zip(("name", "cmd", "ready"), ("dhcp", *program)))] if program else []
        return {"run": run, **(more or {}).get(name, {})}

    nodes = {
        "lan-a": {"kind": "switch", "ipv4": "10.0.1.0/24"},
        "lan-b": {"kind": "switch", "ipv4": "10.0.2.0/24"},
        "server": node("server", server),
        "router": {"kind": "router", **node("router", router)},
    }
    links = [
        {"endpoints": ["server:eth0", "lan-a"], "ipv4": ["10.0.1.10/24"]},
        {"endpoints": ["router:eth0", "lan-a"]},
        {"endpoints": ["router:eth1", "lan-b"]},
    ]
    for number, name in enumerate([*near, *far, *hosts]):
        nodes[name] = node(name)
        address = ["10.0.2.%d/24" % (200 + number)] if name in hosts else "none"
        lan = "lan-a" if name in near else "lan-b"
        links.append({"endpoints": [f"{name}:eth0", lan], "ipv4": address})
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
OUR_RELAY = ("dhcp-relay --interface eth1 --server 10.0.1.10", True)
OUR_RELAY_82 = (f"{OUR_RELAY[0]} --option-82 --circuit-id lan-b --remote-id mac", True)
ISC_RELAY = "dhcrelay -4 -d --no-pid -a -m append {options} -id eth1 -iu eth0 10.0.1.10"
READY_ISC_RELAY = {"log": "Sending on   Socket/fallback"}

# How clients reach our server: what runs on the server's node and on the router, and where we speak.
PATHS = {
    "direct": {"router": (OUR_SERVER.format(interface="eth1"), True), "ours": {"router:eth1"}},
    "our-relay-82": {"server": (OUR_SERVER.format(interface="eth0"), True), "router": OUR_RELAY_82,
                     "ours": {"server:eth0", "router:eth0", "router:eth1"}},
    "our-relay": {"server": (OUR_SERVER.format(interface="eth0"), True), "router": OUR_RELAY,
                  "ours": {"server:eth0", "router:eth0", "router:eth1"}},
    "dhcrelay": {"server": (OUR_SERVER.format(interface="eth0"), True),
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
    """udhcpc: lease, renewal, release, lease. dhclient: lease and renewal by itself; and with a lease
    of another network: DHCPNAK, lease, INIT-REBOOT, release (a file of leases that short would not do:
    dhclient writes no lease within 15 s of the last). nmap: DISCOVER and INFORM. perfdhcp: twenty at once,
    as a relay that speaks to our server."""
    need("busybox", "dhclient", "nmap", "perfdhcp", *(["dhcrelay"] if path == "dhcrelay" else []))
    setup = PATHS[path]
    more = {"dhclient": {"files": {"dhclient.conf": DHCLIENT_CONF + SHORT_LEASE, "leases": ""}},
            "moved": {"files": {"dhclient.conf": DHCLIENT_CONF, "leases": LEASE_ELSEWHERE}}}
    net = network(far=["udhcpc", "dhclient", "moved"], hosts=["nmap", "inform", "perfdhcp"],
                  more=more, server=setup.get("server"), router=setup.get("router"))
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
        {"on": "moved", "stop": "dhclient", "expect": {"exit": 128 + 15}},  # keeps its lease
        {"on": "moved", "start": DHCLIENT, "as": "again", "expect": {"output": "reboot 10.0.2."}},
        {"on": "moved", "run": DHCLIENT.replace("-d", "-r")},
        {"on": "moved", "messages": "DHCPRELEASE", "expect": {"count": 1}},
        {"on": "perfdhcp", "watch": "perfdhcp", "expect": {"exit": 0}},
        {"on": "inform", "watch": "nmap", "expect": {"exit": 0, "output": "DHCP Message Type: DHCPACK"}},
        {"on": "nmap", "watch": "nmap", "expect": {"exit": 0, "output": "DHCP Message Type: DHCPOFFER"}},
    ], setup["ours"])
    perfdhcp_lost_nothing(ended, doubled=path == "dhcrelay")
    assert set(ended.judged) >= {"DHCPOFFER", "DHCPACK", "DHCPNAK"}


# Our client at strangers' servers, our relay between strangers --------------------------------------

# Every server: a lease of 600 s, T1 after 2 s (but dnsmasq, whose least is 60 s), in both subnets the
# pool .100 to .119, router .1 by the classless routes with one more route, a name server, a domain, an
# MTU.
KEA_CONF = {
    "Dhcp4": {
        "interfaces-config": {"interfaces": ["eth0"]},
        "lease-database": {"type": "memfile", "name": "leases.csv", "lfc-interval": 0},
        "valid-lifetime": 600, "renew-timer": 2, "rebind-timer": 400, "authoritative": True,
        "option-def": [{"name": "routes", "code": 121, "type": "binary"}],
        "option-data": [
            {"name": "domain-name-servers", "data": "10.0.1.53"},
            {"name": "domain-name", "data": "lab.example"},
            {"name": "interface-mtu", "data": "1400"},
        ],
        "subnet4": [{
            "id": net, "subnet": f"10.0.{net}.0/24",
            "pools": [{"pool": f"10.0.{net}.100-10.0.{net}.119"}],
            "option-data": [
                {"name": "routers", "data": f"10.0.{net}.1"},
                {"code": 121, "name": "routes", "csv-format": False,
                 "data": f"000A00{net:02X}01100A090A00{net:02X}09"},
            ],
        } for net in (1, 2)],
        "loggers": [{"name": "kea-dhcp4", "severity": "INFO",
                     "output_options": [{"output": "stdout"}]}],
    },
}
DHCPD_CONF = """default-lease-time 600; max-lease-time 600; authoritative; ping-check false;
option classless-routes code 121 = string;
option dhcp-renewal-time 2; option dhcp-rebinding-time 400;
option domain-name-servers 10.0.1.53; option domain-name "lab.example"; option interface-mtu 1400;
""" + "".join(f"""subnet 10.0.{net}.0 netmask 255.255.255.0 {{
  range 10.0.{net}.100 10.0.{net}.119; option routers 10.0.{net}.1;
  option classless-routes 00:0a:00:{net:02x}:01:10:0a:09:0a:00:{net:02x}:09;
}}
""" for net in (1, 2))
DNSMASQ = ("dnsmasq --no-daemon --log-facility=- --port=0 --leasefile-ro --no-ping --conf-file=/dev/null"
           " --log-dhcp --pid-file --dhcp-authoritative --dhcp-rapid-commit --dhcp-option=6,10.0.1.53"
           " --dhcp-option=15,lab.example --dhcp-option=26,1400") + "".join(
               f" --dhcp-range=set:n{net},10.0.{net}.100,10.0.{net}.119,255.255.255.0,10m"
               f" --dhcp-option=tag:n{net},3,10.0.{net}.1"
               f" --dhcp-option=tag:n{net},121,0.0.0.0/0,10.0.{net}.1,10.9.0.0/16,10.0.{net}.9"
               for net in (1, 2))
# One pool for every network. It knows no T1 and T2 (58, 59) by name.
UDHCPD_CONF = """interface eth0
start 10.0.{net}.100
end 10.0.{net}.119
lease_file leases
pidfile pid
option subnet 255.255.255.0
option router 10.0.{net}.1
option dns 10.0.1.53
option domain lab.example
option mtu 1400
option lease 600
option 0x3a 00000002
option 0x3b 00000190
option staticroutes 0.0.0.0/0 10.0.{net}.1, 10.9.0.0/16 10.0.{net}.9
"""
KEA_PLACES = {"KEA_PIDFILE_DIR": "/run", "KEA_LOCKFILE_DIR": "/run"}


class Stranger:
    """A stock server: what it is run as, which of our clients it can serve."""

    def __init__(self, command, ready, files=None, nets=(1, 2), env=None, soon=True, rapid=False):
        self.run = (command, ready)
        self.node = {"files": files or {}, "env": env or {}}
        self.nets = nets
        self.soon = soon  # its T1 comes within seconds
        self.rapid = rapid  # it commits rapidly


UDHCPD = ("busybox udhcpd -f -a 1 udhcpd.conf", {"port": 67})
SERVERS = {
    "kea": Stranger("kea-dhcp4 -c kea.json", {"log": "DHCP4_STARTED"},
                    {"kea.json": json.dumps(KEA_CONF)}, env=KEA_PLACES),
    "dnsmasq": Stranger(DNSMASQ, {"port": 67}, soon=False, rapid=True),
    "dhcpd": Stranger("dhcpd -4 -f -d -cf dhcpd.conf -lf leases --no-pid eth0",
                      {"log": "Server starting service"}, {"dhcpd.conf": DHCPD_CONF, "leases": ""}),
    "udhcpd": Stranger(*UDHCPD, {"udhcpd.conf": UDHCPD_CONF.format(net=1), "leases": ""}, nets=(1,)),
    "udhcpd-relayed": Stranger(*UDHCPD, {"udhcpd.conf": UDHCPD_CONF.format(net=2), "leases": ""},
                               nets=(2,)),
}
LAN_B = b"lan-b".hex()
OUR_CLIENT = "dhcp-client --interface eth0"
# A machine that is moved is two nodes, and the lease file of the one is carried to the other. A lease
# file is that of a hardware address.
HERE, THERE = "02:00:00:00:77:01", "02:00:00:00:77:02"


def ours_hold_leases(stranger):
    """Two of our clients on each network, applied options and all; udhcpc and dhclient beside them
    behind our relay."""
    for net, place in ((1, "near"), (2, "far")):
        if net not in stranger.nets:
            continue
        ours = [f"{place}1", f"{place}2"]
        yield {"on": ours, "start": f"{OUR_CLIENT} --release-on-exit --json", "as": "dhcp", "ready": True}
        yield {"on": ours, "addresses": "eth0",
               "expect": {"count": 2, "distinct": True, "within": f"10.0.{net}.100-10.0.{net}.119"}}
        yield {"on": ours, "route": "default", "expect": {"count": 2, "is": f"10.0.{net}.1"}}
        yield {"on": ours, "run": "ip route show dev eth0",
               "expect": {"exit": 0, "output": f"10.9.0.0/16 via 10.0.{net}.9"}}
        yield {"on": ours, "run": "cat /sys/class/net/eth0/mtu", "expect": {"exit": 0, "output": "1400"}}
        yield {"on": ours, "run": "cat /etc/resolv.conf",
               "expect": {"exit": 0, "output": ["nameserver 10.0.1.53", " lab.example"]}}
    if 2 in stranger.nets:
        for name, command in (("udhcpc", UDHCPC), ("dhclient", DHCLIENT)):
            yield {"on": name, "start": command, "as": "dhcp", "expect": {"output": "bound 10.0.2."}}
        yield {"on": "udhcpc", "run": "sh -c 'kill -USR1 $(cat pid)'"}
        yield {"on": "udhcpc", "watch": "dhcp", "expect": {"output": "renew 10.0.2."}}


def ours_remember_and_move(stranger):
    """INIT-REBOOT: no DHCPDISCOVER, the same address; then, moved to the other network, DHCPNAK and a
    lease of that network. udhcpd has one network only: it gets somebody's lease of another one."""
    first = "rebooted-near" if 1 in stranger.nets else "rebooted-far"
    once = f"{OUR_CLIENT} --once --lease-file lease"
    for _ in range(2):
        yield {"on": first, "run": once}
    yield {"on": first, "messages": "DHCPDISCOVER", "expect": {"count": 1}}
    yield {"on": first, "messages": "DHCPREQUEST", "expect": {"count": 2}}
    if len(stranger.nets) == 2:
        yield {"on": "rebooted-far", 
               "run": f"sh -c 'sed s/{HERE}/{THERE}/ ../rebooted-near/lease > lease'"}
        yield {"on": "rebooted-far", "run": once, "expect": {"exit": 0, "output": "DHCPNAK"}}
        yield {"on": "rebooted-far", "addresses": "eth0",
               "expect": {"count": 1, "within": "10.0.2.100-10.0.2.119"}}
        yield {"on": "rebooted-far", "messages": "DHCPREQUEST", "expect": {"count": 2}}


def ours_ask_otherwise(stranger):
    """DHCPINFORM; a DHCPDISCOVER with option 80, which dnsmasq alone obliges."""
    place = "near" if 1 in stranger.nets else "far"
    yield {"on": "informed", "run": f"{OUR_CLIENT} --inform --json",
           "expect": {"exit": 0, "output": "lab.example"}}
    yield {"on": f"rapid-{place}", "run": f"{OUR_CLIENT} --once --rapid-commit"}
    yield {"on": f"rapid-{place}", "messages": "DHCPREQUEST",
           "expect": {"count": 0 if stranger.rapid else 1}}


def told_in_json(run, node):
    """The first `bound` of our client's --json."""
    for line in run.log(SCENARIO, f"{node}.dhcp").splitlines():
        if line.startswith("{") and json.loads(line)["event"] == "bound":
            return json.loads(line)
    raise AssertionError(f"{node} told of no lease")


@pytest.mark.parametrize("kind", SERVERS)
def test_our_client_and_relay_at_a_stock_server(held, kind):
    """Near it ours alone, far behind our relay udhcpc and dhclient too: lease, options applied, renewal
    after T1, release, INIT-REBOOT, DHCPNAK, DHCPINFORM, rapid commit."""
    stranger = SERVERS[kind]
    need(stranger.run[0].split()[0], "busybox", "dhclient")
    near = ["near1", "near2", "rebooted-near", "rapid-near"]
    far = ["far1", "far2", "rebooted-far", "rapid-far"]
    net = network(near=near, far=[*far, "udhcpc", "dhclient"], hosts=["informed"], server=stranger.run,
                  router=OUR_RELAY_82,
                  more={"server": stranger.node, "rebooted-near": {"mac": HERE},
                        "rebooted-far": {"mac": THERE},
                        "dhclient": {"files": {"dhclient.conf": DHCLIENT_CONF, "leases": ""}}})
    ours = [name for number, names in ((1, near), (2, far)) for name in names[:2]
            if number in stranger.nets]
    renewed = {"on": ours, "messages": "DHCPREQUEST", "expect": {"at-least": 2 * len(ours)},
               "timeout": 10}
    ended = held(net, [
        *ours_hold_leases(stranger), *ours_remember_and_move(stranger), *ours_ask_otherwise(stranger),
        *([renewed] if stranger.soon else []),
        {"on": ours, "messages": "DHCPDISCOVER", "expect": {"count": len(ours)}},
        {"on": ours, "stop": "dhcp", "expect": {"exit": 0, "output": "released"}},
        {"on": ours, "addresses": "eth0", "expect": {"count": 0}},
        {"on": ours, "messages": "DHCPRELEASE", "expect": {"count": len(ours)}},
    ], {f"{name}:eth0" for name in [*near, *far, "informed", "router"]} | {"router:eth1"})
    assert set(ended.judged) >= {"DHCPDISCOVER", "DHCPREQUEST", "DHCPRELEASE", "DHCPINFORM"}
    if 2 in stranger.nets:
        # Our relay says where a client is; udhcpd does not return it, the others do; our relay passes it
        # to no client (ISC dhcpd does: its DHCPACK to a DHCPINFORM goes past the relay, with it).
        at_server = 'frame.interface_name == "server:eth0" && dhcp.ip.relay == 10.0.2.1 && dhcp.type == '
        assert wireshark.circuits(ended, SCENARIO, at_server + "1") == {LAN_B}
        assert wireshark.circuits(ended, SCENARIO, at_server + "2") == ({""} if "udhcpd" in kind
                                                                        else {LAN_B})
        assert wireshark.circuits(ended, SCENARIO,
                                  'frame.interface_name == "router:eth1" && dhcp.type == 2'
                                  " && ip.src == 10.0.2.1") == {""}
    for name in ours:
        told = told_in_json(ended, name)
        address, _, length = told["address"].partition("/")
        options = wireshark.lease_options(ended, SCENARIO, f"{name}:eth0", address)
        assert (told["server"], length) == ("10.0.1.10", "24")
        assert len(options) >= 7 and told["options"].items() >= options.items()
