"""What Debian's stock kernel has and some development machines lack, in the guest of
`make vm-check`: the kernel loads each module when it is asked for it."""
import json
import os
import re
import subprocess

import pytest
from conftest import BIN

pytestmark = pytest.mark.skipif("SIM_IN_VM" not in os.environ, reason="only in the guest of make vm-check")

LINKS = {
    "dummy": "ip link add x type dummy",
    "vlan": "ip link add base type dummy && ip link add link base name x type vlan id 7",
    "vrf": "ip link add x type vrf table 10",
    "ipvlan": "ip link add base type dummy && ip link add link base name x type ipvlan",
    "wireguard": "ip link add x type wireguard",
}
QUEUES = {
    "netem": "netem delay 10ms loss 1%",
    "tbf": "tbf rate 1mbit burst 10kb latency 50ms",
    "htb": "htb default 1",
}


def in_new_namespace(command):
    return subprocess.run(["unshare", "-n", "sh", "-ec", command], capture_output=True, text=True,
                          check=False)


@pytest.mark.parametrize("kind", LINKS)
def test_a_link_of_this_kind_can_be_made(kind):
    ended = in_new_namespace(f"{LINKS[kind]} && ip -d -o link show x")
    assert ended.returncode == 0, ended.stderr
    assert kind in ended.stdout


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_of_this_kind_can_be_set(queue):
    ended = in_new_namespace(f"ip link add x type veth peer name y && tc qdisc add dev x root {QUEUES[queue]}"
                             " && tc qdisc show dev x")
    assert ended.returncode == 0, ended.stderr
    assert queue in ended.stdout


@pytest.mark.topology("point-to-point")
class TestInNodes:
    """What a student does with it: tc and ip, by hand."""

    def test_a_vlan_between_two_nodes(self, lab):
        for number, node in enumerate(lab, 1):
            node.run("ip link add link eth0 name eth0.7 type vlan id 7")
            node.run(f"ip addr add 10.7.0.{number}/24 dev eth0.7")
            node.run("ip link set eth0.7 up")
        with lab.capture("client:eth0") as frames:
            lab["client"].run("ping -c1 -W60 10.7.0.1")
        tagged = [frame for frame in frames.frames() if frame[12:16] == b"\x81\x00\x00\x07"]
        assert tagged, "no frame bears the tag"

    def test_netem_delays(self, lab):
        lab["client"].run("tc qdisc replace dev eth0 root netem delay 700ms")
        said = lab["client"].run("ping -c1 -W60 server").stdout
        assert float(re.search(r"time=([0-9.]+) ms", said).group(1)) >= 700


def test_the_doctor_misses_nothing():
    """Every feature that it tries holds here; what it tells of commands and limits is this machine's."""
    ended = subprocess.run([BIN / "sim", "doctor", "--json"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    features = json.loads(ended.stdout)["features"]
    assert [row for row in features if row["state"] != "holds"] == []
    assert {"netem", "VLAN", "VRF", "dummy interfaces", "nftables"} <= {row["name"] for row in features}
