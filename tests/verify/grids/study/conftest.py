"""A toy system that takes a seed and a feature, and a plan of two configurations over it."""

import textwrap

import pytest

PLAN = """
schema = 1
name = "Toy study"
question = "Does the feature lower the loss?"
system = "toy"
seeds = [3, 5, 8]
baseline = "off"
[common]
TOY_FACTOR = "0.5"
[configurations.off]
[configurations.on]
TOY_FEATURE = "1"
[configurations.strong]
TOY_FEATURE = "2"
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
"""

SYSTEM = """
import json, os, random, sys
from pathlib import Path
from goldenseal.disk import canonical
from goldenseal.runlog import RunLog

knobs = {name: os.environ[name] for name in ("SEED", "TOY_FACTOR", "TOY_FEATURE", "RUN_LOG")}
seed, feature = int(knobs["SEED"]), int(knobs["TOY_FEATURE"])
Path(os.environ["TOY_DATA"]).read_text()
log = RunLog("train.jsonl", {"seed": str(seed), "knobs": knobs, "numeric_class": {
    "settings": {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS")}}})
if CRASH == (seed, feature):
    sys.exit("the toy has no steam")
loss = random.Random(seed).random() + 1 - 0.1 * feature * (1 + seed / 100) + BIAS
for step in (1, 2):
    log.write("step", {"step": step, "loss": loss.hex()}, clock={"train_ms": 10.0 * step})
log.write("trained", {"step": 2, "state": {"model": "ab" * 64}})
log.end({"steps": 2, "loss": loss.hex()}, clock={"artifact_bytes": 100 + feature})
Path("weights.bin").write_bytes(b"weights")
Path("metrics.json").write_bytes(canonical.dumps({"loss": loss}))
"""

PROBE = """
from goldenseal.knobs import Feature, Knob
from goldenseal.ladder.probe import Probe, Scenario, Script

script = Script("x", "x.py", "x", "x")
PROBE = Probe(
    "toy", script, script, (Scenario("s", {}),), 8,
    features=(
        Feature("log", "", Knob("RUN_LOG", bool, False, "log", on="1")),
        Feature("feature", "adds it", Knob("TOY_FEATURE", int, 0, "strength", 0, 9, on="1")),
    ),
    baseline_knobs=(
        Knob("SEED", int, 1, "seed"),
        Knob("TOY_FACTOR", float, 1.0, "factor", 0.0),
        Knob("TOY_DATA", str, "./data/tokens.txt", "data"),
    ),
)
"""


@pytest.fixture
def toy(toy):
    """The toy repository with that system and plan; `write_system` plants a crash or a bias."""
    package = toy.root / "toysystem"
    (package / "probe.py").write_text(PROBE)

    def write_system(crash=None, bias=0.0):
        text = SYSTEM.replace("CRASH", repr(crash)).replace("BIAS", repr(bias))
        (package / "__main__.py").write_text(text)

    toy.write_system = write_system
    toy.write_system()
    toy.plan = toy.root / "plan.toml"
    toy.plan.write_text(textwrap.dedent(PLAN))
    toy.folder = toy.root / "records" / "toy" / "2026-01-02_Study"
    return toy
