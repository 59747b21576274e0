"""The plan's addresses and routes, judged by sending packets on paper: in networks made by chance (routers in any graph, several on a
LAN, hosts in several segments, links without addresses, one family or both) a packet from everywhere to everywhere takes the plan's
routes one by one, and has to arrive wherever there is a way, from a router by one that is no longer than the shortest.
"""
import ipaddress
import json
import random
from collections import deque

import pytest

HOPS_MOST = 300


def number(text):
    return int(ipaddress.ip_address(text))


def prefix(text):
    """Its first number, and what of an address is compared with that; longer prefixes have greater masks."""
    network = ipaddress.ip_network(text, strict=False)
    return int(network.network_address), int(network.netmask)


class Network:
    """What `sim plan --json` says, of one family, and nothing else."""

    def __init__(self, plan, family):
        self.nodes = {node["name"]: node for node in plan["nodes"]}
        self.segment = self.find_segments()
        self.subnets, self.addresses, self.owners, self.routers = {}, {}, {}, {}
        self.routes = {name: [(prefix(route["destination"]), number(route["gateway"])) for route in node["routes"]
                              if (":" in route["gateway"]) == (family == "ipv6")] for name, node in self.nodes.items()}
        for name, node in self.nodes.items():
            for one in node["interfaces"]:
                if family not in one:
                    continue
                segment, address = self.segment[name, one["name"]], number(one[family].split("/")[0])
                self.subnets.setdefault(name, []).append((prefix(one[family]), segment))
                self.addresses.setdefault(name, {})[address] = segment
                assert (segment, address) not in self.owners, f"{one[family]} is there twice"
                self.owners[segment, address] = name
                if node["forwarding"]:
                    self.routers.setdefault(segment, set()).add(name)

    def find_segments(self):
        """A number for each interface: what cables and switches join has the same one."""
        cables = {}
        for name, node in self.nodes.items():
            for one in node["interfaces"]:
                cables[name, one["name"]] = (one["peer_node"], one["peer_interface"])
        found = {}
        for start in cables:
            waiting = [start]
            while waiting:
                at = waiting.pop()
                if at in found:
                    continue
                found[at] = start
                waiting.append(cables[at])
                if self.nodes[at[0]]["kind"] == "switch":
                    waiting.extend((at[0], one["name"]) for one in self.nodes[at[0]]["interfaces"])
        return found

    def send(self, name, target):
        """The routers on the way of a packet from the node to the address; None where it gets lost."""
        passed = []
        while len(passed) < HOPS_MOST:
            if target in self.addresses.get(name, ()):
                return passed
            subnets = self.subnets.get(name, [])
            ways = [(mask, segment, target) for (first, mask), segment in subnets if target & mask == first]
            for (first, mask), gateway in self.routes[name]:
                if target & mask == first:
                    over = {segment for (net, bits), segment in subnets if gateway & bits == net}
                    assert len(over) == 1, f"{name}: the gateway {gateway:x} is in {len(over)} of its segments"
                    ways.append((mask, over.pop(), gateway))
            if not ways:
                return None
            _, segment, neighbour = max(ways, key=lambda way: way[0])
            name = self.owners.get((segment, neighbour))
            if name is None:
                return None
            if neighbour != target:
                assert self.nodes[name]["forwarding"], f"{name} is a gateway and no router"
                passed.append(name)
        raise AssertionError(f"a loop: {passed[-10:]}")

    def distances(self, start):
        """How many routers there are between the node and each segment with addresses, at least."""
        found, seen, waiting = {}, {start}, deque([(start, 0)])
        while waiting:
            name, far = waiting.popleft()
            for segment in set(self.addresses.get(name, {}).values()):
                found.setdefault(segment, far)
                for other in self.routers.get(segment, set()) - seen:
                    seen.add(other)
                    waiting.append((other, far + 1))
        return found

    def judge(self, sample):
        sent = 0
        targets = [(address, segment) for own in self.addresses.values() for address, segment in own.items()]
        for start in sample(list(self.addresses)):
            distances = self.distances(start)
            for target, segment in sample(targets):
                way = self.send(start, target)
                if segment not in distances:
                    assert way is None, f"{start} to {target:x}: there is no way, and it took {way}"
                    continue
                assert way is not None, f"{start} to {target:x}: lost"
                # A host leaves most to its first router, which may be a way round.
                if self.nodes[start]["forwarding"]:
                    assert len(way) <= distances[segment], f"{start} to {target:x}: {way}, {distances[segment]} would do"
                sent += 1
        return sent


