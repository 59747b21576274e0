"""What the kernel has is what the plan says, asked with other eyes (iproute2, ping).

    h --- r1 --- r2 --- sw1 --- sw2 --- g        h and r1, r1 and r2 are linked directly
"""
import json
import subprocess

import pytest
from conftest import BIN, need

CHAIN = """
name: chain
topology:
  nodes:
    h: {mac: 02:00:00:00:00:77}
    r1: {kind: router}
    r2: {kind: router}
    sw1: {kind: switch, ipv4: 10.0.3.0/24}
    sw2: {kind: switch}
    g: {}
  links:
    - {endpoints: [h, r1], ipv4: [10.0.1.2/24, 10.0.1.1/24], mtu: 1400}
    - {endpoints: [r1, "r2:uplink"], ipv4: [10.0.2.1/30, 10.0.2.2/30]}
    - {endpoints: [r2, sw1]}
    - {endpoints: [sw1, sw2]}
    - {endpoints: [g, sw2]}
scenarios:
  look:
    title: Look at every node
    steps:
      - {on: [h, r1, r2, g], run: ip -j address}
      - {on: [h, r1, r2, g], run: ip -j route}
      - {on: [h, r1, r2, g], run: uname -n}
      - {on: [h, r1, r2, g], run: cat /etc/hosts /etc/resolv.conf /etc/hostname}
      - {on: h, run: "sh -c 'echo nameserver 10.0.3.2 > /etc/new && mv /etc/new /etc/resolv.conf && touch /tmp/x /run/y'"}
      - {on: g, run: "sh -c 'ls /tmp /run; cat /etc/resolv.conf'"}
  reach:
    title: From one end to the other
    steps:
      - {on: g, start: ftp-server --root . --clients 1 --waiting 0, as: ftp, ready: true}
      - {on: h, run: ftp-client g ls}
      - {on: h, messages: LIST, expect: {count: 1}}
      - {on: g, messages: "226", expect: {count: 1}}
      - {on: g, stop: ftp, expect: {exit: 0}}
"""


