"""What Debian's stock kernel has and some development machines lack, in the guest of
`make vm-check`: the kernel loads each module when it is asked for it."""
import json
import os
import subprocess
from pathlib import Path

import pytest

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


def test_the_doctor_misses_nothing():
    """Every feature that it tries holds here; what it tells of commands and limits is this machine's."""
    sim = Path(__file__).resolve().parents[2] / os.environ.get("SIM_BUILD", "build") / "bin" / "sim"
    ended = subprocess.run([sim, "doctor", "--json"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    features = json.loads(ended.stdout)["features"]
    assert [row for row in features if row["state"] != "holds"] == []
    assert {"netem", "VLAN", "VRF", "dummy interfaces", "nftables"} <= {row["name"] for row in features}
