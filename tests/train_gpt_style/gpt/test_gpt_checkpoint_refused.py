"""pytest tests/train_gpt_style/gpt/test_gpt_checkpoint_refused.py — what no run goes on from."""

import hashlib
import os
import subprocess

import pytest
import safetensors.torch
import torch

from tests.train_gpt_style.gpt.forks import ON, files_of, forked, newest, whole_run
from train_gpt_style.gpt import run
from train_gpt_style.kit import checkpoints
from verify import canonical
from verify.errors import UsageError


@pytest.fixture
def environ(tiny):
    return {**tiny, **ON}


@pytest.fixture(scope="module")
def whole(tiny, tmp_path_factory):
    """The uninterrupted run."""
    return whole_run(tiny, tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture
def copy(whole, tmp_path):
    """A copy of the finished run, to damage: going on from it repeats the end."""
    subprocess.run(["cp", "-r", whole.folder, tmp_path / "run"], check=True)
    return tmp_path / "run"


def rewritten(path, changes):
    """Give files of a checkpoint other bytes, with a manifest to match."""
    manifest = canonical.read(path / "manifest.json", "m")
    for name, data in changes.items():
        (path / name).write_bytes(data)
        manifest["files"][name] = {
            "bytes": len(data),
            "sha512": hashlib.sha512(data).hexdigest(),
        }
    (path / "manifest.json").write_bytes(canonical.dumps(manifest))


def manifest_with(path, **changes):
    """Other entries in the manifest, which else stays true."""
    manifest = canonical.read(path / "manifest.json", "m")
    (path / "manifest.json").write_bytes(canonical.dumps({**manifest, **changes}))


def entry_with(path, entry):
    """Another entry for the weights."""
    files = canonical.read(path / "manifest.json", "m")["files"]
    known = files["model.safetensors"]
    files["model.safetensors"] = entry(known) if callable(entry) else entry
    manifest_with(path, files=files)


def without(path, name):
    """A file less, and a manifest that knows nothing of it."""
    (path / name).unlink()
    files = canonical.read(path / "manifest.json", "m")["files"]
    manifest_with(path, files={each: entry for each, entry in files.items() if each != name})


DAMAGES = {
    "cut short": lambda p: os.truncate(p / "model.safetensors", 1000),
    "empty": lambda p: os.truncate(p / "optimizers.safetensors", 0),
    "edited": lambda p: (p / "state.json").write_bytes(
        (p / "state.json").read_bytes().replace(b'"step":4', b'"step":3')
    ),
    "no manifest": lambda p: (p / "manifest.json").unlink(),
    "no JSON": lambda p: (p / "manifest.json").write_text("{"),
    "another manifest": lambda p: (p / "manifest.json").write_text('{"schema":2}'),
    "a list for a manifest": lambda p: (p / "manifest.json").write_text("[]"),
    "an older schema": lambda p: manifest_with(p, schema=0),
    "a newer schema": lambda p: manifest_with(p, schema=2),
    "no table of files": lambda p: manifest_with(p, files=[]),
    "an entry that is no table": lambda p: entry_with(p, 3),
    "another size": lambda p: entry_with(p, lambda e: {**e, "bytes": e["bytes"] + 1}),
    "a smaller size": lambda p: entry_with(p, lambda e: {**e, "bytes": e["bytes"] - 1}),
    "another digest": lambda p: entry_with(p, lambda e: {**e, "sha512": "0" * 128}),
    "a later digest": lambda p: entry_with(p, lambda e: {**e, "sha512": "f" * 128}),
    "a file gone": lambda p: (p / "rng.safetensors").unlink(),
    "a file more": lambda p: (p / "weights.bin").write_text("x"),
    "a file gone, and from the manifest too": lambda p: without(p, "rng.safetensors"),
    "a file more, and in the manifest too": lambda p: rewritten(p, {"weights.bin": b"x"}),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_checkpoint_is_passed_over_aloud(whole, copy, damage):
    folder = newest(copy).parent
    damage(newest(copy))
    said = []
    path, _ = checkpoints.newest_good(folder, said.append)
    assert path.name == "step-00000003"
    assert len(said) == 1
    assert "step-00000004" in said[0]
    assert said[0].endswith("; going back to step-00000003")
    os.truncate(path / "model.safetensors", 9)
    with pytest.raises(UsageError, match="no other checkpoint is whole") as caught:
        checkpoints.newest_good(folder, said.append)
    assert "\n" not in str(caught.value)


def test_going_back_ends_in_the_same_bytes(whole, copy, environ):
    os.truncate(newest(copy) / "model.safetensors", 1000)
    done = forked(copy, lambda: run.main(environ))
    assert done.code == 0, done.lines[-1]
    assert any("going back to step-00000003" in line for line in done.lines)
    assert files_of(copy) == whole.files


def other_tensors(path, file, change):
    tensors = safetensors.torch.load((path / file).read_bytes())
    change(tensors)
    rewritten(path, {file: safetensors.torch.save(tensors)})


def state_with(path, **changes):
    state = canonical.read(path / "state.json", "s")
    rewritten(path, {"state.json": canonical.dumps({**state, **changes})})


WRONG = {
    "shape": (
        lambda p: other_tensors(
            p, "model.safetensors", lambda t: t.update({"skip_weights": torch.zeros(3)})
        ),
        "model.safetensors: skip_weights is torch.float32 (3,), in this run torch.float32 (2, 32)",
    ),
    "dtype": (
        lambda p: other_tensors(
            p, "model.safetensors", lambda t: t.update({"skip_weights": torch.zeros(2, 32).half()})
        ),
        "skip_weights is torch.float16 (2, 32), in this run torch.float32",
    ),
    "missing": (
        lambda p: other_tensors(p, "model.safetensors", lambda t: t.pop("skip_weights")),
        "skip_weights is missing",
    ),
    "extra": (
        lambda p: other_tensors(p, "model.safetensors", lambda t: t.update(x=torch.zeros(1))),
        "x is not of this run",
    ),
    "momentum": (
        lambda p: other_tensors(
            p, "optimizers.safetensors", lambda t: t.pop("matrices.0.momentum_buffer")
        ),
        "matrices.0.momentum_buffer is missing",
    ),
    "no tensors": (
        lambda p: rewritten(p, {"model.safetensors": b"\x80\x04pickle"}),
        "model.safetensors: no safetensors file",
    ),
    "no state": (lambda p: rewritten(p, {"state.json": b"[]"}), "not the state of a checkpoint"),
    "no step": (lambda p: state_with(p, step="x"), "no state of a run"),
    "world": (lambda p: state_with(p, world_size=2), "world_size was 2, here it is 1"),
    "class": (lambda p: state_with(p, numeric_class={}), "numeric_class: "),
    "source": (lambda p: state_with(p, source="0"), "source was 0"),
    "data": (lambda p: state_with(p, data={"a": 1}), "data: a was 1, here it is None"),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_a_whole_checkpoint_that_does_not_fit_is_refused_in_one_line(copy, environ, change, words):
    change(newest(copy))
    before = files_of(copy)
    done = forked(copy, lambda: run.main(environ))
    assert done.code == 2
    errors = [line for line in done.lines if line.startswith(("error", "unexpected"))]
    assert len(errors) == 1
    assert words in errors[0]
    assert done.lines[-1] == errors[0]
    assert files_of(copy) == before


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"SEED": "2"}, "knobs: SEED was 1337, here it is 2: set it back"),
        ({"ITERATIONS": "9"}, "knobs: ITERATIONS was 4, here it is 9"),
        ({"PHINTA_ENABLE": "1"}, "knobs: PHINTA_ENABLE was 0, here it is 1"),
        ({"RESUME": "never"}, "RESUME=never, but checkpoints/train_gpt holds checkpoints"),
    ],
)
def test_another_run_does_not_go_on_from_it(copy, environ, knobs, words):
    before = files_of(copy)
    done = forked(copy, lambda: run.main({**environ, **knobs}))
    assert done.code == 2
    assert words in done.lines[-1]
    assert files_of(copy) == before


@pytest.mark.parametrize(
    ("file", "words"),
    [("logs/train_gpt.txt", "are not of the checkpoint's run"), ("train.jsonl", "train.jsonl")],
)
def test_a_log_that_is_not_the_checkpoints_is_refused(copy, environ, file, words):
    os.truncate(copy / file, 100)
    done = forked(copy, lambda: run.main(environ))
    assert done.code == 1
    assert done.lines[-1].startswith("error: ")
    assert words in done.lines[-1]
