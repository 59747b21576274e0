"""A DHCP relay with a fault: it carries requests to the server and forgets to say where they came from.

RFC 1542 section 4.1.1 wants the relay to put the address of the interface that heard the request into
giaddr. Without it the server takes the client for one of its own subnet.
"""
import signal
import socket

import packet

SERVER = ("10.0.1.10", 67)

signal.signal(signal.SIGTERM, lambda *_: exit(0))
relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
relay.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
relay.bind(("", 67))
while True:
    message = packet.parse(relay.recv(2048))
    message["hops"] += 1
    # The fault: message["giaddr"] = the address of eth1, which is missing here.
    if message["op"] == 1:
        relay.sendto(packet.build(message), SERVER)
