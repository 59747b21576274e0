"""sim export: the shell script builds what sim builds, containerlab's file says the same, and both are
safe to hand to anybody.

The script runs in namespaces of its own (unshare -Urnm) and each of its nodes is asked by iproute2 what
it has. The same questions go to the nodes of the same topology that `sim up` has built.
"""
import json
import os
import re
import secrets
import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from conftest import BIN, TREE, eventually, need

SHIPPED = sorted(path.stem for path in (TREE / "topologies").glob("*.yaml"))
# A node is asked in so many milliseconds on each side: of a larger topology this many, evenly spread.
ASKED_MOST = 40
# A node takes some twenty commands: larger networks are compared as texts, below.
BUILT_MOST = 100

QUESTIONS = """
ip -j -d address
ip -j -4 route show table all
ip -j -6 route show table all
bridge -j link
tc -j qdisc
cd /proc/sys/net
ip rule | sed 's/^/rule /'
grep -s . ipv4/tcp_rmem ipv4/conf/*/rp_filter ipv4/ip_forward ipv6/conf/all/forwarding ipv6/conf/*/disable_ipv6 ipv6/conf/*/accept_ra ipv6/conf/*/accept_dad
nft -j list ruleset 2>/dev/null
:
"""
# Everything that a newcomer might get wrong at once: names, families, sizes, routes of one's own.
ODD = """
name: odd.lab-1
title: "Quotes: ' $(touch /tmp/owned) `id` \\" and a\\nnewline"
topology:
  nodes:
    sw: {kind: switch, ipv4: 10.1.0.0/24, ipv6: "2001:db8:1::/64"}
    sw2: {kind: switch}
    r.1: {kind: router, routes: [{to: default, via: 10.0.0.2}]}
    r-2: {kind: router, sysctls: {net.ipv4.conf.default.rp_filter: 2, net.ipv4.tcp_rmem: "4096 87380 7000000"}, mac: {uplink-to-the-other-router: "02:00:00:00:00:01"}}
    "007": {run: [{name: x, cmd: "sh -c 'echo \\"a\\nb\\"; exec sleep 1000'"}]}
    lonely: {exec: ["ip rule add from 10.8.0.1 table 9", "touch here"]}
    fw:
      nftables: |
        table inet filter {
          chain input { type filter hook input priority 0; iif "to-the-other-router-and-on" ip saddr r-2 drop
          }
        # quotes ' " $HOME `id`
        }
        table ip END
    both: {routes: none}
  links:
    - {endpoints: ["r.1:eth0", "r-2:uplink-to-the-other-router"], ipv4: 10.0.0.0/30, mtu: 1400}
    - {endpoints: ["r.1:lan.5", sw], mtu: 9000}
    - {endpoints: [sw, sw2], rate: [1.5mbit, 2gbit]}
    - {endpoints: ["fw:to-the-other-router-and-on", r-2], ipv4: 10.9.1.0/30, rate: [none, 64kbit], mtu: 9000}
    - {endpoints: ["007", sw2], ipv6: none}
    - {endpoints: [both, sw2], ipv4: none}
    - {endpoints: [both, r-2], ipv4: 10.9.0.0/31}
"""


def address(link):
    """What matters of one interface: no numbers of the kernel's, no times."""
    kept = {key: link.get(key) for key in ("ifname", "altnames", "mtu", "address", "master", "txqlen")}
    # Not operstate: the kernel sets that a second later.
    kept["flags"] = sorted({"UP", "LOWER_UP", "BROADCAST", "MULTICAST"} & set(link["flags"]))
    kept["kind"] = link.get("linkinfo", {}).get("info_kind")
    kept["addresses"] = sorted(
        (one["family"], one["local"], one["prefixlen"], one.get("broadcast", ""), one["scope"],
         one.get("nodad", False), one.get("tentative", False)) for one in link["addr_info"])
    return kept


def route(one):
    return {key: one.get(key) for key in ("type", "dst", "gateway", "dev", "protocol", "scope", "metric", "prefsrc", "table")}


def queue(one):
    """A queue without the kernel's numbers; tc and we turn bytes into its ticks and differ by one."""
    options = {key: round(value / 100) if isinstance(value, int) else value for key, value in one["options"].items()}
    return json.dumps({"dev": one["dev"], "kind": one["kind"], "options": options}, sort_keys=True)


