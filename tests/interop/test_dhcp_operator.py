"""What an operator does with our DHCP server: writes its configuration, changes it while it runs, asks how
it is, and forbids renewals. dhcp_lab.py draws the picture.
"""
import itertools
import json
import re
import signal
import subprocess
import time

import pytest
from conftest import BIN, TREE, eventually, need
from dhcp_lab import ACK, DISCOVER, FENCE, NAK, REQUEST, Lab, packed
from scapy.layers.dhcp import BOOTP

ONE, TWO, THREE = (f"02:00:00:00:00:0{number}" for number in (1, 2, 3))
FENCED = f"""
subnet 10.0.1.0/24
bind {FENCE}=10.0.1.250
"""


@pytest.fixture
def lab(tmp_path):
    made = Lab(tmp_path)
    yield made
    made.end()


@pytest.fixture
def configured(lab, tmp_path):
    """Write the configuration and start the server with it; returns a function to write another and send
    SIGHUP, which comes back when that was read."""
    path = tmp_path / "dhcp.conf"

    def start(text, *options):
        path.write_text(FENCED + text)
        lab.start(*options, subnets=["--config", path])

        def again(other, done=True):
            path.write_text(other if other.startswith("!") else FENCED + other)
            key = "done" if done else "failed"
            before = lab.status()["reload"][key]
            lab.process.send_signal(signal.SIGHUP)
            eventually(lambda: lab.status()["reload"][key], before + 1)

        return again

    return start


def renew(lab, mac, address, **fields):
    """A RENEWING client, which has that address: it answers ARP. It is always answered."""
    lab.local.hosts.add(address)
    return lab.local.answer(lab.local.send(REQUEST, mac=mac, ciaddr=address, **fields))


def command(lab, *words):
    """The asking side: its exit status, and what it said."""
    ended = lab.run(BIN / "dhcp-server", *words, check=False)
    return ended.returncode, (ended.stdout + ended.stderr).strip()


# Configuration ------------------------------------------------------------------------------------

def test_the_example_of_the_manual(lab, tmp_path):
    """It is taken as it stands there, and means what it says."""
    manual = (TREE / "core/programs/dhcp/README.md").read_text()
    text = re.search(r"```conf\n(.*?)```", manual, re.S).group(1)
    example = tmp_path / "campus.conf"
    example.write_text(text)
    lab.start("--database", tmp_path / "leases.db", subnets=["--config", example])
    status = lab.status()
    assert [subnet["subnet"] for subnet in status["subnets"]] == ["10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"]
    near, students, boots = status["subnets"]
    assert near["lease"] == {"usual": 3600, "least": 60, "most": 86400}
    assert students["lease"] == {"usual": 600, "least": 60, "most": 7200}
    assert students["addresses"]["size"] == 80 + 131
    assert students["options"]["dns"] == "10.0.1.53,10.0.1.54"
    assert (boots["bootp"], boots["rapid_commit"], near["bootp"]) == (True, True, False)
    assert boots["options"]["boot-file"] == "pxe/start me.0"
    assert [subnet["bindings"]["size"] for subnet in status["subnets"]] == [0, 1, 3]
    assert status["settings"]["port_leases"] == 200 and status["settings"]["complaints"] == []
    # A student's printer, behind the relay: bound, named, and for ever.
    lab.relayed.send(DISCOVER, mac="02:00:00:00:00:50", xid=7, wants=(3, 6, 12, 121))
    offer = lab.relayed.answer(7)
    assert (offer.yiaddr, offer.number(51), offer.option(12)) == ("10.0.2.110", 0xffffffff, b"printer")
    assert offer.option(6) == packed("10.0.1.53") + packed("10.0.1.54")
    assert offer.option(121)[:5] == b"\x00" + packed("10.0.2.1")


