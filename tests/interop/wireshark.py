"""Wireshark reads a run's capture beside us: what our programs sent, packet by packet.

`judge` takes every DHCP message that messages.jsonl says was sent at an interface of ours, finds its
frame in the capture by interface and time, and lets tshark decode it. There must be no complaint, and
each field we told must be the one that tshark sees.
"""
import json
import subprocess

TYPES = ["", "DHCPDISCOVER", "DHCPOFFER", "DHCPREQUEST", "DHCPDECLINE", "DHCPACK", "DHCPNAK",
         "DHCPRELEASE", "DHCPINFORM"]

# Field of tshark -> how our line of messages.jsonl would have it.
FIELDS = {
    "ip.src": ("source", str),
    "ip.dst": ("destination", str),
    "udp.srcport": ("source_port", int),
    "udp.dstport": ("destination_port", int),
    "dhcp.option.dhcp": ("message", lambda text: TYPES[int(text)]),
    "dhcp.id": ("xid", str),
    "dhcp.hw.mac_addr": ("chaddr", lambda text: text.split(",")[0]),
    "dhcp.ip.client": ("ciaddr", str),
    "dhcp.ip.your": ("yiaddr", str),
    "dhcp.ip.relay": ("giaddr", str),
    "dhcp.option.dhcp_server_id": ("server", str),
    "dhcp.option.requested_ip_address": ("requested", str),
    "dhcp.option.ip_address_lease_time": ("lease", int),
}
PLACE = ["frame.number", "frame.time_epoch", "frame.interface_name"]
COMPLAINTS = ["_ws.expert.message", "_ws.malformed", "ip.checksum.status"]
# What a field shows that is not there, on either side.
ABSENT = {"", "0.0.0.0", None}


# Field of tshark -> the option's name in our client's JSON.
OPTIONS = {
    "dhcp.option.subnet_mask": "subnet-mask",
    "dhcp.option.router": "router",
    "dhcp.option.domain_name_server": "dns",
    "dhcp.option.domain_name": "domain",
    "dhcp.option.interface_mtu": "mtu",
    "dhcp.option.ip_address_lease_time": "lease-time",
    "dhcp.option.dhcp_server_id": "server-id",
    "dhcp.option.renewal_time_value": "t1",
    "dhcp.option.rebinding_time_value": "t2",
}


def decoded(capture, wanted, which):
    """tshark's fields of every frame that the display filter `which` takes, as dicts of text."""
    words = ["tshark", "-n", "-r", str(capture), "-Y", which, "-T", "fields",
             "-E", "separator=/t", "-E", "occurrence=a", "-o", "ip.check_checksum:TRUE",
             *(word for field in wanted for word in ("-e", field))]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    return [dict(zip(wanted, line.split("\t"))) for line in ended.stdout.splitlines()]


def microseconds(text):
    seconds, _, fraction = text.partition(".")
    return int(seconds) * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def judge(run, scenario, ours):
    """`ours`: the interfaces, "node:eth0", at which everything is sent by programs of ours. Returns
    how many messages of each type were judged."""
    frames = {}
    for frame in decoded(run.folder / scenario / "capture.pcapng", [*PLACE, *FIELDS, *COMPLAINTS],
                         "dhcp && ip.version == 4"):
        at = microseconds(frame["frame.time_epoch"])
        for near in (at - 1, at, at + 1):  # our time went through a double
            # A request and its answer may pass one interface within a microsecond.
            frames[frame["frame.interface_name"], near, frame["dhcp.id"], frame["ip.src"]] = frame
    judged = {}
    for text in (run.folder / scenario / "messages.jsonl").read_text().splitlines():
        told = json.loads(text)
        if told["protocol"] != "DHCP" or told["sent_at"] not in ours:
            continue
        frame = frames.get((told["sent_at"], microseconds(f"{told['time']:.6f}"), told["xid"],
                            told["source"]))
        assert frame, f"tshark finds no DHCP in the frame of {told}"
        number = f"frame {frame['frame.number']} ({told['message']} of {told['sent_at']})"
        assert not frame["_ws.malformed"], f"{number} is malformed"
        assert not frame["_ws.expert.message"], f"{number}: {frame['_ws.expert.message']}"
        assert frame["ip.checksum.status"] == "1", f"{number}: bad IP checksum"
        for field, (name, read) in FIELDS.items():
            seen = read(frame[field]) if frame[field] not in ABSENT else None
            said = told.get(name) if told.get(name) not in ABSENT else None
            assert seen == said, f"{number}: {name} is {seen} to tshark and {said} to us"
        judged[told["message"]] = judged.get(told["message"], 0) + 1
    return judged


def lease_options(run, scenario, interface, address):
    """What tshark sees in the first DHCPACK for an address at an interface, in our client's words."""
    acks = decoded(run.folder / scenario / "capture.pcapng", OPTIONS,
                   f'dhcp.option.dhcp == 5 && frame.interface_name == "{interface}"'
                   f" && dhcp.ip.your == {address}")
    return {OPTIONS[field]: value for field, value in acks[0].items() if value}


def circuits(run, scenario, which):
    """The circuit identifiers of option 82, in hexadecimal, in the frames that `which` takes; "" is one
    without."""
    field = "dhcp.option.agent_information_option.agent_circuit_id"
    return {frame[field].replace(":", "")
            for frame in decoded(run.folder / scenario / "capture.pcapng", [field, "dhcp.type"], which)}
