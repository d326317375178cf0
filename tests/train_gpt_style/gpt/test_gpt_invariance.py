"""pytest tests/train_gpt_style/gpt/test_gpt_invariance.py — WORLD_INVARIANT: equal bytes."""

import json

import pytest
import torch

from tests.train_gpt_style.gpt.worlds import launch
from train_gpt_style.gpt import run
from train_gpt_style.gpt.features import FEATURES
from train_gpt_style.gpt.invariant import climb, refuse_other_parameters
from train_gpt_style.kit.shards import DistributedTokenLoader, shard_files
from verify.errors import CannotCheckError

ON = {"WORLD_INVARIANT": "1", "RUN_LOG": "1", "RUN_LOG_STATE_EVERY": "1", "GRAD_CLIP_NORM": "0.5"}


class Shard:
    """Stands for a gradient: adding in place writes down the tree, without regard to sides."""

    def __init__(self, tree):
        self.tree = tree

    def __iadd__(self, other):
        self.tree = frozenset((self.tree, other.tree))
        return self


def pair(a, b):
    return frozenset((a, b))


@pytest.mark.parametrize("world_size", [1, 2, 4, 8])
def test_the_tree_of_additions_is_one_and_the_same_in_any_world(world_size):
    sums = []
    count, most = 8 // world_size, 0
    for rank in range(world_size):
        held = {}
        for m in range(count):
            climb(held, m, [Shard(m * world_size + rank)], count)
            most = max(most, len(held))
        assert list(held) == [0]
        sums.append(held[0][0].tree)
    assert most <= max(1, count // 2)
    distance = world_size // 2
    while distance:
        sums = [pair(sums[rank], sums[rank ^ distance]) for rank in range(world_size)]
        distance //= 2
    fours = [pair(j, j + 4) for j in range(4)]
    expected = pair(pair(fours[0], fours[2]), pair(fours[1], fours[3]))
    assert sums == [expected] * world_size


def test_every_shard_gets_the_same_tokens_in_any_world(data):
    files = shard_files(data["DATA_PATH"], "train")
    dealt = {}
    for world_size in (1, 2, 4, 8):
        dealt[world_size] = shards = {}
        for rank in range(world_size):
            loader = DistributedTokenLoader(files, rank, world_size, "cpu")
            for step in range(3):
                for m in range(8 // world_size):
                    x, y = loader.next_batch(512, 32, 8 // world_size)
                    shards[step, m * world_size + rank] = x.tolist(), y.tolist()
    assert len(dealt[1]) == 24
    assert dealt[1] == dealt[2] == dealt[4] == dealt[8]


def test_a_parameter_that_only_some_shards_train_is_refused_by_name():
    p = torch.zeros(1)
    refuse_other_parameters(None, [("a", p)])
    with pytest.raises(CannotCheckError, match="WORLD_INVARIANT: b: some shards"):
        refuse_other_parameters([("a", p)], [("a", p), ("b", p)])


def test_alone_it_differs_from_the_default_in_training_and_in_nothing_else(tiny, perform):
    off, on = perform(run.main, tiny), perform(run.main, {**tiny, "WORLD_INVARIANT": "1"})
    first = [next(line for line in d.lines if "val_loss" in line) for d in (off, on)]
    assert first[0] == first[1]  # validated before the first step
    assert off.files["final_model.safetensors"] != on.files["final_model.safetensors"]
    unmoved = {**tiny, "ITERATIONS": "0", "WORLD_INVARIANT": "1"}
    off, on = perform(run.main, {**tiny, "ITERATIONS": "0"}), perform(run.main, unmoved)
    assert [line for line in off.lines if line.startswith("final_")] == [
        line for line in on.lines if line.startswith("final_")
    ]


@pytest.fixture(scope="module")
def runs(tiny):
    """Beside each other feature, beside all of them, and off."""
    tiny = {**tiny, **ON, "ITERATIONS": "2", "TTT_CHUNK_SIZE": "32"}
    examples = {
        feature.declaration.name: feature.declaration.example
        for feature in FEATURES
        if feature.declaration.kind == "acts"
    }
    every = {key: value for example in examples.values() for key, value in example.items()}
    examples = {**examples, "all": every, "off": {"WORLD_INVARIANT": "0"}}
    return {name: {**tiny, **example} for name, example in examples.items()}


@pytest.fixture(scope="module")
def alone(runs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("worlds") / "1"
    launch(1, folder, runs)
    return folder


def differing(alone, folder, name):
    """What of a run's output is not the same in both worlds."""
    parts = {
        "weights": lambda top: (top / name / "final_model.safetensors").read_bytes(),
        "artifact": lambda top: (top / name / "final_model.int8.safetensors.z").read_bytes(),
        "log": lambda top: events(top / name),
        "lines": lambda top: printed(top / name),
    }
    return [part for part, of in parts.items() if of(alone) != of(folder)]


def events(folder):
    """All that is logged, but the number of ranks and what depends on a rank: Muon's share."""
    lines = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    for line in lines:
        line.pop("chain")
        line.pop("world_size", None)
        line.get("state", {}).pop("optimizers", None)
    assert {"header", "validation", "step", "trained", "end"} == {line["kind"] for line in lines}
    return lines


def printed(folder):
    lines = (folder / "logs" / "train_gpt.txt").read_text(encoding="utf-8").splitlines()
    shown = lines[next(i for i, line in enumerate(lines) if line.startswith("model_params:")) :]
    assert any(line.startswith("final_int8_ttt_lora_exact") for line in shown)
    return [line for line in shown if not line.startswith("world_size:")]


def test_two_ranks_train_and_score_the_bytes_of_one_process(alone, runs, tmp_path):
    launch(2, tmp_path / "world", runs)
    found = {name: differing(alone, tmp_path / "world", name) for name in runs}
    # Off, the order of sums shows: were it not so, this test could see nothing.
    every = ["weights", "artifact", "log", "lines"]
    assert found == {name: every if name == "off" else [] for name in runs}


@pytest.mark.parametrize("world_size", [4, 8])
def test_more_ranks_train_and_score_the_bytes_of_one_process(world_size, alone, runs, tmp_path):
    launch(world_size, tmp_path / "world", {"all": runs["all"]})
    assert differing(alone, tmp_path / "world", "all") == []
