"""The named inputs of the fuzz targets: `make check` replays them, `make fuzz` begins with them.

usage: make_corpus.py FOLDER    writes FOLDER/<target>/<case>

The files in tests/fuzz/corpus are what this writes (tests/test_fuzz.py compares them), so a case is
read here and not with a hexdump. The forms of the inputs stand at the head of each target.
"""
import struct
import sys
from pathlib import Path

COOKIE = b"\x63\x82\x53\x63"
REQUEST, REPLY = 1, 2
DISCOVER, OFFER, DHCPREQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)
MAC = bytes.fromhex("020000000001")


def address(text):
    return bytes(map(int, text.split(".")))


def option(code, value=b""):
    """An option, in pieces of 255 bytes at most."""
    pieces = [value[i:i + 255] for i in range(0, len(value), 255)] or [b""]
    return b"".join(bytes([code, len(piece)]) + piece for piece in pieces)


def message(kind, *options, op=REQUEST, htype=1, hlen=6, hops=0, xid=0x11223344, secs=0, flags=0,
            ciaddr="0.0.0.0", yiaddr="0.0.0.0", siaddr="0.0.0.0", giaddr="0.0.0.0", chaddr=MAC,
            sname=b"", file=b"", cookie=COOKIE, end=b"\xff", least=300):
    """A UDP payload. kind: option 53, None for BOOTP."""
    head = struct.pack("!BBBBIHH", op, htype, hlen, hops, xid, secs, flags)
    head += b"".join(map(address, (ciaddr, yiaddr, siaddr, giaddr)))
    head += chaddr.ljust(16, b"\0") + sname.ljust(64, b"\0") + file.ljust(128, b"\0") + cookie
    first = b"" if kind is None else option(53, bytes([kind]))
    return (head + first + b"".join(options) + end).ljust(least, b"\0")


