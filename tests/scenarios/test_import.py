"""sim import: files of containerlab and graphs in the form of the Internet Topology Zoo become
topology files that a person can read, run, and see from what was not taken over.

The files here are written from the tools' documentation: no network is copied.
"""
import json
import os
import re
import subprocess

import pytest
import yaml

from conftest import BIN, TREE

SHIPPED = sorted(path.stem for path in (TREE / "topologies").glob("*.yaml"))

# Two sites of a ring behind a vendor's routers, a LAN, and what containerlab has and we have not.
LAB = """name: clos.lab
prefix: x
mgmt: {network: custom, ipv4-subnet: 172.100.100.0/24}
topology:
  defaults:
    env: {SITE: north, PRICE: "$5"}
  kinds:
    nokia_srlinux: {image: ghcr.io/nokia/srlinux, type: ixrd2l}
    linux: {image: "${IMAGE:=alpine:3}"}
  groups:
    hosts: {kind: linux, startup-delay: 5}
  nodes:
    srl1: {kind: nokia_srlinux, startup-config: srl1.cfg}
    srl2: {kind: nokia_srlinux}
    frr:
      kind: linux
      image: quay.io/frrouting/frr:10
      binds: [frr.conf:/etc/frr/frr.conf]
    h1:
      group: hosts
      exec:
        - ip link set eth1 up
        - ip addr add 192.168.11.2/24 dev eth1
        - ip route add 192.168.0.0/16 via 192.168.11.1 dev eth1
        - apk add curl
    h2: {group: hosts, env: {SITE: south}}
    br-clab: {kind: bridge}
    strange: {kind: acme_router}
  links:
    - endpoints: ["srl1:e1-1", "srl2:ethernet-1/1"]
    - endpoints: ["srl1:e1-2", "frr:eth1"]
      mtu: 1400
    - endpoints: ["h1:eth1", "srl1:e1-3"]
    - endpoints: ["srl2:e1-2", "br-clab:eth1"]
    - endpoints: ["h2:eth1", "br-clab:eth2"]
    - endpoints: ["strange:eth1", "frr:eth2"]
    - endpoints: ["srl1:e1-9", "host:veth0"]
    - type: macvlan
      endpoint: {node: h2, interface: eth7}
      host-interface: eno1
"""

KEYS = {"Network": "graph", "GeoLocation": "graph", "NetworkDate": "graph", "Source": "graph", "Testbed": "graph",
        "DateObtained": "graph", "label": "node", "Latitude": "node", "Longitude": "node", "Country": "node",
        "Internal": "node", "id": "node", "hyperedge": "node", "type": "node", "LinkLabel": "edge", "LinkType": "edge",
        "LinkNote": "edge", "LinkSpeed": "edge", "LinkSpeedUnits": "edge", "LinkSpeedRaw": "edge", "key": "edge"}


def zoo(*parts, edgedefault="undirected", head='<?xml version="1.0" encoding="utf-8"?>'):
    """A file as the Topology Zoo Toolset wrote them: keys with numbers, data by them."""
    keys = "".join(f'  <key attr.name="{name}" attr.type="string" for="{of}" id="d{i}" />\n'
                   for i, (name, of) in enumerate(KEYS.items()))
    return (f'{head}<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n{keys}'
            f'  <graph edgedefault="{edgedefault}">\n    ' + "\n    ".join(parts) + "\n  </graph>\n</graphml>\n")


def data(**values):
    return "".join(f'<data key="d{list(KEYS).index(key)}">{value}</data>' for key, value in values.items())


def node(number, **values):
    return f'<node id="{number}">{data(**values)}</node>'


def edge(source, target, **values):
    return f'<edge source="{source}" target="{target}">{data(**values)}</edge>'


