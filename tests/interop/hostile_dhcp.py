"""Random DHCP messages of a fixed seed onto an interface: hostile_dhcp.py INTERFACE COUNT

Nothing of it is a client's real request but by chance; most of it is parsed, much is answered.
"""
import random
import socket
import struct
import sys

CHANCE = random.Random(20261122)
CODES = (0, 1, 3, 50, 50, 51, 52, 53, 54, 54, 55, 57, 58, 59, 61, 82, 82, 255)
ADDRESSES = [bytes(4)] * 4 + [bytes((10, 0, 2, 1)), bytes((10, 0, 2, 255)), bytes((10, 0, 1, 10)),
                              bytes((127, 0, 0, 1)), b"\xff" * 4]


def address():
    return CHANCE.choice(ADDRESSES + [bytes((10, 0, 2, CHANCE.randrange(256)))])


def options():
    made = bytes((53, 1, CHANCE.choice((*range(1, 9), 0, 200))))
    for _ in range(CHANCE.randrange(8)):
        length = CHANCE.choice((4, 4, 4, 4, 1, 2, 0, 7, 255))
        value = address() if length == 4 else CHANCE.randbytes(length)
        made += bytes((CHANCE.choice(CODES), length)) + value
    return made + b"\xff" * CHANCE.randrange(2)


def message():
    made = struct.pack("!BBBBIHH", CHANCE.choice((1, 1, 1, 1, 2, 7)), CHANCE.choice((1, 1, 6)),
                       CHANCE.choice((6, 6, 6, 0, 16, 255)), CHANCE.choice((0, 0, 15, 16, 255)),
                       CHANCE.getrandbits(32), CHANCE.getrandbits(16), CHANCE.choice((0, 0x8000)))
    made += address() + address() + address() + address()
    made += bytes((2, 0, 0, 0, 9, CHANCE.randrange(4))) + bytes(10) + CHANCE.randbytes(192)
    made += CHANCE.choice((b"\x63\x82\x53\x63",) * 9 + (b"none",)) + options()
    return made[:1472 if CHANCE.random() < 0.95 else CHANCE.randrange(300)]


def frame(payload):
    udp = struct.pack("!HHHH", 68, 67, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + bytes(4) + b"\xff" * 4
    total = sum(struct.unpack("!10H", ip))
    total = (total & 0xffff) + (total >> 16)
    ip = ip[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + ip[12:]
    return b"\xff" * 6 + bytes((2, 0, 0, 0, 9, 9)) + b"\x08\x00" + ip + udp


interface, count = sys.argv[1], int(sys.argv[2])
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
    link.bind((interface, 0))
    for _ in range(count):
        link.send(frame(message()))