def test_help_is_readable_and_the_manual_has_it_all(lab):
    _, shown = command(lab, "--help")
    manual = (TREE / "core/programs/dhcp/README.md").read_text()
    assert max(map(len, shown.splitlines())) <= 100
    options = re.findall(r"^  --([a-z-]+)", shown, re.M)
    assert len(options) > 20
    for name in set(options) - {"help", "version"}:
        assert re.search(rf"(`|^ *|--){name}( |`|$)", manual, re.M), f"the manual does not have {name}"


@pytest.mark.parametrize("program", ("dhcp-server", "dhcp-client", "dhcp-relay"))
def test_every_help_has_the_same_form(program):
    shown = subprocess.run([BIN / program, "--help"], capture_output=True, text=True, check=True).stdout
    assert max(map(len, shown.splitlines())) <= 100
    assert "\noptions:\n" not in shown, "options without a heading"
    general = shown.partition("\n\ngeneral:\n")[2]
    assert re.findall(r"^  --([a-z]+)", general, re.M) == ["config", "help", "version"]
    assert re.search(r"\n\nexit status: 0 done, 2 misuse, 3 the system refused.*\n$", general)


def test_a_duplicate_binding_costs_itself_alone(lab, configured):
    configured(f"bind {ONE}=10.0.1.50\nbind {ONE}=10.0.1.51\nbind {TWO}=10.0.1.50\nbind {TWO}=10.0.1.52\n")
    assert lab.local.ask(DISCOVER, mac=ONE).yiaddr == "10.0.1.50"
    assert lab.local.ask(DISCOVER, mac=TWO).yiaddr == "10.0.1.52"
    complaints = lab.status()["settings"]["complaints"]
    assert len(complaints) == 2
    for complaint, (second, first) in zip(complaints, ((5, 4), (6, 4))):
        assert re.search(rf"dhcp.conf:{second}\) does not count.*dhcp.conf:{first}\)", complaint), complaint
        assert f"error: {complaint}" in lab.log.read_text()


def test_a_faulty_configuration_is_not_served(lab, tmp_path):
    path = tmp_path / "dhcp.conf"
    path.write_text("lease 60\nsubnet 10.0.1.0/24\npool 10.0.1.9-10.0.1.1\n")
    status, said = command(lab, "--config", path)
    assert status == 2
    assert said == (f"dhcp-server: {path}:3: pool '10.0.1.9-10.0.1.1' is no range of addresses; one looks like "
                    "10.0.2.100-10.0.2.119")


# SIGHUP -------------------------------------------------------------------------------------------

def test_sighup_changes_options_pools_and_bindings(lab, configured):
    again = configured("pool 10.0.1.100-10.0.1.101\noption dns=1.1.1.1\nlease 600\n")
    leased = lab.local.lease(ONE, wants=(6,))
    assert (leased.yiaddr, leased.option(6), leased.number(51)) == ("10.0.1.100", packed("1.1.1.1"), 600)
    kept = lab.local.lease(TWO)
    again(f"pool 10.0.1.101-10.0.1.104\noption dns=9.9.9.9\nlease 700\nbind {ONE}=10.0.1.50\n")
    # Who has a place in the new configuration keeps it, on its terms.
    renewed = renew(lab, TWO, kept.yiaddr, wants=(6,))
    assert (renewed.kind, renewed.yiaddr, renewed.option(6), renewed.number(51)) == (
        ACK, "10.0.1.101", packed("9.9.9.9"), 700)
    # The new binding wins over the old lease at its client's next message.
    assert renew(lab, ONE, "10.0.1.100").kind == NAK
    assert lab.local.lease(ONE).yiaddr == "10.0.1.50"
    assert lab.local.lease(THREE).yiaddr in ("10.0.1.102", "10.0.1.103", "10.0.1.104")
    status = lab.status()
    assert status["subnets"][0]["addresses"] == {"size": 4, "bound": 2, "offered": 0, "declined": 0, "free": 2}
    assert status["received"]["DHCPDISCOVER"] >= 4, "the counters go on"


