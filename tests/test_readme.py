"""What the README shows works as it stands there."""
import re

from conftest import TREE

README = (TREE / "README.md").read_text()


def test_own_topology(sim, topology):
    text = re.search(r"```yaml\n(.*?)```", README, re.S).group(1)
    ended = sim("run", topology(text, "mine.yaml"))
    ended.all_held()
    assert "held    fetch" in ended.stdout


def test_scenarios_and_titles(sim):
    listed = sim("list").stdout
    for name in re.findall(r"^    held    (\S+) +[\d.]+ s", README, re.M):
        assert re.search(rf"scenarios: (.*, )?{re.escape(name)}(,|$)", listed, re.M)


def test_links_lead_somewhere():
    for path in TREE.glob("**/*.md"):
        if path.is_relative_to(TREE / "build") or TREE / "results" in path.parent.parents:
            continue
        for target in re.findall(r"\]\(([^)#]+)", path.read_text()):
            assert target.startswith("http") or (path.parent / target).exists(), f"{path}: {target}"
