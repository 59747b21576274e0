"""Makes topology files tests in this tree without anything installed: pytest topologies/ring.yaml"""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "tests" / "plugin"))
pytest_plugins = ["pytest_sim"]
