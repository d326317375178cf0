"""pytest tests/train_gpt_style/gpt/test_gpt_resuming.py — what a run is, put back part by part.

Whole runs that are killed and resumed: test_gpt_checkpoint.py.
"""

import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import safetensors.torch
import torch

from goldenseal.disk import canonical
from goldenseal.errors import UsageError
from train_gpt_style.gpt import SYSTEM, run
from train_gpt_style.gpt.features import CHECKPOINT
from train_gpt_style.kit import checkpoints, resuming
from train_gpt_style.kit.features import checkpoint
from train_gpt_style.kit.seams import Run, StepReport
from train_gpt_style.kit.start import source_of

# -- generators ------------------------------------------------------------------------------------


def through_a_file(facts):
    return canonical.loads(canonical.dumps(facts), "facts")


def drawn():
    return [
        (random.random(), random.gauss(0, 1), np.random.rand(), np.random.randn(), torch.rand(1))
        for _ in range(3)
    ]


@pytest.mark.parametrize("gaussians", [0, 1], ids=["no Gaussian waits", "one waits"])
def test_every_generator_goes_on_where_it_stood(gaussians):
    """Gaussians are drawn in pairs: the second of a pair waits in the generator."""
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    for _ in range(gaussians):
        random.gauss(0, 1)
        np.random.randn()
    states, facts = resuming.generators()
    expected = drawn()
    random.seed(2)
    np.random.seed(2)
    torch.manual_seed(2)
    assert drawn() != expected
    resuming.put_generators_back(states, through_a_file(facts))
    assert drawn() == expected


def test_the_generator_of_a_gpu_is_kept_and_comes_back_where_there_is_one(monkeypatch):
    put = []
    state = torch.arange(3, dtype=torch.uint8)
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda: state)
    monkeypatch.setattr(torch.cuda, "set_rng_state", put.append)
    kept = {}
    for has_one in (False, True):
        monkeypatch.setattr(torch.cuda, "is_available", lambda has_one=has_one: has_one)
        kept[has_one], facts = resuming.generators()
    assert kept[True]["cuda"] is state
    assert set(kept[False]) == {"cpu"}
    for has_one, states in ((False, kept[False]), (False, kept[True]), (True, kept[False])):
        monkeypatch.setattr(torch.cuda, "is_available", lambda has_one=has_one: has_one)
        resuming.put_generators_back(states, facts)
    assert put == []
    resuming.put_generators_back(kept[True], facts)
    assert len(put) == 1
    assert put[0] is state


# -- which run it is -------------------------------------------------------------------------------


def test_where_things_lie_and_what_is_watched_is_not_part_of_a_run(tiny, context, tmp_path):
    Path(tmp_path / "elsewhere").symlink_to(tiny["DATA_PATH"])
    free = {
        "CHECKPOINT_DIR": "elsewhere",
        "CHECKPOINT_EVERY": "7",
        "CHECKPOINT_KEEP": "7",
        "DATA_PATH": str(tmp_path / "elsewhere"),
        "RESUME": "never",
        "STOP_NONFINITE": "1",
        "TOKENIZER_PATH": "elsewhere",
    }
    first = resuming.identity(SYSTEM.read(tiny), context, "source")
    assert resuming.identity(SYSTEM.read({**tiny, **free}), context, "source") == first
    assert set(first["knobs"]) == set(SYSTEM.read(tiny)) - set(free)
    assert resuming.identity(SYSTEM.read(tiny), context, "Source")["source"] != first["source"]
    assert set(first) == {"data", "knobs", "numeric_class", "source", "world_size"}


def test_another_number_of_ranks_may_go_on_where_the_order_of_sums_is_fixed(tiny):
    for fixed in ("0", "1"):
        settings = SYSTEM.read({**tiny, "WORLD_INVARIANT": fixed})
        ours, theirs = (
            resuming.identity(settings, SimpleNamespace(world_size=n), "source") for n in (1, 2)
        )
        if fixed == "1":
            resuming.check_identity(theirs, ours, "here")
        else:
            with pytest.raises(UsageError, match=r"^here: world_size was 2, here it is 1: set"):
                resuming.check_identity(theirs, ours, "here")


def test_the_first_difference_is_named_and_what_is_long_cut_short():
    ours = {"knobs": {"A": "1", "C": "0", "Z": "2"}, "source": "o" * 99}
    for theirs, words in (
        ({**ours, "source": "t" * 99}, f"source was {'t' * 60}, here it is {'o' * 60}: set it"),
        ({**ours, "knobs": {"A": "1", "C": "0"}}, "knobs: Z was None, here it is 2:"),
        ({**ours, "knobs": {"B": "3"}, "source": ""}, "knobs: A was None, here it is 1:"),
        ({"source": ours["source"]}, "knobs was None, here it is {'A'"),
        ({**ours, "knobs": [1]}, "knobs was [1], here it is {'A'"),
        ({**ours, "source": {"A": 1}}, "source was {'A': 1}, here it is ooo"),
    ):
        with pytest.raises(UsageError) as caught:
            resuming.check_identity(theirs, ours, "here")
        assert str(caught.value).startswith(f"here: {words}")
    resuming.check_identity({**ours, "more": 1}, ours, "here")


