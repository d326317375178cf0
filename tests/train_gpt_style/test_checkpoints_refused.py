"""pytest tests/train_gpt_style/test_checkpoints_refused.py — what no run goes on from."""

import hashlib
import os
import subprocess
from functools import partial

import pytest
import safetensors.torch
import torch

from goldenseal.disk import canonical
from goldenseal.errors import UsageError
from tests.train_gpt_style.forks import KEPT, files_of, forked, kept_in, newest, whole_run
from train_gpt_style.kit import checkpoints


@pytest.fixture
def environ(case):
    return {**case.everything, **KEPT}


@pytest.fixture(scope="module")
def wholes():
    """The uninterrupted runs so far, by system."""
    return {}


@pytest.fixture
def whole(case, environ, wholes, tmp_path_factory):
    """The uninterrupted run."""
    name = case.entry.name
    if name not in wholes:
        folder = tmp_path_factory.mktemp("whole") / "run"
        wholes[name] = whole_run(case.train, environ, folder)
    return wholes[name]


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
        (p / "state.json").read_bytes().replace(b'"step":', b'"step":1')
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
    last, before = kept_in(copy)
    damage(last)
    said = []
    path, _ = checkpoints.newest_good(last.parent, said.append)
    assert path == before
    assert len(said) == 1
    assert last.name in said[0]
    assert said[0].endswith(f"; going back to {before.name}")
    os.truncate(path / "model.safetensors", 9)
    with pytest.raises(UsageError, match="no other checkpoint is whole") as caught:
        checkpoints.newest_good(last.parent, said.append)
    assert "\n" not in str(caught.value)


def test_going_back_ends_in_the_same_bytes(case, whole, copy, environ):
    os.truncate(newest(copy) / "model.safetensors", 1000)
    done = forked(copy, lambda: case.train(environ))
    assert done.code == 0, done.lines[-1]
    assert any("; going back to step-" in line for line in done.lines)
    assert files_of(copy) == whole.files


def other_tensors(path, file, change):
    tensors = safetensors.torch.load((path / file).read_bytes())
    change(tensors)
    rewritten(path, {file: safetensors.torch.save(tensors)})


def state_with(path, **changes):
    state = canonical.read(path / "state.json", "s")
    rewritten(path, {"state.json": canonical.dumps({**state, **changes})})


def first(path, file):
    """The first tensor of a file by name, and how an error tells its type and shape."""
    name, t = min(safetensors.torch.load((path / file).read_bytes()).items())
    return name, t, f"{t.dtype} {tuple(t.shape)}"


def reshaped(path, file):
    """One tensor of another shape."""
    name, t, known = first(path, file)
    wrong = t.new_zeros((*t.shape, 3))
    other_tensors(path, file, lambda tensors: tensors.update({name: wrong}))
    return f"{file}: {name} is {t.dtype} {(*t.shape, 3)}, in this run {known}"


def retyped(path, file):
    """One tensor of another type."""
    name, t, known = first(path, file)
    other_tensors(path, file, lambda tensors: tensors.update({name: t.half()}))
    return f"{file}: {name} is torch.float16 {tuple(t.shape)}, in this run {known}"


def removed(path, file):
    """One tensor less."""
    name, *_ = first(path, file)
    other_tensors(path, file, lambda tensors: tensors.pop(name))
    return f"{file}: {name} is missing"


def added(path, file):
    """One tensor more."""
    other_tensors(path, file, lambda tensors: tensors.update(x=torch.zeros(1)))
    return f"{file}: x is not of this run"


def stated(words, **changes):
    """Another state."""

    def change(path):
        state_with(path, **changes)
        return words

    return change


def replaced(file, data, words):
    """Other bytes, and a manifest to match."""

    def change(path):
        rewritten(path, {file: data})
        return words

    return change


WRONG = {
    f"{change.__name__}, {file}": partial(change, file=f"{file}.safetensors")
    for change in (reshaped, retyped, removed, added)
    for file in ("model", "optimizers")
} | {
    "no tensors": replaced(
        "model.safetensors", b"\x80\x04pickle", "model.safetensors: no safetensors file"
    ),
    "no state": replaced("state.json", b"[]", "not the state of a checkpoint"),
    "no step": stated("no state of a run", step="x"),
    "world": stated("world_size was 2, here it is ", world_size=2),
    "class": stated("numeric_class: ", numeric_class={}),
    "source": stated("source was 0", source="0"),
    "data": stated("data: a was 1, here it is None", data={"a": 1}),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_a_whole_checkpoint_that_does_not_fit_is_refused_in_one_line(case, copy, environ, change):
    words = change(newest(copy))
    before = files_of(copy)
    done = forked(copy, lambda: case.train(environ))
    assert done.code == 2
    errors = [line for line in done.lines if line.startswith(("error", "unexpected"))]
    assert len(errors) == 1
    assert words in errors[0]
    assert done.lines[-1] == errors[0]
    assert files_of(copy) == before


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"SEED": "2"}, "knobs: SEED was "),
        (
            {"RUN_LOG_STATE_EVERY": "3"},
            "knobs: RUN_LOG_STATE_EVERY was 1, here it is 3: set it back",
        ),
        ({"RESUME": "never"}, "RESUME=never, but checkpoints"),
    ],
)
def test_another_run_does_not_go_on_from_it(case, copy, environ, knobs, words):
    before = files_of(copy)
    done = forked(copy, lambda: case.train({**environ, **knobs}))
    assert done.code == 2
    assert words in done.lines[-1]
    assert files_of(copy) == before


def test_what_only_watches_and_where_things_lie_may_be_another(case, copy, environ):
    moved = {"STOP_NONFINITE": "0", "CHECKPOINT_KEEP": "5", "CHECKPOINT_DIR": "./checkpoints"}
    done = forked(copy, lambda: case.train({**environ, **moved}))
    assert done.code == 0, done.lines[-1]
    assert any("resumed from checkpoints" in line for line in done.lines)


LOGS = ["train.jsonl", "logs/train_gpt.txt", "stage4_vit_tiny.jsonl", "stage4_alignment.jsonl"]


@pytest.mark.parametrize("file", LOGS)
def test_a_log_that_is_not_the_checkpoints_is_refused(case, copy, environ, file):
    if not (copy / file).exists():
        pytest.skip("no such log of this system")
    os.truncate(copy / file, 100)
    done = forked(copy, lambda: case.train(environ))
    assert done.code == 1
    assert done.lines[-1].startswith("error: ")
    assert file in done.lines[-1]
