"""pytest tests/verify/reproduce/test_divergence.py — a divergence is traced to its first tensor."""

import subprocess

import pytest

from goldenseal.config import system
from goldenseal.launch.make_record import make_record
from goldenseal.records.seal import seal
from goldenseal.reproduce.divergence import first_parting
from goldenseal.reproduce.rerun import reproduce

TORCH_SYSTEM = """
import torch
from goldenseal.runlog import RunLog

torch.set_num_threads(1)
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
log = RunLog("train.jsonl", {"seed": "7", "numeric_class": {"cpu": "x"}})
for step in range(1, 4):
    optimizer.zero_grad()
    h = model(torch.full((2, 4), float(step)))
    loss = h.square().sum()
    loss.backward()
    PLANTED
    optimizer.step()
    log.write("step", {"step": step, "loss": loss.item().hex()})
log.end({"steps": 3})
open("weights.bin", "wb").write(model[0].weight.detach().numpy().tobytes())
"""


def quiet(line):
    """Shows nothing."""


def write(toy, planted="pass"):
    main = toy.root / "toysystem" / "__main__.py"
    main.write_text(TORCH_SYSTEM.replace("PLANTED", planted))


@pytest.fixture
def sealed(toy):
    """A sealed record of a torch system, committed."""
    write(toy)
    folder = toy.root / "records" / "toy" / "2026-01-02_Toy"
    make_record(toy.root, system(toy.root, "toy"), folder, {}, quiet)
    (folder / "README.md").write_text("A toy.\n")
    toy.prefix = seal(folder).identity[:8]
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    for arguments in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "all"]):
        subprocess.run(["git", *arguments], cwd=toy.root, check=True)
    return toy


def test_a_changed_operation_is_traced_to_its_module_and_element(sealed):
    write(sealed, "if step == 2: model[2].bias.grad[1] *= 1.5")
    outcome = reproduce(sealed.root, sealed.prefix, quiet, present=True)
    assert (outcome.verdict, outcome.step) == ("diverged", 3)  # the loss shows it a step later
    sources = "between the sealed source, run first, and the present one: "
    assert outcome.notes[-1].startswith(f"{sources}tensor 3 of the step, output of 2[1]: ")
    assert "ulp of float32" in outcome.notes[-1]


def test_a_changed_weight_is_seen_in_the_first_module_that_uses_it(sealed):
    write(sealed, "pass\n    if step == 1:\n        with torch.no_grad(): model[2].bias += 1")
    outcome = reproduce(sealed.root, sealed.prefix, quiet, present=True)
    assert outcome.step == 2
    assert "tensor 3 of the step, output of 2[0]" in outcome.notes[-1]


def test_a_nondeterministic_operation_is_told_from_a_changed_one(toy):
    write(
        toy,
        "if step == 2: model[0].bias.grad += __import__('random').SystemRandom().random()",
    )
    folder = toy.root / "records" / "toy" / "2026-01-02_Toy"
    make_record(toy.root, system(toy.root, "toy"), folder, {}, quiet)
    (folder / "README.md").write_text("A toy.\n")
    outcome = reproduce(toy.root, seal(folder).identity, quiet)
    assert (outcome.verdict, outcome.step) == ("diverged", 3)
    assert outcome.notes[-1].startswith("the run does not repeat itself, part of it is nondeterm")
    assert "output of 0[" in outcome.notes[-1]


def test_a_log_that_no_run_repeats_is_said_to_be_the_odd_one(sealed):
    """The log was made by other code than the record says: each run here agrees with the next."""
    write(sealed, "model[0].weight.grad *= 2")
    forged = sealed.root / "records" / "toy" / "2026-01-03_Forged"
    make_record(sealed.root, system(sealed.root, "toy"), forged, {}, quiet)
    write(sealed)
    import json

    from goldenseal.records.source import read_source

    facts = json.loads((forged / "record.json").read_text())
    facts["source"] = read_source(sealed.root).files
    (forged / "record.json").write_text(json.dumps(facts))
    (forged / "README.md").write_text("Forged.\n")
    outcome = reproduce(sealed.root, seal(forged).identity, quiet)
    assert outcome.notes[-1] == (
        "two more runs here agree on each tensor of step 2: the sealed log does not"
    )


def test_a_trace_can_be_left_out(sealed):
    write(sealed, "model[0].weight.grad *= 2")
    outcome = reproduce(sealed.root, sealed.prefix, quiet, present=True, trace=False)
    assert outcome.verdict == "diverged"
    assert not any("tensor" in note for note in outcome.notes)


EVENT = {"what": "output of a", "dtype": "float32", "shape": [2], "sha512": "0", "at": None}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"what": "output of b"},
            "tensor 1 of the step is output of b, in the first run output of a",
        ),
        ({"shape": [3]}, "output of a is float32[3], in the first run float32[2]"),
        (
            {"sha512": "1"},
            "tensor 1 of the step, output of a (too large to keep: the digests differ)",
        ),
    ],
)
def test_what_differs_besides_values_is_named(tmp_path, change, words):
    assert first_parting(tmp_path, [EVENT], [EVENT | change]) == words
    assert first_parting(tmp_path, [EVENT], [EVENT]) is None
    assert "is there in one run only" in first_parting(tmp_path, [EVENT], [])


@pytest.mark.parametrize(
    ("dtype", "one", "other", "words"),
    [
        ("float8_e4m3fn", b"\x38\x38", b"\x38\x40", "[1]: 0x1.0000000000000p+1 (2), in the first"),
        ("uint16", b"\1\0\2\0", b"\1\0\3\0", "[1]: 3, in the first run 2"),
        ("complex64", bytes(16), bytes(12) + b"\0\0\x80\x3f", "(1), in the first run 0x0.0p+0 (0)"),
        ("float4_e2m1fn_x2", b"\x12\x34", b"\x12\x35", "[1]: 0x35, in the first run 0x34"),
        ("qint8", b"ab", b"ac", " (of dtype qint8, which is not read here: the digests differ)"),
    ],
)
def test_tensors_of_any_dtype_are_laid_side_by_side(tmp_path, dtype, one, other, words):
    events = []
    for number, raw in enumerate((one, other)):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "events.bin").write_bytes(raw)
        events.append([EVENT | {"dtype": dtype, "sha512": str(number), "at": 0}])
    assert words in first_parting(tmp_path, *events)
