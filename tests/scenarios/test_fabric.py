"""What the kernel has is what the plan says, asked with other eyes (iproute2, ping).

    h --- r1 --- r2 --- sw1 --- sw2 --- g        h and r1, r1 and r2 are linked directly
"""
import json

from conftest import need

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
