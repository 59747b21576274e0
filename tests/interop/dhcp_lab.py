"""Our DHCP server between two wires whose other ends are in our hands, packet by packet.

    client's end (c0) ----- s0 10.0.1.1/24   dhcp-server   s1 10.0.9.1/24 ----- relay's end (r0)
                                                             10.0.2.0/24 by way of 10.0.9.2

One network namespace holds it all: the ends c0 and r0 have no address, so nothing but these tests
answers there, ARP included. Silence is a fact here, not a time-out: see Wire.ask.
"""
import contextlib
import itertools
import json
import os
import select
import signal
import socket
import struct
import subprocess
import time

import pytest
from conftest import BIN, eventually
from scapy.layers.dhcp import BOOTP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.utils import wrpcap

DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)
COOKIE = b"\x63\x82\x53\x63"
# A client of its own, with a binding in both subnets: what it asks is always answered by an offer.
FENCE = "02:00:00:00:fe:ce"
SUBNETS = ["--subnet", "10.0.1.0/24", "--pool", "10.0.1.100-10.0.1.103", "--router", "10.0.1.254",
           "--bind", f"{FENCE}=10.0.1.250",
           "--subnet", "10.0.2.0/24", "--pool", "10.0.2.100-10.0.2.103", "--router", "10.0.2.1",
           "--bind", f"{FENCE}=10.0.2.250"]
RELAY = "10.0.2.1"  # a relay's address towards its clients
XIDS = itertools.count(0x51000000)
ROUNDS = 4  # as in core/programs/dhcp/server_batch.c

LINKS = """link set lo up
link add s0 address 02:00:00:00:55:00 type veth peer name c0
link add s1 address 02:00:00:00:55:01 type veth peer name r0
link set c0 up
link set r0 up
link set s0 up
link set s1 up
address add 10.0.1.1/24 dev s0
address add 10.0.9.1/24 dev s1
route add 10.0.2.0/24 via 10.0.9.2 dev s1
"""

OPEN_SOCKETS = """
import socket, sys
out = socket.socket(fileno=int(sys.argv[1]))
for name in sys.argv[2:]:
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    link.bind((name, 0))
    socket.send_fds(out, [name.encode()], [link.fileno()])
"""


def packed(address):
    return socket.inet_aton(address)


def option(code, value=b""):
    """One option's bytes; an address may stand as text, a number as four bytes."""
    if isinstance(value, int):
        value = struct.pack("!I", value)
    elif isinstance(value, str):
        value = packed(value)
    return bytes((code, len(value))) + value


def options_of(data):
    """[(code, value)] in the order of the wire, up to END."""
    found, at = [], 0
    while at < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        found.append((data[at], data[at + 2:at + 2 + data[at + 1]]))
        at += 2 + data[at + 1]
    assert at < len(data), "no END"
    return found


def message(kind=None, *, mac="02:00:00:00:00:01", wants=(), options=b"", xid=None, op=1, hops=0,
            secs=0, flags=0, ciaddr="0.0.0.0", giaddr="0.0.0.0", sname=b"", file=b""):
    """A client's message: {code: value} or ready bytes in `options`; kind None is BOOTP's own, without
    option 53 and any other that is not given."""
    if isinstance(options, dict):
        options = b"".join(option(*pair) for pair in options.items())
    made = option(53, bytes((kind,))) if kind is not None else b""
    made += option(55, bytes(wants)) if wants else b""
    chaddr = bytes.fromhex(mac.replace(":", ""))
    return struct.pack("!BBBBIHH4s4s4s4s16s64s128s", op, 1, len(chaddr), hops, xid or next(XIDS), secs,
                       flags, packed(ciaddr), b"", b"", packed(giaddr), chaddr, sname,
                       file) + COOKIE + made + options + b"\xff"


