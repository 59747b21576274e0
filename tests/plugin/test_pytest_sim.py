"""The plugin's items: every scenario of a topology file is a test."""
import importlib.util
import os
import subprocess
import sys
import xml.etree.ElementTree as Xml
from pathlib import Path

import pytest
from conftest import BIN, TREE
from outside import LESSON, folder  # noqa: F401


def test_every_scenario_is_an_item(folder):
    ended = folder("--collect-only", "-q", "lesson.yaml")
    assert ended.stdout.splitlines()[:2] == ["lesson.yaml::says-it", "lesson.yaml::ends-so"], ended.stdout


def test_they_hold_and_are_chosen_by_name(folder):
    ended = folder("-v", "lesson.yaml", "-k", "says")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "lesson.yaml::says-it PASSED" in ended.stdout and "1 deselected" in ended.stdout


def test_one_that_does_not_hold_tells_what_was_expected_and_seen(folder):
    ended = folder("lesson.yaml", "--set", "word=goodbye", "--junitxml", "junit.xml", "--results", "kept")
    assert ended.returncode == 1
    for words in ("One says hello", "> FAILED    one: run echo goodbye  (lesson.yaml:9)", "  expected  ",
                  "  saw       ", "1 failed, 1 passed"):
        assert words in ended.stdout, ended.stdout
    case = Xml.parse(folder.path / "junit.xml").find(".//testcase[@name='says-it']")
    told = {each.get("name"): Path(each.get("value")) for each in case.iter("property")}
    assert told["evidence"].is_dir() and told["report"].read_text().startswith("#")
    assert (folder.path / "kept") in told["evidence"].parents


def test_a_faulty_file_is_told_with_its_line(folder):
    (folder.path / "lesson.yaml").write_text(LESSON.replace("run:", "rnu:"))
    ended = folder("lesson.yaml")
    assert ended.returncode == 2
    assert "lesson.yaml:9:" in ended.stdout and "rnu" in ended.stdout
    assert "Traceback" not in ended.stdout


def test_other_yaml_files_are_none_of_its_business(folder):
    (folder.path / "other.yaml").write_text("steps: [1, 2]\n")
    assert "lesson.yaml::ends-so" in folder("--collect-only", "-q").stdout
    assert "other" not in folder("--collect-only", "-q").stdout


def test_workers_side_by_side_never_see_each_other(folder):
    if not importlib.util.find_spec("xdist"):
        pytest.skip("pytest-xdist is not installed")
    ended = folder("-n", "2", "lesson.yaml", "--results", "kept")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed" in ended.stdout


def test_installed_it_is_found_by_itself(folder, tmp_path):
    make = ["make", "-s", "-C", TREE, f"BUILD={BIN.parent.relative_to(TREE)}", f"DESTDIR={tmp_path}/root", "install"]
    subprocess.run(make, check=True, capture_output=True, timeout=300)
    path, = (tmp_path / "root/usr/local/lib").glob("python3*/dist-packages")
    ended = folder("-q", "lesson.yaml", plugin=(), path=path, SIM="",
                   PATH=f"{tmp_path}/root/usr/local/bin:{os.environ['PATH']}")
    assert ended.returncode == 0 and "2 passed" in ended.stdout, ended.stdout + ended.stderr


def test_in_the_tree_nothing_is_installed():
    """The conftest.py of the tree brings it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH" or "judges" in value}
    ended = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--collect-only",
                            "topologies/two-subnets.yaml"], capture_output=True, text=True, timeout=120,
                           check=False, cwd=TREE, env=environment)
    assert "topologies/two-subnets.yaml::pool-exhaustion" in ended.stdout, ended.stdout + ended.stderr
