"""What no compiler checks: the include rules of the map (core/README.md), the functions we do not
use, and sizes. Every finding is one line, `file:line: sentence`; exit status 1 where there is one.
Sizes are only remarked on.

usage: lint.py [TREE]
"""
import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

# The folders in the order data flows: each includes from itself and those before it.
STAGES = ["base", "topology", "plan", "exchange", "dhcp", "ftp", "kernel", "process", "wire", "observe",
          "scenario", "results", "lab"]
# Those beside the flow, and what each may include besides itself.
BESIDE = {
    "programs/shared": ["base", "dhcp", "ftp"],
    "programs/dhcp": ["base", "dhcp", "ftp", "programs/shared"],
    "programs/ftp": ["base", "dhcp", "ftp", "programs/shared"],
    "cli": ["base", "lab"],
}
# The pure machines include nothing of ours but base.
PURE = ["dhcp", "ftp"]
LOOP = ["process", "wire", "observe", "lab", "programs/shared", "programs/dhcp", "programs/ftp"]
# A library's headers, and the folders or files that alone may include them.
LIBRARIES = [
    ("jansson.h", ["base"]),
    ("yaml.h", ["topology"]),
    ("expat.h", ["exchange"]),
    ("netlink/", ["kernel", "programs/dhcp/interface.c", "programs/dhcp/interface_route.c",
                  "programs/dhcp/interface_netlink.h"]),
    ("nftables/", ["kernel"]),
    ("libmnl/", ["observe"]),
    ("pcap", ["observe"]),
    ("sqlite3.h", ["programs/dhcp"]),
    ("sha256.h", ["results"]),
    ("event2/", LOOP),
    ("event.h", LOOP),
    ("openssl/", ["programs/ftp"]),
    ("crypt.h", ["programs/ftp"]),
    ("editline/", ["programs/ftp"]),
    ("histedit.h", ["programs/ftp"]),
]
# Everything that gives the pure folders a socket, a clock, a file or chance.
IMPURE_HEADERS = {"sys/socket.h", "sys/epoll.h", "poll.h", "netdb.h", "fcntl.h", "dirent.h",
                  "sys/random.h", "sys/timerfd.h"}
IMPURE_CALLS = {"socket", "open", "openat", "fopen", "opendir", "time", "gettimeofday",
                "clock_gettime", "clock_monotonic_ns", "clock_boottime_ns", "clock_realtime_ns", "clock_read_ns", "rand",
                "random", "getrandom", "getentropy", "getenv"}
BANNED = {
    "sprintf": "snprintf", "vsprintf": "vsnprintf", "strcpy": "base/text.h",
    "strcat": "base/text.h", "strncpy": "base/text.h", "strncat": "base/text.h",
    "strtok": "strsep or base/text.h", "atoi": "base/text.h", "atol": "base/text.h",
    "atoll": "base/text.h", "sscanf": "base/text.h", "gets": "getline",
    "system": "posix_spawn or process/", "popen": "posix_spawn or process/",
    "alloca": "an array of fixed size or malloc", "usleep": "a timer", "sleep": "a timer",
}
# What speaks to a person. Errors elsewhere are returned.
SPEAKERS = ["cli", "programs/shared", "programs/dhcp", "programs/ftp"]
SPEAKS = {"printf", "vprintf", "puts", "putchar", "perror", "log_line"}
SLEEPS = {"sleep", "usleep", "nanosleep", "clock_nanosleep"}
FILE_LINES, FUNCTION_LINES = 600, 50

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
CALL = re.compile(r"(?<![\w.])(?<!->)([a-z_]\w*)\s*\(")
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code_only(text):
    """The text with comments, strings and characters blanked, every line where it was."""
    return NOT_CODE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def folder_of(path):
    """The folder of the map that a path below core/ belongs to; None for one the map lacks."""
    parts = Path(path).parts[:-1]
    name = "/".join(parts[:2]) if parts[:1] == ("programs",) else "/".join(parts)
    return name if name in STAGES or name in BESIDE else None


def may_include(folder):
    if folder in BESIDE:
        return [folder, *BESIDE[folder]]
    if folder in PURE:
        return ["base", folder]
    return STAGES[:STAGES.index(folder) + 1]