def frame_bytes(payload, source, destination, ports, macs):
    """Around a payload; UDP's checksum is 0, "none"."""
    udp = struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, packed(source),
                     packed(destination))
    total = sum(struct.unpack("!10H", ip))
    total = (total & 0xffff) + (total >> 16)
    ip = ip[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + ip[12:]
    return b"".join(bytes.fromhex(mac.replace(":", "")) for mac in macs) + b"\x08\x00" + ip + udp


class Reply:
    """What came back: the frame as scapy sees it, and the options in their order."""

    def __init__(self, frame):
        self.frame = frame
        self.bootp = frame[BOOTP]
        self.payload = bytes(frame[UDP].payload)
        assert self.payload[236:240] == COOKIE
        self.options = options_of(self.payload[240:])
        self.mac, self.ip, self.port = frame[Ether].dst, frame[IP].dst, frame[UDP].dport
        self.yiaddr = self.bootp.yiaddr

    @property
    def kind(self):
        value = self.option(53)
        return value[0] if value else None

    def option(self, code):
        parts = [value for found, value in self.options if found == code]
        return b"".join(parts) if parts else None

    def number(self, code):
        value = self.option(code)
        return None if value is None else int.from_bytes(value, "big")

    def codes(self):
        return [code for code, _ in self.options]


class Wire:
    """One end of a link in our hands. `hosts`: addresses we answer ARP for."""

    def __init__(self, link, server_mac, server_address, giaddr):
        self.link, self.server_mac, self.server_address = link, server_mac, server_address
        self.giaddr = giaddr
        self.own_mac = "02:00:00:00:aa:%02x" % (1 if giaddr is None else 2)
        self.hosts, self.seen, self.asked_for, self.sent = set(), [], [], 0

    def send_frame(self, payload, *, source=None, destination=None, sport=None, dport=67, mac=None,
                   to_mac=None):
        relayed = self.giaddr is not None
        source = source or ("10.0.9.2" if relayed else "0.0.0.0")
        destination = destination or (self.server_address if relayed else "255.255.255.255")
        broadcast = destination == "255.255.255.255"
        to_mac = to_mac or ("ff:ff:ff:ff:ff:ff" if broadcast else self.server_mac)
        sport = sport or (67 if relayed else 68)
        self.sent += 1
        self.link.send(frame_bytes(payload, source, destination, (sport, dport),
                                   (to_mac, mac or self.own_mac)))

    def send_all(self, payloads):
        """Many, no faster than the server reads them: none is lost in between."""
        for number, payload in enumerate(payloads, 1):
            self.send_frame(payload, sport=68)
            if number % 50 == 0:
                self.fence()
        self.fence()

    def next_frame(self, deadline):
        """The next frame that the server has sent here; None when the time is over."""
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self.link], [], [], left)[0]:
                break
            data, (_, _, packet_type, *_) = self.link.recvfrom(65536)
            if packet_type == socket.PACKET_OUTGOING:
                continue
            frame = Ether(data)
            if ARP in frame and frame[ARP].op == 1:
                self.asked_for.append(frame[ARP].pdst)
                if frame[ARP].pdst in self.hosts:
                    self.link.send(bytes(
                        Ether(src=self.own_mac, dst=frame.src)
                        / ARP(op=2, hwsrc=self.own_mac, psrc=frame[ARP].pdst, hwdst=frame.src,
                              pdst=frame[ARP].psrc)))
                continue
            if UDP in frame and frame[UDP].sport == 67:
                self.seen.append(frame)
                return frame
        return None

    def answer(self, xid, seconds=10):
        """The answer to that transaction, or None."""
        deadline = time.monotonic() + seconds
        while (frame := self.next_frame(deadline)) is not None:
            if BOOTP in frame and frame[BOOTP].xid == xid:
                return Reply(frame)
        return None

    def send(self, kind, *, frame=None, **fields):
        if self.giaddr is not None:
            fields.setdefault("giaddr", self.giaddr)
        payload = message(kind, **fields)
        self.send_frame(payload, **(frame or {}))
        return int.from_bytes(payload[4:8], "big")

    def fence(self, also=None):
        """Ask what is always answered; returns what came for transaction `also` meanwhile."""
        xid, deadline, meant = next(XIDS), time.monotonic() + 10, None
        self.send(DISCOVER, mac=FENCE, xid=xid, flags=0x8000)
        while (frame := self.next_frame(deadline)) is not None:
            if BOOTP in frame and frame[BOOTP].xid == xid:
                return meant
            if BOOTP in frame and frame[BOOTP].xid == also:
                meant = Reply(frame)
        pytest.fail("the server does not answer any more")

    def ask(self, kind, **fields):
        """Send it and return the answer, or None where there is none. The server works off what comes
        on a wire in its order; acknowledgements wait for the end of its turn, in which it looks for
        more ROUNDS times: when it has answered so many later questions and one more, each asked when
        the one before was answered, nothing can be on its way any more."""
        xid = self.send(kind, **fields)
        return next(filter(None, (self.fence(xid) for _ in range(ROUNDS + 1))), None)

    def lease(self, mac, **fields):
        """DISCOVER, OFFER, REQUEST, ACK: the address."""
        options = fields.pop("options", {})
        offer = self.ask(DISCOVER, mac=mac, options=options, **fields)
        assert offer is not None and offer.kind == OFFER, f"no offer for {mac}"
        chosen = {50: offer.yiaddr, 54: offer.option(54)}
        ack = self.ask(REQUEST, mac=mac, options=last_82({**options, **chosen}), **fields)
        assert ack is not None and ack.kind == ACK and ack.yiaddr == offer.yiaddr
        return ack

    def reboot(self, mac, address, options=None, **fields):
        """INIT-REBOOT: a client that remembers an address."""
        return self.ask(REQUEST, mac=mac, options=last_82({50: address, **(options or {})}), **fields)


