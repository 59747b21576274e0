"""`nftables:` of a node: what is loaded, seen by nft; what is wrong, told at its line; what a text cannot do.

    inside --- lan --- gateway === net --- outside      === the interface with a long name
                          `------- guest
"""
import json
import subprocess

import pytest
from conftest import BIN, need

GATEWAY = """name: gateway
topology:
  ipv4: 10.0.0.0/16
  nodes:
    lan: {kind: switch, ipv4: 192.168.1.0/24}
    net:
      kind: switch
      ipv4: 203.0.113.0/24
      nftables: |
        table bridge filter {
          chain forward {
            type filter hook forward priority 0
            ether daddr 02:00:00:00:00:99 drop
          }
        }
    gateway:
      kind: router
      nftables: |
        # Two families, a node's name, and a service's.
        table ip nat {
          chain postrouting {
            type nat hook postrouting priority srcnat
            oifname "towards-the-internet" masquerade
          }
          chain prerouting {
            type nat hook prerouting priority dstnat
            iif "towards-the-internet" tcp dport 2121 dnat to inside:ftp
            iif "towards-the-internet" tcp dport 3000-3009 dnat to inside
          }
        }
        table inet filter {
          chain forward {
            type filter hook forward priority filter; policy accept
            iifname guest ip daddr inside drop
          }
        }
    inside: {run: [{name: ftp, cmd: ftp-server --root . --ports 3000-3009, ready: true}]}
    outside: {routes: none}
    guest: {}
  links:
    - {endpoints: [inside, lan]}
    - {endpoints: ["gateway:lan", lan]}
    - {endpoints: ["gateway:towards-the-internet", net]}
    - {endpoints: ["gateway:guest", guest]}
    - {endpoints: [outside, net]}
scenarios:
  look:
    title: What nft sees
    steps:
      - {on: gateway, run: nft -j list ruleset}
      - {on: inside, run: nft -j list ruleset}
  reach:
    title: What they do
    steps:
      - {on: inside, run: ping -c 1 -W 5 outside}
      - {on: outside, run: ping -c 1 -W 1 inside, expect: {exit: 2}}
      - {on: outside, run: "ftp-client 203.0.113.1:2121 ls"}
      - {on: guest, run: ping -c 1 -W 1 inside, expect: {exit: 1}}
      - {on: guest, run: ping -c 1 -W 5 outside}
  bridge:
    title: A switch filters frames
    steps:
      - {on: inside, run: ping -c 1 -W 5 outside}
      - {on: outside, run: ip link set dev eth0 address 02:00:00:00:00:99}
      - {on: inside, run: ping -c 1 -W 1 outside, expect: {exit: 1}}
"""

FAULTY = """name: faulty
vars: {port: "70000"}
topology:
  kinds:
    host:
      nftables: |
        table ip t {
          chain c {
            type nat hook prerouting priority 0
            tcp dport ${port} accept
            ip saddr nowhere accept
          }
        }
  nodes:
    "h[1-3]": {}
    a: {nftables: add rule ip no-table c accept}
    b: {nftables: "add table ip t\\nadd chain ip no-table c"}
    c: {nftables: include "/etc/passwd"}
    d: {nftables: include "%s"}
    e:
      nftables: |
        table inet t {
          chain c { type filter hook input priority 0
            iif eth5 drop
          }
        }
    f: {nftables: ""}
    g: {nftables: list ruleset}
    i: {ntfables: x}
  links: []
"""


def run(sim, path, *words, **options):
    ended = sim("run", path, *words, **options)
    if "no nf_tables" in ended.stderr:
        pytest.skip("this kernel has no nf_tables")
    ended.all_held()
    return ended


def rules(ended, name):
    return [one["rule"] for one in json.loads(ended.log("look", name))["nftables"] if "rule" in one]


def test_the_kernel_has_them(sim, topology):
    need("nft")
    ended = run(sim, topology(GATEWAY), "look")
    found = rules(ended, "gateway.1-nft")
    assert [(rule["family"], rule["table"], rule["chain"]) for rule in found] == [
        ("ip", "nat", "postrouting"), ("ip", "nat", "prerouting"), ("ip", "nat", "prerouting"),
        ("inet", "filter", "forward")]
    text = json.dumps(found)
    assert '"eth0"' in text and "towards" not in text, "the kernel's name stands for the long one"
    assert '"addr": "192.168.1.2", "port": 21' in text, "so does an address for a node's name"
    assert rules(ended, "inside.2-nft") == []


@pytest.mark.parametrize("scenario", ["reach", "bridge"])
def test_they_do_what_they_say(sim, topology, scenario):
    run(sim, topology(GATEWAY), scenario)


def test_what_is_wrong_is_told_at_its_line(sim, topology, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("the-secret-word of this machine\n")
    ended = sim("validate", topology(FAULTY.replace("%s", str(secret))))
    assert ended.status == 2
    lines = [line.partition("t.yaml:")[2] for line in ended.stderr.replace("Could not process rule: ", "").splitlines()]
    assert lines[:-1] == [
        "10:23: nftables of 'h[1-3]': Service out of range",
        "11:22: nftables of 'h[1-3]': Could not resolve hostname: Name or service not known; "
        "names are those of nodes with an address",
        "16:19: nftables of 'a': No such file or directory",
        "17:19: nftables of 'b': line 2: No such file or directory",
        "18:19: nftables of 'c': File not found: /etc/passwd; rules read no files: write them out here",
        f"19:19: nftables of 'd': File not found: {secret}; rules read no files: write them out here",
        "24:17: nftables of 'e': Interface does not exist",
        "29:9: unknown key 'ntfables' in a node; did you mean 'nftables'?"]
    assert "secret-word" not in ended.stderr


def test_what_never_ends_is_ended(sim, topology):
    ended = sim("validate", topology("name: t\ntopology:\n  nodes:\n    a: {nftables: monitor}\n    b: {nftables: add x}\n"))
    assert ended.status == 2
    assert ":4:19: nftables of 'a': not done after 10 s" in ended.stderr


def test_where_no_namespace_is_to_be_had(topology):
    need("unshare")
    if subprocess.run(["unshare", "-Ur", "true"], capture_output=True).returncode:
        pytest.skip("this system has no user namespaces for us")
    path = topology("name: t\ntopology: {nodes: {a: {nftables: x}}}\n")
    script = 'echo 0 > /proc/sys/user/max_net_namespaces && exec "$@"'
    ended = subprocess.run(["unshare", "-Ur", "sh", "-c", script, "sh", BIN / "sim", "validate", path],
                           capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert "sim: nftables rules were not tried: cannot create a network namespace" in ended.stderr
