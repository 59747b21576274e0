"""The servers that are measured: how each is configured alike, started and told apart."""
import ipaddress
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from net import LINK, LOAD, PREFIX, SERVER

TREE = Path(__file__).resolve().parent.parent.parent
BUILD = TREE / os.environ.get("SIM_BUILD", "build")
LEASE_SECONDS = 3600
NETWORK = ipaddress.ip_network(f"{SERVER}/{PREFIX}", strict=False)


class Pool:
    """So many addresses, `standing` of them leased to others before the load begins."""

    def __init__(self, size, standing=0):
        self.size, self.standing = size, standing
        self.first = ipaddress.ip_address("10.16.0.0")
        self.last = self.first + size - 1

    def exchanges(self):
        """As many as surely find an address."""
        return (self.size - self.standing) * 9 // 10


class Server:
    """One kind of server. `word`: in names of cases; `label`: for people."""

    word = label = program = ""
    promise = ""  # what stands on disk when it acknowledges
    syncs = True  # whether to count its syncs under strace

    def missing(self):
        """Why it cannot be measured; None: it can."""
        return None if shutil.which(self.program) else f"{self.program} is not installed"

    def version(self):
        return ""

    def command(self, folder, pool):
        """Write its configuration into `folder`; returns the words that start it."""
        raise NotImplementedError

    def environment(self, _folder):
        return {}


def first_line(*words):
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    lines = [line for line in (ended.stdout + ended.stderr).splitlines() if line.strip()]
    return re.sub(r"\s+Copyright.*", "", lines[0]) if lines else ""


class Floor(Server):
    def __init__(self, sync):
        self.sync = sync
        self.word = "floor-sync" if sync else "floor"
        self.label = "echo + fdatasync a batch" if sync else "stateless echo"
        self.promise = "a batch of bytes" if sync else "nothing"
        self.program = str(BUILD / "bench" / "dhcp_floor")

    def command(self, folder, pool):
        sync = ["--sync", folder / "sync"] if self.sync else []
        return [self.program, "--server", SERVER, "--first", pool.first, *sync]


class Ours(Server):
    word, label, promise = "ours", "dhcp-server (ours)", "every lease"
    program = str(BUILD / "bin" / "dhcp-server")

    def version(self):
        return first_line(self.program, "--version")

    def command(self, folder, pool):
        return [self.program, "--interface", LINK, "--subnet", NETWORK, "--pool",
                f"{pool.first}-{pool.last}", "--lease", LEASE_SECONDS, "--database",
                folder / "leases.db"]


class Kea(Server):
    program, promise = "kea-dhcp4", "nothing yet (written, not synced)"

    def __init__(self, threads):
        self.threads = threads
        self.word = f"kea-{threads}"
        self.label = f"Kea memfile, {threads} thread{'s' if threads > 1 else ''}"

    def version(self):
        return "Kea " + first_line(self.program, "-v")

    def command(self, folder, pool):
        threads = {"enable-multi-threading": self.threads > 1}
        if self.threads > 1:
            threads.update({"thread-pool-size": self.threads, "packet-queue-size": 256})
        configuration = {"Dhcp4": {
            "interfaces-config": {"interfaces": [LINK], "dhcp-socket-type": "udp"},
            "lease-database": {"type": "memfile", "persist": True, "lfc-interval": 0,
                               "name": str(folder / "leases.csv")},
            "multi-threading": threads,
            "valid-lifetime": LEASE_SECONDS,
            "subnet4": [{"subnet": str(NETWORK), "id": 1,
                         "pools": [{"pool": f"{pool.first} - {pool.last}"}]}],
            "loggers": [{"name": "kea-dhcp4", "severity": "WARN",
                         "output_options": [{"output": "stderr"}]}],
        }}
        (folder / "kea.json").write_text(json.dumps(configuration, indent=2))
        return [self.program, "-c", folder / "kea.json"]

    def environment(self, folder):
        return {"KEA_PIDFILE_DIR": str(folder), "KEA_LOCKFILE_DIR": "none"}


class Dnsmasq(Server):
    word, label, program, promise = "dnsmasq", "dnsmasq", "dnsmasq", "every lease"

    def version(self):
        return first_line(self.program, "--version")

    def command(self, folder, pool):
        # As --keep-in-foreground, but stays who it is, which a user namespace asks for.
        return [self.program, "--no-daemon", "--conf-file=/dev/null", "--port=0", "--quiet-dhcp",
                "--log-facility=-", f"--interface={LINK}", "--no-ping",
                f"--dhcp-leasefile={folder / 'leases'}", "--dhcp-lease-max=2000000",
                f"--dhcp-range={pool.first},{pool.last},{NETWORK.netmask},{LEASE_SECONDS}"]


class Isc(Server):
    word, label, program, promise = "isc", "ISC dhcpd", "dhcpd", "every lease"

    def version(self):
        return first_line(self.program, "--version")

    def command(self, folder, pool):
        (folder / "dhcpd.conf").write_text(f"""
            authoritative;
            ping-check false;
            default-lease-time {LEASE_SECONDS};
            max-lease-time {LEASE_SECONDS};
            subnet {NETWORK.network_address} netmask {NETWORK.netmask} {{
                range {pool.first} {pool.last};
            }}
        """)
        (folder / "leases").touch()
        return [self.program, "-4", "-f", "-q", "--no-pid", "-cf", folder / "dhcpd.conf",
                "-lf", folder / "leases", LINK]


SMALL, MIDDLE, LARGE = Pool(20_000), Pool(131_000), Pool(10_000_000)
STANDING = Pool(10_000_000, standing=1_000_000)
OURS = Ours()

# Name, server, pool. The names of the same server share a prefix, so that --only can choose them.
CASES = [
    ("floor", Floor(False), MIDDLE),
    ("floor-sync", Floor(True), MIDDLE),
    ("ours-20k", OURS, SMALL),
    ("ours-131k", OURS, MIDDLE),
    ("ours-10M", OURS, LARGE),
    ("ours-10M-1M", OURS, STANDING),
    ("kea-1-131k", Kea(1), MIDDLE),
    ("kea-2-131k", Kea(2), MIDDLE),
    ("isc-20k", Isc(), SMALL),
    ("isc-131k", Isc(), MIDDLE),
    ("dnsmasq-20k", Dnsmasq(), SMALL),
    ("dnsmasq-131k", Dnsmasq(), MIDDLE),
]
__all__ = ["BUILD", "CASES", "LOAD", "SERVER", "TREE"]
