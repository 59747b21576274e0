"""dhcp-server --probe on both roads: by ARP where it is on the link, by ICMP behind a relay."""
import pytest

LAB = """name: t
topology:
  nodes:
    lan-a: {kind: switch, ipv4: 10.0.1.0/24}
    lan-b: {kind: switch, ipv4: 10.0.2.0/24}
    relay:
      kind: router
      run: [{name: relay, cmd: "dhcp-relay --interface eth1 --server 10.0.1.10", ready: true}]
    server:
      run: [{name: dhcp, cmd: "dhcp-server --probe 0.3 --subnet 10.0.1.0/24 --pool 10.0.1.100-10.0.1.110
             --subnet 10.0.2.0/24 --pool 10.0.2.100-10.0.2.110 --router 10.0.2.1", ready: true}]
    squatter-a: {}
    squatter-b: {}
    a1: {}
    b1: {}
  links:
    - {endpoints: ["relay:eth0", lan-a], ipv4: [10.0.1.1/24]}
    - {endpoints: ["server:eth0", lan-a], ipv4: [10.0.1.10/24]}
    - {endpoints: ["squatter-a:eth0", lan-a], ipv4: [10.0.1.100/24]}
    - {endpoints: ["a1:eth0", lan-a], ipv4: none}
    - {endpoints: ["relay:eth1", lan-b], ipv4: [10.0.2.1/24]}
    - {endpoints: ["squatter-b:eth0", lan-b], ipv4: [10.0.2.100/24]}
    - {endpoints: ["b1:eth0", lan-b], ipv4: none}
"""


@pytest.mark.topology(LAB)
@pytest.mark.parametrize("client, address", [("a1", "10.0.1.101"), ("b1", "10.0.2.101")])
def test_an_address_in_use_is_not_offered(lab, client, address):
    lab[client].run("dhcp-client --interface eth0 --once --wait 10")
    assert lab[client].addresses() == [f"{address}/24"]
    assert address[:-1] + "0" in lab["server"].log("dhcp"), "the log does not tell who was found"
