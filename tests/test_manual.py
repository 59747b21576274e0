"""The manuals are Markdown in the tree and pages for man(1): both can be read, and they say what the programs say."""
import json
import os
import re
import subprocess

import pytest
from conftest import BIN, TREE, need

MANUALS = {
    "sim.1": "core/cli/README.md",
    "sim-topology.5": "topologies/README.md",
    "sim-pytest.7": "tests/plugin/README.md",
    "dhcp-server.8": "core/programs/dhcp/README.md",
    "dhcp-client.8": "core/programs/dhcp/CLIENT.md",
    "dhcp-relay.8": "core/programs/dhcp/RELAY.md",
    "ftp-server.8": "core/programs/ftp/README.md",
    "ftp-client.1": "core/programs/ftp/CLIENT.md",
}
PROGRAMS = [page for page in MANUALS if not page.startswith("sim")]


def manual(page):
    return (TREE / MANUALS[page]).read_text()


def section(text, title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.M | re.S)[1]


def said(program, *words):
    return subprocess.run([BIN / program, *words], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """All pages as `make manual` makes them: their files by name."""
    folder = tmp_path_factory.mktemp("man")
    for page, source in MANUALS.items():
        made = subprocess.run([TREE / "deps/manual", "-v", "date=2026-11-22", TREE / source], capture_output=True,
                              text=True, check=True)
        assert made.stderr == ""
        (folder / page).write_text(made.stdout)
    return folder


def test_make_makes_all_of_them():
    listed = re.search(r"^PAGES = (.*)$", (TREE / "Makefile").read_text(), re.M)[1].split()
    assert sorted(listed) == sorted(MANUALS)
    made = dict(re.findall(r"\(call page,([^,]+),([^)]+)\)", (TREE / "Makefile").read_text()))
    assert made == MANUALS


@pytest.mark.parametrize("page", MANUALS)
def test_the_strictest_reader_has_nothing_to_say(pages, page):
    need("mandoc")
    seen = subprocess.run(["mandoc", "-Tlint", "-Wwarning", pages / page], capture_output=True, text=True, check=False)
    assert seen.stdout + seen.stderr == ""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """That of man, which looks for its parts in /usr: unpacked somewhere else it may not find them."""
    need("man", "groff")
    words = os.environ | {"MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANROFFOPT": "", "MAN_KEEP_FORMATTING": ""}
    smallest = tmp_path_factory.mktemp("man") / "x.1"
    smallest.write_text(".Dd November 22, 2026\n.Dt X 1\n.Os\n.Sh NAME\n.Nm x\n.Nd smallest\n")
    shown = subprocess.run(["man", "-l", smallest], capture_output=True, text=True, check=False, env=words)
    if shown.returncode or "x — smallest" not in shown.stdout:
        pytest.skip(f"man shows no page at all here: {shown.stderr.strip()}")
    return words


@pytest.mark.parametrize("page", MANUALS)
def test_man_shows_it(pages, environment, page):
    shown = subprocess.run(["man", "--warnings", "-l", pages / page], capture_output=True, text=True, check=True,
                           env=environment)
    assert shown.stderr == ""
    name, number = page.split(".")
    about = manual(page).splitlines()[0].partition(": ")[2]
    head, _, shown.stdout = shown.stdout.partition("\n")
    assert head.startswith(f"{name.upper()}({number})")
    assert f"NAME\n     {name} — {about}\n" in shown.stdout
    # Of Markdown, or of roff; what code shows with single stars is its own.
    assert re.findall(r"(?<!\*)\*\*(?!\*)|\]\(|\\[f%(]", shown.stdout) == []
    # Code stands there as it is here, to be copied.
    rest = manual(page).replace(section(manual(page), "Synopsis"), "") if "\n## Synopsis\n" in manual(page) else manual(page)
    blocks = re.findall(r"^```\w*\n(.*?)^```", rest, re.M | re.S)
    copied = re.findall(r"^    (\S.*)$", rest, re.M) + [line for block in blocks for line in block.splitlines()]
    shown_lines = {line.strip() for line in shown.stdout.splitlines()}
    assert [line for line in copied if line.strip() not in shown_lines] == []
    titles = [title.upper() for title in re.findall(r"^## (.*)$", manual(page), re.M)]
    assert [line for line in shown.stdout.splitlines() if re.match(r"[A-Z]", line)] == ["NAME", *titles]


def test_the_converter_refuses_what_is_no_manual():
    seen = subprocess.run([TREE / "deps/manual", TREE / "README.md"], capture_output=True, text=True, check=False)
    assert seen.returncode == 1 and "does not begin with '# NAME(SECTION): what it is'" in seen.stderr


def test_links_within_lead_somewhere():
    """[...](FILE#a-heading): the heading is there."""
    for path in [TREE / "README.md", TREE / "CONTRIBUTING.md", *(TREE / source for source in MANUALS.values())]:
        for target, anchor in re.findall(r"\]\(([^)#]*)#([^)]+)\)", path.read_text()):
            heads = re.findall(r"^#+ (.*)$", ((path.parent / target) if target else path).read_text(), re.M)
            anchors = {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}
            assert anchor in anchors, f"{path}: {target}#{anchor}"


def options_told(text):
    """The options that head the rows of tables: `--lease SECONDS`, and what is written `-w`, `--write FILE`."""
    return {span for head in re.findall(r"^\| ((?:`[^`]+`(?:, )?)+) \|", text, re.M)
            for span in re.findall(r"`(--[^`]+)`", head)}


def options_helped(text):
    return set(re.findall(r"^  (?:-\w, )?(--\S+(?: \S+)*)", text, re.M))


@pytest.mark.parametrize("page", PROGRAMS)
def test_options_are_those_of_the_help(page):
    """Each with the same word for its value."""
    text = manual(page)
    helped = options_helped(said(page.partition(".")[0], "--help"))
    assert len(helped) > 10
    assert options_told(section(text, "Options")) == helped


@pytest.mark.parametrize("page", PROGRAMS)
def test_commands_are_those_of_the_help(page):
    program = page.partition(".")[0]
    commands = re.search(r"^commands:\n(.*?)\n\n", said(program, "--help"), re.M | re.S)
    asked = re.findall(rf"^    {program} ([a-z][a-z-]+)", section(manual(page), "Synopsis"), re.M)
    assert asked == re.findall(r"^  ([a-z][a-z-]+) ", commands[1] if commands else "", re.M)


def verbs():
    listed = re.search(r"^verbs:\n(.*?)\n\n", said("sim", "help"), re.M | re.S)[1]
    return re.findall(r"^  ([a-z]+) ", listed, re.M)


def words(text):
    return " ".join(text.split())


def test_verbs_are_those_of_sim():
    text = manual("sim.1")
    told = re.split(r"^    (?=sim )", section(text, "Synopsis"), flags=re.M)[1:]
    assert [words(one) for one in told] == [words(said("sim", verb, "--help").split("\n\n")[0].removeprefix("usage: "))
                                            for verb in verbs()]
    assert re.findall(r"^### sim (\w+)$", section(text, "Verbs"), re.M) == verbs()


def test_options_of_verbs_are_those_of_sim():
    text = manual("sim.1")
    common = options_told(section(text, "Options"))
    parts = dict(re.findall(r"^### sim (\w+)\n(.*?)(?=^##|\Z)", section(text, "Verbs"), re.M | re.S))
    used = set()
    for verb in verbs():
        helped = options_helped(said("sim", verb, "--help"))
        own = options_told(parts[verb])
        assert own <= helped and helped - own <= common, verb
        used |= helped
    assert common - {"--help"} <= used


def schema_keys(at):
    """Every key that a topology file can have by its own name."""
    if isinstance(at, dict):
        yield from at.get("properties", {})
        for value in at.values():
            yield from schema_keys(value)
    elif isinstance(at, list):
        for value in at:
            yield from schema_keys(value)


def test_keys_are_those_of_the_schema():
    text = manual("sim-topology.5")
    schema = json.loads((TREE / "topologies/topology.schema.json").read_text())
    keys = set(schema_keys(schema))
    assert len(keys) > 50
    missing = {key for key in keys if not re.search(rf"`[^`\n]*\b{key}\b[^`\n]*`|^    .*\b{key}:", text, re.M)}
    assert not missing
    for title in ("nodes", "links", "scenarios"):
        part = re.search(rf"^### {title}\n(.*?)(?=^##|\Z)", text, re.M | re.S)[1]
        told = {key for head in re.findall(r"^\| (`.*?) \|", part, re.M) for key in re.findall(r"`([\w-]+)(?::[^`]*)?`", head)}
        assert told <= keys, told - keys


def test_dhcp_options_are_those_of_the_table():
    """Every name that can be said, with its number."""
    known = set(re.findall(r'^\t\[(\d+)\] = \{"([^"]+)"', (TREE / "core/dhcp/option.c").read_text(), re.M))
    assert len(known) > 100
    told = re.findall(r"`([a-z0-9-]+)` \((\d+)\)", section(manual("dhcp-server.8"), "DHCP options"))
    assert sorted(told) == sorted((name, code) for code, name in known)


def test_every_environment_variable_of_sim_is_told():
    folders = ("cli", "lab", "process", "results", "observe", "kernel", "base")
    used = {name for folder in folders for path in (TREE / "core" / folder).glob("*.c")
            for name in re.findall(r'getenv\("(\w+)"\)', path.read_text())}
    told = set(re.findall(r"`([A-Z_]+)`", section(manual("sim.1"), "Environment")))
    assert len(used) > 5 and told == used - {"NOTIFY_SOCKET"}  # that one is between a service and its lab
