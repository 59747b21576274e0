"""One hostile or unusual DHCP message onto an interface, as a raw frame: send_dhcp.py INTERFACE KEY=VALUE ...

Keys: op, hlen, hops, giaddr, source (of the datagram, and of nothing else), type, options (hexadecimal, behind the
type), magic, length (cut or padded to), times, to (an address to send to by UDP instead).
"""
import socket
import struct
import sys

interface = sys.argv[1]
said = {"op": "1", "hlen": "6", "hops": "0", "giaddr": "0.0.0.0", "source": "0.0.0.0", "type": "1",
        "options": "", "magic": "63825363", "length": "", "times": "1", "to": ""}
said.update(word.split("=", 1) for word in sys.argv[2:])

mac = bytes((2, 0, 0, 0, 0, 0x99))
payload = struct.pack("!BBBBIHH", int(said["op"]), 1, int(said["hlen"]), int(said["hops"]), 0x1234,
                      0, 0x8000) + bytes(12) + socket.inet_aton(said["giaddr"])
payload += mac + bytes(10 + 192) + bytes.fromhex(said["magic"])
payload += bytes((53, 1, int(said["type"]))) + bytes.fromhex(said["options"]) + b"\xff"
length = int(said["length"] or max(300, len(payload)))
payload = payload[:length].ljust(length, b"\0")

if said["to"]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for _ in range(int(said["times"])):
            udp.sendto(payload, (said["to"], 67))
    sys.exit()
udp = struct.pack("!HHHH", 68, 67, 8 + len(payload), 0) + payload
ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
ip += socket.inet_aton(said["source"]) + b"\xff" * 4
total = sum(struct.unpack("!10H", ip))
total = (total & 0xffff) + (total >> 16)
ip = ip[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + ip[12:]
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
    link.bind((interface, 0))
    for _ in range(int(said["times"])):
        link.send(b"\xff" * 6 + mac + b"\x08\x00" + ip + udp)
