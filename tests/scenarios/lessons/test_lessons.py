"""Ten lessons about DHCP and FTP, each a test: read it, run it, change it, see it fail.

    pytest tests/scenarios/lessons -v                    all of them
    pytest tests/scenarios/lessons -k giaddr --keep      one, and its lab stays up for you to look around in

The network of most of them (topologies/two-subnets.yaml); the clients begin without an address:

    server --- lan-a --- router --- lan-b --- client1 ... client25
             10.0.1.0/24   (relay)    10.0.2.0/24

What a lab can do is told in tests/plugin/README.md.
"""
import pytest
from pytest_sim import CommandFailed, eventually

pytestmark = pytest.mark.topology("two-subnets")

LEASE = "dhcp-client --interface eth0 --once --wait 2"  # get an address and set it; exit status 4: there was none
NONE = 4


def names(messages):
    return [each["message"] for each in messages]


def test_1_without_an_address_nobody_is_reached(lab):
    """A cable is not enough. client1 is plugged in, and yet its kernel does not know what to write as the
    sender: "Network is unreachable". DHCP gives it an address and a default route, and then it reaches
    the server in the other subnet."""
    client = lab["client1"]
    assert client.addresses("eth0") == []
    assert "unreachable" in client.run("ping -c1 10.0.1.10", exit=2).output
    client.run(LEASE)
    address, = client.addresses("eth0")
    assert address.startswith("10.0.2.")
    assert "via 10.0.2.1" in client.run("ip route show default").stdout
    client.run("ping -c1 10.0.1.10")


def test_2_a_lease_is_four_messages(lab):
    """DISCOVER: who has an address for me? OFFER: I do. REQUEST: I take that one. ACK: it is yours.
    The lab decodes all frames; `messages` tells what was said, and who said it."""
    lab["client2"].run(LEASE)
    mac = lab.messages("dhcp", node="client2")[0]["chaddr"]
    eventually(lambda: names(lab.messages("dhcp", node="client2")), ["DHCPDISCOVER", "DHCPREQUEST"])
    eventually(lambda: names(lab.messages("dhcp", node="server", chaddr=mac)), ["DHCPOFFER", "DHCPACK"])


def test_3_a_broadcast_ends_at_the_router(lab):
    """A client without an address can only call to everybody. Everybody is its own subnet: client4 hears
    client3 although it is not meant, and the server hears nothing. That is what a relay is for."""
    with lab.capture("client4:eth0") as beside, lab.capture("server:eth0") as beyond:
        lab["client3"].run(LEASE)
    everybody = b"\xff" * 6
    mine = bytes.fromhex(lab.messages("dhcp", node="client3")[0]["chaddr"].replace(":", ""))
    assert any(frame[:6] == everybody and frame[6:12] == mine for frame in beside.frames())
    assert not any(frame[6:12] == mine for frame in beyond.frames())
    assert len(lab.messages(message="DHCPREQUEST", node="router")) >= 1  # the relay, in its own name


@pytest.mark.parametrize("relay, expected", [("dhcp-relay --interface eth1 --server 10.0.1.10", "10.0.2.1"),
                                             ("python3 forgetful_relay.py", None)], ids=["right", "faulty"])
def test_4_a_relay_that_forgets_giaddr_is_found(lab_factory, relay, expected):
    """The relay tells the server in the field giaddr where the client is. forgetful_relay.py does not: the
    server sees a client of its own subnet, has no pool for that, and says nothing. The client only knows
    that it got no address. Follow the message instead: it left the client, it reached the server, and
    what is missing is in it."""
    lab = lab_factory("two-subnets", dhcp_relay=relay)
    lab["client1"].run(LEASE, exit=0 if expected else NONE)
    lab.down()  # so that all that was said is written down
    assert "DHCPDISCOVER" in names(lab.messages("dhcp", node="client1"))
    relayed = lab.messages(message="DHCPDISCOVER", node="router")
    assert relayed, "the relay did not carry it"
    assert {each.get("giaddr") for each in relayed} == {expected}
    assert bool(lab.messages(message="DHCPOFFER", node="server")) == bool(expected)


