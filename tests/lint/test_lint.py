"""The linter finds what it is there for, and only that: each case is a tree of one file or two."""
import subprocess
import sys
from pathlib import Path

import pytest

LINT = Path(__file__).with_name("lint.py")

FOUND = [
    # a file, its text, the line found, a part of the sentence
    ("core/base/x.c", '#include "plan/plan.h"\n', 1, "base/ does not include from plan/"),
    ("core/topology/x.c", '\n#include "plan/plan.h"\n', 2, "topology/ does not include from plan/"),
    ("core/dhcp/x.c", '#include "plan/plan.h"\n', 1, "dhcp/ does not include from plan/"),
    ("core/programs/ftp/x.c", '#include "programs/dhcp/edge.h"\n', 1,
     "programs/ftp/ does not include from programs/dhcp/"),
    ("core/programs/dhcp/x.c", '#include "plan/plan.h"\n', 1, "does not include from plan/"),
    ("core/lab/x.c", '#include "programs/dhcp/edge.h"\n', 1, "does not include from programs/dhcp/"),
    ("core/cli/x.c", '#include "plan/plan.h"\n', 1, "cli/ does not include from plan/"),
    ("core/base/x.c", '#include "base/nowhere.h"\n', 1, 'there is no "base/nowhere.h"'),
    ("core/helpers/x.c", "int x;\n", 1, "no folder of the map"),
    ("core/plan/x.c", "#include <jansson.h>\n", 1, "<jansson.h> is for base alone"),
    ("core/plan/x.c", "#  include <yaml.h>\n", 1, "<yaml.h> is for topology alone"),
    ("core/observe/x.c", "#include <netlink/route/link.h>\n", 1, "is for kernel"),
    ("core/programs/dhcp/server.c", "#include <netlink/netlink.h>\n", 1, "is for kernel"),
    ("core/kernel/x.c", "#include <libmnl/libmnl.h>\n", 1, "is for observe alone"),
    ("core/lab/x.c", "#include <pcap/pcap.h>\n", 1, "is for observe alone"),
    ("core/dhcp/x.c", "#include <sqlite3.h>\n", 1, "is for programs/dhcp alone"),
    ("core/dhcp/x.c", "#include <sys/socket.h>\n", 1, "dhcp/ is pure"),
    ("core/ftp/x.c", "void f(void)\n{\n\tlong t = time(NULL);\n}\n", 3, "time() in a pure folder"),
    ("core/plan/x.c", 'void f(void)\n{\n\tprintf("x");\n}\n', 3, "only cli/ and programs/ print"),
    ("core/plan/x.c", "void f(char *t)\n{\n\tsprintf(t, t);\n}\n", 3, "sprintf() is not used here"),
    ("core/plan/x.c", "/* two\n * lines */ int x = atoi (y);\n", 2, "atoi() is not used here"),
    ("core/cli/x.c", "int x = system(y);\n", 1, "system() is not used here"),
    ("tests/unit/x_test.c", "int x = usleep(1);\n", 1, "usleep() in a test"),
    ("tests/unit/x_test.c", "char *x = strcpy(y, z);\n", 1, "strcpy() is not used here"),
    ("tests/test_x.py", "import time\n\ndef test_x():\n    time.sleep(1)\n", 4, "sleep in a test"),
    ("tests/test_x.py", "def test_x(:\n", 1, "is not Python"),
]

CLEAN = [
    ("core/plan/x.c", '#include "base/error.h"\n#include "plan/plan.h"\n#include <stdio.h>\n'),
    ("core/dhcp/x.c", '#include "base/error.h"\n'),
    ("core/programs/dhcp/interface.c", "#include <netlink/netlink.h>\n"),
    ("core/programs/dhcp/x.c", "#include <sqlite3.h>\n#include <event2/event.h>\n"),
    ("core/cli/x.c", 'int f(void)\n{\n\treturn printf("strcpy(a, b)");\n}\n'),
    ("core/plan/x.c", "/* sprintf(x) */ // strcpy(y)\nint x = my_system(1) + a.sleep(1) + b->gets(2);\n"),
    ("core/plan/x.c", "/*\n#include <yaml.h>\n*/\n"),
    ("core/base/log.c", 'void f(void)\n{\n\tvprintf("x", y);\n}\n'),
    ("tests/unit/x_test.c", '#include "plan/plan.h"\nint x = printf("x");\n'),
    ("tests/x.py", "import time\n\ndef eventually(probe):\n    while not probe():\n        time.sleep(1)\n"),
]


def lint(tree, path, text):
    for header in ("core/base/error.h", "core/plan/plan.h", "core/programs/dhcp/edge.h", path):
        file = tree / header
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text if header == path else "")
    (tree / "tests").mkdir(exist_ok=True)
    return subprocess.run([sys.executable, LINT, tree], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path, text, line, sentence", FOUND)
def test_finds(tmp_path, path, text, line, sentence):
    seen = lint(tmp_path, path, text)
    assert seen.stdout.startswith(f"{path}:{line}: ") and sentence in seen.stdout, seen
    assert seen.stdout.count("\n") == 1 and seen.returncode == 1, seen


@pytest.mark.parametrize("path, text", CLEAN)
def test_leaves_alone(tmp_path, path, text):
    seen = lint(tmp_path, path, text)
    assert (seen.stdout, seen.stderr, seen.returncode) == ("", "", 0)


def test_sizes_are_only_remarked_on(tmp_path):
    seen = lint(tmp_path, "core/plan/x.c", "\n" * 601)
    assert "core/plan/x.c:1: remark: 601 lines" in seen.stdout and seen.returncode == 0