# -- optimizers ------------------------------------------------------------------------------------


@pytest.fixture
def stepped(build, batch):
    """Optimizers with two steps behind them, of another model than they are put back into."""

    def stepped(steps=2):
        model = build()
        optimizers = run.build_optimizers(SYSTEM.read({}), model)
        for seed in range(steps):
            model(*batch(seed=seed)).backward()
            for optimizer in optimizers.values():
                optimizer.step()
        return optimizers

    return stepped


def test_optimizers_are_put_back_as_copies_and_what_was_there_is_forgotten(stepped):
    found = resuming.optimizer_tensors(stepped(), 0, 1)
    kept = {name: t.clone() for name, t in found.items()}
    assert any(name.endswith(".momentum_buffer") and t.any() for name, t in kept.items())
    others = stepped(1)
    others["embedding"].state["stray"] = {"exp_avg": torch.ones(1)}
    resuming.put_optimizers_back(others, found, 0, 1)
    assert "stray" not in others["embedding"].state
    back = resuming.optimizer_tensors(others, 0, 1)
    assert list(back) == list(kept)
    assert all(torch.equal(t, kept[name]) for name, t in back.items())
    for t in back.values():
        t.add_(1)
    assert all(torch.equal(t, kept[name]) for name, t in found.items())
    expected = resuming.expected_tensors(others)
    checkpoints.check_tensors(back, expected, "here")


@pytest.mark.parametrize("rank", range(4))
def test_a_rank_takes_its_share_of_the_momenta_and_all_else(stepped, rank):
    found = resuming.optimizer_tensors(stepped(), 0, 1)
    others = stepped(0)
    resuming.put_optimizers_back(others, found, rank, 4)
    matrices = others["matrices"].param_groups[0]["params"]
    owned = [i for i, p in enumerate(matrices) if p in others["matrices"].state]
    assert owned == list(range(rank, len(matrices), 4))
    scalars = others["scalars"].param_groups[0]["params"]
    assert all(len(others["scalars"].state[p]) == 3 for p in scalars)


def test_a_momentum_that_was_never_used_is_kept_as_zero(stepped):
    fresh = resuming.optimizer_tensors(stepped(0), 0, 1)
    assert fresh
    assert all(name.startswith("matrices.") and not t.any() for name, t in fresh.items())


# -- ranks -----------------------------------------------------------------------------------------


@pytest.fixture
def ranks(monkeypatch, tiny, tmp_path):
    """ranks(**environ): what each of two ranks starts from, or its error, rank 0 first."""
    sent = []

    def broadcast(tensor, src):
        assert src == 0
        sent.append(tensor.clone())
        tensor.copy_(sent[0])

    monkeypatch.setattr(checkpoint.dist, "broadcast", broadcast)
    monkeypatch.chdir(tmp_path)

    def ranks(**environ):
        sent.clear()
        settings = SYSTEM.read({**tiny, "CHECKPOINT_EVERY": "1", **environ})
        found = []
        for rank in range(2):
            ctx = SimpleNamespace(rank=rank, world_size=2, device="cpu")
            try:
                found.append(CHECKPOINT.start(settings, ctx))
            except UsageError as error:
                found.append(str(error))
        return found

    return ranks


@pytest.mark.parametrize("resume", ["auto", "never"])
def test_without_a_checkpoint_both_ranks_begin(ranks, resume):
    assert ranks(RESUME=resume) == [None, None]


def test_both_ranks_go_on_from_the_checkpoint_that_rank_0_chose(ranks, tiny):
    ctx = SimpleNamespace(world_size=2)
    identity = resuming.identity(SYSTEM.read(tiny), ctx, source_of(SYSTEM))
    for step in (1, 2):
        files = dict.fromkeys(checkpoints.FILES, safetensors.torch.save({}))
        files["state.json"] = canonical.dumps({**STATE, "step": step, **identity})
        checkpoints.write(Path("checkpoints/train_gpt"), step, files, keep=9)
        found = ranks()
        assert [each.step for each in found] == [step, step]
        assert found[0].path == found[1].path
    words = "RESUME=never, but checkpoints/train_gpt holds checkpoints: move them away"
    problem, other = ranks(RESUME="never")
    assert problem.startswith(words)
    assert other == "rank 0 cannot go on from the checkpoints"
    assert "SEED was 1337, here it is 3" in ranks(SEED="3")[0]


