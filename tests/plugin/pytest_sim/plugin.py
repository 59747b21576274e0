"""What pytest calls: options, the marker, fixtures, and what is done when a test fails."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, Callable, Iterator, Optional, Union

import pytest

from .lab import Lab
from .program import find_sim
from .scenarios import TopologyFile, is_topology
from .session import SESSION, Session, on_terminal
from .waiting import eventually as wait_for

SUFFIXES = {".yaml", ".yml"}
MARKER = "topology(topology, **vars): the topology of the fixture lab: a name, a file's path or its text; vars as by --set"


# --- options and what they mean ---


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("sim", "topology files and labs")
    group.addoption("--results", metavar="DIR",
                    help="where the evidence of scenarios and labs is kept; default: a folder of this session")
    group.addoption("--set", metavar="NAME=VALUE", action="append", default=[], dest="sim_set",
                    help="give an entry of a topology's vars another value; repeatable")
    group.addoption("--keep", action="store_true", dest="sim_keep",
                    help="leave the lab of the first test that fails up, else of the last; sim down takes it down")
    group.addoption("--shell-on-failure", action="store_true", dest="sim_shell",
                    help="open a shell in the node that a failed test used last, while its lab stands")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    config.stash[SESSION] = Session(config)


def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    if not config.getoption("sim_shell"):
        return
    if hasattr(config, "workerinput") or config.getoption("numprocesses", None):
        raise pytest.UsageError("--shell-on-failure and -n exclude each other: workers have no terminal")
    if not on_terminal(config, lambda: os.isatty(0) and os.isatty(1)):
        raise pytest.UsageError("--shell-on-failure needs a terminal")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Optional[pytest.Collector]:
    if file_path.suffix in SUFFIXES and is_topology(file_path):
        return TopologyFile.from_parent(parent, path=file_path)
    return None

# --- fixtures ---


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A marker at a test or a class gives it a lab of its own; one of the module is the fixture's."""
    if "lab" not in metafunc.fixturenames:
        return
    found = next(metafunc.definition.iter_markers_with_node("topology"), None)
    if not found or isinstance(found[0], pytest.Module):
        return
    scope = "class" if isinstance(found[0], pytest.Class) else "function"
    name = str(found[1].args[0]) if found[1].args else "topology"
    metafunc.parametrize("lab", [found[1]], indirect=True, scope=scope,
                         ids=["topology" if "\n" in name else Path(name).stem])


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest) -> Lab:
    """The topology of the marker, up: lab["client1"].run("ping -c1 server").

    All tests of a module share it where the marker is the module's (pytestmark = pytest.mark.topology(...)),
    those of a class where it is the class's; a test with a marker has its own.
    """
    mark = getattr(request, "param", None) or request.node.get_closest_marker("topology")
    if not mark or len(mark.args) != 1:
        pytest.fail('say which topology: pytestmark = pytest.mark.topology("two-subnets")', pytrace=False)
    # By the node, not by this end of the fixture: pytest ends it where a test with its own marker comes between.
    shared = request.config.stash[SESSION].shared
    if request.node not in shared:
        shared[request.node] = made = request.config.stash[SESSION].make(mark.args[0], mark.kwargs, request.path.parent)
        request.node.addfinalizer(lambda: request.config.stash[SESSION].end(made))
    return shared[request.node]


@pytest.fixture(scope="session")
def lab_factory(request: pytest.FixtureRequest) -> Iterator[Callable[..., Lab]]:
    """lab_factory("two-subnets", pool="10.0.2.100-10.0.2.101") -> a lab that is up.

    One made in a test goes with the test. In a fixture, of whatever scope, yield it from a `with`:

        @pytest.fixture(scope="class")
        def pair(lab_factory):
            with lab_factory("point-to-point") as lab:
                yield lab
    """
    session = request.config.stash[SESSION]

    def make(topology: Union[str, Path], **variables: object) -> Lab:
        near = session.test.path.parent if session.test else request.config.invocation_params.dir
        made = session.make(topology, variables, near)
        made.of_test = session.called
        made.ending = session.end
        return made

    yield make
    for each in list(session.labs):
        session.end(each)


@pytest.fixture(name="eventually", scope="session")
def eventually_fixture() -> Callable[..., None]:
    """eventually(probe, expected): poll a fact until it holds; see pytest_sim.eventually."""
    return wait_for

# --- tests come and go ---


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: Optional[pytest.Item]):
    session = item.config.stash[SESSION]
    session.test, session.last = item, nextitem is None
    for each in session.labs:
        each.touched = None
    yield
    session.test = None


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fixtures are set up: what is made from now on is the test's own."""
    item.config.stash[SESSION].called = item


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    session = item.config.stash[SESSION]
    session.called = None
    for each in [one for one in session.labs if one.of_test is item]:
        session.end(each)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    session = item.config.stash[SESSION]
    used = session.used() if call.when == "call" else []
    item.user_properties += [("evidence", str(each.folder)) for each in used]
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    for each in used:
        each.failed = True
        report.sections.append((f"lab {each.name}", f"evidence: {each.folder}"))
    if used and session.config.getoption("sim_shell"):
        open_shell(session, used[0], str(report.longreprtext))


def open_shell(session: Session, broken: Lab, why: str) -> None:
    """A shell in the node that was used last; its end lets the tests go on."""
    node = broken.touched or next(iter(broken))

    def shell() -> None:
        print(f"\n{why}\n\nthe lab stands: this is a shell in {node.name}; its end lets the tests go on", flush=True)
        subprocess.run([find_sim(), "shell", f"{broken.name}:{node.name}"], check=False)

    on_terminal(session.config, shell)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells what it leaves up to whoever speaks to people."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["sim_kept"] = session.config.stash[SESSION].kept


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    told = getattr(node, "workeroutput", None) or {}
    node.config.stash[SESSION].kept += told.get("sim_kept", [])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for sentence in config.stash[SESSION].kept:
        terminalreporter.write_line(sentence)
