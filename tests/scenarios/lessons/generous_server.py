"""A DHCP server with a fault: it never writes down whom it gave an address, and gives it to the next as well."""
import signal
import socket
import sys

import packet

ADDRESS, ROUTER, MASK = (socket.inet_aton(each) for each in ("10.0.1.10", "10.0.2.1", "255.255.255.0"))
ANSWERS = {packet.DISCOVER: packet.OFFER, packet.REQUEST: packet.ACK}
first = socket.inet_aton(sys.argv[1].split("-")[0])

signal.signal(signal.SIGTERM, lambda *_: exit(0))
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("", 67))
while True:
    message = packet.parse(server.recv(2048))
    answer = ANSWERS.get(message["options"].get(packet.KIND, b"\0")[0])
    if not answer:
        continue
    # The fault: always the first address of the pool. A table of leases is missing here.
    message.update(op=2, yiaddr=first, ciaddr=bytes(4), options={
        packet.KIND: bytes([answer]), packet.SERVER: ADDRESS, packet.MASK: MASK, packet.ROUTER: ROUTER,
        packet.LEASE: (3600).to_bytes(4, "big")})
    server.sendto(packet.build(message), (socket.inet_ntoa(message["giaddr"]), 67))