NETWORK = zoo(
    data(Network="Rhône Net", GeoLocation="France", NetworkDate="2011_09", Source="http://example.net/map", Testbed="0",
         DateObtained="1/02/11"),
    node(0, label="New York", Country="United States", Latitude="40.71427", Longitude="-74.00597", Internal="1", id="0"),
    node(1, label="Zürich", Internal="1"), node(2, label="Zürich", Internal="0"), node(3, label="Łódź"),
    node(4, label="北京"), node(5, hyperedge="1"), node(6, label="None"), node(7, label="Alone: # &amp; \"quoted\""),
    edge(0, 1, LinkType="OC-192", LinkLabel="OC-192c", LinkNote="c", key="0"),
    edge(0, 1, LinkSpeed="155", LinkSpeedUnits="M", LinkSpeedRaw="155000000.0", LinkLabel="155 Mbit/s"),
    edge(1, 2, LinkSpeed="2.5", LinkSpeedUnits="G"), edge(3, 2, LinkSpeedRaw="100000000000.0"),
    edge(1, 5), edge(4, 5), edge(6, 5), edge(3, 3))


@pytest.fixture
def taken_over(sim, tmp_path):
    """Import a text; returns what was said, the topology's text and its plan by nodes."""

    def run(text, name="some.graphml", *words, valid=True):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        ended = sim("import", path, *words)
        outcome = tmp_path / "outcome.yaml"
        outcome.write_text(ended.stdout)
        if not valid:
            return ended, ended.stdout, None
        assert ended.status == 0, ended.stderr
        plan = json.loads(sim("plan", outcome, "--json").stdout)
        return ended, ended.stdout, {one["name"]: one for one in plan["nodes"]}

    return run


def head(text):
    return [line for line in text.splitlines() if line.startswith("#")]


def test_containerlab(taken_over):
    ended, text, nodes = taken_over(LAB, "clos.clab.yml")
    assert {name: one["kind"] for name, one in nodes.items()} == {
        "srl1": "router", "srl2": "router", "frr": "router", "h1": "host", "h2": "host", "br-clab": "switch",
        "strange": "router"}
    read = yaml.safe_load(text)
    assert read["name"] == "clos.lab"
    assert read["topology"]["nodes"]["h1"]["env"] == {"SITE": "north", "PRICE": "$$5"}
    assert read["topology"]["nodes"]["h2"]["env"]["SITE"] == "south", "the nearest one counts"
    assert read["topology"]["links"][1] == {"endpoints": ["srl1:e1-2", "frr:eth1"], "mtu": 1400}
    assert len(read["topology"]["links"]) == 6
    h1 = nodes["h1"]["interfaces"][0]
    assert (h1["name"], h1["ipv4"], h1["peer_interface"]) == ("eth1", "192.168.11.2/24", "e1-3")
    assert [(route["destination"], route["gateway"]) for route in nodes["h1"]["routes"]] == [("192.168.0.0/16", "192.168.11.1")]
    # What the vendor's configuration would number the plan does: the router has what h1 calls its gateway.
    assert "192.168.11.1/24" in [one.get("ipv4") for one in nodes["srl1"]["interfaces"]]
    assert nodes["h2"]["interfaces"][0]["ipv4"].startswith("10.")
    notes = "\n".join(head(text))
    for note in (r"mgmt \(line 3\) - there is no management network", r"prefix \(line 2\) -", r"image \(lines 8, 9, 17\) -",
                 r"type \(line 8\) -", r"startup-config \(line 13\) -", r"startup-delay \(line 11\) -", r"binds \(line 18\) -",
                 r"exec of h1: apk add curl \(line 25\) -", r"variables of the environment \(line 9\) -",
                 r"the kind 'acme_router', which is not known here \(line 28\) - it is taken for a router's",
                 r"names of interfaces \(line 30\) -", r"the link to host \(line 37\) - it leads out of the lab",
                 r"a link of type macvlan \(line 38\) -", "MTU of 9500"):
        assert re.search(note, notes), (note, notes)
    assert "ip addr add" not in notes, "what is taken over is not told"
    assert re.search(r"clos\.clab\.yml: \d+ things in it are not taken over; the head of the topology says which, and why\n",
                     ended.stderr)
    assert "srl1: # nokia_srlinux" in text and "frr: # quay.io/frrouting/frr:10" in text