def test_sighup_with_a_faulty_file_changes_nothing(lab, configured):
    again = configured("pool 10.0.1.100-10.0.1.101\n")
    again("pool 10.0.1.100-10.0.1.101\nlaese 60\n", done=False)
    assert lab.status()["reload"]["error"].endswith("dhcp.conf:5: unknown option 'laese'; did you mean 'lease'?")
    assert "the configuration stays as it was" in lab.log.read_text()
    assert lab.local.lease(ONE).yiaddr == "10.0.1.100"
    again("pool 10.0.1.101-10.0.1.101\n")
    assert lab.status()["reload"] == {"done": 1, "failed": 1, "error": None}


def test_sighup_mirrors_and_says_what_needs_a_restart(lab, configured, tmp_path):
    need("sqlite3")
    database = tmp_path / "leases.db"
    again = configured(f"pool 10.0.1.100-10.0.1.101\ndatabase {database}\n")
    again(f"pool 10.0.1.7-10.0.1.8\noption mtu=1400\ndatabase {tmp_path}/other.db\nbind {ONE}=10.0.1.50\n")
    assert "'database' is another now" in lab.log.read_text()
    assert lab.status()["database"] == str(database)
    rows = lab.run("sqlite3", database, "SELECT first FROM pools; SELECT value FROM options; "
                   "SELECT address FROM bindings ORDER BY 1").stdout.split()
    assert rows == ["10.0.1.7", "1400", "10.0.1.250", "10.0.1.50"]


@pytest.mark.parametrize("without", ("", "pool 10.0.1.105-10.0.1.106\n", "subnet 10.0.2.0/24\npool 10.0.2.5-10.0.2.6\n"),
                         ids=("no-pool", "another-pool", "no-subnet"))
def test_a_restart_with_a_wrong_configuration_and_sighup_with_the_right_one(lab, configured, tmp_path, without):
    """The mistake that a tired person makes: nobody gets an address that somebody has."""
    right = "pool 10.0.1.100-10.0.1.101\n"
    configured(right, "--database", tmp_path / "leases.db")
    leased = lab.local.lease(ONE).yiaddr
    lab.stop()
    wrong = without if "subnet" in without else FENCED + without
    path = tmp_path / "dhcp.conf"
    path.write_text(wrong)
    lab.start("--database", tmp_path / "leases.db", subnets=["--config", path])
    path.write_text(FENCED + right)
    lab.process.send_signal(signal.SIGHUP)
    eventually(lambda: lab.status()["reload"]["done"], 1)
    assert lab.local.lease(TWO, options={50: packed(leased)}).yiaddr != leased
    renewed = renew(lab, ONE, leased)
    assert (renewed.kind, renewed.yiaddr) == (ACK, leased)


def test_no_message_is_lost_while_sighups_come(lab, configured, tmp_path):
    """Asked again and again, a signal among every few: each question is answered."""
    texts = itertools.cycle(f"pool 10.0.1.100-10.0.1.200\nlease {lease}\n" for lease in (600, 700))
    configured(next(texts), "--database", tmp_path / "leases.db")
    asked, answered = set(), set()

    def drain():
        while len(answered) < len(asked) and (frame := lab.local.next_frame(time.monotonic() + 10)):
            if frame[BOOTP].xid in asked:
                answered.add(frame[BOOTP].xid)

    for number in range(400):
        if number % 5 == 0:
            (tmp_path / "new.conf").write_text(FENCED + next(texts))
            (tmp_path / "new.conf").rename(tmp_path / "dhcp.conf")  # never half a file
            lab.process.send_signal(signal.SIGHUP)
        asked.add(lab.local.send(DISCOVER, mac="02:00:00:00:01:%02x" % (number % 100), xid=0x7000 + number,
                                 flags=0x8000))
        if number % 20 == 19:
            drain()
    drain()
    assert answered == asked
    eventually(lambda: lab.status()["reload"]["done"] > 0, True)
    assert lab.status()["reload"]["failed"] == 0


# Status -------------------------------------------------------------------------------------------

