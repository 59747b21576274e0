"""`sim validate` tells everything that is wrong at once, each at its place, and nothing that only follows from it.

A line of these files that ends in `#!` and a sentence is wrong in that way. What is told must be those sentences, in that order.
"""
import json

import pytest

# What cannot be read: it is told, and what refers to it is not.
UNREADABLE = """\
name: ten
tittle: a slip  #! unknown key 'tittle' in a topology file; did you mean 'title'?
vars: {rate: 10mbps}
topology:
  ipv4: 10.0.0.1/16  #! ipv4: 10.0.0.1/16 is one address, and a subnet is wanted: 10.0.0.0/16
  kinds:
    web: {kind: host, env: {A=B: x}}  #! 'A=B' cannot name an environment variable
  nodes:
    s: {kind: switch, ipv4: 10.1.0.0/24}
    t: {kind: switch, ipv4: 10.1.0.0/16}
    r: {kind: rooter}  #! kind must be host, router, switch or one of kinds, not 'rooter'; did you mean 'router'?
    a: {mac: 01:00:00:00:00:01}  #! '01:00:00:00:00:01' is a group address: the first byte of an interface's own is even
    b:
      nftables: |
        table ip nat {
          chain x { type nat hook nowhere priority 0; }  #! nftables of 'b': unknown chain hook
        }
    c: {routes: [{to: 10.9.0.0/16, via: 192.0.2.1}]}
    d: {run: [{name: x, cmd: "sh -c 'open"}], nftables: "add rule ip t c accept", mac: {eth7: 02:00:00:00:00:01}}  #! process 'x': a quote is not closed in: sh -c 'open #! nftables of 'd': Could not process rule: No such file or directory
    "e[1-3": {}  #! 'e[1-3' is no range: write it like client[1-25], first number not above the last
    f: {files: {../x: y}}  #! '../x' cannot name a file here: write it relative to the node's working directory, without '..'
    g: {}
  links:
    - {endpoints: [a, s], rate: "${rate}"}  #! rate must be 1kbit to 16gbit a second like 10mbit, or none, not '10mbps'
    - {endpoints: [b, s], mtu: 12}  #! mtu must be 68 to 65535 bytes: IPv4 needs 68
    - {endpoints: [c, s], ipv4: [10.2.0.1/24]}  #! 10.2.0.1/24 is not of this segment's subnet 10.1.0.0/24 (line 9)
    - {endpoints: [d, s, a]}  #! endpoints must be a list of two ends like ["client1:eth0", lan-a]
    - {endpoints: [d, nobody]}  #! the link leads to 'nobody', which is no node
    - {endpoints: ["d:lo", s]}  #! 'lo' cannot name an interface: 1 to 64 letters, digits, '-', '_' and '.' can, but not lo, all and default, which Linux uses itself
    - {endpoints: [g, f], ipv4: [10.3.0.1/24, 10.3.0.1/24]}  #! 'f' and 'g' have the same address 10.3.0.1 (line 30)
    - {endpoints: [g, "t:eth0"]}  #! 't' is a switch: write it without an interface, its ports are named by the plan
scenarios:
  x:
    title: X
    steps:
      - {on: nobody, run: x}  #! 'nobody' is no node of this topology
      - {on: a, rnu: x}  #! unknown key 'rnu' in a step; did you mean 'run'?
      - {on: a, run: "${undefined}"}  #! '${undefined}' names no entry of vars
      - {on: a, addresses: eth5, expect: {count: 1}}
      - {on: a, messages: DHCPOFER, expect: {count: 1}}  #! 'DHCPOFER' is no message of DHCP, FTP, TCP or the text protocols; did you mean 'DHCPOFFER'?
      - {on: a, run: x, expect: {exti: 1}}  #! unknown key 'exti' in expect; did you mean 'exit'?
      - {on: g, link: sideways}  #! link must be up or down, not 'sideways'
"""

