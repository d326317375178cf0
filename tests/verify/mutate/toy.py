"""A toy repository: a tiny trainer whose candidate has one file to mutate.

In its schedule, LIMIT is never reached: one more survives. The loop, once entered, never ends.
"""

import textwrap

BASELINE = """
import os

import torch


class GPT(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.ones(4, 4))

    def forward(self, x, y):
        return (self.w[x % 4].sum(-1) - y).square().mean()


def build():
    return GPT()


def scale(step):
    return 0.5 / (step + 1)


def main():
    torch.manual_seed(7)
    model = build()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for step in range(int(os.environ.get("STEPS", "2"))):
        optimizer.param_groups[0]["lr"] = scale(step)
        x = torch.randint(8, (2, 4))
        optimizer.zero_grad()
        model(x, x).backward()
        optimizer.step()
    model.eval()
    print(f"loss {model(x, x).item():.4f}")
"""
SCHEDULE = '''
"""The mutated file."""
LIMIT = 1000


def scale(step):
    if step < 0:
        raise ValueError(step)
    while step > LIMIT:
        step -= 1
    return 0.5 / (step + 1)
'''
PROBE = """
from pathlib import Path
from goldenseal.ladder.probe import Probe, Scenario, Script

ROOT = Path(__file__).parents[1]
PROBE = Probe(
    "toy",
    Script("baseline", str(ROOT / "frozen/train.py"), "build()", "main()"),
    Script("candidate", str(ROOT / "toy_trainer/train.py"), "build()", "main()"),
    (Scenario("small", {}),),
    vocab_size=8,
)
"""
SETTINGS = """
[tool.goldenseal]
source = ["toy_trainer"]

[tool.goldenseal.systems.toy]
module = "toy_trainer"
probe = "toy_trainer.probe:PROBE"

[tool.goldenseal.systems.toy.mutate]
schedule = ["toy_trainer/schedule.py"]
"""


def write(root):
    """The whole repository."""
    candidate = BASELINE.replace(
        "import torch\n", "import torch\nfrom toy_trainer.schedule import scale\n", 1
    ).replace("def scale(step):\n    return 0.5 / (step + 1)\n", "")
    for name, text in {
        "frozen/train.py": BASELINE,
        "toy_trainer/__init__.py": "",
        "toy_trainer/train.py": candidate,
        "toy_trainer/schedule.py": SCHEDULE,
        "toy_trainer/probe.py": PROBE,
        "pyproject.toml": SETTINGS,
        "docs/mutation.md": "# Toy\n<!-- mutation: toy -->\n<!-- mutation: end -->\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text).lstrip("\n"), "utf-8")
    return root


# What only unit tests reach: `warm` two of them, one through a fixture that they share and one in a
# fork, `cold` none.
EXTRA = """
START = 2


def warm(step):
    while step < 0:
        step += 1
    return step + START


PLACE = {"here": START}["here"]


def forked(step):
    return step * 3


def cold(step):
    return step - 5
"""
CHECKS = """
import os

import pytest

from toy_trainer import extra, schedule


@pytest.fixture(scope="module")
def warmed():
    return extra.warm(-1)


def test_first(warmed):
    assert warmed == 2


def test_second(warmed):
    assert warmed > 0


def test_in_a_fork():
    child = os.fork()
    if child == 0:
        os._exit(extra.forked(2))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 6


def test_of_something_else():
    assert schedule.scale(0) == 0.5
"""
SETTINGS_ON = """
[tool.goldenseal.systems.toy.mutate_on]
tests = ["checks"]

[tool.goldenseal.systems.toy.mutate_on.areas]
extra = ["toy_trainer/extra.py"]
loop = ["toy_trainer/schedule.py"]

[tool.pytest.ini_options]
"""


def write_on(root):
    """The whole repository, with code that only unit tests reach."""
    write(root)
    (root / "checks").mkdir()
    (root / "checks/test_toy_extra.py").write_text(textwrap.dedent(CHECKS).lstrip("\n"), "utf-8")
    (root / "toy_trainer/extra.py").write_text(textwrap.dedent(EXTRA).lstrip("\n"), "utf-8")
    (root / "checks/conftest.py").write_text("from toy_trainer import extra\n", "utf-8")
    with open(root / "pyproject.toml", "a", encoding="utf-8") as file:
        file.write(SETTINGS_ON)
    page = root / "docs/mutation.md"
    page.write_text(page.read_text() + "<!-- mutation: toy-on -->\n<!-- mutation: end -->\n")
    return root
