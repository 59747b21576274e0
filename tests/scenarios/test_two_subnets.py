"""The main job: `sim run two-subnets`.

    server --- lan-a --- router --- lan-b --- client1 ... client25
             10.0.1.0/24         10.0.2.0/24
"""
import csv
import hashlib
import html
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from conftest import BIN, TREE, need
from explained import assert_explained

SCENARIOS = ["lease-and-fetch", "pool-exhaustion", "release", "static-binding", "concurrency-limit"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """All scenarios once; the tests below look at what was left."""
    results = tmp_path_factory.mktemp("results")
    ended = subprocess.run([BIN / "sim", "run", "two-subnets", "--results", results], cwd=TREE,
                           capture_output=True, text=True, timeout=300)

    class Ended:
        status, stdout, stderr = ended.returncode, ended.stdout, ended.stderr
        folder = (results / "two-subnets" / "latest").resolve()

        @staticmethod
        def lines(scenario, name):
            text = (Ended.folder / scenario / name).read_text()
            return [json.loads(line) for line in text.splitlines()]

    assert ended.returncode == 0, ended.stdout + ended.stderr
    return Ended


def test_every_scenario_holds(run):
    for scenario in SCENARIOS:
        assert f"held    {scenario}" in run.stdout
    assert "5 of 5 scenarios held" in run.stdout
    assert run.stderr == ""  # piped: no live line


def test_plain_when_piped(run):
    assert "\x1b" not in run.stdout and "\r" not in run.stdout
    assert len(run.stdout.splitlines()) == len(SCENARIOS) + 2


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_result_tells_each_step(run, scenario):
    result = json.loads((run.folder / scenario / "result.json").read_text())
    assert result["held"] and result["steps"]
    for step in result["steps"]:
        assert step["held"] and step["expected"] and step["seen"]
        assert 0 <= step["at"] <= result["seconds"] + 1
    assert result["capture"]["frames"] > 0
    assert result["capture"]["lost"] == 0


def test_leases_are_committed_where_a_person_can_query_them(run):
    path = run.folder / "pool-exhaustion" / "nodes" / "server" / "leases.db"
    with sqlite3.connect(f"file:{path}?immutable=1", uri=True) as database:
        addresses = [row[0] for row in database.execute("select address from leases")]
    assert len(addresses) == len(set(addresses)) == 20


def test_the_report_explains_and_proves(run):
    assert_explained(run.folder)


def test_report(run):
    text = (run.folder / "report.md").read_text()
    assert "**5 of 5 scenarios held.**" in text
    assert "![The topology](topology.svg)" in text
    assert "client25 10.0.2.110." in text  # leased, and bound
    assert "10.0.1.10/24" in text and "DHCPDISCOVER" in text and "RETR random.bin" in text
    for target in ("lease-and-fetch/capture.pcapng", "lease-and-fetch/logs"):
        assert f"]({target})" in text and (run.folder / target).exists()
    assert "anonymous@" not in text  # a password


def test_picture(run):
    picture = html.unescape((run.folder / "topology.svg").read_text())
    for word in ("server", "router", "lan-a", "10.0.2.0/24", "client1 … client25"):
        assert word in picture


def test_manifest_lists_every_file_with_its_hash(run):
    manifest = json.loads((run.folder / "manifest.json").read_text())
    there = {str(path.relative_to(run.folder)) for path in run.folder.rglob("*")
             if path.is_file() and path.name != "manifest.json"}
    assert set(manifest["files"]) == there
    digest = hashlib.sha256((run.folder / "report.md").read_bytes()).hexdigest()
    assert manifest["files"]["report.md"]["sha256"] == digest
    assert manifest["variables"]["pool"] == "10.0.2.100-10.0.2.119"


def test_kernel_events(run):
    events = run.lines("lease-and-fetch", "events.jsonl")
    mine = [event for event in events if event["node"] == "client1"]
    assert any(event["what"] == "address" and event["change"] == "added" for event in mine)
    assert any(event["what"] == "route" and event.get("gateway") == "10.0.2.1" for event in mine)
    assert any(event["what"] == "neighbour" for event in events)
    released = run.lines("release", "events.jsonl")
    assert any(event["what"] == "address" and event["change"] == "removed" for event in released)


def owners():
    """For each end its hardware address, and the IPv4 addresses of its node where the plan has any."""
    plan = subprocess.run([BIN / "sim", "plan", "two-subnets", "--json"], cwd=TREE, check=True,
                          capture_output=True, text=True, timeout=30)
    return {f"{node['name']}:{interface['name']}": (
        interface["mac"], {one["ipv4"].split("/")[0] for one in node["interfaces"] if "ipv4" in one})
        for node in json.loads(plan.stdout)["nodes"] for interface in node["interfaces"]}


def sent_there(owner, link, mac, source):
    """A frame captured where it was sent; what a router only passes on was sent elsewhere."""
    own_mac, own_addresses = owner[link]
    return own_mac == mac and (not own_addresses or source in own_addresses)


def tshark(capture, *arguments):
    ended = subprocess.run(["tshark", "-n", "-r", capture, *arguments], capture_output=True,
                           text=True, timeout=120)
    complaints = [line for line in ended.stderr.splitlines()
                  if line and "Running as user" not in line]
    assert ended.returncode == 0 and not complaints, ended.stderr
    return ended.stdout


DHCP_TYPES = {1: "DHCPDISCOVER", 2: "DHCPOFFER", 3: "DHCPREQUEST", 4: "DHCPDECLINE", 5: "DHCPACK",
              6: "DHCPNAK", 7: "DHCPRELEASE", 8: "DHCPINFORM"}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_tshark_agrees_with_our_dhcp_messages(run, scenario):
    need("tshark")
    owner = owners()
    fields = ["frame.interface_name", "eth.src", "ip.src", "dhcp.option.dhcp", "dhcp.id", "dhcp.ip.your"]
    rows = tshark(run.folder / scenario / "capture.pcapng", "-Y", "dhcp", "-T", "fields",
                  *[word for field in fields for word in ("-e", field)])
    theirs = Counter()
    for link, mac, source, kind, xid, yiaddr in csv.reader(rows.splitlines(), delimiter="\t"):
        if sent_there(owner, link, mac, source):
            theirs[link, DHCP_TYPES[int(kind)], int(xid, 16), yiaddr] += 1
    ours = Counter((line["sent_at"], line["message"], int(line["xid"], 16),
                    line.get("yiaddr", "0.0.0.0"))
                   for line in run.lines(scenario, "messages.jsonl") if line["protocol"] == "DHCP")
    assert ours == theirs and ours


@pytest.mark.parametrize("scenario", ["lease-and-fetch", "concurrency-limit"])
def test_tshark_agrees_with_our_ftp_messages(run, scenario, tmp_path):
    need("tshark")
    owner = owners()
    capture = run.folder / scenario / "capture.pcapng"
    links = set(tshark(capture, "-Y", "tcp.port == 21", "-T", "fields", "-e",
                       "frame.interface_name").split())
    theirs = Counter()
    for link in links:
        # A link at a time: the same segment on the next link is a retransmission to tshark.
        alone = tmp_path / f"{link}.pcapng"
        tshark(capture, "-Y", f'frame.interface_name == "{link}"', "-w", alone)
        rows = tshark(alone, "-Y", "ftp", "-T", "fields", "-E", "occurrence=a", "-e", "eth.src", "-e",
                      "ip.src", "-e", "ftp.request.command", "-e", "ftp.response.code", "-e", "tcp.payload")
        for mac, source, verb, code, payload in csv.reader(rows.splitlines(), delimiter="\t"):
            # Of several replies in one segment tshark names the first (as in "220 ...421 ...").
            lines = bytes.fromhex(payload).decode().split("\r\n")[:-1]
            words = [re.match("[0-9]{3}|[A-Za-z]+", line).group() for line in lines]
            assert words[0] == (verb or code).split(",")[0]
            if sent_there(owner, link, mac, source):
                theirs.update((link, word) for word in words)
    ours = Counter((line["sent_at"], line["message"].rstrip("-"))
                   for line in run.lines(scenario, "messages.jsonl") if line["protocol"] == "FTP")
    assert ours == theirs and ours


@pytest.mark.parametrize("scenario", ["lease-and-fetch", "pool-exhaustion"])
def test_a_message_is_in_the_frame_it_names(run, scenario):
    need("tshark")
    rows = tshark(run.folder / scenario / "capture.pcapng", "-T", "fields", "-e", "frame.number", "-e",
                  "frame.interface_name", "-e", "ip.src", "-e", "ip.dst", "-e", "dhcp.id", "-e", "tcp.flags")
    frames = {int(row[0]): row[1:] for row in csv.reader(rows.splitlines(), delimiter="\t")}
    flags = {"SYN": 0x02, "SYN-ACK": 0x12, "ACK": 0x10, "FIN": 0x11, "RST": 0x14}
    for line in run.lines(scenario, "messages.jsonl"):
        link, source, destination, xid, seen = frames[line["frame"]]
        assert [link, source, destination] == [line["sent_at"], line["source"], line["destination"]]
        if line["protocol"] == "DHCP":
            assert int(xid, 16) == int(line["xid"], 16)
        if line["protocol"] == "TCP":
            assert int(seen, 16) & 0x17 == flags[line["message"]], line


def test_capture_has_an_interface_block_for_each_link(run):
    need("capinfos")
    text = subprocess.run(["capinfos", "-M", run.folder / "lease-and-fetch" / "capture.pcapng"],
                          capture_output=True, text=True, check=True, timeout=60).stdout
    assert "Number of interfaces in file: 28" in text
    for name in ("server:eth0", "router:eth0", "router:eth1", "client1:eth0", "client25:eth0"):
        assert f"Name = {name}" in text


def test_one_address_fewer_fails_and_says_why(sim):
    ended = sim("run", "two-subnets", "pool-exhaustion", "--set", "pool=10.0.2.100-10.0.2.118")
    assert ended.status == 1
    assert "FAILED  pool-exhaustion" in ended.stdout
    assert "expected  exit status 0 on 20 nodes, 4 on 5 nodes" in ended.stdout
    assert "saw       exit status 0 on 19 nodes" in ended.stdout
    log = next(line.split()[1] for line in ended.stdout.splitlines() if line.strip().startswith("read"))
    assert "no address" in (TREE / log).read_text()
    assert not ended.result("pool-exhaustion")["held"]
    assert "**failed**" in (ended.folder / "report.md").read_text()


def test_json(sim):
    ended = sim("run", "two-subnets", "lease-and-fetch", "--json")
    ended.all_held()
    value = json.loads(ended.stdout)
    assert value["held"] and value["scenarios"][0]["scenario"] == "lease-and-fetch"
    assert Path(value["folder"], "report.md").exists()


def test_as_an_ordinary_user_without_sudo():
    """The same binaries and topologies, as a user without any privilege."""
    if os.geteuid() != 0:
        pytest.skip("the whole suite runs as an ordinary user already")
    need("setpriv")
    user = 65534
    home = Path(tempfile.mkdtemp(prefix="sim-user."))
    try:
        shutil.copytree(BIN, home / "build" / "bin")
        shutil.copytree(TREE / "topologies", home / "topologies")
        home.chmod(0o755)
        for path in [home, *home.rglob("*")]:
            os.chown(path, user, user)
        ended = subprocess.run(
            ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--bounding-set=-all",
             "--inh-caps=-all", home / "build" / "bin" / "sim", "run", "two-subnets"],
            capture_output=True, text=True, timeout=300, cwd=home)
        if "user namespaces" in ended.stderr:
            pytest.skip(ended.stderr.strip())
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "5 of 5 scenarios held" in ended.stdout
        owners = {path.lstat().st_uid for path in (home / "results").rglob("*")}
        assert owners == {user}
    finally:
        shutil.rmtree(home, ignore_errors=True)


def test_programs_can_write_under_sudo(sim, topology):
    """A server without privileges stores a file in its node's folder, whoever will own it in the end."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    text = """name: t
topology:
  nodes: {s: {kind: switch, ipv4: 10.0.0.0/24}, a: {files: {note.txt: x}},
          b: {run: [{name: ftp, cmd: ftp-server --root . --anonymous all --clients 1, ready: true}]}}
  links: [{endpoints: [a, s]}, {endpoints: [b, s]}]
scenarios: {put: {title: Put, steps: [{on: a, run: ftp-client b put note.txt},
                                      {same-files: ["a:note.txt", "b:note.txt"]}]}}
"""
    sim("run", topology(text), env={**os.environ, "SUDO_UID": "65534", "SUDO_GID": "65534"}).all_held()


def test_results_belong_to_who_called_sudo(sim, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    ended = sim("run", "two-subnets", "lease-and-fetch",
                env={**os.environ, "SUDO_UID": "65534", "SUDO_GID": "65534"})
    ended.all_held()
    owners = {path.lstat().st_uid for path in (tmp_path / "results").rglob("*")}
    assert owners == {65534}