def facts(answers):
    lines = answers.splitlines()
    links, ipv4, ipv6, ports, queues = (json.loads(line) for line in lines[:5])
    ruleset = [line for line in lines[5:] if line.startswith("{")]
    rules = [one for text in ruleset for one in json.loads(text)["nftables"] if "metainfo" not in one]
    return {
        "links": sorted(map(address, links), key=str),
        "routes": sorted(map(route, ipv4 + ipv6), key=str),
        "ports": sorted((port["ifname"], port["master"], port["state"]) for port in ports),
        "queues": sorted(map(queue, queues)),
        "settings": sorted(line for line in lines[5:] if not line.startswith("{")),
        "rules": re.sub(r'"handle": \d+', "", json.dumps(rules)),
    }


def nodes_of(sim, name):
    return [node["name"] for node in json.loads(sim("plan", name, "--json").stdout)["nodes"]]


def exported(sim, tmp_path, name, *settings):
    path = tmp_path / "by-hand.sh"
    ended = sim("export", name, "--format", "script", "-o", path, *settings)
    assert (ended.status, ended.stdout, ended.stderr) == (0, "", ""), ended.stderr
    assert os.access(path, os.X_OK)
    return path


def by_hand(script, command, *prefix):
    """Run the script in namespaces of its own with a command of sh."""
    ended = subprocess.run(["unshare", *(prefix or ["-Urnm"]), "sh", script, "sh", "-euc", command],
                           capture_output=True, text=True, timeout=200)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def asked_by_hand(script, nodes):
    questions = script.parent / "questions.sh"
    questions.write_text(QUESTIONS)
    told = by_hand(script, f"for node in {' '.join(nodes)}; do echo \"== $node\"; "
                           f"ip netns exec $node sh {questions}; done")
    parts = re.split(r"^== (.*)\n", told, flags=re.M)[1:]
    return {node: facts(answers) for node, answers in zip(parts[::2], parts[1::2])}


@pytest.fixture
def lab(tmp_path):
    """lab(topology): sim up, and a function that asks a node; down at the end."""
    name = f"t{secrets.token_hex(6)}"
    sim = str(BIN / "sim")

    def up(topology):
        ended = subprocess.run([sim, "up", topology, "--name", name, "--results", tmp_path / "results"], cwd=TREE,
                               capture_output=True, text=True, timeout=120)
        assert ended.returncode == 0, ended.stderr
        return lambda node: facts(subprocess.run([sim, "exec", f"{name}:{node}", "sh", "-c", QUESTIONS], timeout=60,
                                                 check=True, capture_output=True, text=True).stdout)

    yield up
    subprocess.run([sim, "down", name], capture_output=True, timeout=60)