@pytest.mark.parametrize("name", SHIPPED)
def test_there_and_back_is_the_same_plan(sim, taken_over, name):
    """Export for containerlab and import again: every node, interface and route is what it was."""
    def network(nodes):
        for one in nodes:
            for key in set(one) - {"name", "kind", "forwarding", "interfaces", "routes"}:
                del one[key]
            for route in one["routes"]:
                del route["written"]
            one["routes"].sort(key=json.dumps)
        return nodes

    before = json.loads(sim("plan", name, "--json").stdout)["nodes"]
    _, _, after = taken_over(sim("export", name, "--format", "containerlab").stdout, "back.clab.yml")
    for back, was in zip(network(list(after.values())), network(before), strict=True):
        assert back == was


def test_a_graph_of_the_zoo(taken_over):
    ended, text, nodes = taken_over(NETWORK)
    assert {name: one["kind"] for name, one in nodes.items()} == {
        "new-york": "router", "zurich": "router", "zurich-2": "router", "lodz": "router", "n4": "router", "n5": "switch",
        "n6": "router", "alone-quoted": "router"}
    lines = text.splitlines()
    assert lines[0] == "# By sim import from some.graphml: 7 routers, 1 switch, 7 links."
    assert "# Source: http://example.net/map" in lines and "# It falls into 2 parts that no link joins." in lines
    assert "name: rhone-net" in lines and 'title: "Rhône Net, France, 2011_09"' in lines
    assert "    new-york: {kind: router} # New York, United States, 40.71427 -74.00597" in lines
    assert "    zurich-2: {kind: router} # Zürich, of another network" in lines
    assert "    n4: {kind: router} # 北京" in lines
    assert "    - {endpoints: [new-york, zurich]} # OC-192c" in lines
    assert "    - {endpoints: [new-york, zurich], rate: 155mbit} # 155 Mbit/s" in lines
    assert "    - {endpoints: [zurich, zurich-2], rate: 2500mbit}" in lines
    notes = head(text)
    assert any(re.search(r"loops \(line \d+\) - a node is not linked to itself", line) for line in notes)
    assert any(re.search(r"the speed of links \(line \d+\) - over 16gbit", line) for line in notes)
    assert any("attributes of the graph: Testbed, DateObtained - nothing in a topology says it" in line for line in notes)
    # It works: whoever is joined has a route to all.
    assert len(nodes["lodz"]["routes"]) == 4
    assert "4 things" in ended.stderr or "5 things" in ended.stderr


def test_hosts_at_each_router(sim, taken_over):
    _, text, nodes = taken_over(NETWORK, "some.graphml", "--hosts", "2")
    assert text.startswith("# By sim import from some.graphml: 7 routers, 8 switches, 14 hosts, 28 links.\n")
    assert nodes["new-york-h2"]["kind"] == "host" and nodes["new-york-lan"]["kind"] == "switch"
    assert nodes["new-york-h2"]["routes"][0]["destination"] == "0.0.0.0/0"


def test_what_is_imported_runs(sim, taken_over, tmp_path):
    """From one end of a graph to the other, in real namespaces."""
    taken_over(NETWORK, "some.graphml", "--hosts", "1")
    path = tmp_path / "outcome.yaml"
    path.write_text(path.read_text() + "scenarios:\n  x: {title: X, steps: [{on: new-york-h1, run: ping -c 1 -W 5 n4-h1}]}\n")
    sim("run", path).all_held()


