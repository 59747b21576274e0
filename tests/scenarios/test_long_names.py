"""Names as long as they can be, everywhere: 64 characters of a lab, a node, an interface, a process, a scenario; an interface's over
the kernel's 15 works wherever a person writes it.

    client --- clients --- router --- servers --- server          all interfaces have long names
"""
import json
import os
import secrets
import signal
import subprocess

from conftest import BIN, TREE, need


def long(beginning):
    return f"{beginning}-{'x' * 64}"[:64]


NAME, CLIENT, ROUTER, SERVER = long("lab"), long("client"), long("router"), long("server")
CLIENTS, SERVERS, ONLY, TO_CLIENTS, TO_SERVERS = map(long, ("clients", "servers", "only", "to-clients", "to-servers"))
PROCESS, SCENARIO = long("process"), long("scenario")
assert len({NAME, CLIENT, ROUTER, SERVER, CLIENTS, SERVERS, ONLY, TO_CLIENTS, TO_SERVERS}) == 9

LONG = f"""
name: {NAME}
topology:
  nodes:
    {CLIENTS}: {{kind: switch, ipv4: 10.0.2.0/24}}
    {SERVERS}: {{kind: switch, ipv4: 10.0.1.0/24}}
    {CLIENT}: {{mac: {{{ONLY}: 02:00:00:00:00:99}}}}
    {SERVER}:
      run:
        - name: {PROCESS}
          cmd: dhcp-server --interface {ONLY} --subnet 10.0.2.0/24 --pool 10.0.2.100-10.0.2.109 --router 10.0.2.1 --lease 60
          ready: true
    {ROUTER}:
      kind: router
      run:
        - {{name: relay, cmd: dhcp-relay --interface {TO_CLIENTS} --server 10.0.1.10 --link-selection {TO_SERVERS}, ready: true}}
  links:
    - {{endpoints: ["{CLIENT}:{ONLY}", {CLIENTS}], ipv4: none}}
    - {{endpoints: ["{ROUTER}:{TO_CLIENTS}", {CLIENTS}]}}
    - {{endpoints: ["{ROUTER}:{TO_SERVERS}", {SERVERS}]}}
    - {{endpoints: ["{SERVER}:{ONLY}", {SERVERS}], ipv4: [10.0.1.10/24]}}
scenarios:
  {SCENARIO}:
    title: Everything by its name
    steps:
      - {{on: {CLIENT}, run: uname -n, expect: {{output: {CLIENT}}}}}
      - {{on: {CLIENT}, run: "sh -c 'echo $SIM_NODE in $SIM_TOPOLOGY'", expect: {{output: {CLIENT} in {NAME}}}}}
      - {{on: {CLIENT}, run: dhcp-client --interface {ONLY} --once --wait 10}}
      - {{on: {CLIENT}, addresses: {ONLY}, expect: {{is: 10.0.2.100}}}}
      - {{on: {SERVER}, watch: {PROCESS}, expect: {{output: DHCPACK}}}}
      - {{on: {CLIENT}, run: ping -c 1 -W 5 {SERVER}}}
      - {{on: {CLIENT}, run: ip link show {ONLY}, expect: {{output: "02:00:00:00:00:99"}}}}
      - {{on: {CLIENT}, link: down, interface: {ONLY}}}
      - {{on: {CLIENT}, run: ip link show {ONLY}, expect: {{output: NO-CARRIER}}}}
      - {{on: {CLIENT}, link: up, interface: {ONLY}}}
      - {{on: {CLIENT}, move: {CLIENTS}, interface: {ONLY}}}
      - {{on: {CLIENT}, start: dhcp-client --interface {ONLY} --release-on-exit, as: {PROCESS}, ready: true}}
      - {{on: {CLIENT}, stop: {PROCESS}, expect: {{output: released}}}}
      - {{on: {CLIENT}, messages: DHCPREQUEST, client: {CLIENT}, expect: {{at-least: 2}}}}
"""


