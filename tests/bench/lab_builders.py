"""Who builds labs, and what: each builder gets the same nodes, links, addresses and routes, those of
our plan, and says when they are there."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from frame import Failed
from servers import BUILD, TREE

SIM = BUILD / "bin" / "sim"
FLOOR = BUILD / "bench" / "lab_floor"
BUILD_SECONDS = 900


# What is built.

def star(count):
    """Hosts at one switch."""
    return (f"lan: {{kind: switch, ipv4: 10.0.0.0/16}}\n    host[1-{count}]: {{}}",
            [f'["host[1-{count}]:eth0", lan]'], "")


def chain(count):
    """Routers one behind the other: each has a way to every link."""
    return (f"r[1-{count}]: {{kind: router}}",
            [f'["r[1-{count - 1}]:eth1", "r[2-{count}]:eth0"]'], "  ipv4: 10.0.0.0/8\n")


def campus(count, lans=10):
    """Hosts at ten switches, each behind a router, these in a chain: 20 routers and switches."""
    hosts = count // lans - 2
    nodes = "\n    ".join(f"lan{i}: {{kind: switch}}\n    r{i}: {{kind: router}}\n"
                          f"    h{i}-[1-{hosts}]: {{}}" for i in range(lans))
    links = [f"[r{i}, lan{i}]" for i in range(lans)]
    links += [f"[r{i}, r{i + 1}]" for i in range(lans - 1)]
    links += [f'["h{i}-[1-{hosts}]", lan{i}]' for i in range(lans)]
    return nodes, links, "  ipv4: 10.0.0.0/8\n"


@dataclass(frozen=True)
class Lab:
    name: str
    label: str
    make: object
    count: int

    def text(self):
        nodes, links, pool = self.make(self.count)
        lines = "".join(f"    - {{endpoints: {one}}}\n" for one in links)
        return f"name: {self.name}\ntopology:\n{pool}  nodes:\n    {nodes}\n  links:\n{lines}"


LABS = (Lab("star-100", "star of 100", star, 100), Lab("star-1000", "star of 1,000", star, 1000),
        Lab("chain-1000", "chain of 1,000", chain, 1000),
        Lab("campus-10000", "10,000 nodes on 20", campus, 10000))
SHORT = (Lab("star-100", "star of 100", star, 100), Lab("star-500", "star of 500", star, 500),
         Lab("chain-200", "chain of 200", chain, 200))
# To see whether the bench works.
TRIAL = (Lab("star-20", "star of 20", star, 20),)


class Plan:
    """What our plan says, as the others need it."""

    def __init__(self, lab, folder):
        self.path = folder / f"{lab.name}.yaml"
        self.path.write_text(lab.text(), encoding="utf-8")
        told = subprocess.run([SIM, "plan", "--json", self.path], capture_output=True, text=True,
                              check=True)
        self.nodes = json.loads(told.stdout)["nodes"]
        self.kinds = {node["name"]: node["kind"] for node in self.nodes}
        self.numbers = {node["name"]: number for number, node in enumerate(self.nodes)}
        self.indexes = {(node["name"], one["name"]): one["ifindex"]
                        for node in self.nodes for one in node["interfaces"]}
        self.words = folder / f"{lab.name}.words"
        self.words.write_text("\n".join(self.floor_words()) + "\n", encoding="utf-8")

    def links(self):
        """((node, interface), (node, interface)), a switch first."""
        for node in self.nodes:
            for one in node["interfaces"]:
                here = node["name"], one["name"]
                there = one["peer_node"], one["peer_interface"]
                first = node["kind"] == "switch", self.kinds[there[0]] == "switch"
                if first[0] > first[1] or first[0] == first[1] and here < there:
                    yield here, there

    def addresses(self):
        """(node, interface, address, prefix length)"""
        for node in self.nodes:
            for one in node["interfaces"]:
                if one.get("ipv4"):
                    yield (node["name"], one["name"], *one["ipv4"].split("/"))

    def routes(self):
        """(node, destination, prefix length, gateway)"""
        for node in self.nodes:
            for one in node["routes"]:
                destination = one["destination"]
                if destination == "default":
                    destination = "0.0.0.0/0"
                yield (node["name"], *destination.split("/"), one["gateway"])

    def floor_words(self):
        for node in self.nodes:
            yield f"node {node['kind']}"
        for ends in self.links():
            yield "link " + " ".join(f"{self.numbers[node]} {self.indexes[node, interface]} {interface}"
                                     for node, interface in ends)
        for node, interface, address, length in self.addresses():
            yield f"address {self.numbers[node]} {self.indexes[node, interface]} {address} {length}"
        for node, destination, length, gateway in self.routes():
            yield f"route {self.numbers[node]} {destination} {length} {gateway}"
        yield "end"


def forget(text):
    """A program's last line, for a reason."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


