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
from verify.probe import Probe, Scenario, Script

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
        "docs/mutation.md": "# Toy\n<!-- mutation: generated -->\n<!-- mutation: end -->\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text).lstrip("\n"), "utf-8")
    return root