@pytest.fixture
def keeper(stepped, build, tiny, monkeypatch, tmp_path):
    """keeper(rank): who keeps a run of one model on that rank; nobody else is there."""
    monkeypatch.chdir(tmp_path)

    def keeper(rank=0, **environ):
        ctx = SimpleNamespace(rank=rank, world_size=1)
        settings = SYSTEM.read({**tiny, "CHECKPOINT_EVERY": "2", **environ})
        log = SimpleNamespace(position=lambda: {"bytes": 0})
        seen = Run(settings, ctx, build(), stepped(), log)
        return CHECKPOINT.observer(seen)

    return keeper


def report(step):
    return StepReport(step, None)


def test_a_checkpoint_is_written_at_its_cadence_on_rank_0_alone(keeper):
    for rank, expected in ((1, []), (0, ["step-00000004", "step-00000002"])):
        kept = keeper(rank)
        for step in range(1, 6):
            kept.after_step(report(step))
        found = checkpoints.listed(Path("checkpoints/train_gpt"))
        assert [path.name for path in found] == expected


def test_what_is_not_finite_is_named_be_it_a_weight_or_a_state(keeper, capsys):
    kept = keeper()
    state = kept.run.optimizers["embedding"].state
    for t, name in (
        (next(iter(state.values()))["exp_avg"], "optimizer embedding.0.exp_avg"),
        (kept.run.model.state_dict()["skip_weights"], "model skip_weights"),
    ):
        t.view(-1)[0] = float("nan")
        kept.after_step(report(2))
        assert capsys.readouterr().err == f"checkpoint: step 2 is not kept: {name} is not finite\n"
    assert not Path("checkpoints").exists()


# -- files of a checkpoint -------------------------------------------------------------------------


def test_the_first_tensor_that_is_not_finite_is_named():
    bad = {"c": torch.tensor([1.0, float("nan")]), "b": torch.tensor([float("inf"), 0.0])}
    good = {"a": torch.ones(2), "n": torch.tensor([1])}
    assert checkpoints.first_not_finite(good) is None
    assert checkpoints.first_not_finite({**bad, **good}) == "b"


def test_tensors_that_do_not_fit_are_named_with_their_file():
    here = {"a": torch.ones(2), "b": torch.ones(2)}
    for found, words in (
        ({"a": here["a"]}, "file: b is missing"),
        ({**here, "c": here["a"]}, "file: c is not of this run"),
        (
            {**here, "b": torch.ones(3)},
            "file: b is torch.float32 (3,), in this run torch.float32 (2,)",
        ),
        (
            {**here, "a": torch.ones(2).half(), "b": torch.ones(3)},
            "file: a is torch.float16 (2,), in this run torch.float32 (2,)",
        ),
    ):
        with pytest.raises(UsageError) as caught:
            checkpoints.check_tensors(found, here, "file")
        assert str(caught.value) == words
    checkpoints.check_tensors(here, here, "file")


STATE = {
    "schema": 1,
    "step": 3,
    "train_ms": "0x1.8p+1",
    "capped": False,
    "loader": [1, 2],
    "log": {"bytes": 0},
    "observers": {},
    "generators": {},
    "knobs": {"WORLD_INVARIANT": "0"},
}


def resumed(state):
    files = dict.fromkeys(checkpoints.FILES, safetensors.torch.save({}))
    files["state.json"] = canonical.dumps(state)
    return resuming.Resumed(Path("kept/step"), files, {"knobs": STATE["knobs"]})


def test_a_state_says_where_the_run_stands():
    found = resumed(STATE)
    assert (found.step, found.capped, found.train_ms, found.loader) == (3, False, 3.0, (1, 2))
    assert (found.log, found.observers, found.generators) == ({"bytes": 0}, {}, {})
    assert found.path == Path("kept/step")
    assert resumed({**STATE, "capped": True}).capped is True


@pytest.mark.parametrize(
    ("change", "words"),
    [
        *(({"schema": schema}, "not the state of a checkpoint, schema 1") for schema in (0, 2)),
        ({"step": "x"}, "no state of a run: "),
        ({"step": None}, "no state of a run: "),
        ({"train_ms": 3}, "no state of a run: "),
        ({"train_ms": "x"}, "no state of a run: "),
        ({"loader": [None]}, "no state of a run: "),
        ({"loader": 1}, "no state of a run: "),
        ({"observers": [1]}, "no state of a run: "),
    ],
    ids=str,
)
def test_a_state_that_is_none_is_refused_with_its_file(change, words):
    with pytest.raises(UsageError) as caught:
        resumed({**STATE, **change})
    assert str(caught.value).startswith(f"kept/step/state.json: {words}")


@pytest.mark.parametrize("name", [*STATE][1:-1])
def test_a_state_without_one_of_its_parts_is_refused(name):
    state = {key: value for key, value in STATE.items() if key != name}
    with pytest.raises(UsageError, match=f"no state of a run: '{name}'"):
        resumed(state)