class Holder:
    """A program that builds, prints the seconds it took, and holds what is there until it is killed
    or its input ends."""

    def __init__(self, words, stdin=subprocess.PIPE):
        self.process = subprocess.Popen(words, stdin=stdin, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)

    def seconds(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failed(forget(self.process.stderr.read()))
        return float(line)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Floor:
    word, label, largest, once = "floor", "kernel floor", 1 << 20, False

    @staticmethod
    def missing():
        return None

    def build(self, plan):
        self.holder = Holder([FLOOR])
        self.holder.process.stdin.write(plan.words.read_text(encoding="utf-8"))
        self.holder.process.stdin.flush()
        return self.holder.seconds()

    def kill(self):
        self.holder.kill()


class Ours:
    """All of `sim up`, as somebody who types it waits for it."""

    word, label, largest, once = "ours", "sim up (ours)", 1 << 20, False

    def __init__(self):
        self.results = None

    @staticmethod
    def missing():
        return None

    @staticmethod
    def sim(*words):
        began = time.monotonic()
        ended = subprocess.run([SIM, *words], capture_output=True, text=True, check=False,
                               timeout=BUILD_SECONDS)
        seconds = time.monotonic() - began
        if ended.returncode:
            raise Failed(forget(ended.stderr))
        return seconds, ended.stdout

    def build(self, plan):
        self.name = plan.path.stem
        return self.sim("up", plan.path, "--results", plan.path.parent / "results")[0]

    def plan_seconds(self, plan):
        return self.sim("validate", plan.path)[0]

    def down_seconds(self):
        return self.sim("down", self.name)[0]

    def kill(self):
        """The supervisor, which is all that the lab hangs on."""
        for lab in json.loads(self.sim("ps", self.name, "--json")[1])["labs"]:
            os.kill(lab["supervisor"], signal.SIGKILL)


class IpBatch:
    """iproute2, as a script would drive it at its fastest: one `ip -batch` for all namespaces, one for
    the links of each node that makes some, one for what is inside each node."""

    word, label, largest, once = "ip-batch", "ip -batch", 1100, True

    @staticmethod
    def missing():
        return None if shutil.which("ip") else "ip is not there"

    @staticmethod
    def batches(plan):
        """(node or None, lines)"""
        yield None, [f"netns add {node['name']}" for node in plan.nodes]
        inside = {node["name"]: ["link set lo up"] for node in plan.nodes}
        makes = {}
        for (here, name), (there, peer) in plan.links():
            port = plan.kinds[here] == "switch"
            lines = makes.setdefault(here, ["link add br0 type bridge"] if port else [])
            lines.append(f"link add {name} type veth peer name {peer} netns {there}")
            for node, interface in ((here, name), (there, peer)):
                up = f"link set {interface} up"
                if plan.kinds[node] == "switch":
                    up = f"link set {interface} master br0 up"
                inside[node].append(up)
        for node, interface, address, length in plan.addresses():
            inside[node].append(f"address add {address}/{length} dev {interface}")
        for node, destination, length, gateway in plan.routes():
            inside[node].append(f"route add {destination}/{length} via {gateway}")
        for node, kind in plan.kinds.items():
            if kind == "switch":
                inside[node].append("link set br0 up")
        yield from makes.items()
        yield None, [f"netns exec {node} sysctl -qw net.ipv4.ip_forward=1"
                     for node, kind in plan.kinds.items() if kind == "router"]
        yield from inside.items()

    def build(self, plan):
        folder = plan.path.parent / f"{plan.path.stem}.ip"
        folder.mkdir(exist_ok=True)
        script = ["set -e"]
        for number, (node, lines) in enumerate(self.batches(plan)):
            (folder / str(number)).write_text("\n".join(lines) + "\n", encoding="utf-8")
            script.append(f"ip {f'-n {node} ' if node else ''}-batch {number}")
        (folder / "script").write_text("\n".join(script) + "\n", encoding="utf-8")
        began = time.monotonic()
        ended = subprocess.run(["sh", "script"], cwd=folder, capture_output=True, text=True,
                               check=False, timeout=BUILD_SECONDS)
        if ended.returncode:
            raise Failed(forget(ended.stderr))
        return time.monotonic() - began

    def kill(self):
        """There is nobody left who could be killed."""


class Mininet:
    """Its Python interface, with Linux bridges as switches: it needs no daemon for them."""

    word, label, largest, once = "mininet", "Mininet", 1100, True
    SCRIPT = Path(__file__).with_name("lab_mininet.py")

    def missing(self):
        if not shutil.which("mn") or not shutil.which("mnexec"):
            return "it is not installed"
        if not shutil.which("brctl"):
            return "its LinuxBridge needs brctl (bridge-utils)"
        ended = subprocess.run([sys.executable, "-B", "-c", "import mininet.net"],
                               capture_output=True, text=True, check=False)
        return forget(ended.stderr) if ended.returncode else None

    def build(self, plan):
        self.holder = Holder([sys.executable, "-B", self.SCRIPT, plan.words.with_suffix(".json")])
        return self.holder.seconds()

    def prepare(self, plan):
        plan.words.with_suffix(".json").write_text(json.dumps(
            {"kinds": plan.kinds, "links": list(plan.links()), "addresses": list(plan.addresses()),
             "routes": list(plan.routes())}), encoding="utf-8")

    def kill(self):
        self.holder.kill()


BUILDERS = (Floor(), Ours(), IpBatch(), Mininet())