def test_status_as_json_and_as_a_table(lab, configured):
    configured(f"pool 10.0.1.100-10.0.1.103\npool 10.0.1.110-10.0.1.110\nbind {TWO}=10.0.1.50 lease=infinite\n"
               "router 10.0.1.254\nlease 600\n")
    lab.local.lease(ONE, options={61: b"\x00one"})
    lab.local.lease(TWO)
    lab.local.ask(DISCOVER, mac=THREE)
    lab.local.ask(REQUEST, mac=THREE, options={50: "10.9.9.9"})
    status = lab.status()
    subnet = status["subnets"][0]
    assert subnet["pools"] == [{"first": "10.0.1.100", "last": "10.0.1.103"},
                               {"first": "10.0.1.110", "last": "10.0.1.110"}]
    assert subnet["addresses"] == {"size": 5, "bound": 1, "offered": 1, "declined": 0, "free": 3}
    assert subnet["bindings"]["size"] == 2 and subnet["bindings"]["bound"] == 1
    assert subnet["options"] == {"router": "10.0.1.254"}
    leases = {lease["address"]: lease for lease in status["leases"]}
    assert leases["10.0.1.100"]["client_id"] == "006f6e65" and leases["10.0.1.100"]["state"] == "bound"
    assert leases["10.0.1.100"]["hardware_address"] == ONE and not leases["10.0.1.100"]["binding"]
    assert 590 <= leases["10.0.1.100"]["seconds_left"] <= 600
    assert (leases["10.0.1.50"]["ends"], leases["10.0.1.50"]["binding"]) == (None, True)
    assert leases["10.0.1.101"]["state"] == "offered"
    assert status["received"]["DHCPREQUEST"] == 3 and status["sent"]["DHCPACK"] == 2
    assert status["sent"]["DHCPNAK"] == 1 and status["reasons"]["wrong-network"] == 1
    lab.local.send_frame(b"no DHCP message")
    eventually(lambda: lab.status()["counters"]["malformed"], 1)
    code, table = command(lab, "status", "--control", lab.control)
    assert code == 0 and max(map(len, table.splitlines())) <= 80
    for row in (r"10\.0\.1\.0/24 +5 +1 +1 +0 +3", r"  bindings +2 +1 ", r"  pool 10\.0\.1\.110-10\.0\.1\.110",
                r"10\.0\.1\.50 +02:00:00:00:00:02 +bound +for ever", r"DHCPNAK +0 +1",
                r"10\.0\.1\.100 +02:00:00:00:00:01 +bound +\S+ \S+ +9 min", r" +1  wrong-network +\S",
                r" +1  malformed +no DHCP"):
        assert re.search(f"^{row}", table, re.M), f"{row}\n{table}"


def test_status_lists_as_many_leases_as_are_wanted(lab, configured):
    configured("pool 10.0.1.1-10.0.1.200\n")
    for number in range(30):
        lab.local.send(DISCOVER, mac=f"02:00:00:00:02:{number:02x}")
    lab.local.fence()
    assert len(lab.status()["leases"]) == 20
    assert len(lab.status("status", "--leases", "3")["leases"]) == 3
    everything = lab.status("status", "--leases")["leases"]
    assert len(everything) == 31  # and the fence's
    numbers = [tuple(map(int, lease["address"].split("."))) for lease in everything]
    assert numbers == sorted(numbers)
    assert "11 more: --leases lists all" in command(lab, "status", "--control", lab.control)[1]


def test_the_manual_has_every_key(lab, configured):
    configured(f"pool 10.0.1.100-10.0.1.103\nbind {TWO}=10.0.1.50\n")
    lab.local.lease(ONE)
    manual = (TREE / "core/programs/dhcp/README.md").read_text()
    status = lab.status()
    subnet = status["subnets"][0]
    for part in (status, status["settings"], status["reload"], status["counters"], subnet, subnet["pools"][0],
                 subnet["addresses"], subnet["lease"], status["leases"][0]):
        missing = [key for key in part if f"`{key}`" not in manual]
        assert not missing


