"""pytest tests/train_gpt_style/gpt/test_gpt_invariance.py — WORLD_INVARIANT: equal bytes."""

import json

import pytest
import torch

from goldenseal.errors import CannotCheckError
from tests.train_gpt_style.gpt.worlds import launch
from train_gpt_style.gpt import SYSTEM, invariant, probe_data, run
from train_gpt_style.gpt.division import Division
from train_gpt_style.gpt.features import FEATURES
from train_gpt_style.gpt.invariant import InvariantDivision, climb, refuse_other_parameters
from train_gpt_style.gpt.seams import GatedFeature, Moment
from train_gpt_style.kit.shards import DistributedTokenLoader, shard_files

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


# -- against the usual order, in a world of one ----------------------------------------------------

DIVISIONS = (Division, InvariantDivision)
SMALL = {**probe_data.TINY, "VOCAB_SIZE": "64"}


class Dealer:
    """A loader of eight batches, again and again."""

    def __init__(self, batch):
        self.count, self.batch = iter(range(100)), batch

    def next_batch(self, *sizes):
        return self.batch(seed=next(self.count) % 8)


def one_byte_each(previous_ids, target_ids):
    return torch.ones_like(target_ids)


def test_loss_and_gradients_are_those_of_the_usual_order_but_for_rounding(
    build, batch, perturb, context
):
    settings, model, found = SYSTEM.read(SMALL), perturb(build()), []
    for division in DIVISIONS:
        model.zero_grad()
        loss = division.accumulate_gradients(settings, model, model, context, Dealer(batch), 0, 0.0)
        found.append({"loss": loss, **{name: p.grad for name, p in model.named_parameters()}})
    usual, fixed = found
    assert list(usual) == list(fixed)
    assert all(torch.allclose(fixed[name], t, rtol=1e-4, atol=1e-6) for name, t in usual.items())
    assert usual["loss"] > 0
    assert not fixed["loss"].requires_grad


@pytest.mark.parametrize("division", DIVISIONS)
@pytest.mark.parametrize(("rank", "world_size"), [(0, 1), (1, 2), (2, 4)])
def test_features_are_told_of_each_micro_batch_of_the_rank(
    build, batch, context, monkeypatch, division, rank, world_size
):
    """Its step, its number among all ranks', and the part of training that lies behind."""
    told = []

    class Listener(GatedFeature):
        def before_micro_batch(self, model, settings, moment):
            told.append(moment)

    monkeypatch.setattr(invariant, "combine_ranks", lambda *args: None)
    context.rank, context.world_size = rank, world_size
    context.grad_accum_steps = 8 // world_size
    settings = SYSTEM.read({**SMALL, "ITERATIONS": "4", "MAX_WALLCLOCK_SECONDS": "0"})
    settings.features, model = (Listener(),), build()
    division.accumulate_gradients(settings, model, model, context, Dealer(batch), 3, 0.0)
    assert told == [Moment(3, shard, 0.75) for shard in range(rank, 8, world_size)]


@pytest.mark.parametrize("sequences", [1, 2, 3, 4, 5])
def test_validation_is_that_of_the_usual_order_but_for_rounding(build, perturb, context, sequences):
    environ = {**SMALL, "TRAIN_SEQ_LEN": "16", "VAL_BATCH_SIZE": str(2 * 8 * 16)}
    settings, model = SYSTEM.read(environ), perturb(build())
    modes = []
    model.register_forward_pre_hook(lambda module, args: modes.append(module.training))
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(64, (sequences * 16 + 1,), generator=generator)
    usual, fixed = (
        division.validate(settings, model, context, tokens, one_byte_each) for division in DIVISIONS
    )
    assert fixed == pytest.approx(usual, rel=1e-6)
    assert not any(modes)
    assert model.training


@pytest.mark.parametrize("documents", [1, 2, 5])
def test_adaptation_is_that_of_the_usual_order_but_for_rounding(build, perturb, context, documents):
    settings, model = SYSTEM.read({**SMALL, "TTT_BATCH_SIZE": "2"}), perturb(build())
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(2, 64, (documents * 40,), generator=generator)
    tokens[::40] = 1
    found = []
    for division in DIVISIONS:
        torch.manual_seed(1)
        found.append(division.evaluate_ttt(settings, model, context, tokens, one_byte_each))
    usual, fixed = found
    assert fixed == pytest.approx(usual, rel=1e-6)


def test_sums_of_several_types_are_added_each_to_its_own(monkeypatch):
    """The other rank is this one, times two."""
    sent = {}

    def exchange(operations):
        for kind, tensor, peer in operations:
            assert peer == 1
            if kind == "send":
                sent[tensor.dtype] = tensor.clone()
            else:
                tensor.copy_(2 * sent[tensor.dtype])
        return []

    monkeypatch.setattr(invariant.dist, "P2POp", lambda *args: args)
    monkeypatch.setattr(invariant.dist, "isend", "send")
    monkeypatch.setattr(invariant.dist, "irecv", "receive")
    monkeypatch.setattr(invariant.dist, "batch_isend_irecv", exchange)
    types = (torch.float32, torch.float64, torch.float32, torch.bfloat16)
    sums = [torch.full((2, i), i + 1, dtype=dtype) for i, dtype in enumerate(types)]
    invariant.combine_ranks(sums, 0, 2)
    assert sorted(map(str, sent)) == sorted(map(str, set(types)))
    for i, (t, dtype) in enumerate(zip(sums, types, strict=True)):
        assert t.dtype == dtype
        assert torch.equal(t, torch.full((2, i), 3 * (i + 1), dtype=dtype))


# -- whole runs in several worlds ------------------------------------------------------------------


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