@pytest.mark.parametrize("faulty", [False, True], ids=["right", "faulty"])
def test_5_a_server_that_gives_an_address_twice_is_found(lab_factory, faulty):
    """Both clients are content, and each alone would work. Only who looks at both sees that they have one
    and the same address: so compare what the server promised with what it had promised before."""
    lab = lab_factory("two-subnets", **({"dhcp_server": "python3 generous_server.py ${pool}"} if faulty else {}))
    for name in ("client1", "client2"):
        lab[name].run(LEASE)
    lab.down()
    owners = {}
    for ack in lab.messages(message="DHCPACK", node="server"):
        owners.setdefault(ack["yiaddr"], set()).add(ack["chaddr"])
    twice = [address for address, clients in owners.items() if len(clients) > 1]
    assert twice == (["10.0.2.100"] if faulty else [])


@pytest.mark.topology("two-subnets", pool="10.0.2.100-10.0.2.100")
def test_6_what_is_given_back_is_given_again(lab):
    """One address for two clients. As long as client1 has it, client2 gets none; when client1 ends, it gives
    the address back (DHCPRELEASE), and client2 has it."""
    with lab["client1"].popen("dhcp-client --interface eth0 --release-on-exit") as client:
        client.expect("bound to 10.0.2.100")
        lab["client2"].run(LEASE, exit=NONE)
    eventually(lambda: names(lab.messages("dhcp", node="client1"))[-1], "DHCPRELEASE")
    lab["client2"].run(LEASE)
    assert lab["client2"].addresses("eth0") == ["10.0.2.100/24"]


def test_7_a_failure_says_what_happened(lab):
    """A command that ends with another status than it should makes the test fail, and the failure says
    where, what, how, and what was printed. Here the failure is what we expect."""
    lab["client5"].run(LEASE)
    with pytest.raises(CommandFailed) as failure:
        lab["client5"].run("ftp-client 10.0.1.10 get nothing.txt")
    assert failure.value.ended.status == 5
    assert "550" in failure.value.ended.stderr  # the server's word for it: no such file
    assert "client5: ftp-client 10.0.1.10 get nothing.txt" in str(failure.value)


def test_8_a_file_takes_a_second_connection(lab):
    """FTP speaks on one connection (port 21) and carries files on others, one a file. Both begin with a SYN
    of the client."""
    client = lab["client6"]
    client.run(LEASE)
    client.run("ftp-client 10.0.1.10 get hello.txt")
    assert client.read("hello.txt") == lab["server"].read("files/hello.txt")
    client.run("ftp-client 10.0.1.10 get hello.txt again.txt")

    def ports():
        return [each["destination_port"] for each in lab.messages("tcp", node="client6", message="SYN")][-4:]

    eventually(lambda: [port == 21 for port in ports()], [True, False, True, False])


@pytest.mark.topology("two-subnets")
def test_9_the_fourth_waits_for_its_turn(lab):
    """The server serves three at once. The fourth is told its place in the line; when one of the three is
    gone, even without a word, it is served."""
    clients = [lab[f"client{number}"] for number in range(1, 5)]
    for client in clients:
        client.run(LEASE)
    served = [client.popen("ftp-client 10.0.1.10") for client in clients[:3]]
    for each in served:
        each.expect("230 ")
    fourth = clients[3].popen("ftp-client 10.0.1.10")
    fourth.expect("number 1 in line")
    served[1].kill()
    fourth.expect("230 ")


@pytest.mark.topology("ring")
def test_10_what_kernels_see_of_a_cable(lab):
    """Ask the kernel and not only the programs: the events of a node tell when a link lost its other end,
    and since when an address is gone."""
    lab["h1"].run("ping -c1 h2")
    lab["h1"].run("ip link set eth0 down")
    eventually(lambda: [each["up"] for each in lab.events(node="h1", what="link", interface="eth0")][-1:], [False])
    assert "unreachable" in lab["h1"].run("ping -c1 h2", exit=2).output
    lab["h1"].run("ip link set eth0 up")
    eventually(lambda: [each["running"] for each in lab.events(node="h1", what="link", interface="eth0")][-1:], [True])