@pytest.mark.parametrize("text, kind, links", [
    ("directed", "router", 2),  # both ways are one cable, the third edge is another
    ("hubs", "router", 3),
    ("hyperedge", "switch", 3),
])
def test_kinds_of_edges(taken_over, text, kind, links):
    both = [node(0), node(1), node(2)]
    graphs = {
        "directed": zoo(*both, edge(0, 1), edge(1, 0), edge(0, 1), edgedefault="directed"),
        "hubs": zoo(*(node(i, hyperedge="1") for i in range(3)), edge(0, 1), edge(1, 2), edge(2, 0)),
        "hyperedge": zoo(*both, '<hyperedge><endpoint node="0"/><endpoint node="1"/><endpoint node="2"/></hyperedge>'),
    }
    _, written, nodes = taken_over(graphs[text])
    assert list(nodes.values())[-1]["kind"] == kind
    assert len(yaml.safe_load(written)["topology"]["links"]) == links


@pytest.mark.parametrize("text, says", [
    ("", "the file is empty"),
    ("<html/>", "some.graphml:1:1: this is <html>, not GraphML"),
    ("<graphml><graph><node id='a'></graph></graphml>", "some.graphml:1:32: this is not well-formed XML: mismatched tag"),
    (zoo(node(0)).replace('id="0"', ""), "a node needs an id"),
    (zoo(node(0), edge(0, 9)), "there is no node of the id '9'"),
    (zoo(node(0), node(0)), "there is another node of the id '0'"),
    (zoo(node(0), '<edge source="0"/>'), "an edge needs a source and a target"),
    (zoo(), "the graph has no nodes"),
    ("<graphml>" + "<graph>" * 100, "elements stand over 64 deep in each other"),
    ('<!DOCTYPE g [<!ENTITY a "x">]><graphml/>', "it declares the entity 'a': files with entities are not read"),
    ('<!DOCTYPE g SYSTEM "file:///etc/passwd"><graphml><graph><node id="a">&x;</node></graph></graphml>',
     "the entity 'x' is not in this file, and others are not read"),
    ('<?xml version="1.0" encoding="klingon"?><graphml/>', "unknown encoding"),
])
def test_graphs_that_are_wrong(taken_over, text, says):
    ended, written, _ = taken_over(text, valid=False)
    assert (ended.status, written) == (2, "")
    assert says in ended.stderr, ended.stderr


def test_a_billion_laughs(taken_over):
    """Entities of entities of entities: refused at the first, before anything grows."""
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 30))
    ended, _, _ = taken_over(f'<!DOCTYPE g [<!ENTITY l0 "ha">{laughs}]><graphml><graph>&l29;</graph></graphml>', valid=False)
    assert ended.status == 2 and "it declares the entity 'l0'" in ended.stderr


def lab(nodes="a: {kind: linux}, b: {kind: linux}", links="", more=""):
    return f"name: t\ntopology:\n  nodes: {{{nodes}}}\n  links: [{links}]\n{more}"


@pytest.mark.parametrize("text, says", [
    ("a: [", "t.clab.yml:2:1: did not find"),
    ("- a\n", "t.clab.yml:1:1: this is neither GraphML nor a file of containerlab"),
    ("name: t\n", "this is neither GraphML nor a file of containerlab"),
    ("name: t\ntopology: {nodes: {}}\n", "t.clab.yml:2:19: a topology needs `nodes`"),
    (lab(more="scenarios: {}\n"), "t.clab.yml:5:1: 'scenarios' is a key of a topology file of ours"),
    (lab(links="{endpoints: ['a:eth1', 'z:eth1']}"), "t.clab.yml:4:34: there is no node 'z'"),
    (lab(links="{endpoints: ['a:eth1']}"), "t.clab.yml:4:23: a link needs two `endpoints`"),
    (lab(links="{endpoints: ['a', 'b:eth1']}"), "an endpoint is written as node:interface, not 'a'"),
    (lab(links="{endpoints: ['a:eth1', 'b:eth1'], mtu: 12}"), "mtu must be 68 to 65535 bytes, not '12'"),
    (lab(links="{endpoints: [{node: a, interface: eth1, mac: x}, {node: b, interface: y}]}"),
     "'x' is no interface's hardware address"),
    (lab(nodes="a: [x]"), "t.clab.yml:3:14: the node 'a' must be written as `key: value` pairs"),
    (lab(nodes="a: {}, a: {}"), "'a' is given twice in nodes"),
    (lab(nodes="a: &a {<<: *a}"), "mappings are merged over 4 deep"),
    (lab(nodes="a: &a " + "{x: " * 80 + "1" + "}" * 80), "over 64 deep in each other"),
])
def test_labs_that_are_wrong(taken_over, text, says):
    ended, written, _ = taken_over(text, "t.clab.yml", valid=False)
    assert (ended.status, written) == (2, "")
    assert says in ended.stderr, ended.stderr