def last_82(options):
    """A relay puts its option behind the client's."""
    return {code: options[code] for code in sorted(options, key=lambda code: code == 82)}


class Lab:
    """The namespace, the wires `local` and `relayed`, and the server between them."""

    def __init__(self, folder):
        self.folder, self.process, self.started = folder, None, 0
        self.log = folder / "dhcp-server.log"
        self.control = folder / "control.sock"
        self.holder = subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--net", "--mount", "sh", "-c",
             "mount -t tmpfs tmpfs /run && echo up && exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.holder.stdout.readline() != b"up\n":
            pytest.skip(f"no namespaces here: {self.holder.communicate()[1].decode().strip()}")
        self.run("ip", "-batch", "-", stdin=LINKS)
        links = self.sockets("c0", "r0")
        self.local = Wire(links["c0"], "02:00:00:00:55:00", "10.0.1.1", None)
        self.relayed = Wire(links["r0"], "02:00:00:00:55:01", "10.0.9.1", RELAY)
        self.relayed.hosts.add("10.0.9.2")

    def inside(self, *words):
        return ["nsenter", "--preserve-credentials", "--user", "--net", "--mount", "--target",
                str(self.holder.pid), "--", *map(str, words)]

    def run(self, *words, check=True, stdin=None):
        return subprocess.run(self.inside(*words), input=stdin, capture_output=True, text=True,
                              timeout=30, check=check)

    def sockets(self, *names):
        """Packet sockets on links of the namespace, opened there and handed over."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            subprocess.run(self.inside("/usr/bin/python3", "-c", OPEN_SOCKETS, theirs.fileno(), *names),
                           pass_fds=[theirs.fileno()], check=True, timeout=30)
            links = {}
            for _ in names:
                name, fds, _, _ = socket.recv_fds(ours, 64, 1)
                links[name.decode()] = socket.socket(fileno=fds[0])
        return links

    def start(self, *options, subnets=SUBNETS, wrap=(), cwd=None, expect_ready=True):
        """Start our server; ready when this returns, unless it is not to become so."""
        self.started += 1
        notify = self.folder / f"notify{self.started}"
        words = [*wrap, BIN / "dhcp-server", "--interface", "s0", "--interface", "s1", "--control",
                 self.control, *subnets, *options]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, self.log.open("ab") as log:
            ready.bind(str(notify))
            self.process = subprocess.Popen(self.inside(*words), stdout=log, stderr=log, cwd=cwd,
                                            env={**os.environ, "NOTIFY_SOCKET": str(notify)})
            if not expect_ready:
                return self
            eventually(lambda: bool(select.select([ready], [], [], 0.1)[0])
                       or self.process.poll() is not None, True)
            assert self.process.poll() is None, self.log.read_text()
            assert ready.recv(64).startswith(b"READY=1")
        return self

    def status(self, *words):
        """What `dhcp-server status --json` says."""
        ended = self.run(BIN / "dhcp-server", *(words or ("status",)), "--control", self.control,
                         "--json")
        return json.loads(ended.stdout)

    def stop(self, expect=0):
        """End the server in order: it must still be there, and must go with that status."""
        if self.process is None:
            return
        process, self.process = self.process, None
        assert process.poll() is None, f"it died: {self.log.read_text()[-2000:]}"
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(20) == expect, self.log.read_text()[-2000:]
        finally:
            process.kill()

    def end(self):
        with contextlib.ExitStack() as stack:
            stack.callback(self.holder.stderr.close)
            stack.callback(self.holder.stdout.close)
            stack.callback(self.holder.wait, 20)
            stack.callback(self.holder.stdin.close)
            stack.callback(self.local.link.close)
            stack.callback(self.relayed.link.close)
            frames = self.local.seen + self.relayed.seen
            if frames:
                stack.callback(wrpcap, str(self.folder / "seen.pcap"), frames)
            stack.callback(self.stop)
