"""Where DHCP servers disagree (peers.md) ours takes the RFC's side and the user's: each row of the
tables below is one such behaviour, shown on the wire. dhcp_lab.py draws the picture.
"""
import signal
import subprocess

import pytest
from conftest import eventually, need
from dhcp_lab import (ACK, DECLINE, DISCOVER, FENCE, INFORM, NAK, OFFER, RELEASE, RELAY, REQUEST,
                      SUBNETS, Lab, option, options_of)

A, B, C, D, E = (f"02:00:00:00:00:0{digit}" for digit in "abcde")
BROADCAST = ("ff:ff:ff:ff:ff:ff", "255.255.255.255", 68)


@pytest.fixture
def lab(tmp_path):
    made = Lab(tmp_path)
    yield made
    made.end()


def judged_by_tshark(pcap):
    """tshark has no warning and no error for any packet in it, and takes each for DHCP."""
    need("tshark")
    ended = subprocess.run(
        ["tshark", "-n", "-r", str(pcap), "-o", "ip.check_checksum:TRUE", "-T", "fields", "-e",
         "frame.number", "-e", "frame.protocols", "-e", "_ws.expert.message", "-e", "_ws.malformed",
         "-e", "ip.checksum.status", "-Y", "_ws.expert.severity >= 0x600000 ||"
         " _ws.malformed || !dhcp || ip.checksum.status != 1"], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == ""


# One client, one wire ------------------------------------------------------------------------------

def order_follows_the_request_list(lab):
    """The four that are asked for come in that order, in OFFER and ACK; only that the mask is always
    before the router (RFC 2132 section 3.3, a MUST)."""
    for wants, order in (((6, 3, 1, 15), [6, 1, 3, 15]), ((15, 1, 3, 6), [15, 1, 3, 6]),
                         ((3, 15, 6), [3, 15, 6]), ((1, 6, 15, 3), [1, 6, 15, 3])):
        for reply in (lab.local.ask(DISCOVER, mac=A, wants=wants),
                      lab.local.lease(A, wants=wants)):
            assert [code for code in reply.codes() if code in wants] == order
    few = lab.local.ask(DISCOVER, mac=A, wants=(15,))
    assert 6 not in few.codes(), "what is not asked for is not sent"


def the_client_identifier_is_echoed(lab):
    """RFC 6842: in every kind of reply, and only where the client sent one."""
    lab.local.hosts.add("10.0.1.77")
    for identifier in (b"\x01\x02\x00\x00\x00\x00\x0a", b"\x00any text", b"\xff" * 200):
        mine = {61: identifier}
        offer = lab.local.ask(DISCOVER, mac=A, options=mine)
        ack = lab.local.lease(A, options=mine)
        nak = lab.local.reboot(A, "10.0.77.5", options=mine)
        inform = lab.local.ask(INFORM, mac=A, options=mine, ciaddr="10.0.1.77",
                               frame={"source": "10.0.1.77"})
        kinds = [reply.kind for reply in (offer, ack, nak, inform)]
        assert kinds == [OFFER, ACK, NAK, ACK]
        assert {reply.option(61) for reply in (offer, ack, nak, inform)} == {identifier}
    assert lab.local.ask(DISCOVER, mac=B).option(61) is None


def broadcast_flag_means_broadcast_at_both_layers(lab):
    flagged = lab.local.ask(DISCOVER, mac=A, flags=0x8000)
    assert (flagged.mac, flagged.ip, flagged.port) == BROADCAST and flagged.bootp.flags == 0x8000
    plain = lab.local.ask(DISCOVER, mac=A)
    assert (plain.mac, plain.ip, plain.port) == (A, plain.yiaddr, 68)
    assert A not in [frame.dst for frame in lab.local.seen] or plain.yiaddr not in lab.local.asked_for
    nak = lab.local.reboot(A, "10.0.77.5")
    assert (nak.mac, nak.ip, nak.port) == BROADCAST, "a client may not hear a unicast NAK"


def t1_and_t2_are_sent(lab):
    for wish, granted in ((None, 600), (120, 120), (1, 60), (7000, 3600), (0, 60),
                          (0xffffffff, 3600)):
        ack = lab.local.lease(A, options={} if wish is None else {51: wish})
        assert ack.number(51) == granted
        assert (ack.number(58), ack.number(59)) == (granted // 2, granted * 7 // 8)


def init_reboot(lab):
    """RFC 2131 section 4.3.2, and its NAKs: own address, wrong network, another's, none of ours."""
    own = lab.local.lease(A).yiaddr
    other = lab.local.lease(B).yiaddr
    assert lab.local.reboot(A, own).kind == ACK
    for wrong in (other, "10.0.77.5", "10.0.2.100", "10.0.1.1", "255.255.255.255"):
        nak = lab.local.reboot(A, wrong)
        assert nak.kind == NAK and nak.yiaddr == "0.0.0.0" and nak.option(51) is None, wrong
    assert lab.local.reboot(B, other).kind == ACK
    assert lab.local.reboot(A, "0.0.0.0") is None, "it asks for nothing"


def a_request_that_names_another_server_frees_the_offer(lab):
    """Silence, and the address is there for the next one at once."""
    for mac in (A, B, C):
        lab.local.lease(mac)
    last = lab.local.ask(DISCOVER, mac=D).yiaddr
    assert lab.local.ask(DISCOVER, mac=E) is None, "the last one is on offer"
    assert lab.local.ask(REQUEST, mac=D, options={50: last, 54: "10.0.1.77"}) is None
    assert lab.local.ask(DISCOVER, mac=E).yiaddr == last


def an_empty_pool(lab):
    """DISCOVER unanswered, REQUEST refused; both are counted."""
    taken = [lab.local.lease(mac).yiaddr for mac in (A, B, C, D)]
    assert len(set(taken)) == 4
    assert lab.local.ask(DISCOVER, mac=E) is None
    assert lab.local.reboot(E, taken[0]).kind == NAK
    assert lab.local.ask(REQUEST, mac=E, options={50: taken[0], 54: "10.0.1.1"}).kind == NAK
    assert "no free address" in lab.log.read_text()


def release_and_return(lab):
    """A released address is its client's again while it is free, and nobody releases another's."""
    own = lab.local.lease(A).yiaddr
    gone = {"ciaddr": own, "frame": {"source": own, "destination": "10.0.1.1"}}
    assert lab.local.ask(RELEASE, mac=B, options={54: "10.0.1.1"}, **gone) is None
    assert lab.local.reboot(A, own).kind == ACK, "B cannot release what is A's"
    assert lab.local.ask(RELEASE, mac=A, options={54: "10.0.1.1"}, **gone) is None
    assert lab.local.ask(DISCOVER, mac=B).yiaddr != own, "never used ones come first"
    assert lab.local.ask(DISCOVER, mac=A).yiaddr == own


def a_declined_address_is_set_aside(lab):
    """... and one client cannot drain the pool by it (with Kea it can)."""
    for _ in range(12):
        offer = lab.local.ask(DISCOVER, mac=A)
        if offer is None:
            break
        ack = lab.local.ask(REQUEST, mac=A, options={50: offer.yiaddr, 54: offer.option(54)})
        if ack.kind != ACK:
            break
        mine = {50: ack.yiaddr, 54: "10.0.1.1"}
        assert lab.local.ask(DECLINE, mac=A, options=mine) is None
        assert (offer := lab.local.ask(DISCOVER, mac=B)) is not None, "A has drained the pool"
        assert offer.yiaddr != ack.yiaddr, "it was declined"
    assert len({lab.local.lease(mac).yiaddr for mac in (B, C, D, E)}) == 4
    assert lab.status()["reasons"]["decline-limit"] > 0


def the_same_machine_with_another_identifier_is_another_client(lab):
    first = lab.local.lease(A, options={61: b"\x00one"}).yiaddr
    second = lab.local.lease(A, options={61: b"\x00two"}).yiaddr
    assert first != second
    assert lab.local.lease(B, options={61: b"\x00one"}).yiaddr == first, "the identifier is the client"


def identifiers_ignored(lab):
    """--ignore-client-id: a machine that boots two systems keeps its address."""
    first = lab.local.lease(A, options={61: b"\x00one"})
    second = lab.local.lease(A, options={61: b"\x00two"})
    assert first.yiaddr == second.yiaddr == lab.local.lease(A).yiaddr
    assert second.option(61) == b"\x00two", "still echoed"
    assert lab.local.lease(B, options={61: b"\x00one"}).yiaddr != first.yiaddr


def rapid_commit(lab):
    """RFC 4039: a lease in two messages, for who asks and where it is allowed."""
    quick = lab.local.ask(DISCOVER, mac=A, options={80: b""})
    assert quick.kind == ACK and quick.option(80) == b"" and quick.number(51) == 600
    assert lab.local.reboot(A, quick.yiaddr).kind == ACK, "it is a lease"
    slow = lab.local.ask(DISCOVER, mac=B)
    assert slow.kind == OFFER and slow.option(80) is None


def no_rapid_commit_unless_allowed(lab):
    slow = lab.local.ask(DISCOVER, mac=A, options={80: b""})
    assert slow.kind == OFFER and slow.option(80) is None


def bootp(lab):
    """RFC 951 and 1534: no option 53, a static address, no lease options, 300 bytes at least."""
    reply = lab.local.ask(None, mac=C)
    assert reply.yiaddr == "10.0.1.77" and reply.kind is None and reply.bootp.op == 2
    assert not {51, 53, 54, 58, 59} & set(reply.codes())
    assert len(reply.payload) >= 300 and reply.option(1) == b"\xff\xff\xff\x00"
    assert lab.local.ask(None, mac=A) is None, "no binding, and no dynamic BOOTP"


def dynamic_bootp(lab):
    """--bootp: an address for ever."""
    own = lab.local.ask(None, mac=A).yiaddr
    assert own in POOL and lab.local.ask(None, mac=A).yiaddr == own
    assert lab.local.ask(None, mac=B).yiaddr not in ("0.0.0.0", own)


def inform(lab):
    """To ciaddr, with options and without a lease."""
    lab.local.hosts.add("10.0.1.77")
    reply = lab.local.ask(INFORM, mac=A, ciaddr="10.0.1.77", wants=(3, 6),
                          frame={"source": "10.0.1.77", "destination": "10.0.1.1"})
    assert reply.kind == ACK and (reply.ip, reply.port) == ("10.0.1.77", 68)
    assert reply.yiaddr == "0.0.0.0" and not {51, 58, 59} & set(reply.codes())
    assert reply.option(6) == bytes((10, 0, 1, 53))


def renewing_and_rebinding(lab):
    """By unicast, and by broadcast with ciaddr: the reply goes to ciaddr."""
    own = lab.local.lease(A).yiaddr
    lab.local.hosts.add(own)
    for destination in ("10.0.1.1", "255.255.255.255"):
        ack = lab.local.ask(REQUEST, mac=A, ciaddr=own,
                            frame={"source": own, "destination": destination})
        assert (ack.kind, ack.yiaddr, ack.ip, ack.number(51)) == (ACK, own, own, 600)
    stranger = lab.local.ask(REQUEST, mac=B, ciaddr=own, frame={"source": own})
    assert stranger.kind == NAK


def a_binding_wins(lab):
    """Inside the pool or outside; by hardware address whatever identifier comes, or by identifier."""
    assert lab.local.lease(A).yiaddr == "10.0.1.101"
    assert lab.local.lease(A, options={61: b"\x00dual boot"}).yiaddr == "10.0.1.101"
    bound = lab.local.lease(B, options={61: b"\x00name"}, wants=(12, 6))
    assert bound.yiaddr == "10.0.1.9" and bound.option(12) == b"printer"
    assert bound.number(51) == 300 and bound.option(6) == bytes((10, 0, 1, 53))
    others = [lab.local.lease(mac).yiaddr for mac in (B, C, D)]
    assert sorted(others) == ["10.0.1.100", "10.0.1.102", "10.0.1.103"]
    assert lab.local.reboot(E, "10.0.1.9").kind == NAK


def silent_where_not_authoritative(lab):
    """Another server might know the client: what we do not know gets no NAK."""
    own = lab.local.lease(A).yiaddr
    assert lab.local.reboot(A, own).kind == ACK
    assert lab.local.reboot(B, "10.0.77.5") is None


def refused_renewal(lab):
    """`dhcp-server refuse-renewal ADDR`: the next renewal is refused, and another address follows."""
    own = lab.local.lease(A).yiaddr
    lab.local.hosts.add(own)
    lab.status("refuse-renewal", own)
    renewal = {"mac": A, "ciaddr": own, "frame": {"source": own, "destination": "10.0.1.1"}}
    assert lab.local.ask(REQUEST, **renewal).kind == NAK
    assert lab.local.lease(A).yiaddr != own
    other = lab.local.lease(B).yiaddr
    lab.status("refuse-renewal", other)
    lab.status("allow-renewal", other)
    assert lab.local.reboot(B, other).kind == ACK
    lab.status("refuse-renewal", "10.0.1.0/24")
    assert lab.local.reboot(B, other).kind == NAK


def no_renewal_in_this_subnet(lab):
    """--refuse-renewal in a subnet's section."""
    own = lab.local.lease(A).yiaddr
    lab.local.hosts.add(own)
    assert lab.local.ask(REQUEST, mac=A, ciaddr=own, frame={"source": own}).kind == NAK


def every_kind_of_option(lab):
    """By name or number, in the client's order; scapy reads them as they were meant."""
    wants = (26, 42, 119, 121, 66, 67, 43, 4, 12, 252, 15, 6)
    ack = lab.local.lease(A, wants=wants)
    assert [code for code in ack.codes() if code in wants] == list(wants)
    assert ack.number(26) == 1400 and ack.option(15) == b"lab.example"
    assert ack.option(42) == bytes((10, 0, 1, 7, 10, 0, 1, 8))
    assert ack.option(119) == b"\x03lab\x07example\x00\x03www\xc0\x04"
    assert ack.option(121) == bytes((16, 10, 9, 10, 0, 1, 2, 0, 10, 0, 1, 254))
    assert ack.option(66) == b"10.0.1.66" and ack.option(67) == b"boot.img"
    assert ack.option(43) == b"\x01\x02\xab\xcd" and ack.option(252) == b"http://wpad"
    assert ack.bootp.siaddr == "10.0.1.66", "option 66 that is an address"


def long_and_overloaded(lab):
    """RFC 3396 and 2132 section 9.3: 700 bytes split, and put into file and sname where the client's
    maximum is small. A client that allows less than 576 is not believed."""
    for most in (None, 1500, 576, 100):
        mine = {} if most is None else {57: most.to_bytes(2, "big")}
        reply = lab.local.ask(DISCOVER, mac=A, wants=(224, 6, 3), options=mine)
        assert len(reply.payload) <= max(most or 576, 576) - 28
        overload = reply.option(52)
        found = options_of(reply.payload[240:])
        if overload and overload[0] & 1:
            found += options_of(reply.payload[108:236])
        if overload and overload[0] & 2:
            found += options_of(reply.payload[44:108])
        joined = b"".join(value for code, value in found if code == 224)
        assert joined == b"\xaa" * 300, f"at most {most}"
        assert bool(overload) == ((most or 576) <= 576)


POOL = [f"10.0.1.10{last}" for last in range(4)]
DNS = ["--option", "dns=10.0.1.53", "--option", "domain=lab.example"]
SUBNET_1 = SUBNETS[:SUBNETS.index("--subnet", 1)]

LOCAL = {
    order_follows_the_request_list: DNS,
    the_client_identifier_is_echoed: [],
    broadcast_flag_means_broadcast_at_both_layers: [],
    t1_and_t2_are_sent: ["--lease", "600", "--lease-least", "60", "--lease-most", "3600"],
    init_reboot: [],
    a_request_that_names_another_server_frees_the_offer: [],
    an_empty_pool: [],
    release_and_return: [],
    a_declined_address_is_set_aside: ["--pool", "10.0.1.110-10.0.1.113"],
    the_same_machine_with_another_identifier_is_another_client: [],
    identifiers_ignored: ["--ignore-client-id"],
    rapid_commit: ["--rapid-commit", "--lease", "600"],
    no_rapid_commit_unless_allowed: [],
    bootp: ["--bind", f"{C}=10.0.1.77"],
    dynamic_bootp: ["--bootp"],
    inform: DNS,
    renewing_and_rebinding: ["--lease", "600"],
    a_binding_wins: [*DNS, "--bind", f"{A}=10.0.1.101", "--bind",
                     'id:006e616d65=10.0.1.9 lease=300 host-name=printer'],
    silent_where_not_authoritative: ["--not-authoritative"],
    refused_renewal: ["--lease", "600"],
    no_renewal_in_this_subnet: ["--refuse-renewal"],
    every_kind_of_option: [
        *DNS, "--option", "mtu=1400", "--option", "ntp=10.0.1.7,10.0.1.8", "--option",
        "domain-search=lab.example,www.example", "--option", "classless-routes=10.9.0.0/16=10.0.1.2,0.0.0.0/0=10.0.1.254",
        "--option", "tftp-server=10.0.1.66", "--option", "boot-file=boot.img", "--option",
        "43=hex:0102abcd", "--option", "4=10.0.1.4", "--option", "host-name=h", "--option",
        "252=hex:" + b"http://wpad".hex()],
    long_and_overloaded: [*DNS, "--option", "224=hex:" + "aa" * 300],
}


@pytest.mark.parametrize("behaviour", LOCAL, ids=lambda f: f.__name__)
def test_on_the_servers_link(lab, behaviour):
    lab.start(*LOCAL[behaviour], subnets=SUBNET_1)
    behaviour(lab)
    lab.stop()
    lab.end()
    judged_by_tshark(lab.folder / "seen.pcap")


# Behind relays -------------------------------------------------------------------------------------

CIRCUIT = option(1, b"port 7") + option(2, b"\x02\x00\x00\x00\x00\x77")
UNKNOWN_SUBOPTIONS = option(200, b"\x00\xff") + option(1, b"") + option(9, b"x" * 100)


def link_selection(address):
    return option(1, b"port 7") + option(5, address)


def giaddr_picks_the_subnet(lab):
    """Each gets of its own; of a network that is not served nobody gets anything."""
    near, far = lab.local.lease(A), lab.relayed.lease(A)
    assert near.yiaddr.startswith("10.0.1.") and far.yiaddr.startswith("10.0.2.")
    assert far.option(3) == bytes((10, 0, 2, 1)) and near.option(3) == bytes((10, 0, 1, 254))
    for unserved in ("10.0.77.1", "127.0.0.1", "255.255.255.255", "224.0.0.1"):
        assert lab.relayed.ask(DISCOVER, mac=B, giaddr=unserved) is None, unserved


def replies_go_to_the_relay(lab):
    """To giaddr and port 67, whatever port it came from, with all its fields; a NAK with the broadcast
    flag, since the relay must not send it to an address that the client has no right to."""
    for sport in (67, 68, 50123):
        for flags in (0, 0x8000):
            offer = lab.relayed.ask(DISCOVER, mac=A, flags=flags, hops=3, frame={"sport": sport})
            assert (offer.ip, offer.port) == (RELAY, 67)
            assert offer.bootp.giaddr == RELAY and offer.bootp.flags == flags
    nak = lab.relayed.reboot(A, "10.0.1.100")
    assert (nak.kind, nak.ip, nak.port) == (NAK, RELAY, 67)
    assert nak.bootp.flags == 0x8000, "RFC 2131 section 4.3.2"


def option_82_comes_back_exactly_and_last(lab):
    known = 0
    for value in (CIRCUIT, UNKNOWN_SUBOPTIONS, b"", b"\x01", b"\x01\xff\x00"):
        replies = [lab.relayed.lease(A, options={61: b"\x01me", 82: value}),
                   lab.relayed.ask(DISCOVER, mac=A, options={82: value}, wants=(82, 3, 1)),
                   lab.relayed.reboot(A, "10.0.1.100", options={82: value})]
        for reply in replies:
            assert reply.options[-1] == (82, value) and reply.codes().count(82) == 1
        known = known or len(lab.relayed.seen)
    del lab.relayed.seen[known:]  # tshark does not know all of these suboptions
    assert [reply.kind for reply in replies] == [ACK, OFFER, NAK]
    assert 82 not in lab.relayed.lease(B).codes()


def link_selection_wins_over_giaddr(lab):
    """RFC 3527: the subnet is the suboption's, the way back giaddr's; an unknown one: silence."""
    lab.relayed.hosts.add("10.0.9.2")
    mine = {"giaddr": "10.0.9.2", "options": {82: link_selection("10.0.2.0")}}
    ack = lab.relayed.lease(A, **mine)
    assert ack.yiaddr.startswith("10.0.2.") and (ack.ip, ack.port) == ("10.0.9.2", 67)
    assert ack.options[-1] == (82, link_selection("10.0.2.0"))
    unknown = {82: link_selection("10.0.77.0")}
    assert lab.relayed.ask(DISCOVER, mac=B, options=unknown) is None
    malformed, before = {82: option(5, b"\x0a\x00\x02")}, len(lab.relayed.seen)
    reply = lab.relayed.ask(DISCOVER, mac=C, options=malformed)
    assert reply is None or reply.yiaddr.startswith("10.0.2."), "it is giaddr's, or nobody's"
    del lab.relayed.seen[before:]  # tshark rightly complains of what came back exactly


def a_renewal_past_the_relay(lab):
    """Unicast from the client's own address, no giaddr: the reply goes to that address."""
    own = lab.relayed.lease(A).yiaddr
    ack = lab.relayed.ask(REQUEST, mac=A, ciaddr=own, giaddr="0.0.0.0",
                          frame={"source": own, "destination": "10.0.9.1", "sport": 68})
    assert (ack.kind, ack.yiaddr, ack.ip, ack.port) == (ACK, own, own, 68)
    assert ack.option(54) in (bytes((10, 0, 9, 1)), bytes((10, 0, 1, 1)))
    released = lab.relayed.ask(RELEASE, mac=A, ciaddr=own, giaddr="0.0.0.0",
                               options={54: ack.option(54)},
                               frame={"source": own, "destination": "10.0.9.1", "sport": 68})
    assert released is None
    assert lab.relayed.lease(A).yiaddr == own


def a_client_that_moved(lab):
    """A lease of one subnet, asked for in the other: NAK, then one of this subnet."""
    near = lab.local.lease(A).yiaddr
    assert lab.relayed.reboot(A, near).kind == NAK
    far = lab.relayed.lease(A).yiaddr
    assert far.startswith("10.0.2.")
    assert lab.local.reboot(A, far).kind == NAK and lab.relayed.reboot(A, far).kind == ACK


def a_port_is_held_within_its_limits(lab):
    """--port-leases 2 --port-offers 1: starvation from one port leaves addresses for the others."""
    one, two = ({82: option(1, name)} for name in (b"port 1", b"port 2"))
    assert lab.relayed.ask(DISCOVER, mac=A, options=one).kind == OFFER
    assert lab.relayed.ask(DISCOVER, mac=B, options=one) is None, "one offer is pending"
    assert lab.relayed.lease(A, options=one) and lab.relayed.lease(B, options=one)
    assert lab.relayed.ask(DISCOVER, mac=C, options=one) is None, "two leases stand"
    assert lab.relayed.lease(C, options=two).yiaddr
    assert lab.relayed.reboot(A, lab.relayed.lease(A, options=one).yiaddr, options=one).kind == ACK


RELAYED = {
    giaddr_picks_the_subnet: [],
    replies_go_to_the_relay: [],
    option_82_comes_back_exactly_and_last: [],
    link_selection_wins_over_giaddr: [],
    a_renewal_past_the_relay: [],
    a_client_that_moved: [],
    a_port_is_held_within_its_limits: ["--port-leases", "2", "--port-offers", "1"],
}


@pytest.mark.parametrize("behaviour", RELAYED, ids=lambda f: f.__name__)
def test_behind_a_relay(lab, behaviour):
    lab.start(*RELAYED[behaviour])
    behaviour(lab)
    lab.stop()
    lab.end()
    judged_by_tshark(lab.folder / "seen.pcap")


# The server's life ---------------------------------------------------------------------------------

def test_a_person_reads_the_leases_while_the_server_runs(lab):
    """With sqlite3, from the file: what was ACKed is there, committed."""
    need("sqlite3")
    database = lab.folder / "leases.db"
    lab.start("--database", database, subnets=SUBNET_1)
    for mac in (A, B):
        own = lab.local.lease(mac).yiaddr
        rows = lab.run("sqlite3", "-readonly", database, "select * from leases").stdout
        assert own in rows
    lab.stop()
    lab.start("--database", database, subnets=SUBNET_1)
    assert lab.local.reboot(B, own).kind == ACK, "known after the restart"


def test_a_new_binding_wins_after_sighup(lab):
    """At the client's next message; no packet is lost on the way, and the others keep what they have."""
    config = lab.folder / "server.conf"
    text = f"subnet 10.0.1.0/24\npool 10.0.1.100-10.0.1.103\nbind {FENCE}=10.0.1.250\n"
    config.write_text(text)
    lab.start("--config", config, subnets=[])
    first, second = lab.local.lease(A).yiaddr, lab.local.lease(B).yiaddr
    config.write_text(text + f"bind {A}=10.0.1.9\n")
    lab.process.send_signal(signal.SIGHUP)
    lab.local.hosts.add(first)
    eventually(lambda: lab.local.reboot(A, first).kind, NAK)
    assert lab.local.lease(A).yiaddr == "10.0.1.9"
    assert lab.local.reboot(B, second).kind == ACK
    config.write_text("subnet 10.0.1.0/24\npool nonsense\n")
    lab.process.send_signal(signal.SIGHUP)
    eventually(lambda: "nonsense" in lab.log.read_text(), True)
    assert lab.local.reboot(A, "10.0.1.9").kind == ACK, "a faulty file changes nothing"


@pytest.mark.parametrize("used", [False, True])
def test_an_address_is_probed_before_it_is_offered(lab, used):
    """--probe: an address that somebody answers for is not offered; nobody else waits meanwhile."""
    lab.start("--probe", "0.3", subnets=SUBNET_1)
    if used:
        lab.local.hosts.add("10.0.1.100")
    xid = lab.local.send(DISCOVER, mac=A)
    offer = lab.local.answer(xid)
    assert offer.yiaddr == ("10.0.1.101" if used else "10.0.1.100")
    assert "10.0.1.100" in lab.local.asked_for
