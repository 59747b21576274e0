"""The worst that can come to our DHCP server by wire, disk and interface: it lives, says what it saw,
and never gives anybody what is another's. dhcp_lab.py draws the picture.
"""
import random
import signal
from pathlib import Path

import pytest
from conftest import eventually
from dhcp_lab import (ACK, COOKIE, DECLINE, DISCOVER, INFORM, NAK, OFFER, RELEASE, RELAY, REQUEST, Lab,
                      message, option, packed)
from scapy.layers.inet import IP, UDP, fragment
from scapy.layers.l2 import Ether

VICTIM, BYSTANDER, FOE = "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:66"
DHCP_DISCOVER = option(53, bytes((DISCOVER,)))


@pytest.fixture
def lab(tmp_path):
    made = Lab(tmp_path)
    yield made
    made.end()


def raw(options, *, cookie=COOKIE, mac=FOE, **header):
    """A message of those option bytes, END or not as they say."""
    return message(None, mac=mac, **header)[:236] + cookie + options


def with_header(at, value):
    """A good DISCOVER with some bytes of the header changed."""
    made = bytearray(message(DISCOVER, mac=FOE))
    made[at:at + len(value)] = value
    return bytes(made)


GOOD = message(DISCOVER, mac=FOE, options=option(50, "10.0.1.100") + option(61, b"\x01foe"))
VICTIMS = "10.0.1.100"  # the address that the victim has

MESSAGES = {
    "nothing": b"",
    "every truncation": [GOOD[:length] for length in range(len(GOOD))],
    "an option that runs over the end": [raw(DHCP_DISCOVER + bytes((code, length)) + b"x" * 3)
                                         for code in (12, 50, 61, 82) for length in (4, 5, 200, 255)],
    "a code without a length": raw(DHCP_DISCOVER + b"\x0c"),
    "no END": raw(DHCP_DISCOVER),
    "zero-length options": [raw(option(code) + DHCP_DISCOVER + option(code) + b"\xff")
                            for code in range(1, 255)],
    "endless options": [raw(DHCP_DISCOVER + option(12) * 600), raw(DHCP_DISCOVER + b"\0" * 1200),
                        raw(option(53, b"") * 500 + DHCP_DISCOVER + b"\xff"),
                        raw(DHCP_DISCOVER + option(61, b"x" * 255) * 4 + b"\xff"),
                        raw(DHCP_DISCOVER + option(55, b"\x03" * 255) * 4 + b"\xff")],
    "the same option again and again": [
        raw(DHCP_DISCOVER * 3 + b"\xff"), raw(DHCP_DISCOVER + option(50, VICTIMS) * 2 + b"\xff"),
        raw(option(53, bytes((REQUEST,))) + option(54, "10.0.1.1") * 3 + b"\xff")],
    "overload": [
        raw(DHCP_DISCOVER + option(52, bytes((how,))) + b"\xff", sname=b"\x34\x01\x03" * 21,
            file=b"\x34\x01\x03" * 42) for how in (0, 1, 2, 3, 4, 255)],
    "overload without END": raw(DHCP_DISCOVER + option(52, b"\x03") + b"\xff", sname=b"\x0c\xff" * 32,
                                file=b"\x0c\x7f" * 64),
    "wrong cookies": [raw(DHCP_DISCOVER + b"\xff", cookie=cookie) for cookie in
                      (b"none", b"\0\0\0\0", b"\x63\x53\x82\x63", b"\xff\xff\xff\xff")],
    "no cookie": message(None, mac=FOE)[:236],
    "hlen": [with_header(2, bytes((hlen,))) for hlen in (0, 1, 5, 7, 16, 17, 254, 255)],
    "htype": [with_header(1, bytes((htype,))) for htype in (0, 2, 6, 7, 32, 255)],
    "op": [with_header(0, bytes((op,))) for op in (0, 2, 3, 255)],
    "kinds of message": [message(kind, mac=FOE) for kind in (0, OFFER, ACK, NAK, 9, 13, 18, 200, 255)],
    "flags, secs and hops": [with_header(3, b"\xff"), with_header(8, b"\xff" * 4)],
    "hardware addresses": [message(DISCOVER, mac=mac) for mac in
                           ("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01")],
    "identifiers": [message(DISCOVER, mac=FOE, options={61: value}) for value in
                    (b"", b"\x01", b"\0", b"\xff" * 255)],
    "a giaddr of ours, or of nobody": [
        message(kind, mac=FOE, giaddr=giaddr, options=option(50, VICTIMS))
        for kind in (DISCOVER, REQUEST)
        for giaddr in ("10.0.1.1", "10.0.9.1", "127.0.0.1", "255.255.255.255", "10.0.1.255", "224.0.0.1",
                       "10.0.1.0")],
    "option 82 from a client": [
        message(DISCOVER, mac=FOE, options={82: value}) for value in
        (b"", option(1, b"port"), option(5, "10.0.2.0"), option(11, "10.0.1.7"), option(5, b""),
         b"\x05\xff\x0a\x00")],
    "maximum sizes": [message(DISCOVER, mac=FOE, wants=range(1, 250), options={57: size.to_bytes(2, "big")})
                      for size in (0, 1, 299, 575, 576, 65535)],
    "wishes for addresses": [
        message(REQUEST, mac=FOE, options={50: address, **server}) for server in ({}, {54: "10.0.1.1"})
        for address in (VICTIMS, "10.0.1.1", "10.0.1.0", "10.0.1.255", "10.0.9.1", "127.0.0.1",
                        "0.0.0.0", "255.255.255.255", "10.0.1.250")],
    "client addresses": [
        message(kind, mac=FOE, ciaddr=ciaddr) for kind in (REQUEST, RELEASE, INFORM, DISCOVER)
        for ciaddr in (VICTIMS, "10.0.1.1", "255.255.255.255", "224.0.0.1", "127.0.0.1", "10.0.9.1")],
    "what is the victim's": [
        message(RELEASE, mac=FOE, ciaddr=VICTIMS, options={54: "10.0.1.1"}),
        message(DECLINE, mac=FOE, options={50: VICTIMS, 54: "10.0.1.1"}),
        message(DECLINE, mac=FOE, options={50: "10.0.1.1", 54: "10.0.1.1"}),
        message(DECLINE, mac=FOE, options={50: "10.0.1.250", 54: "10.0.1.1"}),
        message(RELEASE, mac=FOE, ciaddr="10.0.1.250", options={54: "10.0.1.1"})],
    "lease times": [message(kind, mac=FOE, options={51: value, **more}) for kind, more in
                    ((DISCOVER, {}), (REQUEST, {50: "10.0.1.103"}))
                    for value in (0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, b"", b"\0",
                                  b"\0" * 8)],
}


