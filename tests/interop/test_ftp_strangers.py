"""Strangers judge us: stock FTP clients at our server, our client at stock servers.

Each test is a topology file with the stranger's command in it, run by sim. For DHCP see
test_dhcp_strangers.py.

    server --- lan-a --- router --- lan-b --- client[1-6]
             10.0.1.0/24         10.0.2.0/24
"""
import os
import random

import pytest
from conftest import need

NETWORK = """
name: strangers
topology:
  nodes:
    lan-a: {{kind: switch, ipv4: 10.0.1.0/24}}
    lan-b: {{kind: switch, ipv4: 10.0.2.0/24}}
    router: {{kind: router}}
    server:
      files: {{files/hello.txt: "Hello.\\n", files/empty: "", vsftpd.conf: "{vsftpd}"}}
      run: [{services}]
    "client[1-6]": {{}}
  links:
    - {{endpoints: ["server:eth0", lan-a], ipv4: [10.0.1.10/24]}}
    - {{endpoints: ["router:eth0", lan-a]}}
    - {{endpoints: ["router:eth1", lan-b]}}
    - {{endpoints: ["client[1-6]:eth0", lan-b]}}
scenarios:
  stranger:
    title: A stranger judges us
    steps:
"""

OUR_FTP = "{name: ftp, cmd: ftp-server --root files --anonymous all --clients 3 --waiting 2, ready: true}"


@pytest.fixture
def held(sim, topology):
    """Run these steps in that network; they all must hold."""

    def run(steps, services=""):
        text = NETWORK.format(vsftpd=VSFTPD_CONF.replace("\n", "\\n"), services=services)
        ended = sim("run", topology(text + "".join(f"      - {step}\n" for step in steps)))
        ended.all_held()
        return ended

    return run


FETCHERS = {
    "curl": "curl -sS -o got ftp://server/{name}",
    "curl-active": "curl -sS --ftp-port - -o got ftp://server/{name}",
    "lftp": "lftp -e 'set net:max-retries 1; set xfer:clobber on; get {name} -o got; bye' server",
    "wget": "wget -q -t 1 -O got ftp://server/{name}",
    "busybox": "busybox ftpget -u anonymous -p x server got {name}",
    "tnftp": "tnftp -V -o got ftp://server/{name}",
    "ncftpget": "ncftpget -V -r 1 -C server {name} got",
    "inetutils-ftp": "sh -c '(echo user anonymous x; echo binary; echo get {name} got)"
                     " | inetutils-ftp -n server'",
}


@pytest.mark.parametrize("fetcher", FETCHERS)
def test_stock_clients_fetch_from_our_server(held, fetcher):
    command = FETCHERS[fetcher]
    need(fetcher.removesuffix("-active"))
    steps = ["{on: server, run: \"sh -c 'head -c 3000000 /dev/urandom > files/big'\"}"]
    for name in ("hello.txt", "empty", "big"):
        steps.append(f'{{on: client1, run: "{command.format(name=name)}"}}')
        steps.append(f'{{same-files: ["server:files/{name}", "client1:got"]}}')
    held(steps, services=OUR_FTP)


STORERS = {
    "curl": ["curl -sS -T new ftp://server/", "curl -sS -l ftp://server/"],
    "lftp": ["lftp -e 'set net:max-retries 1; put new; bye' server",
             "lftp -e 'set net:max-retries 1; cls -1; bye' server"],
    "busybox": ["busybox ftpput -u anonymous -p x server new new", None],
}


@pytest.mark.parametrize("storer", STORERS)
def test_stock_clients_store_and_list(held, storer):
    store, listing = STORERS[storer]
    need(store.split()[0])
    steps = ["{on: client1, run: \"sh -c 'head -c 300000 /dev/urandom > new'\"}",
             f'{{on: client1, run: "{store}"}}', '{same-files: ["client1:new", "server:files/new"]}']
    if listing:
        steps.append(f'{{on: client1, run: "{listing}", expect: {{exit: 0, output: [hello.txt, new]}}}}')
    held(steps, services=OUR_FTP)


