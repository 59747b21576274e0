"""Networks for tests: topology files as test items, and labs as fixtures.

A test that works in a lab, whole:

    import pytest
    from pytest_sim import eventually

    pytestmark = pytest.mark.topology("two-subnets")

    def test_a_client_gets_an_address(lab):
        client = lab["client1"]
        client.run("dhcp-client --interface eth0 --once")
        assert client.addresses("eth0") == ["10.0.2.100/24"]
        eventually(lambda: len(lab.messages(protocol="dhcp", node="client1")), 2)

The manual is README.md beside this folder; each class and function says the rest.
"""
from .lab import Capture, CommandFailed, Ended, Lab, LabFailed, Message, Node, Process
from .plugin import (eventually_fixture, lab, lab_factory, pytest_addoption, pytest_collect_file,
                     pytest_configure, pytest_generate_tests, pytest_runtest_makereport,
                     pytest_runtest_protocol, pytest_runtest_setup, pytest_runtest_teardown,
                     pytest_sessionfinish, pytest_sessionstart, pytest_terminal_summary,
                     pytest_testnodedown)
from .waiting import eventually, scaled

__all__ = [
    "Capture", "CommandFailed", "Ended", "Lab", "LabFailed", "Message", "Node", "Process", "eventually", "scaled",
    # What pytest looks for in a plugin.
    "eventually_fixture", "lab", "lab_factory", "pytest_addoption", "pytest_collect_file", "pytest_configure",
    "pytest_generate_tests", "pytest_runtest_makereport", "pytest_runtest_protocol", "pytest_runtest_setup",
    "pytest_runtest_teardown", "pytest_sessionfinish", "pytest_sessionstart", "pytest_terminal_summary",
    "pytest_testnodedown",
]