def frames_of_the_underworld(wire):
    """What is wrong below DHCP already."""
    head = Ether(src=FOE, dst="ff:ff:ff:ff:ff:ff")
    to_all = {"src": "0.0.0.0", "dst": "255.255.255.255"}
    yield head / IP(src="10.0.1.1", dst="255.255.255.255") / UDP(sport=67, dport=67) / GOOD
    yield head / IP(**to_all) / UDP(sport=0, dport=67) / GOOD
    yield head / IP(**to_all) / UDP(sport=68, dport=67, len=8) / GOOD
    yield head / IP(**to_all) / UDP(sport=68, dport=67, len=60000) / GOOD
    yield head / IP(**to_all) / UDP(sport=68, dport=67, chksum=1) / GOOD
    yield head / IP(**to_all, options=b"\x94\x04\x00\x00") / UDP(sport=68, dport=67) / GOOD
    yield head / IP(**to_all, len=40) / UDP(sport=68, dport=67) / GOOD
    for size in (1473, 4000, 60000):
        big = IP(**to_all, id=size) / UDP(sport=68, dport=67) / (GOOD + b"\0" * (size - len(GOOD)))
        yield from (head / part for part in fragment(big, 1400))
    yield head / IP(**to_all, frag=1) / (b"x" * 300)


def nobody_was_harmed(lab):
    """What has been sent, whoever provoked it: no offer and no ACK of what was not free."""
    for wire in (lab.local, lab.relayed):
        for frame in wire.seen:
            payload = bytes(frame[UDP].payload)
            kind = payload[242] if payload[240:242] == b"\x35\x01" else None
            chaddr, yiaddr = payload[28:34].hex(":"), payload[16:20]
            if kind in (OFFER, ACK) and yiaddr != bytes(4) and chaddr != VICTIM:
                assert yiaddr != packed(VICTIMS), "the victim's address was given to another"
                assert yiaddr[3] in (101, 102, 103, 250) or yiaddr[:3] == bytes((10, 0, 2)), yiaddr
            if kind is not None:
                assert kind in (OFFER, ACK, NAK)


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda name: name.replace(" ", "-"))
def test_messages_that_should_not_be(lab, kind):
    """On both wires; the victim keeps its address, the next client gets one of its own."""
    messages = MESSAGES[kind] if isinstance(MESSAGES[kind], list) else [MESSAGES[kind]]
    lab.start("--lease", "600")
    assert lab.local.lease(VICTIM).yiaddr == VICTIMS
    lab.local.send_all(messages)
    lab.relayed.send_all(messages)
    assert lab.local.reboot(VICTIM, VICTIMS).kind == ACK
    nobody_was_harmed(lab)
    status = lab.status()
    counted = sum(status["received"].values()) + status["counters"]["malformed"]
    assert counted + status["counters"]["not_served"] == lab.local.sent + lab.relayed.sent
    lab.stop()


def test_frames_that_should_not_be(lab):
    lab.start("--lease", "600")
    assert lab.local.lease(VICTIM).yiaddr == VICTIMS
    for frame in frames_of_the_underworld(lab.local):
        lab.local.link.send(bytes(frame))
    lab.local.fence()
    assert lab.local.reboot(VICTIM, VICTIMS).kind == ACK
    nobody_was_harmed(lab)