def compare(sim, lab, tmp_path, topology):
    need("unshare", "ip", "bridge", "tc", "sysctl", "nft")
    nodes = nodes_of(sim, topology)
    asked = nodes[::-(-len(nodes) // ASKED_MOST)] if len(nodes) > ASKED_MOST else nodes
    script = exported(sim, tmp_path, topology)
    hand = asked_by_hand(script, asked)
    assert list(hand) == asked
    ask = lab(topology)
    for node in asked:
        eventually(lambda: {key: value for key, value in ask(node).items() if value != hand[node][key]}, {}, seconds=15)
    return hand


@pytest.mark.parametrize("name", SHIPPED)
def test_by_hand_is_what_sim_builds(sim, lab, tmp_path, name):
    if len(nodes_of(sim, name)) > BUILT_MOST:
        return  # see test_the_script_says_the_whole_plan
    hand = compare(sim, lab, tmp_path, name)
    assert any(len(one["routes"]) > 1 for one in hand.values()), "the questions were answered"


@pytest.mark.parametrize("name", SHIPPED)
def test_the_script_says_the_whole_plan(sim, name):
    """Each node, cable, address and route of the plan is a command, and none is there besides."""
    script = sim("export", name, "--format", "script").stdout.replace("\\\n", "")
    nodes = {node["name"]: node for node in json.loads(sim("plan", name, "--json").stdout)["nodes"]}
    lines = [" ".join(line.split()) for line in script.splitlines() if not line.startswith("#")]
    made = [word for line in script.splitlines() if line.startswith("for node in") for word in line.split()[3:]]
    assert {word.rstrip(";") for word in made} - {"do"} == set(nodes)
    addresses, routes, ends = set(), set(), []
    for node in nodes.values():
        for interface in node["interfaces"]:
            ends.append((node["name"], interface["name"], interface["mac"]))
            addresses |= {(node["name"], interface["name"], interface[family])
                          for family in ("ipv4", "ipv6") if family in interface}
        routes |= {(node["name"], re.sub("^(0.0.0.0|::)/0$", "default", route["destination"]), route["gateway"])
                   for route in node["routes"]}
    said = [re.match(r"ip -n (\S+) addr add (\S+) (?:brd \+ )?dev (\S+)", line) for line in lines]
    assert sorted((match[1], match[3], match[2]) for match in said if match) == sorted(addresses)
    said = [re.match(r"ip -n (\S+) (?:-6 )?route add (\S+) via (\S+) proto static", line) for line in lines]
    assert sorted(match.groups() for match in said if match) == sorted(routes)
    said = [end for line in lines if line.startswith("ip link add ")
            for end in re.findall(r"(?:add|name) (\S+) netns (\S+) address (\S+)", line)]
    assert sorted((node, interface, mac) for interface, node, mac in said) == sorted(ends)


def test_by_hand_with_names_of_all_kinds(sim, lab, tmp_path, topology):
    hand = compare(sim, lab, tmp_path, topology(ODD))
    uplink = next(link for link in hand["r-2"]["links"] if link["altnames"])
    assert (uplink["altnames"], uplink["mtu"]) == (["uplink-to-the-other-router"], 1400)
    kinds = {one["dev"]: one["kind"] for one in map(json.loads, hand["sw"]["queues"])}
    assert (kinds["port1"], kinds["port2"]) == ("noqueue", "tbf")
    assert '"table": "filter"' in hand["fw"]["rules"] and '"right": "eth0"' in hand["fw"]["rules"]
    assert any(link["ifname"] == "lan.5" and link["mtu"] == 9000 for link in hand["r.1"]["links"])
    assert not Path("/tmp/owned").exists()


def test_by_hand_without_root(sim, tmp_path):
    """What the script's head promises: nobody's own user namespace does. (The test's folder is root's.)"""
    need("unshare", "setpriv")
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] if not os.geteuid() else []
    words = [*nobody, "unshare", "-Urnm"]
    if subprocess.run([*words, "true"], capture_output=True, timeout=20, cwd="/").returncode:
        pytest.skip("this system lets nobody make a user namespace")
    script = exported(sim, tmp_path, "point-to-point")
    ended = subprocess.run([*words, "sh", "-s", "ip", "-n", "server", "-br", "addr"], stdin=script.open(), cwd="/",
                           capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    assert re.search(r"^eth0@\S+ +UP +\d", ended.stdout, re.M), ended.stdout


def test_script_is_plain_sh_and_says_what_it_does(sim, tmp_path, topology):
    text = exported(sim, tmp_path, topology(ODD)).read_text()
    assert subprocess.run(["sh", "-n"], input=text, text=True).returncode == 0
    for line in text.splitlines():
        assert line.startswith("#") or "owned" not in line, line
    for section in ("Nodes", "Cables", "Switches", "Addresses", "Routes", "Programs"):
        assert f"# ---- {section}\n" in text
    assert "unshare -Urnm sh" in text and "odd.lab-1" in text


def test_whatever_ends_the_script_nothing_is_left(sim, tmp_path):
    """As root without a user namespace: the names are in a /run of the test's own."""
    if os.geteuid():
        pytest.skip("only root makes network namespaces without a user namespace")
    script = exported(sim, tmp_path, "three-routers")
    look = "mount -t tmpfs tmpfs /run; sh %s %s; echo $?; ls /run/netns"

    def left(command):
        return subprocess.run(["unshare", "-nm", "sh", "-c", look % (script, command)], capture_output=True,
                              text=True, timeout=60).stdout.split()

    assert left("sh -c 'exit 7'") == ["7"]
    assert left("ip netns exec alice ping -c 1 -W 5 -q 10.0.2.2 >/dev/null") == ["0"]
    assert left("sh -c 'kill -TERM $PPID'") == ["143"]
    assert left("sh -c 'ip netns exec bob sleep 1000 & exit 0'") == ["0"]
    # One step that fails: what was there before it goes as well.
    script.write_text(script.read_text().replace("# ---- Routes", "false\n# ---- Routes"))
    assert left("true") == ["1"]


def test_script_takes_root(sim, tmp_path):
    script = exported(sim, tmp_path, "point-to-point")
    os.chmod(tmp_path, 0o755)
    ended = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", "sh"] if not os.geteuid() else ["sh"],
                           stdin=script.open(), capture_output=True, text=True, timeout=20)
    assert ended.returncode == 1
    assert "takes root: sudo sh" in ended.stderr and "unshare -Urnm sh" in ended.stderr


def test_settings_reach_the_export(sim, topology):
    path = topology("name: t\nvars: {net: 10.5.0.0/30}\ntopology: {nodes: {a: {}, b: {}}, "
                    "links: [{endpoints: [a, b], ipv4: \"${net}\"}]}\n")
    assert "10.5.0.1/30" in sim("export", path, "--format", "script").stdout
    assert "10.6.0.1/30" in sim("export", path, "--format", "script", "--set", "net=10.6.0.0/30").stdout


@pytest.mark.parametrize("words, status, says", [
    ([], 2, "export needs --format: script, containerlab or graphviz"),
    (["--format", "scritp"], 2, "not 'scritp'; did you mean 'script'?"),
    (["--format", "visio"], 2, "--format is script, containerlab or graphviz, not 'visio'"),
    (["--format", "script", "-o", "/nowhere/x.sh"], 3, "cannot write '/nowhere/x.sh': No such file or directory"),
    (["--format", "script", "-o", "/dev/full"], 3, "cannot write '/dev/full': No space left on device"),
])
def test_errors(sim, words, status, says):
    ended = sim("export", "point-to-point", *words)
    assert (ended.status, ended.stdout) == (status, "")
    assert says in ended.stderr


def test_faulty_topology(sim, topology):
    ended = sim("export", topology("name: t\ntopology: {nodes: {a: {knid: host}}}\n"), "--format", "script")
    assert ended.status == 2 and "t.yaml:2:" in ended.stderr and "did you mean 'kind'?" in ended.stderr


# What containerlab's published schema and documentation (clab.schema.json, manual/nodes, manual/topo-def-file)
# know of the keys that we write.
NODE_KEYS = {"kind": str, "image": str, "network-mode": str, "exec": list, "sysctls": dict, "env": dict,
             "labels": dict}


@pytest.mark.parametrize("name", SHIPPED)
def test_containerlab_file_has_the_published_form(sim, name):
    text = sim("export", name, "--format", "containerlab").stdout
    lab = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    assert set(lab) == {"name", "topology"} and re.fullmatch(r"[\w.-]+", lab["name"])
    assert set(lab["topology"]) == {"defaults", "nodes", "links"}
    nodes = lab["topology"]["nodes"]
    for node in [lab["topology"]["defaults"], *nodes.values()]:
        for key, value in node.items():
            assert isinstance(value, NODE_KEYS[key]), (key, value)
        assert all(isinstance(line, str) and line for line in node.get("exec", []))
    words = {name: {word for line in node.get("exec", []) for word in line.split()} for name, node in nodes.items()}
    taken = set()
    for link in lab["topology"]["links"]:
        assert set(link) <= {"endpoints", "type", "mtu"} and link.get("type", "veth") == "veth"
        assert len(link["endpoints"]) == 2
        for end in link["endpoints"]:
            node, interface = end.split(":") if isinstance(end, str) else (end["node"], end["interface"])
            assert node in nodes and len(interface) <= 15
            assert (node, interface) not in taken
            taken.add((node, interface))
            assert interface in words[node], "each is set up"


def test_graphviz_is_a_graph_with_addresses(sim):
    need("dot")
    text = sim("export", "two-subnets", "--format", "graphviz").stdout
    drawn = subprocess.run(["dot", "-Tplain"], input=text, capture_output=True, text=True, timeout=60)
    assert drawn.returncode == 0 and drawn.stdout.count("\nedge ") >= 3
    assert "10.0.1.10/24" in text and "client1" in text
