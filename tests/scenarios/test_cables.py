"""Cables pulled out, put in again, and put in elsewhere, as the kernels of the nodes see it.

    a, c --- lan-a --- r1 --- r2 --- lan-b --- b      r1 and r2 are linked directly
"""
from conftest import need

CABLES = """
name: cables
topology:
  nodes:
    lan-a: {kind: switch, ipv4: 10.0.1.0/24}
    lan-b: {kind: switch, ipv4: 10.0.2.0/24}
    "r[1-2]": {kind: router}
    a: {}
    b: {}
    c: {}
  links:
    - {endpoints: [r1, lan-a]}
    - {endpoints: ["r1:x", "r2:x"], ipv4: [10.9.0.1/30, 10.9.0.2/30]}
    - {endpoints: [r2, lan-b]}
    - {endpoints: [a, lan-a]}
    - {endpoints: [c, lan-a]}
    - {endpoints: [b, lan-b]}
scenarios:
  out-and-in:
    title: What is pulled out is not reached, and put in again it is
    steps:
      - {on: a, run: ping -c 1 -W 10 b}
      - {on: b, link: down}
      - {on: b, run: ip link show eth0, expect: {output: NO-CARRIER}}
      - {on: b, addresses: eth0, expect: {count: 1}}
      - {on: a, run: ping -c 1 -W 0.2 b, expect: {exit: 1}}
      - {on: b, link: up}
      - {on: a, run: ping -c 1 -W 10 b}
  between-routers:
    title: Routers have their routes again when the cable between them is put in
    steps:
      - {on: r1, link: down, interface: x}
      - {on: a, run: ping -c 1 -W 0.2 b, expect: {exit: 1}}
      - {on: r2, link: up, interface: x}
      - {on: a, run: ping -c 1 -W 10 b}
      - {on: r2, link: down, interface: x}
      - {on: r2, link: down, interface: x}
      - {on: r1, link: up, interface: x}
      - {on: r1, link: up, interface: x}
      - {on: a, run: ping -c 1 -W 10 b}
  elsewhere:
    title: A host is where its cable is
    steps:
      - {on: c, run: ping -c 1 -W 10 a}
      - {on: c, move: lan-b}
      - {on: c, run: ping -c 1 -W 0.2 a, expect: {exit: 1}}
      - {on: c, run: ip addr replace 10.0.2.77/24 dev eth0}
      - {on: c, run: ping -c 1 -W 10 b}
      - {on: c, link: down}
      - {on: c, run: ping -c 1 -W 0.2 b, expect: {exit: 1}}
      - {on: c, move: lan-b}
      - {on: c, run: ping -c 1 -W 10 b}
      - {on: c, link: down}
      - {on: c, move: lan-a}
      - {on: c, run: ping -c 1 -W 10 a}
  killed:
    title: What is killed has no time to say good-bye
    steps:
      - {on: a, start: "sh -c 'trap \\"echo bye\\" TERM; echo go; while :; do sleep 0.01; done'", as: shell, expect: {output: go}}
      - {on: a, kill: shell, expect: {exit: 137}}
"""


def test_cables(sim, topology):
    need("ping", "ip")
    ended = sim("run", topology(CABLES))
    ended.all_held()
    assert "bye" not in ended.log("killed", "a.shell")
    seen = [event for event in ended.lines("out-and-in", "events.jsonl")
            if event["node"] == "b" and event["what"] == "link" and event["change"] == "changed"]
    assert [event["running"] for event in seen[-2:]] == [False, True] and all(event["up"] for event in seen[-2:])
