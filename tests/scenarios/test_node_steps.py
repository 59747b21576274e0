"""`node: stop` and `node: start`: a machine that is switched off, and on again.

    server --- lan --- client
                |
                r --- far         server 10.0.0.2, client .3, r .1; r and far 10.0.1.1, .2
"""
import json
import os
import re
import subprocess

import pytest

from conftest import BIN

TEXT = """name: t
topology:
  nodes:
    lan: {kind: switch, ipv4: 10.0.0.0/24, ipv6: 2001:db8::/64}
    server:
      sysctls: {net.ipv4.tcp_sack: 0, net.ipv4.conf.default.rp_filter: 2}
      exec: [ip route add blackhole 10.99.0.0/16%s]
      %s
      run: [{name: web, cmd: python3 -m http.server --bind 10.0.0.2 80, ready: {port: 80}}]
    client: {}
    r: {kind: router}
    far: {}
  links:
    - {endpoints: ["server:eth0", lan]%s}
    - {endpoints: ["client:eth0", lan]}
    - {endpoints: ["r:eth0", lan]}
    - {endpoints: ["r:the-long-way-to-the-far-one", "far:eth0"], ipv4: 10.0.1.0/30}
scenarios:
  x:
    title: X
    steps: [%s]
"""
FETCH = "curl -sf --max-time 20 http://server/"
# What a stranger may leave behind in a node.
DIRT = ("sh -c 'ip link add name dirt type bridge; ip address add 10.5.5.5/24 dev eth0; ip route add 10.77.0.0/16 dev eth0;"
        " ip rule add from 10.5.5.5 lookup 77; ip neighbour add 10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0;"
        " echo 1 > /proc/sys/net/ipv4/tcp_sack; touch /run/flag /tmp/flag /etc/flag kept;"
        " (setsid sh -c \"trap : TERM; while :; do sleep 1; done\" &)'")
STATE = ("sh -c 'ip -o link; ip -o -4 address; ip -o -6 address; ip route; ip -6 route; ip rule; cat /proc/sys/net/ipv4/tcp_sack"
         " /proc/sys/net/ipv4/conf/eth0/rp_filter; ls /run /tmp; ls /etc/flag; ps -e -o comm'")


def steps(*list):
    return ", ".join(f"{{{step}}}" for step in list)


def run(sim, topology, *list, more_exec="", server="", link=""):
    return sim("run", topology(TEXT % (more_exec, server, link, steps(*list))))


def state(run, name):
    """As it was printed, without what differs from one moment to the next."""
    text = run.log("x", name).split("@")
    return re.sub(r"valid_lft \w+|preferred_lft \w+|  PID.*|qlen \d+|link-netnsid \d+", "", "@".join(text))


def test_off_and_on(sim, topology):
    ended = run(
        sim, topology,
        f"on: client, run: {FETCH}",
        f"on: server, run: {json.dumps(STATE)}",
        f"on: server, run: {json.dumps(DIRT)}",
        "on: server, run: ip link show dirt",
        "on: server, node: stop",
        "on: client, run: ping -c1 -W1 10.0.0.2, expect: {exit: 1}",
        "on: server, addresses: eth0, expect: {count: 0}",
        "on: server, node: start",
        "on: client, run: ping -c1 -W5 10.0.0.2",
        "on: client, run: 'ping -c1 -W5 2001:db8::2'",
        f"on: far, run: {FETCH}",
        f"on: server, run: {json.dumps(STATE)}",
        "on: server, run: ls kept")
    ended.all_held()
    assert state(ended, "server.12-sh") == state(ended, "server.2-sh")


def test_what_is_watched_goes_on(sim, topology):
    """Frames on its links and events of its kernel, behind the switching off, too."""
    ended = run(
        sim, topology, "on: server, node: stop", "on: server, node: start", f"on: client, run: {FETCH}",
        "on: client, messages: SYN, expect: {at-least: 1}", "on: server, messages: SYN-ACK, expect: {count: 1}")
    ended.all_held()
    added = [event for event in ended.lines("x", "events.jsonl")
             if event["node"] == "server" and event.get("destination") == "10.0.0.0/24" and event["change"] == "added"]
    assert added