def topology_of(chance):
    """A topology file by chance, and how it came about."""
    routers, lans = chance.randint(1, 8), chance.randint(1, 6)
    nodes = [f"    r{i}: {{kind: router}}" for i in range(routers)]
    links = []
    families = chance.choice([["ipv4"], ["ipv6"], ["ipv4", "ipv6"]])
    pools = {"ipv4": "10.0.0.0/16", "ipv6": '"2001:db8::/48"'}

    def link(one, other):
        keys = "".join(f", {family}: none" for family in families if chance.random() < 0.1)
        links.append(f"    - {{endpoints: [{one}, {other}]{keys}}}")

    for i in range(1, routers):
        if chance.random() < 0.9:
            link(f"r{i}", f"r{chance.randrange(i)}")
    for _ in range(chance.randint(0, routers)):
        one, other = chance.randrange(routers), chance.randrange(routers)
        if one != other:
            link(f"r{one}", f"r{other}")
    for i in range(lans):
        own = ", ".join(f"{family}: {'10.1.%d.0/24' % i if family == 'ipv4' else '%s2001:db8:1:%x::/64%s' % (chr(34), i, chr(34))}"
                        for family in families if chance.random() < 0.6)
        nodes.append(f"    s{i}: {{kind: switch{', ' if own else ''}{own}}}")
        if i and chance.random() < 0.1 and not own:
            links.append(f"    - {{endpoints: [s{i}, s{i - 1}]}}")
        for router in chance.sample(range(routers), chance.randint(0, min(3, routers))):
            link(f"r{router}", f"s{i}")
    for i in range(chance.randint(1, 8)):
        nodes.append(f"    h{i}: {{}}")
        for _ in range(chance.choice([1, 1, 1, 2, 3])):
            link(f"h{i}", chance.choice([f"s{chance.randrange(lans)}", f"r{chance.randrange(routers)}"]))
    pool = "".join(f"  {family}: {pools[family]}\n" for family in families)
    return "name: t\ntopology:\n" + pool + "  nodes:\n" + "\n".join(nodes) + "\n  links:\n" + "\n".join(links) + "\n"


def judge(sim, path, sample=lambda everything: everything):
    ended = sim("plan", path, "--json")
    assert ended.status == 0, ended.stderr + path.read_text()
    plan = json.loads(ended.stdout)
    return sum(Network(plan, family).judge(sample) for family in ("ipv4", "ipv6"))


@pytest.mark.parametrize("seed", range(5))
def test_packets_arrive_by_the_shortest_way(sim, topology, seed):
    chance, sent = random.Random(seed), 0
    for _ in range(20):
        path = topology(topology_of(chance))
        try:
            sent += judge(sim, path)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{path.read_text()}") from None
    assert sent > 1000


@pytest.mark.parametrize("shape", ["chain", "ring", "grid", "tree"])
def test_joined_routes_lead_there_too(sim, topology, shape):
    """So many subnets that routes are joined: the ways are the same."""
    size = 144
    edges = {"chain": [(i, i + 1) for i in range(size - 1)],
             "ring": [(i, (i + 1) % size) for i in range(size)],
             "grid": [(i, i + 1) for i in range(size) if (i + 1) % 12] + [(i, i + 12) for i in range(size - 12)],
             "tree": [((i - 1) // 2, i) for i in range(1, size)]}[shape]
    links = "\n".join(f"    - {{endpoints: [r{one}, r{other}]}}" for one, other in edges)
    path = topology(f'name: t\ntopology:\n  ipv4: 10.0.0.0/16\n  ipv6: "2001:db8::/48"\n  nodes:\n'
                    f'    "r[0-{size - 1}]": {{kind: router}}\n    "h[0-{size - 1}]": {{}}\n  links:\n{links}\n'
                    f'    - {{endpoints: ["r[0-{size - 1}]", "h[0-{size - 1}]"]}}\n')
    chance = random.Random(shape)
    assert judge(sim, path, lambda everything: chance.sample(everything, 40)) > 1000