# What can be read, and does not go together.
CONTRADICTORY = """\
name: two
topology:
  nodes:
    s: {kind: switch, ipv4: 10.1.0.0/24}
    t: {kind: switch, ipv4: 10.1.0.0/16}  #! the subnets 10.1.0.0/24 and 10.1.0.0/16 overlap (line 4)
    a: {mac: {eth7: 02:00:00:00:00:01}}  #! 'a' has no interface 'eth7' to give this hardware address to
    b:
      nftables: |
        table ip t {
          chain c { type filter hook input priority 0
            iifname eth0 accept
            iif eth5 drop  #! nftables of 'b': Interface does not exist
          }
        }
    c: {routes: [{to: 10.9.0.0/16, via: 192.0.2.1}]}  #! 'c' has no interface in the subnet of the gateway 192.0.2.1
    d: {mac: 02:00:00:00:00:02}
    e: {mac: 02:00:00:00:00:02, evn: {A: b}}  #! 'd' and 'e' have the same hardware address 02:00:00:00:00:02 #! unknown key 'evn' in a node; did you mean 'env'?
    f: {run: [{name: x, cmd: "sh -c 'open"}]}  #! process 'x': a quote is not closed in: sh -c 'open
    r: {kind: router}
  links:
    - {endpoints: [a, s], ipv4: [10.1.0.0/24]}  #! 10.1.0.0/24 is the network address of its subnet: 'a' cannot have it
    - {endpoints: [b, s], ipv4: [10.1.0.255/24]}  #! 10.1.0.255/24 is the broadcast address of its subnet: 'b' cannot have it
    - {endpoints: [c, s], ipv4: [10.1.0.9/24]}
    - {endpoints: [d, s], ipv4: [10.1.0.9/24]}  #! 'd' and 'c' have the same address 10.1.0.9 (line 23)
    - {endpoints: [e, r]}  #! 'e:eth0' finds no subnet here: give its switch, the link or the topology an ipv4 or ipv6, write the link's addresses, or write `ipv4: none` #! 'r:eth0' finds no subnet here: give its switch, the link or the topology an ipv4 or ipv6, write the link's addresses, or write `ipv4: none`
    - {endpoints: [f, s]}
    - {endpoints: [r, t], ipv4: none}
scenarios:
  x:
    title: X
    explians: y  #! unknown key 'explians' in a scenario; did you mean 'explains'?
    steps:
      - {on: a, addresses: eth5, expect: {count: 1}}  #! 'a' has no interface 'eth5'
      - {on: b, watch: nothing, expect: {output: x}}  #! nothing is started under the name 'nothing' on 'b' before this step
      - {on: r, link: down}  #! 'r' has 2 interfaces: say which with 'interface'
      - {on: f, run: "echo 'open"}  #! a quote is not closed in: echo 'open
      - {on: c, messages: DHCPOFER, expect: {count: 1}}  #! 'DHCPOFER' is no message of DHCP, FTP, TCP or the text protocols; did you mean 'DHCPOFFER'?
      - {same-files: ["nobody:x", "a:y"]}  #! 'nobody:x' is not written as NODE:FILE with a node of this topology
"""

# A pool that is spent, and segments for which nothing is left.
SPENT = """\
name: spent
topology:
  ipv4: 10.0.0.0/30  #! 10.0.0.0/30 has no /24 left for the segment of 'd:eth0': take a larger pool
  nodes: {a: {routes: [{to: default, via: b}]}, b: {}, c: {}, d: {}, s: {kind: switch}}
  links:
    - {endpoints: [a, b]}
    - {endpoints: [b, c]}
    - {endpoints: [c, a]}
    - {endpoints: [d, s]}
"""


def faults(text):
    """(line, sentence) as marked."""
    return [(number, sentence.strip()) for number, line in enumerate(text.splitlines(), 1)
            for sentence in line.split("#!")[1:]]


@pytest.mark.parametrize("text", [UNREADABLE, CONTRADICTORY, SPENT], ids=["unreadable", "contradictory", "spent"])
def test_everything_is_told(sim, topology, text):
    path = topology(text)
    ended = sim("validate", path, "--json")
    if "were not tried" in ended.stderr:
        pytest.skip("this system has no namespace to try nftables rules in")
    assert ended.status == 2
    problems = json.loads(ended.stdout)["problems"]
    assert [(one["line"], one["problem"]) for one in problems] == faults(text)
    assert {one["file"] for one in problems} == {str(path)}
    assert f"sim: {len(problems)} problems" in ended.stderr or len(problems) == 1
    # A lab is not begun with any of them.
    ended = sim("run", path)
    assert ended.status == 2 and problems[0]["problem"] in ended.stderr
    assert f"(and {len(problems) - 1} more: see sim validate)" in ended.stderr or len(problems) == 1
