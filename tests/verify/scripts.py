"""Small training scripts for the tests of the ladder, and the ladder on a pair of them.

A side is the text of its `train.py`, or the texts of several files by their path in its folder.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from goldenseal.ladder.probe_file import probe_from_toml
from goldenseal.ladder.suite import LADDER, run_ladder

NET = """
class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.inner = nn.Linear(width, width)

    def forward(self, x):
        return self.inner(x)
"""

TRAIN = """
import os
import sys

import torch
from torch import nn

STEPS = int(os.environ.get("STEPS", 3))
LR = float(os.environ.get("LR", 0.1))
{net}

def main():
    torch.manual_seed(0)
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    for step in range(STEPS):
        x = torch.randn(5, 4)
        loss = model(x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print("step", step, loss.item())
    model.eval()
    with torch.no_grad():
        print("final", model(torch.ones(2, 4)).sum().item())


if __name__ == "__main__":
    main()
"""

ONE_FILE = TRAIN.format(net=NET)
TWO_FILES = {
    "train.py": TRAIN.format(net="from net import Net\n"),
    "net.py": f"from torch import nn\n\n{NET}",
}

PROBE = """
[script]
build = "Net()"
entry = "main()"
model_class = "Net"
loss = "model(x[..., :4].float()).square().mean()"
"""

RUNGS = [name for name in LADDER if name != "published figures"]


def edited(source, *edits):
    """The source after each (old, new); what is to be replaced must be there."""
    for old, new in edits:
        assert old in source, f"the toy script no longer holds {old!r}"
        source = source.replace(old, new)
    return source


@dataclass(frozen=True)
class Pair:
    """Two scripts and their probe, written down."""

    baseline: str
    candidate: str
    probe: str

    def read(self):
        """The probe as the gates have it."""
        return probe_from_toml(Path(self.probe), self.baseline, self.candidate)

    def gates(self, *only, workers=1):
        """The result of each gate by its name; of every rung that a pair of scripts has."""
        wanted = only or RUNGS
        results = run_ladder(self.read(), wanted, lambda done, total: None, workers)
        return {result.gate: result for result in results}

    def command(self, *options):
        """`goldenseal verify` on the pair: the finished process."""
        return subprocess.run(
            [
                *(sys.executable, "-m", "goldenseal", "verify"),
                *("--baseline", self.baseline, "--candidate", self.candidate),
                *("--probe", self.probe, *options),
            ],
            capture_output=True,
            text=True,
            check=False,
        )

    def document(self, *options):
        """(exit code, what `--json` prints); the output must be one document."""
        done = self.command("--json", *options)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)


def pair(folder, candidate, baseline=ONE_FILE, probe=PROBE):
    """Write both sides and the probe below `folder`."""
    places = {}
    for side, files in (("baseline", baseline), ("candidate", candidate)):
        for name, text in ({"train.py": files} if isinstance(files, str) else files).items():
            place = folder / side / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        places[side] = str(folder / side / "train.py")
    (folder / "probe.toml").write_text(probe)
    return Pair(places["baseline"], places["candidate"], str(folder / "probe.toml"))


def failed(gates):
    """Names of the gates that did not pass."""
    return {name for name, result in gates.items() if result.verdict.value != "pass"}


def findings(gates):
    """Every finding, after its gate's name."""
    return [f"{name}: {text}" for name, result in gates.items() for text in result.findings]