def test_two_in_one_place(lab):
    """The second goes on without a control socket, where nobody asked for one."""
    logs, running = [], []
    for link, net in (("s0", "10.0.1"), ("s1", "10.0.9")):
        log = lab.folder / f"{link}.log"
        with log.open("wb") as file:
            running.append(subprocess.Popen(
                lab.inside(BIN / "dhcp-server", "--interface", link, "--subnet", f"{net}.0/24", "--pool",
                           f"{net}.100-{net}.103"), stderr=file))
        logs.append(log)
        eventually(lambda path=log: "serving" in path.read_text() or running[-1].poll(), True)
    try:
        assert "control socket" not in logs[0].read_text()
        assert ("the control socket '/run/dhcp-server.sock' belongs to another program that runs; no operator can "
                "ask this program (--control PATH chooses another)") in logs[1].read_text()
        status = json.loads(lab.run(BIN / "dhcp-server", "status", "--json").stdout)
        assert status["settings"]["interfaces"] == ["s0"]
    finally:
        for process in running:
            process.terminate()
        assert [process.wait(20) for process in running] == [0, 0]


def test_what_a_wrong_question_is_told(lab, configured):
    configured("pool 10.0.1.100-10.0.1.101\n")
    here = ("--control", lab.control)
    for words, expected, sentence in (
            (("refuse-renewal", "10.0.1.300", *here), 2,
             "'10.0.1.300' is neither an address nor a subnet; one looks like 10.0.2.100 or 10.0.2.0/24"),
            (("refuse-renewal", "10.0.7.0/24", *here), 2, "there is no subnet 10.0.7.0/24"),
            (("refuse-renewal", *here), 2, "refuse-renewal needs its ADDR|CIDR"),
            (("status", "now", *here), 2, "'now' is one word too many; --help shows the usage"),
            (("status", "--jason", *here), 2, "unknown option '--jason'; did you mean '--json'?"),
            (("stauts", *here), 2, "unknown command 'stauts'; did you mean 'status', as the first word?"),
            (("status", "--control", f"{lab.control}x"), 3,
             f"no dhcp-server listens at '{lab.control}x'; ask where one runs (in its node, as its user), or "
             "name its socket with --control PATH"),
            (("--subnet", "10.0.5.0/24", "--pool", "10.0.5.1-10.0.5.2", *here), 3,
             f"the control socket '{lab.control}' belongs to another program that runs")):
        assert command(lab, *words) == (expected, f"dhcp-server: {sentence}")
    assert lab.control.stat().st_mode & 0o777 == 0o600
    lab.process.kill()
    lab.process.wait()
    assert command(lab, "status", *here)[0] == 3
    lab.start(subnets=["--subnet", "10.0.1.0/24", "--pool", "10.0.1.100-10.0.1.101"])  # the dead one's is replaced
    assert command(lab, "status", *here)[0] == 0
    lab.stop()
    assert not lab.control.exists() and not list(lab.folder.glob("*.lock"))


# Refused renewals ---------------------------------------------------------------------------------

def test_one_lease_is_not_renewed_once(lab, configured, tmp_path):
    configured("pool 10.0.1.100-10.0.1.103\n", "--database", tmp_path / "leases.db")
    here = ("--control", lab.control)
    assert lab.local.lease(ONE).yiaddr == "10.0.1.100"
    assert lab.local.lease(TWO).yiaddr == "10.0.1.101"
    assert command(lab, "refuse-renewal", "10.0.1.100", *here) == (
        0, "10.0.1.100: the next renewal will be refused")
    marked = {lease["address"]: lease["do_not_renew"] for lease in lab.status()["leases"]}
    assert marked["10.0.1.100"] and not marked["10.0.1.101"]
    # It is in the database too: a restart does not forget it.
    lab.stop()
    lab.start("--database", tmp_path / "leases.db", subnets=["--config", tmp_path / "dhcp.conf"])
    assert renew(lab, TWO, "10.0.1.101").kind == ACK
    assert renew(lab, ONE, "10.0.1.100").kind == NAK
    assert lab.status()["reasons"]["renewal-refused"] == 1
    other = lab.local.lease(ONE).yiaddr
    assert other != "10.0.1.100"
    assert renew(lab, ONE, other).kind == ACK


