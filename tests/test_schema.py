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


# Values of which one at least is right wherever a single one can stand.
SAMPLES = [1, True, "a", "10mbit", "100MB", "02:00:00:00:00:19", "/a:/b"]


def choices(at):
    """Those of a closed choice, as far as it is not within a list."""
    yield from at.get("enum", [])
    for each in (*at.get("anyOf", []), *at.get("oneOf", [])):
        yield from choices(each)


def test_a_variable_can_stand_for_every_value():
    """No editor marks what sim takes."""
    jsonschema = pytest.importorskip("jsonschema", reason="python3-jsonschema is not installed")
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    refused, looked = [], 0
    for path, value in properties(SCHEMA):
        judge = jsonschema.Draft7Validator({**value, "definitions": SCHEMA["definitions"]})
        if any(judge.is_valid(sample) for sample in (*SAMPLES, *choices(value))):
            looked += 1
            if not judge.is_valid("${x}"):
                refused.append(path)
    assert looked > 50 and not refused


def test_variables_in_values_that_are_no_text(sim, topology):
    jsonschema = pytest.importorskip("jsonschema", reason="python3-jsonschema is not installed")
    text = """name: "${n}"
vars: {n: t, mtu: 1400, port: 80, yes: "true", kind: host, all: all, down: down, way: default, two: 2}
topology:
  nodes:
    s: {kind: switch, ipv4: 10.0.0.0/24}
    a: {kind: "${kind}", run: [{name: "${n}", cmd: "server ${port}", ready: {port: "${port}"}}]}
    b: {}
  links:
    - {endpoints: [a, s], mtu: "${mtu}"}
    - {endpoints: [b, s]}
capture: "${all}"
scenarios:
  one:
    title: T
    steps:
      - {on: a, run: "true", expect: {exit: "${two}"}, show: "${yes}", timeout: "${two}"}
      - {on: a, link: "${down}"}
      - {on: b, route: "${way}", expect: {count: 0}}
      - {on: b, addresses: eth0, expect: {count: "${two}", distinct: "${yes}"}}
"""
    assert sim("validate", topology(text)).status == 0
    jsonschema.validate(yaml.load(text, Yaml12), SCHEMA)