def test_twice_and_several(sim, topology):
    """A router and its neighbour at once; the second time in the same scenario."""
    ended = run(
        sim, topology,
        "on: [r, far], node: stop", "on: [far, r], node: start", f"on: far, run: {FETCH}",
        "on: [r, server], node: stop", "on: [server, r], node: start", f"on: far, run: {FETCH}",
        "on: r, node: stop", "on: r, node: start", "on: far, run: ping -c1 -W5 10.0.0.2")
    ended.all_held()
    assert "frames of link" in ended.stdout and "until its node is switched off" in ended.stdout


def test_with_the_cable_out(sim, topology):
    """A cable that is out stays out; one that is in another switch stays there."""
    ended = run(
        sim, topology, "on: client, link: down", "on: client, node: stop", "on: client, node: start",
        "on: client, run: ping -c1 -W1 10.0.0.2, expect: {exit: 1}", "on: client, link: up",
        "on: client, run: ping -c1 -W5 10.0.0.2")
    ended.all_held()
    assert "frames of link client:eth0 are captured only until its node is switched off" in ended.stdout


def test_rates_and_rules_are_there_again(sim, topology):
    ended = run(
        sim, topology, "on: server, node: stop", "on: server, node: start",
        "on: server, run: tc qdisc show dev eth0, expect: {output: rate 5Mbit}",
        "on: client, run: ping -c1 -W1 10.0.0.2, expect: {exit: 1}", f"on: client, run: {FETCH}",
        server="nftables: 'table inet f { chain i { type filter hook input priority 0; icmp type echo-request drop; }; }'",
        link=", rate: 5Mbit")
    if "Operation not supported" in ended.stderr or "token bucket" in ended.stderr:
        pytest.skip("this kernel has no token bucket or no nf_tables")
    ended.all_held()


@pytest.mark.parametrize("list, sentence", [
    (["on: server, node: start"], "server is running already"),
    (["on: server, node: stop", "on: server, node: stop"], "server is stopped already"),
    (["on: server, node: stop", "on: server, run: 'true'"], "server is stopped"),
])
def test_at_the_wrong_moment(sim, topology, list, sentence):
    ended = run(sim, topology, *list)
    assert ended.status == 1
    assert f"saw       {sentence}\n" in ended.stdout


def test_a_service_that_does_not_come_again(sim, topology):
    once = ", \"sh -c 'if test -e once; then echo not again; exit 5; fi; touch once'\""
    ended = run(sim, topology, "on: server, node: stop", "on: server, node: start", more_exec=once)
    assert ended.status == 1
    assert "step      server: node start" in ended.stdout
    assert "saw       exec of server: sh -c" in ended.stdout
    assert "it ended with exit status 5; last printed 'not again'" in ended.stdout


@pytest.mark.parametrize("prefix", [[], ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                         "--inh-caps=-all", "--bounding-set=-all"]], ids=["self", "ordinary"])
def test_as_everybody(tmp_path, topology, prefix):
    if prefix and os.geteuid() != 0:
        pytest.skip("we are an ordinary user already")
    path = topology(TEXT % ("", "", "", steps("on: server, node: stop", "on: server, node: start", f"on: far, run: {FETCH}")))
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.name.startswith(("pytest-", "popen-", "test_")):
            folder.chmod(folder.stat().st_mode | 0o055)
    tmp_path.chmod(0o777)
    ended = subprocess.run([*prefix, BIN / "sim", "run", "--results", tmp_path / "results", path],
                           capture_output=True, text=True, timeout=100, cwd="/")
    assert ended.returncode == 0, ended.stdout + ended.stderr