def nearly_right(chance):
    """Bytes changed anywhere but in the address of the one it says it is: that would be the victim's own
    word."""
    made = bytearray(message(
        chance.choice((DISCOVER, REQUEST, DECLINE, RELEASE, INFORM)), mac=FOE, wants=(1, 3, 6),
        options={50: VICTIMS, 54: "10.0.1.1", 57: b"\x05\xdc", 61: b"\x01foe", 80: b""}))
    for _ in range(chance.randrange(1, 5)):
        made[chance.choice((*range(28), *range(34, len(made))))] = chance.randrange(256)
    return bytes(made)


def test_good_messages_with_a_few_bytes_changed(lab):
    """Of a fixed seed: five thousand that are nearly right."""
    chance = random.Random(20261122)
    lab.start("--lease", "600", "--rapid-commit", "--bootp")
    assert lab.local.lease(VICTIM).yiaddr == VICTIMS
    for wire in [lab.local, lab.relayed] * 50:
        wire.send_all(nearly_right(chance) for _ in range(50))
    assert lab.local.reboot(VICTIM, VICTIMS).kind == ACK
    nobody_was_harmed(lab)
    lab.stop()


# Disk and interface --------------------------------------------------------------------------------

def test_a_full_disk_costs_acks_and_nothing_else(lab):
    """No ACK without a commit; when there is room again, all is well again."""
    lab.run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt")
    lab.start("--database", "/mnt/leases.db", "--lease", "600")
    own = lab.local.lease(VICTIM).yiaddr
    lab.run("dd", "if=/dev/zero", "of=/mnt/rest", "bs=4096", check=False)
    refused = 0
    for _ in range(400):  # until the space that the log had already is used up
        renewal = lab.local.reboot(VICTIM, own)
        refused += renewal is None
        if refused == 3:
            break
        assert renewal is None or renewal.kind == ACK
    assert refused == 3
    counters = lab.status()["counters"]
    assert counters["withheld"] >= 3 and counters["failed_commits"] >= 3
    assert lab.local.ask(DISCOVER, mac=BYSTANDER).kind == OFFER, "an offer is no promise to keep"
    lab.run("rm", "/mnt/rest")
    eventually(lambda: (lab.local.reboot(VICTIM, own) or NAK) is not NAK, True)
    assert lab.local.lease(BYSTANDER).yiaddr != own


@pytest.mark.parametrize("what", ["text", "directory", "read-only", "nowhere"])
def test_a_database_that_cannot_be_is_refused(lab, what):
    """With a sentence and status 3, and what was there stays as it was."""
    path = lab.folder / "leases.db"
    if what == "text":
        path.write_text("This is no database, but a letter to my aunt.\n" * 100)
    elif what == "directory":
        path.mkdir()
    elif what == "read-only":
        lab.run("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", "/mnt")
        path = Path("/mnt/leases.db")
    else:
        path = lab.folder / "missing" / "leases.db"
    before = path.read_bytes() if what == "text" else None
    lab.start("--database", path, expect_ready=False)
    assert lab.process.wait(10) == 3
    lab.process = None
    said = lab.log.read_text()
    assert "leases.db" in said and len(said.splitlines()) <= 3, said
    assert before is None or path.read_bytes() == before


def test_an_interface_that_vanishes(lab):
    """The other one is served on, asleep; one that goes down and comes up again is served again."""
    lab.start("--lease", "600")
    near = lab.local.lease(VICTIM).yiaddr
    lab.run("ip", "link", "set", "s0", "down")
    assert lab.relayed.lease(BYSTANDER).yiaddr
    lab.run("ip", "link", "set", "s0", "up")

    def served_again():
        xid = lab.local.send(REQUEST, mac=VICTIM, options={50: near})
        reply = lab.local.answer(xid, seconds=0.2)
        return reply is not None and reply.kind == ACK

    eventually(served_again, True)
    lab.run("ip", "link", "del", "s0")
    assert lab.relayed.lease(VICTIM).yiaddr
    work = [None]

    def rests():
        fields = Path(f"/proc/{lab.process.pid}/stat").read_text().rpartition(")")[2].split()
        work.append(fields[11:13])
        return len(work) > 10 and work[-1] == work[-10]

    eventually(rests, True, seconds=10, every=0.02)


def test_killed_and_started_again(lab):
    """SIGKILL in the middle: what was ACKed is known, and is nobody else's."""
    database = lab.folder / "leases.db"
    lab.start("--database", database)
    own = lab.local.lease(VICTIM).yiaddr
    lab.process.send_signal(signal.SIGKILL)
    lab.process.wait(10)
    lab.process = None
    lab.start("--database", database)
    assert lab.local.lease(BYSTANDER).yiaddr != own
    assert lab.local.reboot(BYSTANDER, own).kind == NAK
    assert lab.local.reboot(VICTIM, own).kind == ACK


def test_a_flood_of_strangers_costs_a_bounded_log(lab):
    """Eight thousand clients that only ever ask: beyond a rate lines are counted, not written."""
    lab.start("--lease", "600")
    lab.local.send_all(message(DISCOVER, mac="06:00:00:00:%02x:%02x" % divmod(number, 256))
                       for number in range(8000))
    assert lab.relayed.lease(VICTIM).yiaddr
    assert lab.log.read_text().count("\n") < 8000