def test_the_outcome_is_written_though_it_is_not_right_yet(taken_over):
    """Two nodes with one address: the file's own fault, which the person mends in the outcome."""
    twice = lab("a: {kind: linux, exec: [ip addr add 10.0.0.1/24 dev eth1]}, b: {kind: linux, exec: [ip addr add 10.0.0.1/24 dev eth1]}",
                "{endpoints: ['a:eth1', 'b:eth1']}")
    ended, text, _ = taken_over(twice, "t.clab.yml", valid=False)
    assert ended.status == 2 and "10.0.0.1/24" in text
    assert re.search(r"sim: the topology is not right yet: line \d+:\d+: .*10\.0\.0\.1", ended.stderr), ended.stderr


@pytest.mark.parametrize("command, becomes", [
    ("ip addr add 10.0.0.1/24 dev eth1", {"ipv4": "10.0.0.1/24"}),
    ("ip -4 a a 10.0.0.1/24 brd + dev eth1 scope global", {"ipv4": "10.0.0.1/24"}),
    ("ip address replace 10.0.0.1/30 dev eth1", {"ipv4": "10.0.0.1/30"}),
    ("ip -6 addr add 2001:db8::1/64 dev eth1 nodad", {"ipv6": "2001:db8::1/64"}),
    ("sh -c 'ip link set dev eth1 up && ip addr add 10.0.0.1/24 dev eth1'", {"ipv4": "10.0.0.1/24"}),
    ("tc qdisc add dev eth1 root tbf rate 10mbit burst 32kbit latency 400ms", {"rate": 10000000}),
    ("ip link set eth1 address 02:00:00:00:00:77", {"mac": "02:00:00:00:00:77"}),
    ("ip link property add dev eth1 altname a-name-of-more-than-15-letters", {"long_name": "a-name-of-more-than-15-letters"}),
])
def test_commands_that_are_taken_over(taken_over, command, becomes):
    _, text, nodes = taken_over(lab(f'a: {{kind: linux, exec: ["{command}"]}}, b: {{kind: linux}}',
                                    "{endpoints: ['a:eth1', 'b:eth1']}"), "t.clab.yml")
    assert becomes.items() <= nodes["a"]["interfaces"][0].items()
    assert "exec of" not in text


@pytest.mark.parametrize("command", [
    "ip", "ip addr", "ip addr add 10.0.0.1/24", "ip addr add x dev eth1", "ip route add default dev eth1", "ip rule add x", "tc qdisc add dev eth1 root netem delay 10ms", "tc qdisc add dev eth1 root tbf rate x",
    "ip link add vx0 type vxlan id 7", "ip link set eth1 mtu 9000", "ip route add 10.0.0.1/8 via 10.0.0.2", "sysctl -w a.b=1",
    "sh -c 'ip addr add 10.0.0.1/24 dev eth1 | cat'", "sh -c 'ip addr add $X dev eth1'", "sleep 5", "x '", "ip addr add 224.0.0.1/4 dev eth1",
])
def test_commands_that_are_told(taken_over, command):
    quoted = json.dumps(command)
    _, text, nodes = taken_over(lab(f"a: {{kind: linux, exec: [{quoted}]}}, b: {{kind: linux}}",
                                    "{endpoints: ['a:eth1', 'b:eth1']}"), "t.clab.yml")
    assert f"exec of a: {command} (line 3) - " in text
    assert nodes["a"]["interfaces"][0].get("ipv4", "10.0.0.1/30") == "10.0.0.1/30"