@pytest.mark.parametrize("fetcher", [name for name in FETCHERS if name != "curl-active"])
def test_stock_clients_wait_in_line(held, fetcher):
    """Three sessions of ours are served; the stranger waits, and is served when one leaves."""
    need(fetcher)
    command = FETCHERS[fetcher].format(name="hello.txt")
    held([
        "{on: 'client[1-3]', start: ftp-client server, as: ftp, expect: {output: '220 '}}",
        f'{{on: client4, start: "{command}", as: stranger}}',
        "{on: server, watch: ftp, expect: {output: 10.0.2.5}}",
        "{on: client2, send: quit, to: ftp, expect: {exit: 0}}",
        "{on: client4, watch: stranger, expect: {exit: 0}}",
        '{same-files: ["server:files/hello.txt", "client4:got"]}',
    ], services=OUR_FTP)


def stock_server(kind):
    """The service entry of a stock FTP server that serves `files` to anonymous."""
    if kind == "pyftpdlib":
        pytest.importorskip("pyftpdlib", reason="python3-pyftpdlib is not installed")
        return "{name: ftp, cmd: /usr/bin/python3 -m pyftpdlib -p 21 -w -d files, ready: {port: 21}}"
    need("vsftpd")
    if os.geteuid() != 0:
        pytest.skip("vsftpd gives up root for another user, which a user namespace does not have")
    return ("{name: ftp, cmd: \"sh -c 'mkdir empty files/in; chmod 555 empty; chmod 777 files/in;"
            " sed s,HERE,$PWD, vsftpd.conf > own.conf; exec vsftpd $PWD/own.conf'\","
            " ready: {port: 21}}")


VSFTPD_CONF = """listen=YES
background=NO
anonymous_enable=YES
anon_root=HERE/files
write_enable=YES
anon_upload_enable=YES
anon_world_readable_only=NO
anon_umask=022
secure_chroot_dir=HERE/empty
ftp_username=daemon
nopriv_user=nobody
seccomp_sandbox=NO
connect_from_port_20=NO
"""


@pytest.mark.parametrize("active", ["", "--active "])
@pytest.mark.parametrize("kind", ["pyftpdlib", "vsftpd"])
def test_our_client_at_a_stock_server(held, kind, active):
    directory = "in/" if kind == "vsftpd" else ""
    held([
        "{on: server, run: \"sh -c 'head -c 3000000 /dev/urandom > files/big; chmod 644 files/*.txt"
        " files/big'\"}",
        f"{{on: client1, run: ftp-client {active}server get hello.txt}}",
        f"{{on: client1, run: ftp-client {active}server get big}}",
        '{same-files: ["server:files/hello.txt", "client1:hello.txt"]}',
        '{same-files: ["server:files/big", "client1:big"]}',
        f"{{on: client1, run: ftp-client {active}server put big {directory}new}}",
        f'{{same-files: ["client1:big", "server:files/{directory}new"]}}',
        f"{{on: client1, run: ftp-client {active}server ls, expect: {{exit: 0, output: hello.txt}}}}",
        f"{{on: client1, run: ftp-client {active}server get missing, expect: {{exit: 5, output: '550'}}}}",
    ], services=stock_server(kind))


def test_nothing_outside_the_root(held):
    """What curl and a symbolic link try to reach stays out of reach."""
    need("curl")
    secret = f"secret-{random.randrange(10**9)}"
    held([
        f"{{on: server, run: \"sh -c 'echo {secret} > outside; ln -s ../outside files/link;"
        " ln -s /etc files/etc; ln -s / files/root'\"}",
        "{on: client1, run: curl -sS --path-as-is ftp://server/../outside, expect: {exit: 78}}",
        "{on: client1, run: curl -sS --path-as-is ftp://server/%2e%2e/outside, expect: {exit: 78}}",
        "{on: client1, run: curl -sS ftp://server//etc/passwd, expect: {exit: 9}}",
        "{on: client1, run: curl -sS ftp://server/link, expect: {exit: 78}}",
        "{on: client1, run: curl -sS --ftp-method nocwd ftp://server/etc/passwd, expect: {exit: 78}}",
        "{on: client1, run: curl -sS ftp://server/etc/passwd, expect: {exit: 9}}",
        "{on: client1, run: curl -sS ftp://server/root/, expect: {exit: 9}}",
        "{on: client1, run: curl -sS -T /etc/hostname ftp://server/root/tmp/x, expect: {exit: 9}}",
    ], services=OUR_FTP)