def frame(payload):
    """Ethernet, IPv4 and UDP around a payload; UDP goes without its checksum."""
    udp = struct.pack("!HHHH", 68, 67, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    total = sum(struct.unpack("!10H", head))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    head = head[:10] + struct.pack("!H", total ^ 0xffff) + head[12:]
    return b"\xff" * 6 + MAC + b"\x08\x00" + head + udp


def name(*labels):
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


CODEC = {
    "discover": message(DISCOVER, option(50, address("10.0.2.100")), option(61, b"\x01" + MAC),
                        option(12, b"client"), option(55, bytes([1, 3, 6, 15, 119, 121]))),
    "frame": frame(message(DISCOVER)),
    "ack-with-all-kinds": message(
        ACK, option(1, address("255.255.255.0")), option(2, struct.pack("!i", -3600)),
        option(3, address("10.0.2.1") * 2), option(19, b"\x01"), option(26, b"\x05\xdc"),
        option(33, address("10.1.0.0") + address("10.0.2.1")), option(43, b"\x01\x02\x03"),
        option(51, b"\xff" * 4), option(54, address("10.0.2.1")), option(93, b"\0\7\0\0"),
        option(119, name(b"eng", b"example") + name(b"sub")[:-1] + b"\xc0\x04"),
        option(121, b"\x08\x0a" + address("10.0.2.1")), option(80), op=REPLY,
        yiaddr="10.0.2.100", sname=b"boot.example", file=b"pxelinux.0"),
    "overload-both": message(ACK, option(52, b"\3"), op=REPLY, sname=option(15, b"example") + b"\xff",
                             file=option(224, b"x" * 120) + b"\xff"),
    "overload-4": message(DISCOVER, option(52, b"\4")),
    "overload-twice": message(DISCOVER, option(52, b"\1"), option(52, b"\1")),
    "split-over-all-areas": message(ACK, option(224, b"a" * 20), option(52, b"\3"), op=REPLY,
                                    sname=option(224, b"c" * 60) + b"\xff",
                                    file=option(224, b"b" * 100) + b"\xff"),
    "long-option": message(ACK, option(224, bytes(range(256)) + b"x" * 100), op=REPLY),
    "option-82-first": message(DISCOVER, option(82, b"\1\4eth1\2\6" + MAC), option(12, b"a")),
    "option-82-overruns": message(DISCOVER, option(82, b"\1\xff")),
    "bootp": message(None, file=b"boot"),
    "bootp-without-cookie": message(None, cookie=bytes(4), end=b"", file=b"boot"),
    "bootp-zero-cookie-and-bytes": message(None, option(12, b"a"), cookie=bytes(4)),
    "wrong-cookie": message(DISCOVER, cookie=b"\x63\x82\x53\x62"),
    "hlen-0": message(DISCOVER, hlen=0),
    "hlen-255": message(DISCOVER, hlen=255),
    "truncated-header": message(DISCOVER)[:239],
    "truncated-option": message(DISCOVER, b"\x32\x04\x0a", end=b"", least=0),
    "zero-length-options": message(DISCOVER, *(option(code) for code in (1, 3, 50, 51, 61, 119))),
    "no-end": message(DISCOVER, end=b"", least=0),
    "pads-only": message(None, b"\0" * 60, end=b""),
    "overlong-client-id": message(DISCOVER, option(61, b"i" * 255), option(61, b"i")),
    "domain-loop": message(ACK, option(119, b"\1a\xc0\0"), op=REPLY),
    "domain-forward": message(ACK, option(119, b"\xc0\2\1a\0"), op=REPLY),
    "domain-pointers": message(ACK, option(119, b"\1a\0" + b"\xc0\0" * 60), op=REPLY),
    "domain-split": message(ACK, option(119, name(b"a", b"example")[:5]),
                            option(119, name(b"a", b"example")[5:]), op=REPLY),
    "route-33-bits": message(ACK, option(121, b"\x21" + address("10.0.0.0") * 2), op=REPLY),
    "text-with-nul-and-escape": message(ACK, option(12, b"a\x1b[2Jb\0"), option(15, b"hex:"), op=REPLY),
}


def arrived(payload, interface=1, source=3, own_giaddr=False):
    """relay: a message. source: 0 and 1 the servers, 2 a stranger, 3 a client without address."""
    where = interface | source << 2 | (0x10 if own_giaddr else 0)
    return bytes([where]) + struct.pack("!H", len(payload)) + payload


AGENT, LINK_SELECTION, TRUSTED, DOWNSTREAM, SECS, SMALL = 1, 8, 0x10, 0x20, 0x40, 0x80
FORWARD, REPLACE, DROP = 0, 2, 4
OURS = b"\1\4eth1\2\6" + MAC


def relayed(settings, *events):
    return bytes([settings]) + b"".join(events)


RELAY = {
    "discover": relayed(0, arrived(message(DISCOVER))),
    "exchange-with-option-82": relayed(
        AGENT, arrived(message(DISCOVER)),
        arrived(message(OFFER, option(82, OURS), op=REPLY, yiaddr="10.0.2.100", giaddr="10.0.2.1"),
                interface=0, source=0),
        arrived(message(DHCPREQUEST, option(54, address("10.0.1.100")))),
        arrived(message(ACK, option(82, OURS), op=REPLY, yiaddr="10.0.2.100", giaddr="10.0.2.1"),
                interface=0, source=1)),
    "link-selection": relayed(
        AGENT | LINK_SELECTION, arrived(message(DISCOVER)),
        arrived(message(OFFER, option(82, OURS + b"\5\4" + address("10.0.2.1")), op=REPLY,
                        yiaddr="10.0.2.100", giaddr="10.0.1.1"), interface=0, source=0),
        arrived(message(OFFER, op=REPLY, yiaddr="10.0.2.100", giaddr="10.0.1.1"),
                interface=0, source=0)),
    "nak-is-broadcast": relayed(0, arrived(message(NAK, op=REPLY, giaddr="10.0.2.1"), 0, 0)),
    "bootp-without-cookie": relayed(AGENT, arrived(message(None, cookie=bytes(4), end=b""))),
    "option-82-of-a-client": relayed(AGENT, arrived(message(DISCOVER, option(82, OURS)))),
    "option-82-trusted": relayed(AGENT | TRUSTED, arrived(message(DISCOVER, option(82, OURS)))),
    "option-82-replaced": relayed(
        AGENT | REPLACE | TRUSTED, arrived(message(DISCOVER, option(82, b"\1\1x"), option(12, b"a"))),
        arrived(message(DISCOVER, option(82, b"\1\1x"), giaddr="10.0.5.1"), source=2)),
    "option-82-dropped": relayed(
        AGENT | DROP, arrived(message(DISCOVER, option(82, OURS), giaddr="10.0.5.1"), source=2)),
    "option-82-in-file": relayed(
        AGENT | REPLACE | TRUSTED, arrived(message(
            DISCOVER, option(52, b"\1"), file=option(82, b"\1\1x") + option(12, b"a") + b"\xff"))),
    "option-82-does-not-fit": relayed(
        AGENT | SMALL, arrived(message(DISCOVER, option(224, b"x" * 150), least=0))),
    "option-82-truncated": relayed(AGENT | TRUSTED | REPLACE,
                                   arrived(message(DISCOVER, option(82, b"\1\xff")))),
    "no-end": relayed(AGENT, arrived(message(DISCOVER, end=b"", least=0))),
    "forged-giaddr": relayed(0, arrived(message(DISCOVER, giaddr="10.0.2.1")),
                             arrived(message(DISCOVER, giaddr="10.0.7.7"), own_giaddr=True)),
    "giaddr-not-downstream": relayed(
        DOWNSTREAM, arrived(message(DISCOVER, giaddr="192.0.2.1"), source=2)),
    "hops": relayed(0, arrived(message(DISCOVER, hops=4)), arrived(message(DISCOVER, hops=5)),
                    arrived(message(DISCOVER, hops=255))),
    "too-early": relayed(SECS, arrived(message(DISCOVER, secs=2)), arrived(message(DISCOVER, secs=3))),
    "too-long": relayed(AGENT, arrived(message(DISCOVER, option(224, b"x" * 1300)))),
    "reply-of-a-client": relayed(
        0, arrived(message(OFFER, op=REPLY, yiaddr="10.0.2.9", giaddr="10.0.2.1"), 1, 2)),
    "reply-for-another-relay": relayed(
        0, arrived(message(OFFER, op=REPLY, yiaddr="10.0.2.9", giaddr="10.0.8.1"), 0, 0)),
    "reply-to-hardware-of-another-kind": relayed(
        0, arrived(message(ACK, op=REPLY, htype=6, hlen=16, yiaddr="10.0.2.9", giaddr="10.0.2.1"), 0, 0)),
    "interface-without-address": relayed(0, arrived(message(DISCOVER), interface=3)),
    "malformed": relayed(0, arrived(message(DISCOVER)[:100])),
}

# server: settings by their bits, and events.
FIRST_FREE, IGNORE_ID, NOT_AUTHORITATIVE, PROBE, BOUND_INSIDE, PORTS, BOOTP_RAPID, REFUSE = (
    1 << bit for bit in range(8))
BOOTP = 0
OWN_ID, SHARED_ID, SHORT_ID, NO_HARDWARE = 0x08, 0x10, 0x18, 0x20
LINK_2, RELAY_1, RELAY_2, RELAY_9, BROADCAST, OTHER_PORT = 1, 4, 8, 12, 0x10, 0x20
CIRCUIT_A, CIRCUIT_B, SELECT_2 = 0x40, 0x80, 0xc0
IN_1, IN_2, TOLD = 1, 2, 3
WISH, WISH_EVER, LIST, SIZE_576, SIZE_1500, RAPID, FLAG = 1, 3, 4, 8, 0x10, 0x20, 0x40


def sent(kind, client=2, where=BROADCAST, ciaddr=0, requested=0, server=0, low=0, more=LIST):
    """A message of client 0..7 (plus an identifier). ciaddr, requested: none, a host `low` of one of
    the two subnets, or what the client was last told; server: none, ours in either, another."""
    return bytes([0, kind, client, where, ciaddr | requested << 2 | server << 4, low, more])


def raw(payload, where=BROADCAST):
    return bytes([4, where]) + struct.pack("!H", len(payload)) + payload


def later(seconds):
    """At least so many seconds go by."""
    shift = 0
    while (seconds * 1000 >> shift) > 255:
        shift += 1
    return bytes([5, (seconds * 1000 >> shift) + (1 if shift else 0), shift])


def dora(client=2, where=BROADCAST, more=LIST):
    server = 2 if where & 3 == LINK_2 or where & 0xc == RELAY_2 else 1
    return (sent(DISCOVER, client, where, more=more)
            + sent(DHCPREQUEST, client, where, requested=TOLD, server=server, more=more))


def outside(what, low=None):
    return bytes([6, what]) + (b"" if low is None else bytes([low]))


def served(settings, *events):
    return bytes([settings]) + b"".join(events)


DISK_FULL, DISK_FREE, PROBE_ANSWERED, REFUSE_ONE, REFUSE_SUBNET, ALLOW_ONE, ALLOW_SUBNET = range(7)
RENEW = sent(DHCPREQUEST, where=0, ciaddr=TOLD)
REBOOT = sent(DHCPREQUEST, requested=TOLD)

SERVER = {
    "discover-new": served(0, sent(DISCOVER)),
    "four-messages": served(0, dora(), later(50), RENEW, sent(RELEASE, where=0, ciaddr=TOLD, server=1)),
    "all-clients-small-pool": served(0, *(dora(n) for n in range(8)), later(120),
                                     *(dora(n) for n in (7, 6, 5))),
    "first-free": served(FIRST_FREE, *(dora(n) for n in range(5)), later(200), dora(6)),
    "expiry-and-reuse": served(0, *(dora(n) for n in (2, 3, 4)), later(101), dora(5), REBOOT),
    "offers-not-taken": served(0, *(sent(DISCOVER, n) for n in range(8)), later(11), dora(7)),
    "bound-outside-the-pool": served(0, dora(1), dora(SHARED_ID | 3), dora(SHARED_ID | 4)),
    "bound-inside-the-pool": served(BOUND_INSIDE, *(dora(n) for n in (2, 3, 4, 1))),
    "binding-that-comes-and-goes": served(
        0, *(dora(n) for n in (2, 3, 4)), bytes([7, BOUND_INSIDE]), sent(DISCOVER, 1), RENEW, dora(1),
        bytes([7, 0]), dora(1), dora(3)),
    "other-server": served(0, sent(DISCOVER), sent(DHCPREQUEST, requested=TOLD, server=3), dora(3)),
    "request-of-another": served(0, dora(2), sent(DHCPREQUEST, 3, requested=IN_1, server=1, low=10)),
    "init-reboot": served(0, dora(), REBOOT, sent(DHCPREQUEST, requested=IN_2, low=10),
                          sent(DHCPREQUEST, 5, requested=IN_1, low=10)),
    "init-reboot-not-authoritative": served(
        NOT_AUTHORITATIVE, sent(DHCPREQUEST, 5, requested=IN_1, low=10),
        sent(DHCPREQUEST, requested=IN_2, low=10), dora(), REBOOT),
    "moved-to-another-subnet": served(0, dora(2), sent(DHCPREQUEST, where=LINK_2 | BROADCAST,
                                                       requested=TOLD), dora(2, LINK_2 | BROADCAST)),
    "relayed": served(0, dora(2, RELAY_2 | CIRCUIT_A), dora(3, RELAY_1 | CIRCUIT_B | OTHER_PORT),
                      sent(DHCPREQUEST, 2, 0, ciaddr=TOLD)),
    "link-selection": served(0, dora(2, RELAY_1 | SELECT_2)),
    "relay-of-nowhere": served(0, dora(2, RELAY_9)),
    "circuit-limits": served(PORTS, *(dora(n, RELAY_2 | CIRCUIT_A) for n in range(6)),
                             *(sent(DISCOVER, n, RELAY_2 | CIRCUIT_B) for n in range(6))),
    "probe-free": served(PROBE, sent(DISCOVER), later(1), sent(DHCPREQUEST, requested=TOLD, server=1)),
    "probe-answered": served(PROBE, sent(DISCOVER), outside(PROBE_ANSWERED), later(1), later(1),
                             sent(DHCPREQUEST, requested=TOLD, server=1)),
    "probe-again-and-again": served(PROBE, *((sent(DISCOVER, n) + outside(PROBE_ANSWERED)) * 3
                                             for n in range(4))),
    "decline": served(0, dora(), sent(DECLINE, requested=TOLD, server=1), dora(), later(700), dora(3)),
    "decline-until-empty": served(0, *(dora(2) + sent(DECLINE, 2, requested=TOLD, server=1)
                                       for _ in range(5))),
    "renewal-refused-once": served(0, dora(), outside(REFUSE_ONE, 10 << 1), RENEW, dora()),
    "renewal-refused-in-a-subnet": served(
        REFUSE, dora(2, LINK_2 | BROADCAST), sent(DHCPREQUEST, 2, LINK_2, ciaddr=TOLD),
        outside(ALLOW_SUBNET, 1), dora(2, LINK_2 | BROADCAST), outside(REFUSE_SUBNET, 0)),
    "disk-full": served(0, outside(DISK_FULL), dora(), outside(DISK_FREE), REBOOT, dora(3)),
    "disk-full-at-renewal": served(0, dora(), later(50), outside(DISK_FULL), RENEW, later(60), dora(3)),
    "bootp": served(BOOTP_RAPID, sent(BOOTP, 2), sent(BOOTP, 1), sent(BOOTP, 2, more=FLAG)),
    "bootp-refused": served(0, sent(BOOTP, 2), sent(BOOTP, 1)),
    "rapid-commit": served(BOOTP_RAPID, sent(DISCOVER, more=RAPID | LIST), RENEW),
    "ignore-client-id": served(IGNORE_ID, dora(2), dora(OWN_ID | 2), dora(SHARED_ID | 2)),
    "identifier-moves": served(0, dora(SHARED_ID | 2), dora(SHARED_ID | 3), dora(OWN_ID | 3)),
    "no-identity": served(0, sent(DISCOVER, NO_HARDWARE), sent(DISCOVER, SHORT_ID),
                          sent(DISCOVER, NO_HARDWARE | OWN_ID)),
    "inform": served(0, sent(INFORM, where=0, ciaddr=IN_1, low=30), sent(INFORM, where=0)),
    "lease-times-at-both-ends": served(0, dora(2, more=WISH), later(1), dora(3, more=WISH_EVER)),
    "long-options": served(0, *(dora(n, LINK_2 | BROADCAST, more) for n, more in
                                ((2, LIST), (3, LIST | SIZE_576), (4, LIST | SIZE_1500)))),
    "clock-far-ahead": served(0, dora(), bytes([5, 255, 31]), bytes([5, 255, 31]), REBOOT, dora(3)),
    "raw-discover": served(0, raw(message(DISCOVER, option(55, bytes(range(1, 128)))))),
    "raw-option-82-of-a-client": served(0, raw(message(DISCOVER, option(82, b"\1\1x")))),
    "raw-option-82-malformed": served(PORTS, raw(message(DISCOVER, option(82, b"\1\xff"),
                                                         giaddr="10.0.1.2"))),
    "raw-bootp-without-cookie": served(BOOTP_RAPID, raw(message(None, cookie=bytes(4), end=b""))),
    "raw-reply": served(0, raw(message(OFFER, op=REPLY, yiaddr="10.0.1.10"))),
    "raw-giaddr-of-ours": served(0, raw(message(DISCOVER, giaddr="10.0.1.1"))),
    "raw-overlong-client-id": served(0, raw(message(DISCOVER, option(61, b"i" * 255), option(61, b"i")))),
    "raw-largest-option-82": served(0, raw(message(DISCOVER, option(82, b"\1\xfd" + b"c" * 253),
                                                   option(57, b"\2\x40"), giaddr="10.0.2.2"))),
}

# client: settings by their bits, and events.
RAPID_COMMIT, KEEP, PROBES, INFORMS, CLIENT_ID, SAVED, WISHES, WAITS = (1 << bit for bit in range(8))
WRONG_XID, WRONG_CHADDR, OTHER, NO_ADDRESS, BROADCAST_ADDRESS = 1, 2, 4, 8, 12
NO_SERVER, SERVER_2, NO_MASK, OPTIONS = 0x10, 0x20, 0x40, 0x80
# The lease time: 0, 1, 2, 60, 3600 s, 2^31-1, 2^32-2, infinite; plus 8 for each bit of the host.
ZERO, ONE, TWO, MINUTE, HOUR, LONG, LONGEST, EVER = (8 * 8 + i for i in range(8))
NO_LEASE = 255
DEADLINE = b"\0"
LINK_BACK = b"\6"
LEAVE, RELEASE_AND_LEAVE = b"\7\0", b"\7\1"


def answer(kind, bits=0, low=0x20, lease=HOUR, renewal=0):
    return bytes([2, kind, bits, low, lease, renewal])


def passes(seconds):
    return b"\1" + later(seconds)[1:]


def arp(sender=None, probe=False):
    """Another host's: with the address that the client asked for, or of host `sender`."""
    who = bytes([0]) if sender is None else bytes([1, sender])
    return b"\5" + who + bytes([probe])


def started(settings, *events):
    return bytes([settings]) + b"".join(events)


BIND = answer(OFFER, OTHER) + answer(ACK)
CLIENT = {
    "four-messages": started(0, BIND, RELEASE_AND_LEAVE),
    "no-server": started(WAITS, *[DEADLINE] * 8),
    "renewal": started(0, BIND, DEADLINE, answer(ACK), DEADLINE, answer(ACK), LEAVE),
    "renewal-refused": started(0, BIND, DEADLINE, answer(NAK), BIND),
    "renewal-gives-another-address": started(0, BIND, DEADLINE, answer(ACK, OTHER, 0x21)),
    "rebinding": started(0, BIND, passes(3200), answer(ACK, SERVER_2), LEAVE),
    "expiry": started(0, BIND, *[DEADLINE] * 12, BIND),
    "sleeps-past-its-lease": started(0, BIND, passes(100000), BIND),
    "offer-refused": started(0, answer(OFFER, OTHER), answer(NAK), BIND),
    "refused-again-and-again": started(0, *[answer(OFFER, OTHER) + answer(NAK)] * 4, DEADLINE, BIND),
    "rapid-commit": started(RAPID_COMMIT, answer(ACK, OTHER | OPTIONS), DEADLINE),
    "rapid-commit-without-server-id": started(RAPID_COMMIT, answer(ACK, OTHER | NO_SERVER), DEADLINE,
                                              RELEASE_AND_LEAVE),
    "rapid-commit-not-asked-for": started(0, answer(ACK, OTHER | OPTIONS)),
    "options": started(CLIENT_ID | WISHES, answer(OFFER, OTHER | OPTIONS), answer(ACK, OPTIONS)),
    "reboot": started(SAVED, answer(ACK), RELEASE_AND_LEAVE),
    "reboot-on-another-network": started(SAVED, answer(NAK), BIND),
    "reboot-unanswered": started(SAVED, *[DEADLINE] * 6, BIND),
    "reboot-unanswered-and-kept": started(SAVED | KEEP, *[DEADLINE] * 12),
    "reboot-unanswered-probed-and-kept": started(SAVED | KEEP | PROBES, *[DEADLINE] * 12),
    "link-back": started(0, BIND, LINK_BACK, answer(ACK), LINK_BACK, answer(NAK), BIND),
    "link-back-unanswered": started(KEEP, BIND, LINK_BACK, *[DEADLINE] * 8),
    "link-back-while-selecting": started(0, LINK_BACK, answer(OFFER, OTHER), LINK_BACK, BIND),
    "probed": started(PROBES, BIND, *[DEADLINE] * 10),
    "probed-and-in-use": started(PROBES, BIND, DEADLINE, arp(), DEADLINE, BIND, *[DEADLINE] * 8),
    "probed-by-another": started(PROBES, BIND, DEADLINE, arp(probe=True), *[DEADLINE] * 8),
    "defended": started(PROBES, BIND, *[DEADLINE] * 5, arp(), passes(11), arp(), passes(1), arp(), BIND),
    "conflicts-without-end": started(PROBES, *[BIND + DEADLINE + arp() + DEADLINE] * 6),
    "arp-of-others": started(PROBES, BIND, arp(9), *[DEADLINE] * 5, arp(9), arp(9, True)),
    "inform": started(INFORMS, answer(ACK, NO_ADDRESS | OPTIONS), LEAVE),
    "inform-unanswered": started(INFORMS | WAITS, *[DEADLINE] * 6),
    "lease-of-no-time": started(0, answer(OFFER, OTHER, lease=ZERO), answer(ACK, lease=ZERO)),
    "lease-of-a-second": started(0, answer(OFFER, OTHER, lease=ONE), answer(ACK, lease=ONE),
                                 *[DEADLINE] * 4),
    "lease-infinite": started(0, answer(OFFER, OTHER, lease=EVER), answer(ACK, lease=EVER),
                              passes(4000000)),
    "lease-nearly-infinite": started(0, answer(OFFER, OTHER), answer(ACK, lease=LONGEST), DEADLINE),
    "lease-without-time": started(0, answer(OFFER, OTHER, lease=NO_LEASE), answer(ACK, lease=NO_LEASE)),
    "t1-after-t2": started(0, answer(OFFER, OTHER), answer(ACK, renewal=0xc0 | 3 << 3 | 4), DEADLINE),
    "wrong-xid": started(0, answer(OFFER, OTHER | WRONG_XID), answer(OFFER, OTHER),
                         answer(ACK, WRONG_XID), answer(ACK)),
    "wrong-chaddr": started(0, answer(OFFER, OTHER | WRONG_CHADDR), answer(OFFER, OTHER),
                            answer(ACK, WRONG_CHADDR)),
    "without-server-id": started(0, answer(OFFER, OTHER | NO_SERVER), answer(ACK, NO_SERVER)),
    "without-mask": started(0, answer(OFFER, OTHER | NO_MASK), answer(ACK, NO_MASK)),
    "mask-makes-it-the-network": started(0, answer(OFFER, OTHER, 0), answer(ACK, OTHER, 0)),
    "address-broadcast": started(0, answer(OFFER, BROADCAST_ADDRESS), answer(ACK, BROADCAST_ADDRESS)),
    "address-none": started(0, answer(OFFER, NO_ADDRESS), answer(ACK, NO_ADDRESS)),
    "requests-of-others": started(0, answer(DISCOVER, OTHER), answer(DHCPREQUEST, OTHER), answer(0, OTHER)),
    "ack-of-another-server": started(0, answer(OFFER, OTHER), answer(ACK, SERVER_2)),
    "raw-offer": started(0, b"\4" + struct.pack("!H", 300) + message(
        OFFER, option(51, b"\0\0\x0e\x10"), option(54, address("10.0.1.1")), op=REPLY,
        yiaddr="10.0.1.32"), answer(ACK)),
}

# ftp_command, ftp_reply, ftp_list: how it is received, and the lines.
AT_ONCE, BYTE_BY_BYTE, MANY_TIMES = 0, 1, 0x80


def lines(*texts, end=b"\r\n"):
    return b"".join(text + end for text in texts)


def received(*texts, how=AT_ONCE, end=b"\r\n"):
    return bytes([how]) + lines(*texts, end=end)


FTP_COMMAND = {
    "log-in": received(b"USER anonymous", b"PASS mail@example", b"SYST", b"FEAT", b"QUIT"),
    "in-pieces": received(b"USER anonymous", b"PASS secret", how=BYTE_BY_BYTE),
    "bare-lf": received(b"PWD", b"LIST", end=b"\n"),
    "bare-cr": received(b"PWD\rLIST", b"RETR a\rb"),
    "cr-cr-lf": received(b"RETR a\r", b"CWD \r"),
    "nul": received(b"RETR a\0b", b"\0", b"PASS a\0b"),
    "empty-lines": received(b"", b" ", b"", end=b"\n"),
    "unfinished": b"\0RETR a",
    "telnet-abort": received(b"\xff\xf4\xff\xf2ABOR", b"\xff\xfb\x01NOOP", b"RETR a\xff\xffb"),
    "telnet-unfinished": received(b"NOOP\xff", b"NOOP\xff\xfb", how=BYTE_BY_BYTE),
    "line-too-long": received(b"NOOP", b"X" * 4096, b"X" * 4097, b"X" * 20000, b"NOOP"),
    "lower-case-and-blanks": received(b"retr  a b ", b"quit  ", b"Quit x", b"\tNOOP"),
    "x-forms": received(b"XCWD a", b"XMKD b", b"XPWD", b"XRMD b", b"XCUP", b"XABC"),
    "known-and-not-done": received(b"ACCT money", b"SMNT /", b"CCC", b"HOST ftp.example", b"MIC x"),
    "secrets": received(b"PASS", b"PASS ", b"PASS p w", b"PASSWORD hunter2", b"ACCT 4711"),
    "secret-long-verb": received(b"P" * 60 + b" secret"),
    "description-cut": received(b"RETR " + b"\xff\xff" * 40, b"RETR " + b"\x01" * 33),
    "dots": received(b"CWD a/b/c", b"CWD ..", b"CWD ../../../../etc", b"CWD ./.", b"CWD ...", b"CWD .a"),
    "slashes": received(b"CWD /", b"CWD //a//b//", b"CWD /..", b"CWD a/"),
    "name-of-255-and-256": received(b"RETR " + b"n" * 255, b"RETR " + b"n" * 256),
    "path-to-its-limit": received(b"CWD " + b"d" * 63, b"CWD " + b"e" * 250, how=MANY_TIMES),
    "path-down-and-up": received(b"CWD a/b/c/d", b"CWD ../..", how=MANY_TIMES),
    "percent-and-quotes": received(b'MKD %s%n"x"', b"RETR \xc3\xa4\x80"),
    "facts": received(b"OPTS MLST type;size;", b"OPTS type;Size;modify;perm;unique;UNIX.mode;", b"OPTS ;; type"),
    "times": received(b"MFMT 20240229123456", b"MFMT 20230229000000", b"MFMT 19700101000000.5",
                      b"MFMT 20161231235960", b"MFMT 00010101000000", b"MFMT 99991231235959"),
    "leap-second-of-the-year-9999": received(b"MFMT 99991231235960"),
}

FTP_REPLY = {
    "log-in": received(b"220 ready", b"331 password", b"230 in"),
    "in-pieces": received(b"220-a", b" b", b"220 c", how=BYTE_BY_BYTE),
    "in-line": received(b"220-You are number 2 in line", b"220-You are number 1 in line", b"220 ready"),
    "features": received(b"211-Features:", b" MDTM", b" REST STREAM", b"211 End"),
    "code-alone": received(b"200", b"200", b"211-", b"211"),
    "other-code-inside": received(b"211-a", b"200 b", b"2111 c", b"211c", b"211 d"),
    "421-inside": received(b"220-number 1", b"421 closing", b"220 over", b"421 closing"),
    "no-code": received(b"hello", b"SSH-2.0-x", b"", b"22", b"099 x", b"600 x", b"2200 x"),
    "nul": received(b"220 a\0b", b"220-a", b"\0", b"220 c"),
    "bare-lf-and-cr": received(b"220-a", b"220 b\r", end=b"\n"),
    "passive": received(b"227 Entering Passive Mode (127,0,0,1,200,1)", b"227 =127,0,0,1,0,0",
                        b"229 Extended (|||4711|)", b"229 (|||0|)", b"229 (|||65536|)"),
    "telnet": received(b"\xff\xfb\x01220 a\xff\xffb"),
    "never-ends": received(b"220-a", *[b"220-"] * 20),
}


def listed(*texts, mode=0o644, size=4096, when=1700000000, how=AT_ONCE, end=b"\r\n"):
    """mode: its three highest bits choose the type: file, directory, link, pipe, socket, devices."""
    return bytes([how]) + struct.pack("!HQq", mode, size, when) + lines(*texts, end=end)


A_DIRECTORY, A_LINK, A_PIPE, A_SOCKET, A_DEVICE = (1 << 13, 2 << 13, 3 << 13, 4 << 13, 5 << 13)
HAS_TARGET = 0x1000
LONG_LINE = b"-rw-r--r--   1 ftp      ftp          4096 Jan 31 12:00 "
FTP_LIST = {
    "long": listed(b"total 12", LONG_LINE + b"a", b"drwxr-xr-x 2 ftp ftp 4096 Feb 29  2024 directory"),
    "long-in-pieces": listed(LONG_LINE + b"a", how=BYTE_BY_BYTE),
    "long-link": listed(b"lrwxrwxrwx 1 ftp ftp 3 Jan 31 12:00 link -> ../../etc/passwd",
                        mode=A_LINK | HAS_TARGET | 0o777),
    "long-link-named-dot": listed(b"lrwxrwxrwx 1 ftp ftp 3 Jan 31 12:00 . -> /",
                                 b"lrwxrwxrwx 1 o g 3 Jan 31 12:00 .. -> x"),
    "long-without-group": listed(b"-rw-r--r-- 1 owner 11 Jan  1 2020 a", b"-rw-r--r-- 11 Jan 1 2020 b"),
    "long-iso-date": listed(b"-rw-r--r-- 1 o g 11 2024-01-31 12:00 a"),
    "long-group-of-spaces": listed(b"-rw-r--r-- 1 owner domain users and more of it 11 Jan 1 2020 a"),
    "long-device": listed(b"crw-rw-rw- 1 root root 1, 3 Jan 1 2020 null", mode=A_DEVICE),
    "long-names": listed(LONG_LINE + b" leading", LONG_LINE + b"in the middle", LONG_LINE + b"a -> b",
                         LONG_LINE + b"Jan 31 12:00 again", LONG_LINE + b"trailing "),
    "long-climbs": listed(LONG_LINE + b"../../etc/passwd", LONG_LINE + b"..", LONG_LINE + b".",
                          LONG_LINE + b"/etc/passwd", LONG_LINE + b"a\\b", LONG_LINE + b"\x1b[2J"),
    "long-cut-off": listed(b"-", b"-rw-r--r--", b"-rw-r--r-- 1", LONG_LINE, LONG_LINE[:-1], b"total", b""),
    "long-size-beyond-64-bits": listed(b"-rw-r--r-- 1 o g 18446744073709551616 Jan 31 12:00 a"),
    "dos": listed(b"01-31-24  12:00PM       <DIR>          directory", b"01-31-2024  12:00AM  4711 a b",
                  b"01-31-24  12:00  0  x"),
    "dos-cut-off": listed(b"01-31-24", b"01-31-24  12:00PM", b"01-31-24  12:00PM 1", b"01-31-24  12:00PM 1 "),
    "facts": listed(b"type=file;size=11;modify=20240131120000; a", b"type=dir;modify=20240131120000.123; d",
                    b"type=cdir; .", b"type=pdir; ..", mode=A_DIRECTORY | 0o755),
    "facts-links-and-others": listed(b"type=OS.unix=slink:/etc/passwd; l", b"type=OS.unix=symlink; l",
                                     b"type=OS.unix=chr-1/3; null", mode=A_LINK | 0o777),
    "facts-of-a-special-file": listed(b"type=OS.unix=special; p", mode=A_PIPE),
    "facts-of-a-socket": listed(b"type=OS.unix=socket; p", mode=A_SOCKET),
    "facts-malformed": listed(b"type=file", b"type=file; ", b"type=file;a", b"; a", b"=; a", b"size=; a"),
    "facts-none": listed(b" a", b"  a", b" ", b" ."),
    "facts-climb": listed(b"type=file; ../../etc/passwd", b"type=file; /etc/passwd", b"type=dir; .."),
    "facts-times": listed(b"modify=20230229000000; a", b"modify=99991231235959; a", b"modify=; a"),
    "nul": listed(b"type=file; a\0b", LONG_LINE + b"a\0b"),
    "time-at-both-ends": listed(LONG_LINE + b"a", when=-1 << 63) + lines(b"type=file; a"),
    "time-of-the-last-year-of-an-int": listed(LONG_LINE + b"a", when=67768036191676799),
    "time-before-the-year-1000": listed(LONG_LINE + b"a", when=-40000000000),
    "time-after-the-year-9999": listed(LONG_LINE + b"a", when=300000000000),
    "size-largest": listed(LONG_LINE + b"a", size=(1 << 64) - 1),
}

FTP_PORT = {
    "port": b"192,0,2,1,156,64",
    "port-leading-zeroes": b"192,000,002,001,000156,64",
    "port-256": b"192,0,2,256,1,1",
    "port-five": b"192,0,2,1,1",
    "port-seven": b"192,0,2,1,1,1,1",
    "port-zero": b"192,0,2,1,0,0",
    "port-with-blanks": b"192, 0,2,1,4,1 ",
    "port-huge-number": b"99999999999999999999,0,2,1,4,1",
    "eprt-4": b"|1|192.0.2.1|40000|",
    "eprt-6": b"|2|2001:db8::1|40000|",
    "eprt-6-mapped": b"|2|::ffff:192.0.2.1|40000|",
    "eprt-6-scoped": b"|2|fe80::1%eth0|40000|",
    "eprt-family-3": b"|3|x|1|",
    "eprt-family-differs": b"|1|::1|40000|",
    "eprt-other-delimiter": b"!1!192.0.2.1!40000!",
    "eprt-delimiter-is-a-digit": b"1112.0.0.1114000001",
    "eprt-port-zero": b"|1|192.0.2.1|0|",
    "eprt-port-65536": b"|1|192.0.2.1|65536|",
    "eprt-more-behind": b"|1|192.0.2.1|40000|x",
    "eprt-cut-off": b"|1|192.0.2.1|40000",
    "eprt-nul": b"|1|192.0.2.1\0|40000|",
    "eprt-address-too-long": b"|2|" + b"0:" * 40 + b"|40000|",
    "passive": b"Entering Passive Mode (192,0,2,1,156,64).",
    "passive-without-parentheses": b"=192,0,2,1,156,64",
    "passive-other-numbers-first": b"1,2,3 and 4,5,6,7,8,9",
    "passive-behind-a-number": b"1234,5,6,7,8,9,10",
    "passive-commas": b"," * 100,
    "passive-digits": b"1" * 150,
    "extended": b"Entering Extended Passive Mode (|||4711|)",
    "extended-other-delimiter": b"(!!!4711!)",
    "extended-second-parenthesis": b"(see) (|||4711|)",
    "extended-zero": b"(|||0|)",
    "extended-65536": b"(|||65536|)",
    "extended-cut-off": b"(|||4711|",
    "extended-no-parenthesis-behind": b"(|||4711|.",
    "extended-delimiter-is-a-digit": b"(11147111)",
    "binary-addresses": bytes([156, 64, 192, 0, 2, 1]) + bytes.fromhex("20010db8" + "00" * 11 + "01"),
    "binary-mapped": bytes([0, 0]) + bytes(4) + bytes(10) + b"\xff\xff\x0a\0\0\1",
    "empty": b"",
}

def globbed(pattern, name=b""):
    return pattern + b"\0" + name


FTP_GLOB = {
    "plain": globbed(b"a.txt", b"a.txt"),
    "empty": globbed(b"", b""),
    "star": globbed(b"*", b"anything"),
    "suffix": globbed(b"*.txt", b"a.txt.gz.txt"),
    "stars": globbed(b"a**b*c", b"a-b-b-c"),
    "question": globbed(b"f??", b"f1\xff"),
    "set": globbed(b"[a-cx]*[!0-9]", b"b12z"),
    "set-caret": globbed(b"[^a]", b"b"),
    "set-of-brackets": globbed(b"[]][[][!]]", b"][x"),
    "set-with-hyphens": globbed(b"[a-][-a][a--z]", b"--z"),
    "set-escaped": globbed(b"[\\]x][a-\\]][\\a-\\c]", b"]]b"),
    "set-of-high-bytes": globbed(b"[\x80-\xff]*", b"\xc3\xa9t\xc3\xa9"),
    "set-backwards": globbed(b"[z-a]", b"m"),
    "set-never-closed": globbed(b"a[bc", b"a[bc"),
    "set-never-closed-behind-one": globbed(b"[a][b*[c", b"a[b[c"),
    "set-ends-in-backslash": globbed(b"[a\\", b"[a\\"),
    "sets-never-closed": globbed(b"*" + b"[" * 90 + b"x", b"[" * 100),
    "escapes": globbed(b"a\\*\\?\\[\\\\", b"a*?[\\"),
    "backslash-at-the-end": globbed(b"a\\", b"a\\"),
    "explodes-by-backtracking": globbed(b"*a" * 40 + b"b", b"a" * 100),
}


def converted(content, piece=0, place=0):
    return bytes([piece]) + struct.pack("!H", place) + content


FTP_ASCII = {
    "lines": converted(b"a\nb\n", place=3),
    "lines-of-dos": converted(b"a\r\nb\r\n", place=4),
    "place-within-a-line-end": converted(b"a\nb\n", piece=1, place=2),
    "place-behind-the-end": converted(b"a\n", place=65535),
    "no-end": converted(b"no end"),
    "empty": converted(b"", place=1),
    "cr-at-the-end": converted(b"a\r", piece=1),
    "cr-and-lf-in-two-pieces": converted(b"ab\r\ncd", piece=3, place=3),
    "lf-begins-a-piece": converted(b"abc\nd", piece=3, place=4),
    "cr-cr-lf": converted(b"\r\r\n\r\r\r\n\r", piece=2, place=5),
    "lf-alone": converted(b"\n\n\n\n", piece=3, place=5),
    "binary": converted(bytes(range(256)), piece=7, place=12),
}

# ftp_session: settings by their bits, and events.
VERBS = """? USER PASS ACCT CWD CDUP SMNT REIN QUIT PORT PASV TYPE STRU MODE RETR STOR STOU APPE ALLO REST RNFR
RNTO ABOR DELE RMD MKD PWD LIST NLST SITE SYST STAT HELP NOOP AUTH ADAT PBSZ PROT CCC MIC CONF ENC FEAT OPTS
EPRT EPSV LANG SIZE MDTM MLST MLSD MFMT HOST CLNT -""".split()
TLS, TLS_REQUIRED, IPV6, SHORT_WAIT, IN_LINE = (1 << bit for bit in range(5))
READ, ADD, CHANGE = (1 << bit for bit in range(5, 8))
ALL = READ | ADD | CHANGE
DONE, NOT_FOUND, DENIED, NOT_A_FILE, NOT_A_DIRECTORY = range(5)
LOCAL_ERROR, NO_PORT, NOT_CONNECTED, LOST, STALLED = range(7, 12)
BEYOND_END, TOO_LARGE, NOT_PROTECTED, WRONG = range(14, 18)
PLACE, TURN, FULL, FULL_FOR_ADDRESS, TOO_EARLY = (bytes([13, i]) for i in range(5))
TIME_IS_UP, LINE_TOO_LONG, SERVER_ENDS = b"\x0c", b"\x0e", b"\x0f\0"


def says(text):
    line = text if isinstance(text, bytes) else text.encode()
    return bytes([8, len(line)]) + line


def named_256(verb):
    return bytes([0, VERBS.index(verb), 40])


def knows(outcome=DONE, more=0):
    return bytes([9, outcome, more])


def ended(outcome=DONE):
    return bytes([10, outcome])


def session(settings, *events):
    return bytes([settings]) + b"".join(map(lambda e: says(e) if isinstance(e, str) else e, events))


def inside(settings, *events):
    return session(settings, "USER someone", "PASS secret", knows(), *events)


PASSIVE = says("EPSV") + knows(more=40)
FTP_SESSION = {
    "every-verb-before-log-in": session(0, *(bytes([0, verb, 0]) for verb in range(len(VERBS)) if verb != 8)),
    "every-verb-with-an-argument": inside(ALL, *(bytes([0, verb, 1]) + knows() for verb in range(len(VERBS))
                                                 if verb not in (7, 8))),
    "every-verb-while-moving": inside(ALL, PASSIVE, "RETR a", knows(),
                                      *(bytes([0, verb, 1]) for verb in range(len(VERBS))), "ABOR"),
    "log-in-wrong": session(0, *[says("USER a") + says("PASS b") + knows(WRONG)] * 2, "PASS again",
                            *[says("USER a") + says("PASS b") + knows(WRONG)] * 4),
    "log-in-cannot-be-had": session(0, "USER a", "PASS b", knows(LOCAL_ERROR), "NOOP"),
    "log-in-takes-too-long": session(0, "USER a", "PASS b", TIME_IS_UP, knows()),
    "log-in-again": inside(ALL, "CWD a", knows(), "USER b", "PWD", "PASS c", knows(), "PWD"),
    "name-too-long": session(0, "USER " + "n" * 65, "PASS " + "p" * 249, knows(WRONG)),
    "in-line": session(IN_LINE, PLACE, PLACE, "NOOP", TURN, "NOOP"),
    "in-line-too-long": session(IN_LINE | SHORT_WAIT, PLACE, TIME_IS_UP),
    "in-line-sends-too-much": session(IN_LINE, PLACE, TOO_EARLY),
    "in-line-a-line-too-long": session(IN_LINE, PLACE, LINE_TOO_LONG, TURN),
    "in-line-server-ends": session(IN_LINE, PLACE, SERVER_ENDS),
    "full": session(IN_LINE, FULL, "NOOP"),
    "full-for-address": session(IN_LINE, FULL_FOR_ADDRESS),
    "idle": inside(ALL, TIME_IS_UP, "NOOP", LINE_TOO_LONG),
    "retrieve": inside(READ, "TYPE I", PASSIVE, "RETR a", knows(), "STAT", "NOOP", "PWD", ended(), "SIZE a",
                       knows(more=200)),
    "retrieve-aborted": inside(READ, PASSIVE, "RETR a", knows(), "ABOR", ended(LOST), "ABOR"),
    "retrieve-beyond-the-end": inside(READ, "REST 100", PASSIVE, "RETR a", knows(BEYOND_END)),
    "retrieve-without-a-way": inside(READ, "RETR a", "ABOR", PASSIVE, "ABOR", "RETR a"),
    "every-end": inside(ALL, *(PASSIVE + says("STOR a") + knows() + ended(i) for i in range(12))),
    "idle-while-moving": inside(READ, PASSIVE, "RETR a", knows(), TIME_IS_UP, b"\x0b\xff\x17", ended()),
    "store-with-rest": inside(ALL, "REST 5", PASSIVE, "STOR a", knows(), ended(), PASSIVE, "STOR a", knows()),
    "store-unique-forged-name": inside(ALL, PASSIVE, "STOU", knows(more=4), ended()),
    "append-and-allocate": inside(ALL, "ALLO 100 R 10", PASSIVE, "APPE a", knows(), ended(STALLED)),
    "listings": inside(READ, *(PASSIVE + says(line) + knows() + ended()
                               for line in ("LIST -al a", "NLST -al", "MLSD", "LIST -", "LIST --  b"))),
    "active": inside(ALL, "PORT 192,0,2,7,200,1", "RETR a", knows(), ended(NOT_CONNECTED)),
    "active-bounce": inside(ALL, "PORT 192,0,2,8,200,1", "PORT 192,0,2,7,0,21", "EPRT |1|192.0.2.8|40000|",
                            "EPRT |2|::1|40000|", "EPRT |3|x|1|", "RETR a"),
    "active-6": inside(ALL | IPV6, "EPRT |2|2001:db8::7|40000|", "PASV", "EPSV 1", "EPSV 2", knows(), "LIST"),
    "epsv-all": inside(ALL, "EPSV ALL", "PORT 192,0,2,7,200,1", "PASV", "EPRT |1|192.0.2.7|40000|", "EPSV",
                       knows(NO_PORT), "LIST", "REIN"),
    "tls": session(TLS, "AUTH SSL", "PBSZ 0", "AUTH TLS", "AUTH TLS", "PROT P", "PBSZ 0", "PROT P", "PROT S",
                   "USER a", "PASS b", knows(), "REIN", "STAT"),
    "tls-required-and-not-taken": session(TLS_REQUIRED | ALL, "USER a", "PASS b", knows(), "LIST"),
    "tls-after-log-in": inside(TLS | ALL, "CWD a", knows(), PASSIVE, "AUTH TLS", "PWD", "USER a", "PASS b"),
    "tls-required": session(TLS_REQUIRED | ALL, "USER a", "AUTH TLS", "USER a", "PASS b", knows(), PASSIVE,
                            "LIST", "PBSZ 0", "PROT C", "PROT P", PASSIVE, "LIST", knows(), ended()),
    "rights-read": inside(READ, *(says(f"{verb} a") for verb in
                                  "STOR STOU APPE MKD DELE RMD RNFR RNTO".split()),
                          "MFMT 20240131120000 a"),
    "rights-add": inside(ADD, PASSIVE, *(says(f"{verb} a") for verb in
                                         "RETR LIST NLST MLSD MLST SIZE MDTM STAT DELE RNFR".split()),
                         "STOR a", knows()),
    "rights-change": inside(CHANGE, PASSIVE, "STOR a", "MKD a", "STAT a", "DELE a", knows()),
    "rights-none": inside(0, "CWD a", knows(), "PWD", "STAT /", "MLST", "REIN"),
    "rename": inside(ALL, "RNTO b", "RNFR a", knows(), "RNTO ../b", knows(), "RNFR a", knows(), "NOOP", "RNTO b"),
    "rename-fault-between": inside(ALL, "RNFR a", knows(), "NOPE", "RNTO b", "RNFR a", knows(), "RNTO", "RNTO b", knows()),
    "rename-log-out-between": inside(ALL, "RNFR a", knows(), "USER b", "RNTO b"),
    "paths-up": inside(ALL, "CWD ../../..", knows(), "CWD /a/../../b", knows(), "CDUP", knows(), "PWD"),
    "path-forges-a-reply": inside(ALL, says(b'MKD a"\r226 b\xff\x7f'), knows(), says(b"CWD a\r226 \xff"),
                                  knows(), "PWD", says(b"MLST a\r226 \xff"), knows()),
    "name-of-256-by-verb": inside(ALL, *(PASSIVE + named_256(verb) for verb in (
        "CWD RNFR RNTO DELE RMD MKD SIZE MDTM MLST STAT RETR STOR STOU APPE LIST NLST MLSD".split()))),
    "path-too-long": inside(ALL, *(says("CWD " + "d" * 240) + knows() for _ in range(18)), "PWD"),
    "facts": inside(READ, "OPTS MLST type;", "FEAT", "MLST a", knows(), "OPTS MLST", "MLST", knows(more=1)),
    "times": inside(ALL, "MDTM a", knows(more=255), "MFMT 20240131120000 a", knows(),
                    "MFMT 20240231120000 a", "MFMT 20240131120000 ", "MFMT x"),
    "status-of-a-path": inside(READ, "STAT a", knows(more=2), "STAT d", knows(more=3), "STAT x", knows(TOO_LARGE)),
    "numbers": inside(ALL, "REST 9223372036854775807", "REST 9223372036854775808", "REST -1", "REST ",
                      "ALLO x", "PBSZ 4294967296"),
    "parameters": inside(ALL, "TYPE A T", "TYPE L 8", "TYPE L 7", "MODE Z", "STRU P", "LANG de", "LANG EN",
                         "OPTS UTF8 OFF", "OPTS x", "SITE HELP", "SITE x", "HELP RETR", "HELP CCC", "HELP x"),
    "bad-bytes": inside(ALL, says(b"NO\0OP"), says(b""), says(b"\r"), says(b"\xff\xf4ABOR"), LINE_TOO_LONG),
    "answers-nobody-asked-for": session(IN_LINE, knows(), ended(), TURN, knows(), ended(), "NOOP"),
    "server-ends-while-asking": inside(ALL, "CWD a", SERVER_ENDS, knows(), "NOOP"),
    "server-ends-while-moving": inside(ALL, PASSIVE, "RETR a", knows(), SERVER_ENDS, ended()),
    "quit": inside(ALL, "QUIT", "NOOP"),
}

# ftp_client: settings by their bits, and events. Replies and tasks by their place in the target's tables.
TLS_WANTED, PATIENT, ACTIVE, ASCII, TO_IPV6 = (1 << bit for bit in range(5))
PLAIN_USER, HIGH_BYTES, LINE_BREAK_IN_USER, CR_IN_PASSWORD, LONG_USER, NO_USER, LONGER_PASSWORD = (
    number << 5 for number in range(7))
REPLIES = """120 150 200 213 213-blanks 213-beyond-64-bits 213-zero 220 221 226 227 227-zero 227-none 229 229-zero
230 234 235 250 257 331 332 350 421 425 426 450 500 502 530 550 553""".split()
TASKS = "RETR STOR LIST NLST MLSD RNFR CWD PWD SIZE MKD RMD DELE NOOP STAT QUIT".split()
NO_NAME, NAME, UP, WORDS, FORGED, LINE_FEED, HIGH, OPTIONS, QUOTE, LONGEST, TOO_LONG = range(11)
WISH_SIZE, WISH_RESUME = 1, 2
ON, SERVER_CLOSES, OUT_OF_TIME, MIDDLE, FLOOD, SURPLUS = b"\5", b"\x0d\0", b"\x0c", b"\x0e\1", b"\x0e\0", b"\x0f"
GIVE_UP = b"\x0d\1"


def told(*names):
    return b"".join(bytes([0, REPLIES.index(name)]) for name in names)


def told_text(code, text):
    return bytes([0, len(REPLIES), code // 100 - 1, code % 100, len(text)]) + text


def told_line(line):
    return bytes([4, len(line)]) + line


def task(verb, name=NAME, second=NAME, wishes=0, here_kib=0):
    return bytes([6, TASKS.index(verb), name, second, here_kib << 4 | wishes])


def edge(outcome=DONE):
    return bytes([9, outcome])


def data(outcome=DONE):
    return bytes([10, outcome])


def dialogue(settings, *events):
    return bytes([settings]) + b"".join(events)


def logged_in(settings, *events):
    return dialogue(settings, told("220", "331", "230"), *events)


WAY = ON * 3  # TYPE, EPSV and the connection
FTP_CLIENT = {
    "log-in": dialogue(0, told("220", "331", "230")),
    "log-in-without-password": dialogue(0, told("220", "230"), task("PWD"), told("257")),
    "log-in-refused": dialogue(0, told("220", "331", "530"), told("220")),
    "log-in-wants-an-account": dialogue(0, told("220", "331", "332")),
    "greeting-soon": dialogue(0, told("120"), OUT_OF_TIME, MIDDLE, told("220")),
    "greeting-silent": dialogue(0, OUT_OF_TIME),
    "greeting-patient": dialogue(PATIENT, OUT_OF_TIME, MIDDLE, told("421")),
    "greeting-in-line": dialogue(0, MIDDLE * 4, OUT_OF_TIME, FLOOD, told("220")),
    "greeting-is-no-ftp": dialogue(0, told_line(b"SSH-2.0-x")),
    "greeting-closed": dialogue(0, SERVER_CLOSES, told("220")),
    "tls": dialogue(TLS_WANTED, told("220", "234"), edge(), told("331", "230", "200", "200"), task("LIST"), WAY,
                    ON * 4),
    "tls-refused": dialogue(TLS_WANTED, told("220", "500")),
    "tls-handshake-fails": dialogue(TLS_WANTED, told("220", "234"), edge(NOT_PROTECTED)),
    "tls-handshake-hangs": dialogue(TLS_WANTED, told("220", "234"), told("220"), OUT_OF_TIME),
    "tls-protection-refused": dialogue(TLS_WANTED, told("220", "234"), edge(), told("331", "230", "200", "550")),
    "name-with-line-break": dialogue(LINE_BREAK_IN_USER, told("220")),
    "password-with-cr": dialogue(CR_IN_PASSWORD, told("220", "331")),
    "password-one-byte-too-long": dialogue(LONGER_PASSWORD, told("220", "331")),
    "name-of-high-bytes": dialogue(HIGH_BYTES, told("220", "331", "230")),
    "retrieve": logged_in(0, task("RETR", wishes=WISH_SIZE), ON * 8, task("RETR"), ON * 8),
    "retrieve-reply-before-data": logged_in(0, task("RETR"), WAY, told("150", "226"), data()),
    "retrieve-without-150": logged_in(0, task("RETR"), WAY, told("226"), data()),
    "retrieve-refused": logged_in(0, task("RETR"), WAY, told("550")),
    "retrieve-aborted": logged_in(0, task("RETR"), WAY, told("150", "426"), task("PWD"), told("257")),
    "retrieve-closed-early": logged_in(0, task("RETR"), WAY, told("150"), SERVER_CLOSES, data()),
    "retrieve-reply-never-comes": logged_in(0, task("RETR"), WAY, told("150"), data(), OUT_OF_TIME),
    "retrieve-fails-here": logged_in(0, task("RETR"), WAY, told("150"), data(LOCAL_ERROR), told("426")),
    "retrieve-name-forged": logged_in(0, task("RETR", FORGED), WAY, task("RETR", LINE_FEED), ON * 4),
    "retrieve-name-longest": logged_in(0, task("RETR", LONGEST), WAY, ON, task("DELE", TOO_LONG)),
    "retrieve-name-of-high-bytes": logged_in(0, task("RETR", HIGH), ON * 8),
    "resume": logged_in(0, task("RETR", wishes=WISH_RESUME, here_kib=1), told("200", "213-blanks"), ON * 6),
    "resume-whole-already": logged_in(0, task("RETR", wishes=WISH_RESUME, here_kib=1), told("200", "213")),
    "resume-longer-here": logged_in(0, task("RETR", wishes=WISH_RESUME, here_kib=9), told("200", "213")),
    "resume-size-unknown": logged_in(0, task("STOR", wishes=WISH_RESUME, here_kib=9), told("200", "500"), ON * 6),
    "resume-rest-refused": logged_in(0, task("STOR", wishes=WISH_RESUME, here_kib=9), told("200", "213", "229"),
                                     edge(), told("502")),
    "size-strange": logged_in(0, task("RETR", wishes=WISH_SIZE), told("200", "213-beyond-64-bits"), ON * 6),
    "passive-elsewhere": logged_in(0, task("RETR"), told("200", "500", "227"), ON * 5, task("LIST"), ON * 9),
    "passive-port-zero": logged_in(0, task("RETR"), told("200", "229-zero", "227-zero")),
    "passive-6-has-no-pasv": logged_in(TO_IPV6, task("RETR"), told("200", "500")),
    "passive-not-connected": logged_in(0, task("RETR"), told("200", "229"), edge(NOT_CONNECTED), task("PWD")),
    "active": logged_in(ACTIVE, task("STOR"), told("200"), edge(), told("200", "150"), data(), told("226")),
    "active-6": logged_in(ACTIVE | TO_IPV6, task("LIST"), told("200"), edge(), told("200", "150"), data()),
    "active-no-port": logged_in(ACTIVE, task("STOR"), told("200"), edge(NO_PORT)),
    "ascii": logged_in(ASCII, task("RETR", wishes=WISH_SIZE | WISH_RESUME, here_kib=1), ON * 8),
    "rename": logged_in(0, task("RNFR"), told("350", "250"), task("RNFR"), told("550"),
                        task("RNFR", second=FORGED), told("350"), task("PWD")),
    "every-task": logged_in(0, *(task(verb) + ON * 9 for verb in TASKS)),
    "preliminary-reply-to-a-command": logged_in(0, task("CWD"), told("120", "250"), task("NLST"), ON * 9),
    "preliminary-replies-without-end": logged_in(0, task("CWD"), told("120") * 65),
    "line-without-end": logged_in(0, task("CWD"), FLOOD),
    "lines": logged_in(0, task("STAT"), told_line(b"211-Status:"), told_line(b" 213 x"), told_line(b"211 End."),
                       task("STAT"), told_line(b"211"), told_line(b"")),
    "replies-unasked": logged_in(0, told("226"), SURPLUS, task("PWD")),
    "replies-unasked-while-moving": logged_in(0, task("RETR"), WAY, told("150"), told("150") * 10, SURPLUS),
    "replies-given": logged_in(0, task("CWD"), told_text(599, b"\xff\0x"), told_text(421, b"")),
    "quit": logged_in(0, task("QUIT"), told("120", "221")),
    "quit-closed": logged_in(0, task("QUIT"), SERVER_CLOSES),
    "closing-at-any-time": logged_in(0, task("LIST"), told("200", "421")),
    "given-up-transfer": logged_in(0, task("RETR"), WAY, told("150"), GIVE_UP, told("426", "226", "257"), task("STOR"), ON * 9),
    "given-up-behind-its-reply": logged_in(0, task("RETR"), WAY, told("150", "226"), GIVE_UP, told("226", "257"), task("PWD")),
    "given-up-before-150": logged_in(0, task("STOR"), WAY, GIVE_UP, told("150", "426", "226", "550"), task("PWD")),
    "given-up-for-ever": logged_in(0, task("STOR"), WAY, told("150"), GIVE_UP, GIVE_UP, told("226"), OUT_OF_TIME),
    "given-up-and-closed": logged_in(0, task("RETR"), WAY, told("150"), SERVER_CLOSES, GIVE_UP),
    "given-up-on-the-way": logged_in(0, task("RETR"), GIVE_UP, told("200"), task("LIST"), told("200", "229"), GIVE_UP,
                                     task("CWD"), GIVE_UP, told("550"), GIVE_UP, task("RETR"), ON * 8),
    "given-up-behind-rest": logged_in(0, task("RETR", wishes=WISH_RESUME, here_kib=1), told("200", "213-blanks", "229"),
                                      edge(), GIVE_UP, told("350"), task("RETR"), told("229"), edge(), told("350", "150")),
    "given-up-in-line": dialogue(0, MIDDLE, GIVE_UP, told("220")),
    "closed-between-tasks": logged_in(0, SERVER_CLOSES, task("PWD")),
}

# ftp_text: settings by their bits, in pieces of how many bytes all comes, and events.
NO_TIME, SHORT_LINE, SHORT_IDLE = (1 << bit for bit in range(3))
PIECES = (0, 1, 2, 3, 5, 7, 64, 255)
HALF_CLOSED, QUIET, TAKEN, DEADLINE = b"\4", b"\5\x32", b"\7", b"\5\xff"


def from_client(content):
    return bytes([0, len(content)]) + content


def many(byte, count):
    return b"\3" + byte + struct.pack("!H", count)


def turned(outcome=DONE):
    """Its turn comes; or OPEN, or the transfer, is answered."""
    return bytes([6, outcome])


def asked(settings, *events, pieces=0):
    return bytes([settings | PIECES.index(pieces) << 3]) + b"".join(
        from_client(event[1:]) if event[:1] == b">" else event for event in events)


FTP_TEXT = {
    "names-by-lines": asked(NO_TIME, b">a\nb\r\nc\n", b">end\n"),
    "names-by-lines-byte-by-byte": asked(NO_TIME, b">a\nb\r\nc\n", b">end\n", pieces=1),
    "names-by-nul": asked(NO_TIME, b">a\0b\0\0\0\0c\0\nd\0\r\ne\0\re", HALF_CLOSED, pieces=3),
    "bare-name-and-half-close": asked(NO_TIME, b">dir/file", HALF_CLOSED),
    "bare-end-and-half-close": asked(NO_TIME, b">end", HALF_CLOSED),
    "cr-at-the-end": asked(NO_TIME, b">a\r", HALF_CLOSED),
    "empty-lines": asked(NO_TIME, b">\n\r\n\n", pieces=2),
    "line-ends-without-end": asked(NO_TIME, many(b"\n", 99), many(b"\0", 19999)),
    "name-of-4095-and-4096": asked(NO_TIME, many(b"n", 4095), b">\r\n", many(b"n", 4096), b">\n"),
    "name-of-20000": asked(NO_TIME, many(b"n", 19999), b">\na\n", pieces=5),
    "name-of-20000-unfinished": asked(NO_TIME, many(b"n", 19999), HALF_CLOSED),
    "end-is-not-the-whole": asked(NO_TIME, b">end.txt\n./end\nEND\nend\nmore\n"),
    "names-that-lead-out": asked(NO_TIME, b">../a\na/../../b\n/..\n/etc/passwd\n.\n..\na/..\n"),
    "names-not-utf-8": asked(NO_TIME, b">\xff\n\xc3\xa4\n\xc0\x80\n\xed\xa0\x80\n"),
    "quiet": asked(0, turned(), b">a", QUIET, TAKEN, turned(), turned()),
    "quiet-then-its-line-end": asked(0, turned(), b">a", DEADLINE, TAKEN, turned(NOT_FOUND), b">\r", b">\n",
                                    b">b\n", TAKEN),
    "quiet-after-a-cr": asked(0, turned(), b">a", DEADLINE, TAKEN, turned(NOT_FOUND), b">\r", DEADLINE, TAKEN),
    "quiet-within-what-is-too-long": asked(0, turned(), many(b"n", 5000), DEADLINE, TAKEN, b">b\n", TAKEN),
    "named-while-sending": asked(0, turned(), b">a\n", TAKEN, turned(), b">b\nc", QUIET, turned(), TAKEN,
                                 turned(DENIED), TAKEN, turned(NOT_A_FILE)),
    "file-lost": asked(0, turned(), b">a\n", TAKEN, turned(), turned(LOST)),
    "file-stalled": asked(0, turned(), b">a\n", TAKEN, turned(), turned(STALLED)),
    "file-cut": asked(0, turned(), b">a\n", TAKEN, turned(), turned(LOCAL_ERROR)),
    "in-line-names-wait": asked(0, b">a\nend\n", turned(), TAKEN, turned(NOT_FOUND), TAKEN),
    "in-line-leaves": asked(0, HALF_CLOSED),
    "in-line-asks-and-half-closes": asked(0, b">a", HALF_CLOSED, turned(), TAKEN, turned(), turned()),
    "in-line-too-much": asked(0, many(b"n", 4097)),
    "in-line-too-many": asked(0, *[many(b"\n", 99)] * 60, b">" + b"a\n" * 100, many(b"\n", 99)),
    "in-line-too-long": asked(SHORT_LINE, DEADLINE, turned()),
    "silent": asked(SHORT_IDLE, turned(), DEADLINE),
    "silent-in-a-name": asked(SHORT_IDLE, turned(), b">a", DEADLINE, DEADLINE, TAKEN),
}

# dhcp_text: settings by their bits, and events; the peer stands in the kind's highest bits.
LEAST_RECENT, WIDE = 1, 2


def give_me(peer=0):
    return bytes([peer << 5])


def take_back(number, peer=0, prefixed=False):
    return bytes([2 | peer << 5, number | (0x80 if prefixed else 0)])


def datagram(content, peer=0):
    return bytes([4 | peer << 5, len(content)]) + content


def dressed(before=0, behind=0, peer=0):
    return bytes([7 | peer << 5, before, behind])


NOT_TOLD, ANEW = b"\5", b"\6"


def text_server(settings, *events):
    return bytes([settings]) + b"".join(events)


DHCP_TEXT = {
    "all-and-one-more": text_server(0, give_me() * 5),
    "released-and-given-again": text_server(0, give_me() * 4, take_back(3), give_me(1), take_back(3, 1)),
    "least-recent-first": text_server(LEAST_RECENT, give_me(), take_back(2), give_me() * 4),
    "not-the-network-nor-broadcast": text_server(WIDE, give_me() * 7, take_back(0), take_back(7)),
    "released-by-others": text_server(0, give_me(), *(take_back(2, peer) for peer in range(1, 8)), take_back(2)),
    "released-twice": text_server(0, give_me(), take_back(2), take_back(2)),
    "released-with-prefix": text_server(0, give_me(), take_back(2, prefixed=True)),
    "released-that-is-nowhere": text_server(0, take_back(1), take_back(8), datagram(b"255.255.255.255"),
                                            datagram(b"0.0.0.0")),
    "not-told": text_server(0, give_me(), NOT_TOLD, give_me(), NOT_TOLD, NOT_TOLD, take_back(2)),
    "not-told-but-guessed": text_server(0, give_me(), take_back(2), NOT_TOLD, give_me(), take_back(2), give_me(1),
                                        NOT_TOLD, ANEW, give_me()),
    "anew": text_server(0, give_me(), give_me(1), take_back(2), ANEW, take_back(3), take_back(3, 1), give_me(2),
                        ANEW, give_me() * 4),
    "request-in-clothes": text_server(0, *(dressed(i, j) for i in range(8) for j in (0, 1, 2, 3, 4, 0x80))),
    "words": text_server(0, *map(datagram, (
        b"", b" ", b"\0", b"give me ip", b"Give me IP please", b"Give  me IP", b"IP:", b"IP: 10.0.0.2\n",
        b"IP:IP:10.0.0.2", b"10.0.0.2 10.0.0.3", b"No IPs left", b"\xff\xfe", b"Give me IP\0" + b"x" * 200))),
    "addresses": text_server(0, *map(datagram, (
        b"10.0.0.256", b"10.0.0", b"10.0.0.2.", b".10.0.0.2", b"010.0.0.2", b"0xa.0.0.2", b"167772162", b"10.0.0.+2",
        b"10.0.0. 2", b"10..0.2", b"10.0.0.00000000000002", b"1" * 200, b"\xef\xbc\x91.0.0.2"))),
}

# dhcp_text_client: settings by their bits, and events.
ONLY_ONCE, GIVES_UP = 1, 2
NONE_LEFT, CLIENT_DEADLINE, STOPPED, STOPPED_WITHOUT = b"\2", b"\4", b"\6\1", b"\6\0"


def given(number):
    return bytes([0, number])


def given_any(text):
    return b"\7" + address(text)


def heard(content):
    return bytes([3, len(content)]) + content


DHCP_TEXT_CLIENT = {
    "address": text_server(0, given(1), STOPPED),
    "address-kept": text_server(0, given(1), STOPPED_WITHOUT),
    "address-once": text_server(ONLY_ONCE, given(1), given(2)),
    "address-doubled": text_server(0, given(1), given(1)),
    "address-late": text_server(0, CLIENT_DEADLINE, given(1), given(2), STOPPED),
    "address-unusable": text_server(0, given_any("239.1.2.3"), given_any("127.0.0.1"), given_any("0.0.0.0"),
                                    given_any("255.255.255.255"), CLIENT_DEADLINE, given(1)),
    "address-unusable-once": text_server(ONLY_ONCE, given_any("224.0.0.1")),
    "address-once-while-another-is-asked-for": text_server(ONLY_ONCE, CLIENT_DEADLINE, given(1), given(1), given(2)),
    "none-left": text_server(0, NONE_LEFT, given(1), NONE_LEFT, STOPPED),
    "none-left-once": text_server(ONLY_ONCE, NONE_LEFT),
    "unanswered": text_server(0, CLIENT_DEADLINE * 5, given(1)),
    "unanswered-gives-up": text_server(GIVES_UP, CLIENT_DEADLINE * 5),
    "stopped-while-asking": text_server(0, STOPPED, given(1)),
    "stopped-while-asking-twice": text_server(0, CLIENT_DEADLINE, STOPPED, given(1), NONE_LEFT, given(2)),
    "stopped-and-nothing-comes": text_server(0, STOPPED, CLIENT_DEADLINE),
    "stopped-at-once": text_server(0, STOPPED, STOPPED),
    "words": text_server(0, *map(heard, (b"", b"10.0.0.1", b"IP:10.0.0.300", b"Give me IP", b"No IPs left.",
                                         b"hello", b"IP: 10.0.0.1\r\n\0x"))),
}

TEXT = {
    "words": b"run two-subnets --set 'a b' \"c \\\" d\" e\\ f ''",
    "words-unfinished": b"a 'b",
    "words-backslash-at-the-end": b"a \\",
    "words-empty": b" \t\r\n",
    "words-quotes-within": b"a'b'\"c\"d",
    "endpoint": b"192.0.2.1:21",
    "endpoint-6": b"[2001:db8::1]:65535",
    "endpoint-port-alone": b":1",
    "endpoint-without-port": b"[::ffff:192.0.2.1]",
    "endpoint-port-zero": b"1.2.3.4:0",
    "endpoint-scope": b"[fe80::1%eth0]:1",
    "endpoint-empty-brackets": b"[]:21",
    "endpoint-longest": b"[" + b"0000:" * 7 + b"255.255.255.255]:21",
    "number-largest": b"18446744073709551615",
    "number-too-large": b"18446744073709551616",
    "number-zeroes": b"000000000000000000000000000001",
    "seconds": b"4294967296.999999999",
    "seconds-ten-decimals": b"0.0000000001",
    "seconds-point-alone": b".",
    "utf-8": "a\u00e4\u20ac\U0001f600\n\t".encode(),
    "utf-8-at-the-limits": b"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
    "utf-8-beyond-the-limits": b"\xc1\xbf\xe0\x9f\xbf\xed\xa0\x80\xf0\x8f\xbf\xbf\xf4\x90\x80\x80\xf8\x88\x80\x80\x80",
    "utf-8-cut-off": b"\xe2\x82",
    "controls": b"\x1b[2J\x00\x07\xc2\x9b2J\x9b2J\xc2\xa0",
    "nearest": b"releas",
}


def text_of(code, text):
    return bytes([code]) + text


OPTION_TEXT = {
    "assignment": text_of(0, b"router=10.0.2.1,10.0.2.2"),
    "assignment-by-number": text_of(0, b"224=hex:00ff"),
    "assignment-alone": text_of(0, b"rapid-commit"),
    "assignment-unknown": text_of(0, b"ruoter=10.0.2.1"),
    "assignment-of-what-is-not-a-value": text_of(0, b"message-type=1"),
    "address": text_of(1, b"255.255.255.0"),
    "addresses": text_of(6, b"10.0.2.1,10.0.2.2"),
    "addresses-comma-at-the-end": text_of(6, b"10.0.2.1,"),
    "pairs": text_of(33, b"10.1.0.0=10.0.2.1,10.2.0.0=10.0.2.1"),
    "routes": text_of(121, b"10.0.0.0/8=10.0.2.1,0.0.0.0/0=0.0.0.0"),
    "routes-host-bits": text_of(121, b"10.0.0.1/8=10.0.2.1"),
    "domains": text_of(119, b"eng.example,sub.eng.example,example"),
    "domains-escaped": text_of(119, b"a\\.b.example,a\\\\,\\044.x,\\255.\\000"),
    "domains-escape-unfinished": text_of(119, b"a\\,b\\2"),
    "domains-that-look-like-bytes": text_of(119, b"\\hex:aa,b"),
    "domains-empty-label": text_of(119, b"a..b,.,"),
    "domains-label-of-64": text_of(119, b"a" * 64),
    "domains-longest": text_of(119, b".".join([b"a" * 61] * 4)),
    "number": text_of(26, b"1400"),
    "number-too-small": text_of(26, b"67"),
    "number-signed": text_of(2, b"-3600"),
    "numbers": text_of(25, b"68,296,65535"),
    "seconds-infinite": text_of(51, b"infinite"),
    "flag": text_of(19, b"yes"),
    "flag-neither": text_of(19, b"Yes"),
    "codes": text_of(55, b"subnet-mask,router,252"),
    "codes-that-are-none": text_of(55, b"hex:0001ff"),
    "text": text_of(15, b"example"),
    "text-marked": text_of(224, b"text:hex:00"),
    "text-with-controls": text_of(12, b"a\xc2\x9b2J"),
    "text-not-utf-8": text_of(12, b"\xff"),
    "bytes": text_of(224, b"hex:0a:0b0C"),
    "bytes-of-a-text-with-its-nul": text_of(12, b"hex:6100"),
    "bytes-of-names-not-compressed": text_of(119, b"hex:016103636f6d00016203636f6d00"),
    "bytes-of-numbers-too-small": text_of(25, b"hex:00000044"),
    "bytes-odd": text_of(224, b"hex:0a0"),
    "bytes-none": text_of(224, b"hex:"),
    "bytes-longest": text_of(224, b"hex:" + b"00" * 1024),
    "bytes-too-long": text_of(224, b"hex:" + b"00" * 1025),
    "nothing": text_of(12, b""),
}

def topology(text, nodes="a: {}", links=""):
    return f"name: t\n{text}\ntopology:\n  nodes: {{{nodes}}}\n  links: [{links}]\n".encode()


LAN = "s: {kind: switch, ipv4: 10.0.0.0/24, ipv6: '2001:db8::/64'}"
TOPOLOGY = {
    "empty": b"",
    "no-yaml": b"name: [t\n",
    "two-documents": b"name: t\n---\nname: u\n",
    "a-list": b"- a\n- b\n",
    "dual-stack": topology("", LAN + ", 'r[1-2]': {kind: router}, 'h[1-9]': {}, m: {}",
                           "{endpoints: ['r[1-2]', s]}, {endpoints: ['h[1-9]:eth3', s]}, {endpoints: [m, s], ipv6: none},"
                           "{endpoints: [m, r1], ipv4: [10.1.0.1/30, 10.1.0.2/30]}, {endpoints: [m, r2], ipv4: 10.2.0.0/31}"),
    "pools": b"name: t\ntopology:\n  ipv4: 10.0.0.0/24\n  ipv6: '2001:db8::/60'\n"
             b"  nodes: {'r[1-9]': {kind: router}, s: {kind: switch}}\n"
             b"  links: [{endpoints: ['r[1-8]', 'r[2-9]']}, {endpoints: [r9, r1]}, {endpoints: ['r[1-9]', s], ipv4: none}]\n",
    "chain": b"name: t\ntopology: {ipv4: 10.0.0.0/16, nodes: {'r[1-99]': {kind: router}},"
             b" links: [{endpoints: ['r[1-98]', 'r[2-99]']}]}\n",
    "routes": topology("", LAN + ", a: {routes: [{to: default, via: b}, {to: 10.9.0.0/16, via: 10.0.0.1}]},"
                       "b: {kind: router, routes: [none, {to: '::/0', via: a}]}",
                       "{endpoints: [a, s]}, {endpoints: [b, s]}"),
    "kinds": b"name: t\nvars: {x: 1, y: '${x}2'}\ntopology:\n  defaults: {env: {A: '${y}'}, run: [{name: p, cmd: x}]}\n"
             b"  kinds: {router: {run: []}, web: {kind: host, files: {f: g}}}\n"
             b"  nodes: {a: {kind: web, env: {A: 2}}, b: {kind: router}, 'c[08-11]': }\n"
             b"  links: [{endpoints: [a:a-name-that-is-longer-than-the-kernel-takes, b], ipv4: none}]\n",
    "all-wrong": b"nmae: t\nvars: {a: '${b}', 'c d': 1}\ntopology:\n  ipv4: 10.0.0.1/8\n  defaults: {kind: x, mac: 1}\n"
                 b"  nodes: {a: {knd: host}, 'b[3-1]': {}, s: {kind: switch, routes: none, run: [{name: x}]}, a: {}}\n"
                 b"  links: [{endpoints: [a]}, {endpoints: [a, a]}, {endpoints: [a, z], mtu: 1}, {ipv4: none}]\n"
                 b"scenarios: {x: {steps: [{on: z, run: ''}, {on: a, rnu: x}, {}]}, 'y.': {title: z, steps: []}}\n",
    "subnets-that-overlap": topology("", "s: {kind: switch, ipv4: 10.0.0.0/8}, u: {kind: switch, ipv4: 10.1.0.0/16}, a: {}, b: {}",
                                     "{endpoints: [a, s], ipv4: [10.0.0.0/8]}, {endpoints: [b, u]}, {endpoints: [s, u]}"),
    "aliases": b"name: t\ntopology:\n  nodes: {a: &n {env: &e {A: '1'}}, b: *n, c: {env: *e}}\n  links: []\n",
    "a-large-range": topology("", LAN + ", 'h[1-300]': {}", "{endpoints: ['h[1-300]', s]}"),
    "includes-nothing": b"name: t\ninclude: [nothing, '']\n",
    "steps": topology("scenarios: {x: {title: y, steps: [{on: a, start: sh -c 'x y', as: p, ready: {log: z}},"
                      " {on: [a], stop: p, expect: {exit: 0, output: z}}, {on: a, addresses: eth0, expect: {is: '::1'}},"
                      " {on: a, messages: DHCPACK, expect: {at-least: 1}}, {on: a, link: down}]}}", LAN + ", a: {}",
                      "{endpoints: [a, s]}"),
    "details": topology("", LAN + ", a: {binds: ['/usr:/tmp/x:ro', '.:/run/y', '/nosuch:/x', 'a', ':', '/:/:rw', '/a:/proc/b:xx'],"
                        " sysctls: {net.ipv4.tcp_sack: 0, net/ipv4/x.y: 1, kernel.pid_max: 1, 'net/../kernel/x': 2, '': 3, net.: 4},"
                        " exec: [a 'b c', \"d 'e\", ''], workdir: x/y, cpu: 0.25, memory: 1.5GiB},"
                        "b: {workdir: ../x, cpu: 1e9, memory: 99999999999999999999TB}", "{endpoints: [a, s]}"),
    "details-of-all": b"name: t\ntopology:\n  defaults: {binds: ['/usr:/tmp/x'], exec: [a], sysctls: {net.x: 1}, memory: 1MB}\n"
                      b"  kinds: {w: {kind: host, exec: [b], binds: ['/etc:/tmp/x/']}}\n"
                      b"  nodes: {a: {kind: w, exec: [c]}, s: {kind: switch}, t: {kind: switch, cpu: 1}}\n  links: []\n",
    "nodes-off-and-on": topology("scenarios: {x: {title: y, steps: [{on: a, node: stop}, {on: [a], node: start}, {on: a, node: x},"
                                 " {on: s, node: stop}]}}", LAN + ", a: {}", "{endpoints: [a, s]}"),
}


def graphml(body, keys="", more=b"\0"):
    names = {"label": "node", "hyperedge": "node", "Latitude": "node", "Internal": "node", "LinkSpeedRaw": "edge",
             "LinkSpeed": "edge", "LinkSpeedUnits": "edge", "LinkLabel": "edge", "Network": "graph", "Testbed": "graph"}
    declared = "".join(f'<key attr.name="{name}" for="{of}" id="{name}"/>' for name, of in names.items())
    return more + (f'<?xml version="1.0"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns">{declared}{keys}'
                   f'<graph edgedefault="undirected">{body}</graph></graphml>').encode()


def data(**values):
    return "".join(f'<data key="{key}">{value}</data>' for key, value in values.items())


TWO = '<node id="0"/><node id="1"/>'
IMPORT_GRAPH = {
    "nothing": b"",
    "empty": b"\0",
    "zoo": graphml(data(Network="Abc", Testbed="0") + f'<node id="0">{data(label="New York", Latitude="40.7")}</node>'
                   f'<node id="1">{data(label="Zürich", Internal="0")}</node>'
                   f'<edge source="0" target="1">{data(LinkSpeedRaw="1e9", LinkLabel="OC-192c")}</edge>'),
    "hosts": graphml(TWO + '<edge source="0" target="1"/>', more=b"\3"),
    "names": graphml("".join(f'<node id="{i}">{data(label=label)}</node>' for i, label in enumerate(
        ["a", "A", "a-2", "None", "\u5317", "null", "1", "-", "&lt;&amp;", "x" * 99, "\u2028#", "a b", "\u0130", "on"]))),
    "hyperedges": graphml(TWO + f'<node id="2">{data(hyperedge="1")}</node><edge source="0" target="2"/>'
                          '<edge source="2" target="1"/><hyperedge><endpoint node="0"/><endpoint node="1"/></hyperedge>'),
    "hubs-beside-each-other": graphml("".join(f'<node id="{i}">{data(hyperedge="1")}</node>' for i in range(3)) +
                                      '<edge source="0" target="1"/><edge source="1" target="2"/><edge source="2" target="0"/>'),
    "directed": graphml(TWO + '<edge directed="true" source="0" target="1"/><edge directed="true" source="1" target="0"/>'
                        '<edge directed="true" source="1" target="0"/><edge source="0" target="0"/>'),
    "speeds": graphml(TWO + "".join(f'<edge source="0" target="1">{one}</edge>' for one in (
        data(LinkSpeed="155", LinkSpeedUnits="M"), data(LinkSpeed="&lt;10", LinkSpeedUnits="G"), data(LinkSpeedRaw="nan"),
        data(LinkSpeedRaw="1e99"), data(LinkSpeedRaw="-1"), data(LinkSpeed="1e308", LinkSpeedUnits="T")))),
    "nested": graphml('<node id="a"><graph id="a:"><node id="a::b"/></graph></node><edge source="a" target="a::b"/>'),
    "node-in-data": graphml(f'<node id="a"><data key="label">x{TWO}y</data></node>'),
    "no-such-node": graphml(TWO + '<edge source="0" target="7"/>'),
    "twice": graphml('<node id="a"/><node id="a"/>'),
    "defaults": graphml(TWO, '<key id="l" for="node" attr.name="label"><default>x</default></key>'),
    "yed": graphml('<node id="n0"><data key="d"><y:ShapeNode xmlns:y="u"><y:NodeLabel>r1</y:NodeLabel></y:ShapeNode></data></node>',
                   '<key id="d" for="node" yfiles.type="nodegraphics"/>'),
    "entities": b"\0" + b'<!DOCTYPE g [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><graphml><graph>&b;</graph></graphml>',
    "external": b"\0" + b'<!DOCTYPE graphml SYSTEM "http://127.0.0.1/x.dtd"><graphml><graph><node id="&x;"/></graph></graphml>',
    "other-xml": b"\0<html><body/></html>",
    "utf-16": b"\0" + '<?xml version="1.0" encoding="utf-16"?><graphml><graph><node id="a"/></graph></graphml>'.encode("utf-16"),
    "latin-1": b"\0" + '<?xml version="1.0" encoding="iso-8859-1"?><graphml><graph><node id="\u00fc"/></graph></graphml>'.encode("latin-1"),
    "deep": b"\0" + b"<graphml>" + b"<graph>" * 70,
    "cut": graphml(TWO)[:-12],
}


def lab(text, nodes="a: {kind: linux}, b: {kind: linux}", links="{endpoints: ['a:eth1', 'b:eth1']}"):
    return f"\0name: t\ntopology:\n  nodes: {{{nodes}}}\n  links: [{links}]\n{text}".encode()


IMPORT_CONTAINERLAB = {
    "nothing": b"",
    "empty": b"\0",
    "two": lab(""),
    "ours": lab("scenarios: {}\n"),
    "layers": lab("  defaults: {kind: linux, env: {A: x}, exec: [ip link set eth1 up]}\n  kinds: {srl: {image: 'x:${V:=1}'}}\n"
                  "  groups: {g: {kind: srl}}\n", "a: {group: g, env: {A: y}}, b: , c: {kind: nokia_srlinux, startup-config: x}"),
    "commands": lab("", "a: {kind: linux, exec: ['ip addr add 10.0.0.1/24 brd + dev eth1', 'ip -6 a a 2001:db8::1/64 dev eth1 nodad',"
                    "'ip route add default via 10.0.0.2', 'ip r replace 10.1.0.0/16 via 10.0.0.2 dev eth1', 'ip route del default',"
                    "'sh -c \"ip link set eth1 up && sysctl -w net.ipv4.ip_forward=1\"', 'ip link set eth1 address 02:00:00:00:00:01',"
                    "'ip addr add 10.0.0.1/24 dev lo', 'ip addr', 'ip', 'apk add x', '', 'ip route add 10.1.2.3/8 via 10.0.0.2',"
                    "'ip addr add 224.0.0.1/4 dev eth1', 'ip route add ::/0 via 10.0.0.9', 'x \"']}, b: {kind: linux}"),
    "a-mac-twice": lab("", "a: {kind: linux, exec: ['ip link set eth1 address 02:00:00:00:00:01', 'ip link set eth1 address"
                       " 02:00:00:00:00:02', 'ip link set eth9 address 02:00:00:00:00:03']}, b: {kind: linux}",
                       "{endpoints: ['a:eth1', 'b:eth1']}, {endpoints: ['a:eth1', 'b:eth2']}"),
    "rates": lab("", "a: {kind: linux, exec: ['tc qdisc add dev eth1 root tbf rate 10mbit burst 1 limit 2', 'tc qdisc', 'tc']}, b: {}"),
    "a-bridge-inside": lab("", "a: {kind: linux}, b: {kind: linux, exec: ['ip link add br0 type bridge',"
                           "'ip link set eth1 master br0', 'ip link set br0 up']}"),
    "names": lab("", "'null': {kind: linux}, '1': {kind: bridge}, 'a b': {kind: host}, 'a-b': {kind: ovs-bridge}",
                 "{endpoints: ['null:e/1', '1:p']}, {endpoints: ['null:lo', 'a-b:x']}, {endpoints: ['null:y', 'a b:x']}"),
    "interfaces-twice": lab("", links="{endpoints: ['a:e/1', 'b:e-1']}, {endpoints: ['a:e-1', 'b:e-1']}"),
    "extended": lab("", links="{type: veth, mtu: 1400, endpoints: [{node: a, interface: eth1, mac: '02:00:00:00:00:01'},"
                    "{node: b, interface: eth1}]}, {type: vxlan, endpoint: {node: a}}"),
    "macs": lab("", links="{endpoints: [{node: a, interface: eth1, mac: '01:00:00:00:00:01'}, {node: b, interface: x, mac: '00:00:00:00:00:00'}]}"),
    "merged": lab("x: &x {kind: linux, exec: [ip link set eth1 up]}\n", "a: {<<: &n {kind: linux, env: {A: '1'}}, exec: [x]}, b: {<<: *n}"),
    "merged-into-itself": b"\0name: t\ntopology: {nodes: {a: &a {<<: *a}}}\n",
    "no-such-node": lab("", links="{endpoints: ['a:eth1', 'z:eth1']}"),
    "one-end": lab("", links="{endpoints: ['a:eth1']}"),
    "env": lab("", "a: {kind: linux, env: {'A=B': 1, '': 2, 'C D': 3, E: \"x\\ny\", F: [1], G: '${H}$I'}}, b: {}"),
    "line-ends": lab("", "a: {kind: \"x\\u2028scenarios: {}\", image: y}, b: {exec: [\"x\\u0085y\"]}"),
    "all-wrong": b"\0topology: {nodes: [a], links: {}}\n",
    "a-list": b"\0- a\n",
}

TARGETS = {"import_graph": IMPORT_GRAPH, "import_containerlab": IMPORT_CONTAINERLAB, "topology": TOPOLOGY, "codec": CODEC, "relay": RELAY, "server": SERVER, "client": CLIENT, "ftp_command": FTP_COMMAND,
           "ftp_reply": FTP_REPLY, "ftp_list": FTP_LIST, "ftp_port": FTP_PORT, "ftp_glob": FTP_GLOB,
           "ftp_ascii": FTP_ASCII, "ftp_session": FTP_SESSION,
           "ftp_client": FTP_CLIENT, "ftp_text": FTP_TEXT, "dhcp_text": DHCP_TEXT,
           "dhcp_text_client": DHCP_TEXT_CLIENT, "text": TEXT, "option_text": OPTION_TEXT}


def write(folder):
    for target, cases in TARGETS.items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for case, content in cases.items():
            (folder / target / case).write_bytes(content)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write(Path(sys.argv[1]))
