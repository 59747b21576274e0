"""A DHCP server as a student might hand it in (RFC 2131, behind a relay): a pool, leases, bindings."""
import argparse
import ipaddress
import signal
import socket
import struct
import time

COOKIE = bytes([99, 130, 83, 99])
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE = 1, 2, 3, 4, 5, 6, 7
HEAD = struct.Struct("!4B4s2H4s4s4s4s16s192x")


def options_of(data):
    options, at = {}, 0
    while at < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        if at + 2 > len(data):
            break
        options[data[at]] = data[at + 2:at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return options


class Leases:
    """Who has which address until when; a bound address is its owner's alone."""

    def __init__(self, first, last, bindings):
        self.pool = [ipaddress.IPv4Address(n) for n in range(int(first), int(last) + 1)]
        self.bindings = bindings
        self.held = {}  # address: (hardware address, end)

    def free(self, address, client, now):
        owner, end = self.held.get(address, (client, 0))
        bound_to = {bound: mac for mac, bound in self.bindings.items()}.get(address, client)
        return address in self.pool and bound_to == client and (owner == client or end < now)

    def choose(self, client, now):
        if client in self.bindings:
            return self.bindings[client]
        mine = [address for address, (owner, _) in self.held.items() if owner == client]
        return next((a for a in mine + self.pool if self.free(a, client, now)), None)


class Server:
    def __init__(self, arguments, sock):
        first, last = map(ipaddress.IPv4Address, arguments.pool.split("-"))
        bindings = {}
        for binding in arguments.bind:
            mac, address = binding.split("=")
            bindings[bytes.fromhex(mac.replace(":", ""))] = ipaddress.IPv4Address(address)
        self.leases = Leases(first, last, bindings)
        self.lease, self.sock, self.arguments = arguments.lease, sock, arguments

    def answer(self, kind, request, relay, address):
        me = ipaddress.IPv4Address(self.arguments.address).packed
        options = [(53, bytes([kind])), (54, me)]
        if kind != NAK:
            options += [(51, struct.pack("!I", self.lease)), (1, bytes([255, 255, 255, 0])),
                        (3, ipaddress.IPv4Address(self.arguments.router).packed)]
        packed = address.packed if kind != NAK else bytes(4)
        _, kind_of, length, hops, xid, _, flags, _, _, _, giaddr, mac = request
        data = HEAD.pack(2, kind_of, length, hops, xid, 0, flags, bytes(4), packed, me, giaddr, mac)
        data += COOKIE + b"".join(bytes([code, len(v)]) + v for code, v in options) + b"\xff"
        self.sock.sendto(data, (relay, 67) if relay != "0.0.0.0" else ("255.255.255.255", 68))

    def receive(self, data):
        if len(data) < HEAD.size + 4 or data[HEAD.size:HEAD.size + 4] != COOKIE:
            return
        request = HEAD.unpack_from(data)
        options, now = options_of(data[HEAD.size + 4:]), time.monotonic()
        client, ciaddr, relay = request[11][:6], request[7], str(ipaddress.IPv4Address(request[10]))
        kind = options.get(53, b"\0")[0]
        if kind == DISCOVER:
            address = self.leases.choose(client, now)
            print("DISCOVER", client.hex(":"), "->", address or "none is free", flush=True)
            if address:
                self.leases.held[address] = (client, now + 10)
                self.answer(OFFER, request, relay, address)
        elif kind == REQUEST:
            address = ipaddress.IPv4Address(options.get(50, ciaddr))
            good = self.leases.free(address, client, now)
            print("REQUEST", client.hex(":"), address, "ACK" if good else "NAK", flush=True)
            if good:
                self.leases.held[address] = (client, now + self.lease)
            self.answer(ACK if good else NAK, request, relay, address)
        elif kind == RELEASE:
            address = ipaddress.IPv4Address(ciaddr)
            if self.leases.held.get(address, (None, 0))[0] == client:
                print("RELEASE", client.hex(":"), address, flush=True)
                del self.leases.held[address]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pool", required=True)
    parser.add_argument("--lease", type=int, default=3600)
    parser.add_argument("--bind", action="append", default=[])
    parser.add_argument("--address", default="10.0.1.10")
    parser.add_argument("--router", default="10.0.2.1")
    signal.signal(signal.SIGTERM, lambda *_: exit(0))
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sock.bind(("", 67))
    server = Server(parser.parse_args(), sock)
    while True:
        server.receive(sock.recv(2048))


if __name__ == "__main__":
    main()
