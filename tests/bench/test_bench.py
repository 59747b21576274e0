"""The load generator and `make bench` themselves, so that they cannot rot: no speed is judged."""
import json
import os
import random
import subprocess
import sys

import pytest
from conftest import BIN, BUILD, TREE, need

LOAD = f"{BUILD}/bench/dhcp_load --server 10.0.0.1 --local 10.0.0.2"
NETWORK = """
name: load
topology:
  nodes:
    server:
      run: [{{name: dhcp, cmd: '{server}', ready: true}}]
    load: {{}}
  links:
    - {{endpoints: ["server:eth0", "load:eth0"], ipv4: [10.0.0.1/8, 10.0.0.2/8]}}
scenarios:
  load:
    title: Many clients
    steps:
"""
OURS = (f"{BIN}/dhcp-server --interface eth0 --subnet 10.0.0.0/8 --pool 10.16.0.0-10.16.3.231"
        " --database leases.db")
FLOOR = f"{BUILD}/bench/dhcp_floor --server 10.0.0.1 --first 10.16.0.0"
PREFILL = (f"{BUILD}/bench/dhcp_prefill --database leases.db --first 10.16.0.0 --count 300 --seed 7"
           " --record leases")


@pytest.fixture
def loads(sim, topology):
    """Run these commands on the load's node, each with the exit status it must have."""

    def run(server, *commands):
        text = NETWORK.format(server=server)
        for command, status in commands:
            text += f"      - {{on: load, run: '{command}', expect: {{exit: {status}}}}}\n"
        ended = sim("run", topology(text))
        ended.all_held()
        return ended

    return run


def told(ended, step):
    text = ended.log("load", f"load.{step}-dhcp_load")
    return json.loads(next(line for line in text.splitlines() if line.startswith("{")))


def test_load_is_leased_renewed_and_asked_for_again(loads):
    seed = random.SystemRandom().getrandbits(60)
    ended = loads(OURS, (f"{LOAD} --count 900 --seed {seed} --record leases", 0),
                  (f"{LOAD} --mode renew --leases leases", 0),
                  (f"{LOAD} --mode reboot --leases leases", 0))
    for step, mode in enumerate(("dora", "renew", "reboot"), start=1):
        seen = told(ended, step)
        assert seen["mode"] == mode
        assert seen["begun"] == seen["done"] == seen["counted"] == 900
        assert seen["lost"] == seen["refused"] == seen["duplicates"] == seen["wrong"] == 0
        assert 0 < seen["whole_us"]["p50"] <= seen["whole_us"]["p99"] <= seen["whole_us"]["most"]
    lines = (ended.folder / "load" / "nodes" / "load" / "leases").read_text().splitlines()
    addresses, clients = zip(*(line.split() for line in lines))
    assert len(set(addresses)) == len(set(clients)) == 900


def test_load_counts_what_is_lost(loads):
    ended = loads(OURS, (f"{LOAD} --count 1000 --seed 5", 0),
                  (f"{LOAD} --count 8 --seed 6 --timeout 0.1 --tries 2", 0))
    seen = told(ended, 2)
    assert (seen["done"], seen["lost"], seen["again"]) == (0, 8, 8)


def test_load_finds_addresses_that_are_given_twice(loads):
    """A server without memory gives what others hold, here those of --leases."""
    ended = loads(FLOOR, (PREFILL, 0), (f"{LOAD} --count 310 --seed 8 --leases leases", 1))
    seen = told(ended, 2)
    assert (seen["done"], seen["duplicates"], seen["wrong"]) == (310, 300, 0)


def test_prefilled_leases_stand(loads):
    ended = loads(f"sh -c '{PREFILL} && exec {OURS}'".replace("'", "''"),
                  (PREFILL, 0), (f"{LOAD} --mode reboot --leases leases", 0),
                  (f"{LOAD} --count 100 --seed 8 --leases leases", 0))
    assert [told(ended, step)["done"] for step in (2, 3)] == [300, 100]


def test_a_client_that_lost_its_lease_breaks_the_servers_word(loads):
    ended = loads(OURS, (PREFILL, 0), (f"{LOAD} --count 300 --seed 9", 0),
                  (f"{LOAD} --mode reboot --leases leases --count 5", 1))
    assert told(ended, 3)["refused"] == 5


