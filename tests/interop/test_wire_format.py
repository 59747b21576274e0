"""Every option of our table, as our server puts it on the wire, read by tshark: no complaint, and what
the configuration says is what tshark sees, element by element.

The rows are read out of core/dhcp/option.c, so that a new one is judged without a word here; only what
tshark takes apart further needs a value that makes sense to it.
"""
import re
import socket
import struct
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest
from conftest import TREE, need
from dhcp_lab import DISCOVER, FENCE, OFFER, Lab
from scapy.utils import wrpcap

ROW = re.compile(r'^\t\[(\d+)\] = \{"([^"]+)", ([A-Z0-9_]+)', re.M)
# The machine's own, which no configuration sets; 82 comes from a relay.
OWN = {1, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 61, 80, 82}
# Behind the options, so that they are everybody's. FENCE: see dhcp_lab.py.
SUBNET = ["--subnet", "10.0.1.0/24", "--pool", "10.0.1.100-10.0.1.103", "--bind", f"{FENCE}=10.0.1.250"]
WARNING = 0x600000
JUST_BYTES = 6  # code, length and value is all that tshark says
BY_KIND = {
    "ONE_ADDRESS": "192.0.2.1", "ADDRESSES": "192.0.2.1,192.0.2.2", "FLAG": "yes", "U8": "4",
    "ADDRESS_PAIRS": "192.0.2.0=255.255.255.0,198.51.100.0=10.0.1.1", "U16": "1400",
    "U16_LIST": "296,1006", "U32": "86400", "I32": "-3600", "SECONDS": "7200", "TEXT": "some text",
    "DOMAINS": "eng.example", "ROUTES": "10.0.0.0/8=10.0.1.2,192.0.2.128/25=10.0.1.3,0.0.0.0/0=10.0.1.1",
    "BYTES": "hex:0102a5",
}
# Where the bytes mean something to tshark: RFC 2610, 3004, 4702, 3118, 4578, 4776, 3361, 3495, 3925 ...
BY_CODE = {
    43: "hex:0104c0000201", 63: "hex:050101", 83: "hex:" + "00" * 10 + "c0000201", 78: "hex:00c0000201", 79: "hex:0064656661756c74", 81: "hex:000000686f7374",
    90: "hex:00000000000000000000000000", 93: "7", 94: "hex:010310", 97: "hex:00" + "11" * 16,
    99: "hex:014445010361626d", 114: "https://portal.example/", 117: "6",
    119: "eng.example,sub.eng.example,other.example", 120: "hex:01c0000201",
    122: "hex:0104c0000201", 123: "hex:" + "22" * 16, 124: "hex:0000000903010203",
    125: "hex:00000009050103010203", 252: "http://wpad.example/wpad.dat", 158: "hex:04c0000201",
    159: "hex:00000000", 212: "hex:0620" + "20010db8" + "00" * 12 + "c0000201", 220: "hex:0001",
    221: "hex:00", 77: "hex:0474657374", 139: "hex:0104c0000201", 140: "hex:0103016100",
    143: "hex:000168", 144: "hex:" + "10" * 16, 146: "hex:00c0000201c000020200",
    109: "hex:20010db8" + "00" * 12, 151: "hex:00", 162: "hex:000701000401610000"}


def rows():
    text = (TREE / "core" / "dhcp" / "option.c").read_text()
    return {int(code): (name, kind) for code, name, kind in ROW.findall(text)}


def value_of(code, kind):
    return BY_CODE.get(code, BY_KIND[kind])


def elements(code, value, kind):
    """What must be seen somewhere in tshark's words for the option, where it takes it apart. A name
    other than of option 119 is a text of length bytes and letters to it, leasequery's are dates and words."""
    if kind in ("BYTES", "FLAG") or (kind == "DOMAINS" and code != 119) or 152 <= code <= 157:
        return []
    if kind == "TEXT":
        return [value]
    value = value.replace("0.0.0.0/0", "default")
    return [part for item in value.split(",") for part in re.split("[=/]", item)]


