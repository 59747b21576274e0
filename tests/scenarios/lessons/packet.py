"""A DHCP message, as far as the faulty programs of these lessons need it (RFC 2131 section 2)."""
import struct

DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
KIND, SERVER, MASK, ROUTER, LEASE = 53, 54, 1, 3, 51  # options of RFC 2132
HEAD = struct.Struct("!4B4s2H4s4s4s4s16s192x")
FIELDS = ("op", "htype", "hlen", "hops", "xid", "secs", "flags", "ciaddr", "yiaddr", "siaddr", "giaddr", "chaddr")
COOKIE = b"\x63\x82\x53\x63"


def parse(data):
    """The fields of the head by name, and "options": {code: value}."""
    message = dict(zip(FIELDS, HEAD.unpack_from(data)))
    options, at = {}, HEAD.size + len(COOKIE)
    while at + 1 < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        options[data[at]] = data[at + 2:at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return {**message, "options": options}


def build(message):
    """The bytes of such a message."""
    options = b"".join(bytes([code, len(value)]) + value for code, value in message["options"].items())
    return HEAD.pack(*(message[name] for name in FIELDS)) + COOKIE + options + b"\xff"