def test_bench_measures_and_writes(tmp_path):
    need("unshare", "nsenter", "ip")
    ended = subprocess.run(
        [sys.executable, "-B", TREE / "tests" / "bench" / "bench.py", "--rounds", "1", "--count",
         "200", "--only", "floor", "ours-20k", "--no-syncs", "--results", tmp_path],
        capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    written, = (tmp_path / "bench").iterdir()
    cases = {case["name"]: case for case in json.loads((written / "dhcp.json").read_text())["cases"]}
    assert list(cases) == ["floor", "floor-sync", "ours-20k"]
    for case in cases.values():
        assert case["rounds"][0]["done"] == 200
        assert case["lost"] == case["refused"] == case["duplicates"] == case["wrong"] == 0
    assert "dhcp-server (ours)" in (written / "dhcp.md").read_text()
    assert len((written / "dhcp.csv").read_text().splitlines()) == 4


def test_ftp_bench_measures_and_writes(tmp_path):
    need("unshare", "nsenter", "ip", "sysctl")
    pytest.importorskip("pyftpdlib")
    ended = subprocess.run(
        [sys.executable, "-B", TREE / "tests" / "bench" / "bench.py", "ftp", "--rounds", "1",
         "--seconds", "0.1", "--bytes", "3000000", "--idle", "20", "--many", "40", "--only",
         "floor", "ours", "pyftpdlib", "--results", tmp_path],
        capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    written, = (tmp_path / "bench").iterdir()
    told = json.loads((written / "ftp.json").read_text())
    assert told["skipped"] == {}
    assert [row["name"] for row in told["servers"]] == ["floor", "ours", "pyftpdlib"]
    for row in told["servers"]:
        for rate in ("retr_mb_s", "stor_mb_s", "small_1", "small_8", "small_8_stalled", "logins"):
            assert row[rate] > 0, rate
        assert {"retr_cpu_s", "stor_cpu_s", "idle_pss_kib"} < row.keys()
        assert ("many_kernel_kib" in row) == (row["name"] != "pyftpdlib")
    assert "KiB of an idle session of many: " in ended.stdout
    assert "ftp-server (ours)" in (written / "ftp.md").read_text()
    assert len((written / "ftp.csv").read_text().splitlines()) == 4


def test_ftp_load_says_what_a_server_refused(tmp_path):
    """A file that is not there is no speed, but a failure with the server's own words."""
    need("unshare")
    script = f"""ip link set lo up
        {BIN}/ftp-server --root . --listen 127.0.0.1:21 --control control 2>log & server=$!
        trap 'kill $server' EXIT
        until grep -q serves log; do :; done
        {BUILD}/bench/ftp_load --server 127.0.0.1 --mode get --file nothing --count 5"""
    flags = ["--net"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--net"]
    ended = subprocess.run(["unshare", *flags, "sh", "-c", script], capture_output=True, text=True,
                           cwd=tmp_path, timeout=60, check=False)
    assert ended.returncode == 1, ended.stderr
    seen = json.loads(ended.stdout)
    assert (seen["done"], seen["failed"], seen["failure"][:4]) == (0, 1, "550 ")


def test_lab_bench_measures_and_writes(tmp_path):
    need("unshare", "ip", "sysctl")
    ended = subprocess.run(
        [sys.executable, "-B", TREE / "tests" / "bench" / "bench.py", "lab", "--rounds", "2",
         "--only", "star-20", "--builders", "floor", "ours", "ip-batch", "--results", tmp_path],
        capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    written, = (tmp_path / "bench").iterdir()
    rows = {row["builder"]: row
            for row in json.loads((written / "lab.json").read_text(encoding="utf-8"))["labs"]}
    assert list(rows) == ["floor", "ours", "ip-batch"]
    assert all(row["nodes"] == 21 and row["seconds"] > 0 for row in rows.values())
    assert rows["floor"]["ratio"] == 1 and rows["ours"]["down_seconds"] > 0
    assert [len(row["rounds"]) for row in rows.values()] == [2, 2, 1]
    nothing = {"namespaces": 0, "processes": 0, "links": 0}
    assert rows["floor"]["left"] == rows["ours"]["left"] == nothing
    assert rows["ip-batch"]["left"] == {**nothing, "namespaces": 21}, "what we count is there"
    assert "sim up (ours)" in (written / "lab.md").read_text(encoding="utf-8")
    assert len((written / "lab.csv").read_text(encoding="utf-8").splitlines()) == 4
