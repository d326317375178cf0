"""pytest tests/verify/reproduce/test_from_checkpoint.py

A re-run goes on from a sealed checkpoint.
"""

import json

import pytest

from goldenseal.config import system
from goldenseal.launch.make_record import make_record
from goldenseal.records.check import resolve
from goldenseal.records.seal import seal
from goldenseal.reproduce.rerun import reproduce

# A system that keeps a checkpoint a step, and goes on from the newest that it finds.
KEEPS = """
import json, os
from pathlib import Path
from goldenseal.runlog import RunLog

factor, place = float(os.environ["TOY_FACTOR"]), Path(os.environ["TOY_KEEP"])
tokens = Path(os.environ["TOY_DATA"]).read_text().split()
kept = sorted(place.glob("step-*"), key=lambda path: int(path.name[5:]))
total, done, log = 0.0, 0, None
if kept:
    state = json.loads((kept[-1] / "state.json").read_text())
    total, done = state["total"], state["step"]
    log = RunLog.resume(Path("train.jsonl"), state["bytes"])
print("goes on after", done, flush=True)
log = log or RunLog("train.jsonl", {"seed": "7", "numeric_class": {"cpu": "x"}})
for step, token in list(enumerate(tokens, start=1))[done:]:
    total += float(token) * factor + BIAS.get(step, 0.0)
    log.write("step", {"step": step, "loss": total.hex()})
    folder = place / f"step-{step:08d}"
    folder.mkdir(parents=True)
    facts = {"total": total, "step": step, "bytes": log.sync()}
    (folder / "state.json").write_text(json.dumps(facts))
log.end({"steps": len(tokens), "loss": total.hex()})
Path("weights.bin").write_bytes(repr(total).encode())
"""
KNOB = '        Knob("TOY_KEEP", str, "kept", "checkpoints"),\n    ),\n)'


@pytest.fixture
def keeper(toy):
    """The toy with checkpoints, and a sealed record of it with all four of them."""
    probe = toy.root / "toysystem" / "probe.py"
    probe.write_text(probe.read_text().replace("    ),\n)", KNOB))
    table = toy.root / "pyproject.toml"
    table.write_text(table.read_text() + 'place_knobs = ["TOY_KEEP"]\n')
    toy.write = lambda bias="{}": (toy.root / "toysystem" / "__main__.py").write_text(
        KEEPS.replace("BIAS", bias)
    )
    toy.write()
    toy.folder = toy.root / "records" / "toy" / "2026-01-02_Toy"
    make_record(toy.root, system(toy.root, "toy"), toy.folder, {}, lambda line: None)
    (toy.folder / "README.md").write_text("A toy.\n")
    return toy


def sealed_prefix(keeper):
    return seal(keeper.folder).identity[:8]


def test_what_follows_the_checkpoint_is_repeated_and_what_precedes_it_is_said_not_to_be(keeper):
    prefix, shown = sealed_prefix(keeper), []
    outcome = reproduce(keeper.root, prefix, shown.append, from_checkpoint=True)
    assert (outcome.verdict, outcome.reason) == ("bitwise", "all equal")
    assert shown == ["goes on after 3"]  # the checkpoint of the last step leaves none to repeat
    assert "steps 1 to 3 are the sealed ones: not repeated" in outcome.notes


def test_with_steps_an_earlier_checkpoint_is_taken(keeper):
    prefix, shown = sealed_prefix(keeper), []
    outcome = reproduce(keeper.root, prefix, shown.append, steps=2, from_checkpoint=True)
    assert (outcome.verdict, shown) == ("bitwise", ["goes on after 1"])


def test_a_difference_after_the_checkpoint_is_found_and_one_before_it_is_not(keeper):
    prefix = sealed_prefix(keeper)
    keeper.write("{4: 0.5}")
    choices = {"from_checkpoint": True, "present": True, "trace": False}
    outcome = reproduce(keeper.root, prefix, print, **choices)
    assert (outcome.verdict, outcome.step) == ("diverged", 4)
    keeper.write("{2: 0.5}")
    assert reproduce(keeper.root, prefix, print, **choices).verdict == "bitwise"
    assert reproduce(keeper.root, prefix, print, present=True, trace=False).verdict == "diverged"


def test_a_checkpoint_of_another_state_diverges_at_the_step_after_it(keeper):
    state = keeper.folder / "kept" / "step-00000003" / "state.json"
    state.write_text(json.dumps({**json.loads(state.read_text()), "total": 1.0}))
    outcome = reproduce(
        keeper.root, sealed_prefix(keeper), print, from_checkpoint=True, trace=False
    )
    assert (outcome.verdict, outcome.step) == ("diverged", 4)


def test_a_record_without_checkpoints_is_unrunnable_from_one(keeper):
    for path in sorted((keeper.folder / "kept").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    outcome = reproduce(keeper.root, sealed_prefix(keeper), print, from_checkpoint=True)
    assert outcome.verdict == "unrunnable"
    assert outcome.reason == (
        "the record holds no checkpoint before step 4: re-run it without --from-checkpoint"
    )


def test_checkpoints_outside_the_record_are_not_sealed_and_not_used(keeper, tmp_path):
    facts = json.loads((keeper.folder / "record.json").read_text())
    facts["knobs"]["TOY_KEEP"] = str(tmp_path)
    (keeper.folder / "record.json").write_text(json.dumps(facts))
    outcome = reproduce(keeper.root, sealed_prefix(keeper), print, from_checkpoint=True)
    assert outcome.reason.endswith("lies outside the record: it is not sealed")


def test_the_record_itself_is_left_alone(keeper):
    prefix = sealed_prefix(keeper)
    reproduce(keeper.root, prefix, print, from_checkpoint=True)
    assert resolve(keeper.root, prefix)[0].folder == keeper.folder
