"""Two network namespaces with a veth pair between them: the server's, which is our own, and the
load's. Everything lives in a PID namespace of its own and is gone with it, however we end."""
import os
import subprocess
import sys

SERVER, LOAD, PREFIX, LINK = "10.0.0.1", "10.0.0.2", 8, "server0"
INSIDE = "BENCH_INSIDE"


def enter(arguments):
    """Run this program again as the first process of its own namespaces; returns its exit status.
    Without privilege in a user namespace too."""
    flags = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        flags = ["--user", "--map-root-user", *flags]
    inside = subprocess.Popen(["unshare", *flags, sys.executable, *arguments],
                              env={**os.environ, INSIDE: "1"})
    while True:
        try:
            return inside.wait()
        except KeyboardInterrupt:
            pass  # the one inside was interrupted as well, and ends


def is_inside():
    return os.environ.get(INSIDE) == "1"


def _run(*words):
    subprocess.run(words, check=True)


class LoadNamespace:
    """The load's namespace, held by a process that waits for the end of its standard input."""

    def __init__(self):
        _run("mount", "-t", "tmpfs", "tmpfs", "/run")  # sockets and PID files of the servers
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec cat"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        pid = str(self.holder.pid)
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "link", "add", LINK, "type", "veth", "peer", "name", "load0", "netns", pid)
        _run("ip", "address", "add", f"{SERVER}/{PREFIX}", "dev", LINK)
        _run("ip", "link", "set", LINK, "up")
        _run(*self.command("ip", "link", "set", "lo", "up"))
        _run(*self.command("ip", "address", "add", f"{LOAD}/{PREFIX}", "dev", "load0"))
        _run(*self.command("ip", "link", "set", "load0", "up"))

    def command(self, *words):
        """These words, run in the load's namespace."""
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", "--", *map(str, words)]
