"""A stranger's repository with one small system; no theorems, citation, records, Makefile."""

import textwrap

BASELINE = """
import os
import torch
from torch import nn

STEPS = int(os.environ.get("STEPS", 4))
SEED = int(os.environ.get("SEED", 1))
DATA = os.environ.get("DATA", "./data/target.txt")


def build():
    torch.manual_seed(SEED)
    return nn.Linear(3, 1)


def loss_of(model, x):
    with open(DATA) as file:
        return (model(x) - float(file.read())).square().mean()


def main():
    model = build()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    generator = torch.Generator().manual_seed(SEED)
    for step in range(STEPS):
        loss = loss_of(model, torch.randn(4, 3, generator=generator))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"step {step} loss {loss.item():.6f}")
    model.eval()
    with torch.no_grad():
        loss = loss_of(model, torch.ones(2, 3)).item()
    print(f"final {loss:.6f}")
    return model, loss
"""
# The candidate: the same with an optional scale of the loss.
CANDIDATE = BASELINE.replace(
    "SEED = int", 'SCALE = float(os.environ.get("SCALE") or 0)\nSEED = int'
).replace(
    "        optimizer.zero_grad()\n",
    "        if SCALE:\n            loss = loss * SCALE\n        optimizer.zero_grad()\n",
)
MAIN = """
import json
import os
import struct
from goldenseal import RunLog
from mine import candidate

model, loss = candidate.main()
names = ("DATA", "SEED", "STEPS", "SCALE")
knobs = {name: os.environ[name] for name in names if name in os.environ}
header = {"seed": str(candidate.SEED), "knobs": knobs, "numeric_class": {"cpu": "any"}}
body = model.weight.detach().numpy().tobytes()
entry = {"w": {"dtype": "F32", "shape": [1, 3], "data_offsets": [0, len(body)]}}
text = json.dumps(entry).encode()
with open("final.safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + body)
import hashlib
state = hashlib.sha512(b"w\\0torch.float32\\0(1, 3)\\0" + body).hexdigest()
log = RunLog("train.jsonl", header)
log.write("step", {"step": candidate.STEPS, "loss": loss.hex()}, clock={"train_ms": 1.0})
log.write("trained", {"step": candidate.STEPS, "state": {"model": state}})
log.end({"steps": candidate.STEPS, "loss": loss.hex()})
"""
PROBE = """
from goldenseal.knobs import Feature, Knob
from goldenseal.ladder.probe import Probe, Scenario, Script
from pathlib import Path

import torch

HERE = Path(__file__).parent


def draw(shape, generator):
    return torch.randn(shape[0], 3, generator=generator)


def script(label):
    where = str(HERE / f"{label}.py")
    return Script(label, where, "build()", "main()", "loss_of(model, batch)", "Linear")


def prepare(folder):
    (folder / "target.txt").write_text("1.5")
    return {"DATA": str(folder / "target.txt")}


PROBE = Probe(
    "mine",
    script("baseline"),
    script("candidate"),
    (Scenario("small", {"STEPS": "2", "SEED": "7"}),),
    features=(
        Feature("scale", "", Knob("SCALE", float, 0.0, "", on="2.0"), example={"SCALE": "2.0"}),
    ),
    baseline_knobs=(Knob("STEPS", int, 4, "steps"), Knob("SEED", int, 1, "seed"),
                    Knob("DATA", str, "./data/target.txt", "where the target lies")),
    draw=draw,
    prepare=prepare,
    batches=((2, 3),),
)
"""
PROJECT = """
[tool.goldenseal.systems.mine]
module = "mine"
probe = "mine.probe:PROBE"
outputs = ["final.safetensors"]
local_knobs = ["DATA"]
"""
SWEEP = """
schema = 1
name = "Mine"
question = "Does the scale lower the loss?"
system = "mine"
seeds = [3, 5]
baseline = "off"
[common]
STEPS = "3"
[configurations.off]
[configurations.on]
SCALE = "2.0"
[analysis]
primary = "loss"
better = "lower"
test = "paired-t"
correction = "holm"
alpha = 0.05
secondary = ["steps"]
counts = "A difference whose corrected p is below alpha."
[stopping]
rule = "When every cell has run once."
[resources]
gpus = 0
nodes = 1
cpus = 1
minutes = 5
[power]
effect = -0.5
deviation = 0.1
"""


def write(top):
    """Lay the repository into an empty folder."""
    files = {
        "mine/__init__.py": "",
        "mine/__main__.py": MAIN,
        "mine/baseline.py": BASELINE,
        "mine/candidate.py": CANDIDATE,
        "mine/probe.py": PROBE,
        "pyproject.toml": PROJECT,
        "data/target.txt": "1.5",
        "sweep.toml": SWEEP,
    }
    for name, text in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(textwrap.dedent(text).lstrip())


PAIR = """
[script]
build = "build()"
entry = "main()"
loss = "loss_of(model, x.float()[:, :3])"
model_class = "Linear"

[environment]
STEPS = 2
DATA = "{data}"

[[feature]]
name = "scale"
master = "SCALE"
off = 0
example = {{ SCALE = 2 }}
"""


def write_pair(top, **edits):
    """Lay baseline.py, candidate.py and probe.toml into a folder; `edits` are of the candidate."""
    (top / "target.txt").write_text("1.5")
    (top / "probe.toml").write_text(PAIR.format(data=top / "target.txt"))
    (top / "baseline.py").write_text(BASELINE)
    faulty = CANDIDATE
    for old, new in edits.values():
        assert old in faulty
        faulty = faulty.replace(old, new)
    (top / "candidate.py").write_text(faulty)


FAULT = ("torch.manual_seed(SEED)", "torch.manual_seed(SEED + 1)")