def encoded(value, kind):
    """The bytes that the RFCs have for the value, written down a second time."""
    numbers = {"U8": "!B", "U16": "!H", "U16_LIST": "!H", "U32": "!I", "SECONDS": "!I", "I32": "!i"}
    parts = value.split(",")
    if kind in numbers:
        return b"".join(struct.pack(numbers[kind], int(part)) for part in parts)
    if "ADDRESS" in kind:
        return b"".join(socket.inet_aton(part) for part in re.split("[,=]", value))
    if kind == "ROUTES":
        made = b""
        for network, length, router in (re.split("[/=]", part) for part in parts):
            most = socket.inet_aton(network)[:(int(length) + 7) // 8]
            made += bytes([int(length)]) + most + socket.inet_aton(router)
        return made
    if kind == "DOMAINS":
        if len(parts) > 1:
            return b"\3eng\7example\0\3sub\xc0\0\5other\xc0\4"
        return b"".join(bytes([len(label)]) + label.encode() for label in value.split(".")) + b"\0"
    if kind == "BYTES":
        return bytes.fromhex(value[len("hex:"):])
    return {"FLAG": b"\1", "TEXT": value.encode()}[kind]


def decoded(pcap):
    """{code: (value bytes, all that tshark says about it)} over all packets, and its complaints."""
    text = subprocess.run(["tshark", "-n", "-r", str(pcap), "-T", "pdml"], capture_output=True,
                          text=True, timeout=120, check=True).stdout
    seen, complaints = {}, []
    for packet in ElementTree.fromstring(text).iter("packet"):
        for field in packet.iter("field"):
            name = field.get("name")
            if name == "_ws.expert":  # below a warning: "options stand in the field for the file name"
                said = {part.get("name"): part.get("show") for part in field}
                if int(said["_ws.expert.severity"]) >= WARNING:
                    complaints.append(said["_ws.expert.message"])
            if name != "dhcp.option.type":
                continue
            words = [word for part in field.iter("field")
                     for word in (part.get("show") or "", part.get("showname") or "")]
            raw = bytes.fromhex(field.get("value") or "")
            code, length = raw[0], raw[1] if len(raw) > 1 else 0
            seen[code] = (raw[2:2 + length], words)
    return seen, complaints


@pytest.fixture
def lab(tmp_path):
    made = Lab(tmp_path)
    yield made
    made.end()


def test_every_option_is_what_tshark_sees(lab):
    need("tshark")
    table = {code: row for code, row in rows().items() if code not in OWN}
    assert len(table) > 100
    told = {code: value_of(code, kind) for code, (_, kind) in table.items()}
    assert all(kind in BY_KIND for _, kind in table.values())
    arguments = [word for code, (name, _) in table.items()
                 for word in ("--option", f"{name}={told[code]}")]
    lab.start(subnets=[*arguments, *SUBNET])
    codes = sorted(table)
    for at in range(0, len(codes), 4):
        wanted = codes[at:at + 4]
        offer = lab.local.ask(DISCOVER, mac="02:00:00:00:00:21", wants=wanted, flags=0x8000)
        assert offer is not None and offer.kind == OFFER
        missing = [table[code][0] for code in wanted if code not in offer.codes()]
        assert not missing, f"asked for, and not there: {missing}"
    offers = lab.folder / "offers.pcap"
    wrpcap(str(offers), lab.local.seen)
    seen, complaints = decoded(offers)
    assert not complaints, complaints
    taken_apart = 0
    for code, (name, kind) in table.items():
        raw, words = seen[code]
        assert raw == encoded(told[code], kind), name
        if len(words) <= JUST_BYTES:
            continue
        for element in elements(code, told[code], kind):
            taken_apart += 1
            assert any(re.search(rf"(^|[^\w.]){re.escape(element)}($|[^\w])", word) for word in words), \
                f"{name}: {element} is not in {words}"
    assert taken_apart > 100 and 52 in seen, "the fence asks for nothing, so gets all: overloaded"