def test_addresses_and_routes_are_the_plans(sim, topology):
    need("ip")
    path = topology(CHAIN)
    ended = sim("run", path, "look")
    ended.all_held()
    plan = {node["name"]: node for node in json.loads(sim("plan", path, "--json").stdout)["nodes"]}
    for name in ("h", "r1", "r2", "g"):
        links = {link["ifname"]: link for link in json.loads(ended.log("look", f"{name}.1-ip"))}
        assert set(links) == {"lo", *(one["name"] for one in plan[name]["interfaces"])}
        for one in plan[name]["interfaces"]:
            link = links[one["name"]]
            ipv4 = [f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"]]
            assert (link["address"], link["ifindex"], ipv4) == (one["mac"], one["ifindex"], [one["ipv4"]])
            assert {"UP", "LOWER_UP"} <= set(link["flags"])
        routes = {(route["dst"], route["gateway"])
                  for route in json.loads(ended.log("look", f"{name}.2-ip")) if "gateway" in route}
        assert routes == {(route["destination"].replace("0.0.0.0/0", "default"), route["gateway"])
                          for route in plan[name]["routes"]}
    assert json.loads(ended.log("look", "h.1-ip"))[1]["mtu"] == 1400


def test_every_node_is_its_own_host(sim, topology):
    ended = sim("run", topology(CHAIN), "look")
    ended.all_held()
    for name in ("h", "r1", "r2", "g"):
        assert ended.log("look", f"{name}.3-uname") == f"{name}\n"
        etc = ended.log("look", f"{name}.4-cat")
        assert "10.0.1.2\th\n" in etc and "10.0.3.2\tg\n" in etc and etc.endswith(f"\n{name}\n")
        assert "nameserver" not in etc
    seen = ended.log("look", "g.6-sh")
    assert "x" not in seen.split() and "y" not in seen.split() and "nameserver" not in seen


def test_packets_cross_routers_and_switches(sim, topology):
    ended = sim("run", topology(CHAIN), "reach")
    ended.all_held()
    names = {line["sent_at"] for line in ended.lines("reach", "messages.jsonl")}
    assert names == {"h:eth0", "g:eth0"}


DUAL = """
name: dual
topology:
  ipv4: 10.0.0.0/16
  ipv6: 2001:db8::/48
  nodes:
    h: {}
    r1: {kind: router}
    r2: {kind: router, routes: [{to: 10.0.1.0/30, via: none}, {to: "2001:db8:9::/48", via: g}]}
    lan: {kind: switch}
    g: {}
    d: {}
  links:
    - {endpoints: [h, "r1:an-interface-towards-the-host"]}
    - {endpoints: [r1, r2]}
    - {endpoints: [r2, lan]}
    - {endpoints: [g, lan]}
    - {endpoints: [d, lan], ipv6: none}
scenarios:
  look:
    title: Look at every node
    steps:
      - {on: [h, r1, r2, g, d], run: ip -j address}
      - {on: [h, r1, r2, g, d], run: ip -j route}
      - {on: [h, r1, r2, g, d], run: ip -j -6 route}
      - {on: r1, run: ip link show an-interface-towards-the-host}
  reach:
    title: At once, over both families
    steps:
      - {on: g, start: "ftp-server --root . --listen [::]:21 --clients 2 --waiting 0", as: ftp, ready: true}
      - {on: h, run: "ftp-client [2001:db8::2] ls"}
      - {on: r2, run: ftp-client g ls}
      - {on: h, addresses: eth0, expect: {is: "2001:db8:0:1::2"}}
      - {on: h, addresses: eth0, expect: {count: 1}}
      - {on: r1, addresses: an-interface-towards-the-host, expect: {within: "2001:db8:0:1::1-2001:db8:0:1::1"}}
      - {on: h, route: default, expect: {is: "2001:db8:0:1::1"}}
      - {on: d, addresses: eth0, expect: {within: "2001:db8::-2001:db8:ffff::", count: 0}}
  cables:
    title: Pulled out and put in again, both families are as before
    steps:
      - {on: g, start: "ftp-server --root . --listen [::]:21 --clients 2 --waiting 0", as: ftp, ready: true}
      - {on: r1, link: down, interface: an-interface-towards-the-host}
      - {on: r1, link: up, interface: an-interface-towards-the-host}
      - {on: r2, link: down, interface: eth0}
      - {on: r2, link: up, interface: eth0}
      - {on: h, run: "ftp-client --connect-time 20 [2001:db8::2] ls"}
      - {on: r1, run: "ftp-client --connect-time 20 10.0.0.2 ls"}
      - {on: [h, r1, r2], run: ip -j address}
      - {on: [h, r1, r2], run: ip -j route}
      - {on: [h, r1, r2], run: ip -j -6 route}
"""


def kernel_routes(ended, name, scenario="look", step=2):
    """What stands in the main tables, but for what the kernel makes of each address by itself: step and the next."""
    for number, everything in ((step, "0.0.0.0/0"), (step + 1, "::/0")):
        for route in json.loads(ended.log(scenario, f"{name}.{number}-ip")):
            if "gateway" in route:
                yield route["dst"].replace("default", everything), route["gateway"]


def test_both_families_are_the_plans(sim, topology):
    """    h --- r1 --- r2 --- lan --- g, d        d has no IPv6 """
    need("ip")
    path = topology(DUAL)
    ended = sim("run", path, "look")
    ended.all_held()
    plan = {node["name"]: node for node in json.loads(sim("plan", path, "--json").stdout)["nodes"]}
    for name in ("h", "r1", "r2", "g", "d"):
        links = {link["ifname"]: link for link in json.loads(ended.log("look", f"{name}.1-ip"))}
        for one in plan[name]["interfaces"]:
            held = [f"{a['local']}/{a['prefixlen']}" for a in links[one["name"]]["addr_info"] if a["scope"] == "global"]
            assert held == [one[family] for family in ("ipv4", "ipv6") if family in one]
            assert not any(a.get("tentative") for a in links[one["name"]]["addr_info"])
            assert links[one["name"]].get("altnames", []) == ([one["long_name"]] if "long_name" in one else [])
        assert set(kernel_routes(ended, name)) == {(r["destination"], r["gateway"]) for r in plan[name]["routes"]}
    assert {"destination": "2001:db8:9::/48", "gateway": "2001:db8::2", "written": True} in plan["r2"]["routes"]
    # Where IPv6 is not asked for, it is off.
    assert [a["family"] for a in json.loads(ended.log("look", "d.1-ip"))[1]["addr_info"]] == ["inet"]


def test_ipv6_is_there_at_once(sim, topology):
    ended = sim("run", topology(DUAL), "reach")
    ended.all_held()


def test_cables_of_both_families(sim, topology):
    need("ip")
    path = topology(DUAL)
    ended = sim("run", path, "cables")
    ended.all_held()
    plan = {node["name"]: node for node in json.loads(sim("plan", path, "--json").stdout)["nodes"]}
    for name in ("h", "r1", "r2"):
        links = {link["ifname"]: link for link in json.loads(ended.log("cables", f"{name}.8-ip"))}
        for one in plan[name]["interfaces"]:
            held = [f"{a['local']}/{a['prefixlen']}" for a in links[one["name"]]["addr_info"] if a["scope"] == "global"]
            assert held == [one["ipv4"], one["ipv6"]]
        assert set(kernel_routes(ended, name, "cables", 9)) == {
            (r["destination"], r["gateway"]) for r in plan[name]["routes"]}


def test_no_ipv6_frame_where_none_is_asked_for(sim, topology):
    need("tshark")
    ended = sim("run", topology(CHAIN), "reach")
    ended.all_held()
    seen = subprocess.run(["tshark", "-r", ended.folder / "reach" / "capture.pcapng", "-Y", "ipv6"],
                          capture_output=True, text=True, timeout=60)
    assert (seen.returncode, seen.stdout) == (0, "")


@pytest.mark.parametrize("prepare, sentence", [
    ("echo 5 > /proc/sys/user/max_net_namespaces",
     "this topology needs 6 network namespaces, and 5 are allowed: see /proc/sys/user/max_net_namespaces"),
    ("ulimit -n 40", "this topology needs at least 43 open files, and 40 are allowed (ulimit -Hn)"),
])
def test_too_large_for_this_system(topology, tmp_path, prepare, sentence):
    """Told by the plan, and by a run before anything is built."""
    need("unshare")
    if subprocess.run(["unshare", "-Ur", "true"], capture_output=True).returncode:
        pytest.skip("this system has no user namespaces for us")
    path = topology(DUAL)
    for words, status in ((["plan", path], 0), (["run", path, "--results", tmp_path / "results"], 3)):
        ended = subprocess.run(["unshare", "-Ur", "sh", "-c", f'{prepare}; exec "$@"', "sh", BIN / "sim", *words],
                               capture_output=True, text=True, timeout=30)
        assert ended.returncode == status and ended.stderr.endswith(f"{sentence}\n"), ended.stderr
    assert not (tmp_path / "results").exists()
