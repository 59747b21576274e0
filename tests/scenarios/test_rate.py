"""`rate` of a link's end: the queue that the kernel has, and that nothing is faster. A transfer may take as long as it likes
(the machine is loaded), never less than its bytes at that rate.

    a ------- b         lan1 ------- c --.
    4mbit  none          |    none 4mbit  '--> moves to lan2 later
                        s1        lan2 --- s2
"""
import json

import pytest
from conftest import need

SHAPED = """
name: shaped
vars: {rate: 4mbit}
topology:
  ipv4: 10.0.0.0/16
  nodes:
    a: {run: [{name: ftp, cmd: ftp-server --root ., ready: true}]}
    b: {}
    c: {}
    "lan[1-2]": {kind: switch}
    "s[1-2]": {run: [{name: ftp, cmd: ftp-server --root ., ready: true}]}
  links:
    - {endpoints: [a, b], rate: ["${rate}", none], mtu: 9000}
    - {endpoints: [c, lan1], ipv4: [10.0.0.9/24], rate: [none, "${rate}"]}
    - {endpoints: [s1, lan1], ipv4: [10.0.0.10/24]}
    - {endpoints: [s2, lan2], ipv4: none}
scenarios:
  queues:
    title: What the kernel has
    steps:
      - {on: [a, b, c, s1], run: tc -j qdisc show dev eth0}
  direct:
    title: Half a megabyte over a cable
    steps:
      - {on: a, run: "sh -c 'head -c 500000 /dev/zero > zeros'"}
      - {on: b, run: ftp-client a get zeros}
  moved:
    title: A quarter of a megabyte out of a switch, and of another one
    steps:
      - {on: [s1, s2], run: "sh -c 'head -c 250000 /dev/zero > zeros'"}
      - {on: c, run: ftp-client 10.0.0.10 get zeros}
      - {on: c, move: lan2}
      - {on: s2, run: ip address add 10.0.0.11/24 dev eth0}
      - {on: c, run: ftp-client 10.0.0.11 get zeros -o again}
"""
BYTES_A_SECOND = 4_000_000 / 8
BURST = 1518  # what the bucket holds: a frame


def run(sim, path, scenario):
    ended = sim("run", path, scenario)
    if "no token bucket" in ended.stderr:
        pytest.skip("this kernel has no sch_tbf")
    ended.all_held()
    return ended


def test_the_kernel_has_the_queue(sim, topology):
    need("tc")
    ended = run(sim, topology(SHAPED), "queues")
    queue = {name: json.loads(ended.log("queues", f"{name}.1-tc"))[0] for name in ("a", "b", "c", "s1")}
    assert [queue[name]["kind"] for name in ("a", "b", "c", "s1")] == ["tbf"] + 3 * ["noqueue"]
    options = queue["a"]["options"]
    # A frame of 9,000 bytes fits into the bucket; a tenth of a second waits, or ten frames.
    assert options["rate"] == BYTES_A_SECOND and 9014 <= options["burst"] <= 9018
    assert options["lat"] == pytest.approx(10 * 9018 / BYTES_A_SECOND * 1e6, rel=0.01)


@pytest.mark.parametrize("scenario, steps, size", [("direct", [1], 500_000), ("moved", [1, 4], 250_000)])
def test_nothing_is_faster(sim, topology, scenario, steps, size):
    ended = run(sim, topology(SHAPED), scenario)
    result = ended.result(scenario)["steps"]
    for step in steps:
        assert result[step]["seconds"] >= (size - 10 * BURST) / BYTES_A_SECOND, result[step]


def test_the_plan_shows_it(sim, topology):
    plan = json.loads(sim("plan", topology(SHAPED), "--set", "rate=1.5gbit", "--json").stdout)
    rates = {(node["name"], one["name"]): one.get("rate") for node in plan["nodes"] for one in node["interfaces"]}
    assert rates[("a", "eth0")] == rates[("lan1", "port1")] == 1_500_000_000
    assert rates[("b", "eth0")] is None
