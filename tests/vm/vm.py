"""Run something in a throw-away guest: Debian's stock kernel in QEMU, with this machine's files,
read only, under a file system of the guest's own. Neither privilege nor KVM is needed, and nothing
is left. See README.md.

vm.py check [WORDS...]    pytest in the guest with WORDS (default: the scenarios); its exit status
vm.py shell [TOPOLOGY]    a terminal there with a lab up (default: two-subnets)
vm.py run COMMAND...      any command

exit status: the command's own; 124: it took too long; 125: the guest ended without one; 2: misuse;
3: there can be no guest here
"""
import argparse
import os
import signal
import sys
from pathlib import Path

import cache
import guest

TREE = cache.TREE


def tell(sentence):
    print(f"vm: {sentence}", file=sys.stderr, flush=True)


def arguments(words):
    parser = argparse.ArgumentParser(
        prog="tests/vm/vm.py", description="Run something in a throw-away guest.", epilog=__doc__.split("\n\n", 2)[2],
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--timeout", type=float, default=5400, metavar="SECONDS",
                        help="how long all of it may take; default: %(default)g")
    parser.add_argument("--accel", choices=("kvm", "tcg"),
                        help="KVM or emulation alone; default: KVM, and emulation where it gives no sign of life")
    parser.add_argument("--memory", type=int, default=2048, metavar="MIB", help="default: %(default)d")
    parser.add_argument("--results", type=Path, default=TREE / "results", metavar="DIR",
                        help="what the guest leaves is put below DIR/vm; default: results")
    parser.add_argument("verb", choices=("check", "shell", "run"))
    parser.add_argument("words", nargs=argparse.REMAINDER)
    options = parser.parse_args(words)
    if options.verb == "run" and not options.words:
        parser.error("run: what?")
    options.terminal = options.verb == "shell"
    return options


# What the kernel has to do with: not the programs' own behaviour, which is the same on every kernel. Ten
# thousand nodes do not fit into the guest's memory.
SCENARIOS = ["tests/vm/test_stock_kernel.py", "tests/scenarios/test_containment.py::test_limits_of_a_node",
             "tests/scenarios/lessons", "topologies", "--ignore=topologies/campus-10k.yaml"]


def command(options):
    """What the guest runs, as words."""
    if options.verb == "run":
        return options.words
    if options.verb == "shell":
        return ["sh", "-c", 'build/bin/sim up "$1" && exec bash -i', "sh", *(options.words or ["two-subnets"])]
    words = options.words or SCENARIOS
    return ["deps/with-judges", "/usr/bin/python3", "-m", "pytest", "-v", "-rs", "-p", "no:cacheprovider",
            "--junitxml", "/run/results/junit.xml", *words]


def main():
    options = arguments(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        guest.find_qemu()  # before anything is fetched
        parts = cache.parts(tell)
        return guest.Guest(parts, options, tell).run(command(options))
    except cache.Missing as missing:
        tell(str(missing))
        return 3
    except OSError as error:
        tell(f"there can be no guest: {error.filename or cache.CACHE}: {error.strerror}")
        return 3
    except KeyboardInterrupt:
        tell("interrupted; the guest is gone")
        return 130


if __name__ == "__main__":
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.exit(main())