def test_a_mark_can_be_taken_back(lab, configured):
    configured("pool 10.0.1.100-10.0.1.103\n")
    here = ("--control", lab.control)
    leased = lab.local.lease(ONE).yiaddr
    assert command(lab, "refuse-renewal", leased, *here)[0] == 0
    assert command(lab, "allow-renewal", leased, *here) == (0, f"{leased}: renewed as before")
    assert renew(lab, ONE, leased).kind == ACK
    assert command(lab, "refuse-renewal", "10.0.1.103", *here) == (
        2, "dhcp-server: there is no lease of 10.0.1.103")


def test_a_subnet_is_not_renewed(lab, configured):
    configured("pool 10.0.1.100-10.0.1.103\n")
    here = ("--control", lab.control)
    leased = lab.local.lease(ONE).yiaddr
    assert command(lab, "refuse-renewal", "10.0.1.0/24", *here) == (0, "10.0.1.0/24: every renewal is refused")
    assert lab.status()["subnets"][0]["refuse_renewal"] is True
    assert renew(lab, ONE, leased).kind == NAK
    leased = lab.local.lease(ONE).yiaddr
    assert command(lab, "allow-renewal", "10.0.1.0/24", *here) == (0, "10.0.1.0/24: renewed as before")
    assert renew(lab, ONE, leased).kind == ACK


def test_the_flag_and_the_operators_word(lab, configured):
    pool = "pool 10.0.1.100-10.0.1.103\n"
    again = configured("refuse-renewal\n" + pool)
    assert renew(lab, ONE, lab.local.lease(ONE).yiaddr).kind == NAK
    again(pool)
    leased = lab.local.lease(ONE).yiaddr
    assert renew(lab, ONE, leased).kind == ACK
    assert command(lab, "refuse-renewal", "10.0.1.7/24", "--control", lab.control)[0] == 0
    again(pool + "lease 700\n")  # what was said to the running server outlives this
    assert lab.status()["subnets"][0]["refuse_renewal"] is True
    assert renew(lab, ONE, leased).kind == NAK


LIVE = """name: t
topology:
  nodes:
    lan: {kind: switch, ipv4: 10.0.2.0/24}
    server:
      run:
        - {name: dhcp, cmd: "dhcp-server --subnet 10.0.2.0/24 --pool 10.0.2.100-10.0.2.103 --lease 16", ready: true}
    host: {}
  links:
    - {endpoints: ["server:eth0", lan], ipv4: [10.0.2.1/24]}
    - {endpoints: ["host:eth0", lan], ipv4: none}
scenarios:
  x:
    title: X
    steps:
"""


@pytest.mark.parametrize("client", ["dhcp-client --interface eth0",
                                    f"busybox udhcpc -f -i eth0 -s {TREE}/tests/interop/dhcp_script"])
def test_a_real_client_stops_using_its_address(sim, topology, client):
    need(*(word for word in ("busybox",) if client.startswith(word)))
    steps = [
        {"on": "host", "start": client, "as": "dhcp", "ready": client.startswith("dhcp-client")},
        {"on": "host", "addresses": "eth0", "expect": {"count": 1, "is": "10.0.2.100"}},
        {"on": "server", "run": "dhcp-server refuse-renewal 10.0.2.100"},
        {"on": "host", "addresses": "eth0", "expect": {"count": 1, "not": "10.0.2.100"}, "timeout": 25},
        {"on": "server", "messages": "DHCPNAK", "expect": {"count": 1}},
    ]
    ended = sim("run", topology(LIVE + "".join(f"      - {json.dumps(step)}\n" for step in steps)))
    ended.all_held()