HOSTILE = "x\u2028scenarios: {}\u2029vars: {}\u0085include: y\r\nname: z\x07"


@pytest.mark.parametrize("text, name", [
    (zoo(node(0, label="a\u2028name: b", Country='"${x}"\u2029z: 1', type="$(touch /tmp/owned)"), node(1, label="\n- {}"),
         edge(0, 1, LinkLabel="#\u2028- {endpoints: [a, b]}"), data(Network='"\\n: ${y}\u2028vars: {}', Source="a\nname: c")),
     "some.graphml"),
    (json.dumps({"name": HOSTILE, "mgmt": {}, HOSTILE: 1, "topology": {
        "nodes": {HOSTILE: {"kind": HOSTILE, "image": "frr" + HOSTILE, "exec": [HOSTILE, f"ip {HOSTILE}"], HOSTILE: HOSTILE,
                            "env": {"A": HOSTILE, HOSTILE: "1"}, "sysctls": {HOSTILE: HOSTILE}},
                  "b": {"kind": "linux"}},
        "links": [{"endpoints": [{"node": HOSTILE, "interface": HOSTILE}, "b:eth1"]}]}}), "t.clab.yml"),
])
def test_texts_stay_texts(taken_over, text, name):
    """Line ends of YAML, quotes and variables in somebody's file are nothing but text in ours."""
    _, written, nodes = taken_over(text, name)
    assert set(yaml.safe_load(written)) <= {"name", "title", "topology"}
    assert len(nodes) == 2 and not re.search("[\u2028\u2029\u0085\x07\r]", written)


@pytest.mark.parametrize("words, says", [
    (["/nowhere"], "cannot read '/nowhere': No such file or directory"),
    (["/dev/zero"], "'/dev/zero' is not a regular file"),
    (["/tmp"], "'/tmp' is not a regular file"),
    ([__file__, "--hosts", "x"], "--hosts needs a number up to 1000, not 'x'"),
    ([TREE / "topologies/ring.yaml"], "there is nothing to import, sim run takes it as it is"),
    ([], "usage: sim import FILE"),
])
def test_errors(sim, words, says):
    ended = sim("import", *words)
    assert (ended.status, ended.stdout) == (2, "") and says in ended.stderr


def test_limits(taken_over, tmp_path, sim):
    many = zoo(*(f'<node id="{i}"/>' for i in range(20001)))
    ended, _, _ = taken_over(many, valid=False)
    assert ended.status == 2 and "more than 20000 nodes" in ended.stderr
    ended, _, _ = taken_over("#" * (4 << 20) + "\n", "t.yml", valid=False)
    assert ended.status == 2 and "is over 4 MiB" in ended.stderr
    ended, _, _ = taken_over(zoo(*(f'<node id="{i}"/>' for i in range(100))), "some.graphml", "--hosts", "1000", valid=False)
    assert ended.status == 2 and "more than 20000 nodes" in ended.stderr
    ended, _, _ = taken_over(lab(), "t.clab.yml", "--hosts", "1", valid=False)
    assert ended.status == 2 and "--hosts is for graphs" in ended.stderr


def test_from_a_pipe_to_a_file(sim, tmp_path):
    out = tmp_path / "out.yaml"
    ended = subprocess.run([BIN / "sim", "import", "-", "-o", out], input=zoo(node(0, label="A"), node(1, label="B"), edge(0, 1)),
                           capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert sim("validate", out).status == 0
    assert not os.access(out, os.X_OK)