def test_a_run(sim, topology):
    need("ip", "ping")
    ended = sim("run", topology(LONG))
    ended.all_held()
    assert (ended.folder / SCENARIO / "logs" / f"{SERVER}.{PROCESS}.log").exists()
    assert f"{CLIENT}:{ONLY}" in {line["sent_at"] for line in ended.lines(SCENARIO, "messages.jsonl")}
    assert ONLY in (ended.folder / "report.md").read_text()


def test_the_plan_shows_both_names(sim, topology):
    path = topology(LONG)
    shown = sim("plan", path).stdout
    assert f"eth0 ({ONLY})" in shown and f"{CLIENT}:{ONLY}" in shown
    nodes = {node["name"]: node for node in json.loads(sim("plan", path, "--json").stdout)["nodes"]}
    assert [one["long_name"] for one in nodes[ROUTER]["interfaces"]] == [TO_CLIENTS, TO_SERVERS]


def test_a_lab_that_stays(tmp_path, topology):
    """Two of one name's length: `first` has all 64 characters, and both are worked in by the names of their nodes."""
    need("ip")
    path, names = topology(LONG), [long(f"t{secrets.token_hex(6)}-{which}") for which in ("first", "second")]
    environment = dict(os.environ, XDG_RUNTIME_DIR=str(tmp_path))

    def call(*words):
        return subprocess.run([BIN / "sim", *map(str, words)], cwd=TREE, env=environment, capture_output=True, text=True,
                              timeout=60)

    try:
        for name in names:
            ended = call("up", path, "--name", name, "--results", tmp_path / "results")
            assert ended.returncode == 0, ended.stderr
        at = f"{names[0]}:{CLIENT}"
        ended = call("exec", at, "dhcp-client", "--interface", ONLY, "--once")
        assert ended.returncode == 0, ended.stderr
        listed = call("ps", names[0], "--json")
        labs = json.loads(listed.stdout)["labs"]
        assert [lab["name"] for lab in labs] == [names[0]]
        assert f"{ONLY} 10.0.2.100/24" in call("ps", names[0]).stdout
        capture = subprocess.Popen([BIN / "sim", "capture", f"{at}:{ONLY}", "-w", tmp_path / "capture"], cwd=TREE,
                                   env=environment, stderr=subprocess.PIPE, text=True)
        assert f"capturing at {CLIENT}:{ONLY}" in capture.stderr.readline()
        assert call("exec", at, "ping", "-c", "1", "-W", "5", SERVER).returncode == 0
        capture.send_signal(signal.SIGINT)
        assert capture.wait(30) == 0
        assert f"{CLIENT}:{ONLY}".encode() in (tmp_path / "capture").read_bytes()
        assert call("exec", f"{names[1]}:{CLIENT}", "ip", "-4", "-br", "address", "show", ONLY).stdout.split()[2:] == []
    finally:
        for name in names:
            call("down", name)


def test_one_more_is_told(sim, topology):
    """What is too long is told with its limit, all of it at once."""
    text = LONG.replace(NAME, NAME + "y").replace(CLIENT, CLIENT + "y").replace(TO_SERVERS, TO_SERVERS + "y")
    ended = sim("validate", topology(text))
    assert ended.status == 2
    assert [line.partition("t.yaml:")[2] for line in ended.stderr.splitlines()][:-1] == [
        "2:7: the name of a topology has 65 characters; 64 are allowed",
        "7:5: the name of a node has 65 characters; 64 are allowed",
        f"20:20: '{TO_SERVERS}y' cannot name an interface: 1 to 64 letters, digits, '-', '_' and '.' can, but not lo, all "
        "and default, which Linux uses itself"], ended.stderr


def test_a_program_asks_for_a_name_that_is_not_there():
    name = long("nobody")
    for words in (["dhcp-client", "--interface", name], ["dhcp-relay", "--server", "10.0.0.1", "--interface", name],
                  ["dhcp-server", "--subnet", "10.0.0.0/24", "--interface", name]):
        ended = subprocess.run([BIN / words[0], *words[1:]], capture_output=True, text=True, timeout=20)
        assert (ended.returncode, ended.stderr) == (3, f"{words[0]}: there is no interface '{name}'\n")
