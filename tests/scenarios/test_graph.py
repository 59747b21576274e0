"""sim graph: what is drawn, that it can be read, and that drawing is bounded and confined."""
import html
import json
import os
import re
import subprocess

import pytest
from conftest import BIN, TREE, need

SHIPPED = sorted(path.stem for path in (TREE / "topologies").glob("*.yaml"))
SIM = str(BIN / "sim")


def texts(svg):
    """Every text of a picture, as one string with a blank between two."""
    found = re.findall(r"<text [^>]*>([^<]*)</text>", svg)
    return " ".join(html.unescape(text) for text in found).replace("\u00a0", " ")


def shape(svg):
    """A picture without its numbers and Graphviz's version: what does not depend on the fonts here."""
    return re.sub(r"<!-- Generated.*?-->", "", re.sub(r"-?\d+(\.\d+)?", "N", re.sub(
        r"(<text[^>]*>)([^<]*)", lambda found: found[1] + found[2].translate(
            str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")), svg)), flags=re.S)


def boxes(dot):
    """Of each node and label the middle and the size, in points, as Graphviz lays them out."""
    plain = subprocess.run(["dot", "-Tplain"], input=dot, capture_output=True, text=True, check=True,
                           timeout=60).stdout
    for line in plain.splitlines():
        word = re.match(r'node ("(?:[^"\\]|\\.)*"|\S+) (\S+) (\S+) (\S+) (\S+) ', line)
        if word:
            yield word[1], *(float(number) * 72 for number in word.groups()[1:])


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_topology(sim, name, tmp_path):
    """Every address of a node that is drawn by itself can be read, and nothing covers anything else."""
    need("dot")
    ended = sim("graph", name, "-o", tmp_path / "x.svg")
    assert (ended.status, ended.stdout, ended.stderr) == (0, f"{tmp_path}/x.svg\n", "")
    shown = texts((tmp_path / "x.svg").read_text())
    plan = json.loads(sim("plan", name, "--json").stdout)
    alone = 0
    for node in plan["nodes"]:
        if not re.search(rf"(^| ){re.escape(node['name'])}( |$)", shown):
            assert " … " in shown, f"{node['name']} is nowhere in {shown}"
            continue
        alone += 1
        if node["kind"] == "switch" or " … " in shown:
            continue
        for interface in node["interfaces"]:
            for family in ("ipv4", "ipv6"):
                assert (interface.get(family) or "") in shown, (node["name"], interface, shown)
    assert alone >= 2
    assert sim("graph", name, "-o", tmp_path / "x.dot").status == 0
    found = list(boxes((tmp_path / "x.dot").read_text()))
    assert len(found) > 2
    for i, (one, x, y, width, height) in enumerate(found):
        for other, x2, y2, width2, height2 in found[:i]:
            apart = abs(x - x2) >= (width + width2) / 2 - 1 or abs(y - y2) >= (height + height2) / 2 - 1
            assert apart, f"{one} covers {other}"


def test_the_picture_of_the_readme(sim, tmp_path):
    """topologies/two-subnets.svg is what `sim graph two-subnets` draws in that folder."""
    need("dot")
    ended = sim("graph", "two-subnets", cwd=tmp_path)
    assert (ended.status, ended.stdout) == (0, "two-subnets.svg\n")
    drawn = (tmp_path / "two-subnets.svg").read_text()
    shipped = (TREE / "topologies" / "two-subnets.svg").read_text()
    assert texts(drawn) == texts(shipped)
    assert shape(drawn) == shape(shipped)
    for word in ("server", "10.0.1.10/24", "client1 … client25", "25 hosts", "10.0.2.0/24", "eth1"):
        assert word in texts(drawn)


@pytest.mark.parametrize("end, start", [
    ("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("dot", b"graph \""), ("gv", b"graph \"")])
def test_forms(sim, end, start, tmp_path):
    need("dot")
    assert sim("graph", "ring", "-o", tmp_path / f"a.{end}").status == 0
    assert (tmp_path / f"a.{end}").read_bytes().startswith(start)


def test_into_a_pipe(sim):
    need("dot")
    ended = sim("graph", "ring", "-o", "-")
    assert ended.status == 0
    assert ended.stdout.startswith("<?xml") and ended.stdout.endswith("</svg>\n")


def test_what_cannot_be_written(sim, tmp_path):
    for path, status, words in [
            (tmp_path / "x.jpg", 2, "names no form of picture: .svg, .png, .pdf and .dot do"),
            (tmp_path, 2, "names no form of picture"),
            (tmp_path / "none" / "x.dot", 3, f"cannot write '{tmp_path}/none/x.dot': No such file")]:
        ended = sim("graph", "ring", "-o", path)
        assert ended.status == status and words in ended.stderr, ended.stderr
        assert len(ended.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())
    with open("/dev/full", "w") as full:
        ended = subprocess.run([SIM, "graph", "ring", "-o", "-"], stdout=full, stderr=subprocess.PIPE,
                               text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (3, "sim: cannot write '-': No space left on device\n")


def test_without_graphviz(sim, tmp_path):
    """A sentence that says what is missing and what goes without it; no file is left."""
    environment = {**os.environ, "PATH": str(tmp_path)}
    ended = sim("graph", "ring", "-o", tmp_path / "x.svg", env=environment)
    assert ended.status == 3
    assert ended.stderr == ("sim: there is no `dot` here, which draws: install Graphviz (apt-get install "
                            "graphviz), or let -o FILE.dot write the text that it reads\n")
    assert not list(tmp_path.iterdir())
    assert sim("graph", "ring", "-o", tmp_path / "x.dot", env=environment).status == 0
    assert (tmp_path / "x.dot").read_text().startswith('graph "ring"')


def play_dot(folder, text):
    (folder / "bin").mkdir()
    (folder / "bin" / "dot").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "bin" / "dot").chmod(0o755)
    return {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}"}


def test_graphviz_fails(sim, tmp_path):
    environment = play_dot(tmp_path, "echo half a picture; echo 'no memory' >&2; echo more >&2; exit 4")
    ended = sim("graph", "ring", "-o", tmp_path / "x.svg", env=environment)
    assert (ended.status, ended.stderr) == (3, "sim: Graphviz's dot failed (exit status 4): no memory\n")
    assert not (tmp_path / "x.svg").exists()


def test_graphviz_is_confined(sim, tmp_path):
    """What draws somebody's topology has no capability, cannot gain one, and changes no file."""
    environment = play_dot(tmp_path, f"""
        grep -E 'Cap(Eff|Prm)|NoNewPrivs' /proc/self/status
        (echo >{tmp_path}/made) 2>&1
        (echo >>{tmp_path}/kept) 2>&1
        rm -f {tmp_path}/kept 2>&1
        for fd in /proc/self/fd/*; do readlink $fd; done | grep -E 'socket|pipe|{tmp_path}' | grep -v bin/dot
        exit 0""")
    (tmp_path / "kept").write_text("as it was")
    ended = sim("graph", "ring", "-o", tmp_path / "x.svg", env=environment)
    assert ended.status == 0, ended.stderr
    said = (tmp_path / "x.svg").read_text()
    assert re.findall(r"Cap\w+:\s+(\w+)", said) == ["0" * 16] * 2
    assert re.search(r"NoNewPrivs:\s+1", said)
    if said.count("Permission denied") != 3:
        pytest.skip("this kernel has no Landlock")
    assert not (tmp_path / "made").exists()
    assert (tmp_path / "kept").read_text() == "as it was"
