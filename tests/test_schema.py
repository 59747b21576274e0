"""topologies/topology.schema.json says what the reader in C says."""
import json
import re

import pytest
import yaml
from conftest import TREE

SCHEMA = json.loads((TREE / "topologies" / "topology.schema.json").read_text())
NODES = "name: t\ntopology:\n  nodes: {a: {%s}}\n"
STEP = NODES % "" + "scenarios: {x: {title: y, steps: [%s]}}\n"

class Yaml12(yaml.SafeLoader):
    """YAML 1.2 as libyaml's users and editors read it: `on` is a word, not a truth value."""


Yaml12.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Yaml12.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))

# A file with a key that nothing is near to, and where the schema lists the keys of that mapping.
FORMS = [
    ("qqqqqqqqqqqqqq: 1\n", ["properties"]),
    ("name: t\ntopology: {qqqqqqqqqqqqqq: 1}\n", ["properties", "topology", "properties"]),
    (NODES % "qqqqqqqqqqqqqq: 1", ["definitions", "node", "oneOf", 1, "properties"]),
    ("name: t\ntopology: {defaults: {qqqqqqqqqqqqqq: 1}, nodes: {}}\n", ["definitions", "node", "oneOf", 1, "properties"]),
    ("name: t\ntopology: {kinds: {k: {qqqqqqqqqqqqqq: 1}}, nodes: {}}\n",
     ["definitions", "node", "oneOf", 1, "properties"]),
    (NODES % "run: [{qqqqqqqqqqqqqq: 1}]", ["definitions", "process", "properties"]),
    (NODES % "run: [{ready: {qqqqqqqqqqqqqq: 1}}]", ["definitions", "ready", "oneOf", 1, "properties"]),
    (NODES % "routes: [{qqqqqqqqqqqqqq: 1}]", ["definitions", "route", "properties"]),
    (NODES % "" + "  links: [{qqqqqqqqqqqqqq: 1}]\n", ["definitions", "link", "properties"]),
    (NODES % "" + "scenarios: {x: {qqqqqqqqqqqqqq: 1}}\n", ["definitions", "scenario", "properties"]),
    (STEP % "{qqqqqqqqqqqqqq: 1}", ["definitions", "step", "properties"]),
    (STEP % "{expect: {qqqqqqqqqqqqqq: 1}}", ["definitions", "expect", "properties"]),
]


@pytest.mark.parametrize("text, place", FORMS, ids=[".".join(map(str, place)) for _, place in FORMS])
def test_same_keys(sim, topology, text, place):
    ended = sim("validate", topology(text))
    known = re.search(r"known are: (.*)", ended.stderr).group(1).split(", ")
    at = SCHEMA
    for key in place:
        at = at[key]
    assert sorted(known) == sorted(at)


@pytest.mark.parametrize("path", sorted((TREE / "topologies").glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_topologies(sim, path):
    jsonschema = pytest.importorskip("jsonschema", reason="python3-jsonschema is not installed")
    jsonschema.validate(yaml.load(path.read_text(), Yaml12), SCHEMA)
    ended = sim("validate", path)
    assert ended.status == 0, ended.stderr


def properties(at, path=""):
    """Every key that the schema lists, with where it stands."""
    if isinstance(at, dict):
        for key, value in at.get("properties", {}).items():
            yield f"{path}/{key}", value
        for key, value in at.items():
            yield from properties(value, f"{path}/{key}")
    elif isinstance(at, list):
        for index, value in enumerate(at):
            yield from properties(value, f"{path}/{index}")


def test_an_editor_has_something_to_say_of_every_key():
    """Its own words, or those of the definition that it is."""
    silent = []
    for path, value in properties(SCHEMA):
        target = SCHEMA["definitions"][value["$ref"].rsplit("/", 1)[1]] if "$ref" in value else value
        if not (value.get("description") or target.get("description")):
            silent.append(path)
    assert not silent


@pytest.mark.parametrize("path", sorted((TREE / "topologies").glob("*.yaml")), ids=lambda path: path.name)
def test_editors_find_the_schema(path):
    assert path.read_text().splitlines()[0] == "# yaml-language-server: $schema=topology.schema.json"
