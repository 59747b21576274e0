"""Build the lab that FILE describes (lab_builders.py) by Mininet, print the seconds it took, and
hold it until standard input ends. Run by lab_bench.py in namespaces that go away afterwards."""
import json
import sys
import time
from pathlib import Path

from mininet.net import Mininet
from mininet.node import Node
from mininet.nodelib import LinuxBridge


def inside(net, lab, folder):
    """What Mininet does not do by itself: addresses beside the first one, routes, forwarding. The
    node's shell, which Mininet keeps for each, runs one command for all of them."""
    lines = {}
    for node, interface, address, length in lab["addresses"]:
        lines.setdefault(node, []).append(f"address add {address}/{length} dev {interface}")
    for node, destination, length, gateway in lab["routes"]:
        lines.setdefault(node, []).append(f"route add {destination}/{length} via {gateway}")
    for name, batch in lines.items():
        file = folder / f"{name}.batch"
        file.write_text("\n".join(batch) + "\n", encoding="utf-8")
        command = f"ip -batch {file}"
        if lab["kinds"][name] == "router":
            command = "sysctl -qw net.ipv4.ip_forward=1; " + command
        said = net[name].cmd(command)
        if said.strip():
            sys.exit(f"{name}: {said.strip().splitlines()[-1]}")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        lab = json.load(file)
    began = time.monotonic()
    net = Mininet(switch=LinuxBridge, controller=None)
    for number, (name, kind) in enumerate(lab["kinds"].items()):
        if kind == "switch":
            net.addSwitch(name, dpid=f"{number + 1:016x}")
        else:
            net.addHost(name, cls=Node, ip=None)
    for (here, name), (there, peer) in lab["links"]:
        ends = [net[node] for node in (here, there)]
        # A switch's interfaces stand beside each other's in the root namespace: its own names.
        names = {f"intfName{i + 1}": interface for i, (node, interface) in
                 enumerate(((here, name), (there, peer))) if lab["kinds"][node] != "switch"}
        net.addLink(*ends, **names)
    net.start()
    inside(net, lab, Path(sys.argv[1]).parent)
    print(f"{time.monotonic() - began:.4f}", flush=True)
    sys.stdin.read()


main()