def check_own(core, path, folder, target):
    """An include in quotes: ours."""
    home = folder_of(target if "/" in target else path.parent / target)
    if not (core / target).exists() and not (core / path.parent / target).exists():
        return f'there is no "{target}" in core/'
    if home is None:
        return f'"{target}" is in no folder of the map'
    if home not in may_include(folder):
        return f"{folder}/ does not include from {home}/ (the map in core/README.md)"
    if folder in PURE and target in IMPURE_HEADERS:
        return f'{folder}/ is pure: no "{target}"'
    return None


def check_library(path, folder, target):
    """An include in angle brackets: the system's."""
    if folder in PURE and target in IMPURE_HEADERS:
        return f"{folder}/ is pure: no <{target}>"
    for prefix, homes in LIBRARIES:
        if target.startswith(prefix) and folder not in homes and path.as_posix() not in homes:
            return f"<{target}> is for {', '.join(homes)} alone"
    return None


def lint_includes(core, path, text):
    folder = folder_of(path)
    if folder is None:
        yield 1, "is in no folder of the map (core/README.md)"
        return
    # Strings stay, they hold the names; comments go.
    bare = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)
    for match in INCLUDE.finditer(bare):
        mark, target = match.groups()
        wrong = (check_own(core, path, folder, target) if mark == '"'
                 else check_library(path, folder, target))
        if wrong:
            yield line_of(bare, match.start(1)), wrong


def lint_calls(text, path, folder):
    """path: below core/; None for a test's."""
    code = code_only(text)
    silent = path is not None and folder not in SPEAKERS and path.stem != "log"
    for match in CALL.finditer(code):
        name, line = match.group(1), line_of(code, match.start())
        if path is None and name in SLEEPS:
            yield line, f"{name}() in a test: poll a fact instead"
        elif name in BANNED:
            yield line, f"{name}() is not used here: take {BANNED[name]}"
        elif folder in PURE and name in IMPURE_CALLS:
            yield line, f"{name}() in a pure folder: the edge hands it in"
        elif silent and name in SPEAKS:
            yield line, f"{name}() here: only cli/ and programs/ print and log"


def lint_python(text):
    """A test never sleeps, but for the pause of a loop that polls: in `eventually`."""
    def visit(node, inside):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inside = node.name
        if isinstance(node, ast.Call) and inside != "eventually":
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name == "sleep":
                yield node.lineno, "sleep in a test: poll a fact with eventually() instead"
        for child in ast.iter_child_nodes(node):
            yield from visit(child, inside)
    try:
        yield from visit(ast.parse(text), "")
    except SyntaxError as error:
        yield error.lineno or 1, f"is not Python: {error.msg}"


def findings(tree):
    core = tree / "core"
    for path in sorted([*core.rglob("*.[ch]"), *(tree / "tests").rglob("*.[ch]")]):
        text = path.read_text(errors="replace")
        below = path.relative_to(core) if core in path.parents else None
        if below:
            for line, sentence in lint_includes(core, below, text):
                yield path, line, sentence
        for line, sentence in lint_calls(text, below, folder_of(below) if below else None):
            yield path, line, sentence
    for path in sorted((tree / "tests").rglob("*.py")):
        for line, sentence in lint_python(path.read_text()):
            yield path, line, sentence


def sizes(tree):
    """Long files; long functions where there is a ctags that knows where one ends."""
    files = sorted((tree / "core").rglob("*.[ch]"))
    for path in files:
        lines = path.read_text(errors="replace").count("\n")
        if lines > FILE_LINES:
            yield path, 1, f"{lines} lines: is it two things?"
    ctags = shutil.which("ctags-universal") or shutil.which("ctags")
    if not ctags or not files:
        return
    seen = subprocess.run(
        [ctags, "-x", "--_xformat=%{line}\t%{end}\t%N\t%F", "--kinds-C=f", "--fields=+ne", "-L", "-"],
        input="\n".join(map(str, files)), capture_output=True, text=True, check=False).stdout
    for row in sorted(seen.splitlines()):
        line, end, name, file = row.split("\t")
        if end.isdigit() and int(end) - int(line) > FUNCTION_LINES:
            yield Path(file), int(line), f"{name}() has {int(end) - int(line) + 1} lines"


def main(arguments):
    tree = Path(arguments[0] if arguments else ".")
    count = 0
    for path, line, sentence in findings(tree):
        print(f"{path.relative_to(tree)}:{line}: {sentence}")
        count += 1
    for path, line, sentence in sizes(tree):
        print(f"{path.relative_to(tree)}:{line}: remark: {sentence}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
