"""pytest tests/train_gpt_style/kit/test_resuming.py — what a run that goes on must share."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from goldenseal.errors import UsageError
from train_gpt_style.kit import resuming


class SharedOut(torch.optim.SGD):
    """Momentum; of several ranks, each keeps that of every other parameter."""

    def __init__(self, params):
        super().__init__(params, lr=0.1, momentum=0.5)

    def kept_for(self, p):
        return {"momentum_buffer": p}

    def owner_of(self, i, world_size):
        return i % world_size


@pytest.fixture
def shared_out():
    """Three parameters, of which the last has had no gradient."""
    params = [torch.nn.Parameter(torch.ones(n)) for n in (1, 2, 3)]
    optimizer = SharedOut(params)
    sum((p * p).sum() for p in params[:2]).backward()
    optimizer.step()
    return {"shared": optimizer}


@pytest.mark.parametrize("world_size", [1, 2])
def test_what_is_shared_out_comes_from_its_owner(shared_out, monkeypatch, world_size):
    heard = []
    group = SimpleNamespace(broadcast=lambda t, src: heard.append((len(t), src)))
    monkeypatch.setattr(resuming, "dist", group)
    found = resuming.optimizer_tensors(shared_out, 0, world_size)
    assert heard == ([(1, 0), (2, 1), (3, 0)] if world_size == 2 else [])
    values = {name: t.tolist() for name, t in found.items()}
    assert values == {
        "shared.0.momentum_buffer": [2.0],
        "shared.1.momentum_buffer": [2.0, 2.0],
        "shared.2.momentum_buffer": [0.0, 0.0, 0.0],
    }


@pytest.mark.parametrize(("world_size", "rank", "kept"), [(1, 0, [0, 1, 2]), (2, 1, [1])])
def test_a_rank_keeps_its_own_share(shared_out, world_size, rank, kept):
    found = resuming.optimizer_tensors(shared_out, 0, 1)
    resuming.put_optimizers_back(shared_out, found, rank, world_size)
    optimizer = shared_out["shared"]
    params = [p for group in optimizer.param_groups for p in group["params"]]
    assert [i for i, p in enumerate(params) if p in optimizer.state] == kept


class Values(dict):
    """Settings, as far as an identity asks for them."""

    features = ()

    def as_environment(self):
        return dict(self)


def settings_of(*features):
    system = SimpleNamespace(features=(), paths=("DATA",), data=lambda settings: {"a": "digest"})
    settings = Values(DATA="/here", LR="0.5")
    settings.system = system
    settings.features = tuple(SimpleNamespace(any_world=each) for each in features)
    return settings


@pytest.mark.parametrize(
    ("features", "world"), [((), 4), ((False,), 4), ((False, True), "any"), ((True,), "any")]
)
def test_one_feature_makes_any_number_of_ranks_do(features, world):
    identity = resuming.identity(settings_of(*features), SimpleNamespace(world_size=4), "text")
    assert identity["world_size"] == world
    assert (identity["knobs"], identity["data"]) == ({"LR": "0.5"}, {"a": "digest"})


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"knobs": {"LR": "1"}, "world_size": 2}, "kept: world_size was 2, here it is 1"),
        ({"knobs": {"LR": "2"}, "world_size": 1}, "kept: knobs: LR was 2, here it is 1"),
        ({"knobs": {}, "world_size": 1}, "kept: knobs: LR was None, here it is 1"),
        ({"knobs": "LR=1", "world_size": 1}, "kept: knobs was LR=1, here it is {'LR': '1'}"),
        ({"world_size": 1}, "kept: knobs was None, here it is {'LR': '1'}"),
    ],
)
def test_the_first_difference_is_named(found, message):
    with pytest.raises(UsageError) as caught:
        resuming.check_identity(found, {"knobs": {"LR": "1"}, "world_size": 1}, "kept")
    assert str(caught.value).startswith(message)


def test_generators_go_on_also_with_half_a_pair_of_normal_numbers_drawn():
    """Python and NumPy draw normal numbers in pairs, and keep the second."""

    def draws():
        return random.gauss(0, 1), random.random(), np.random.randn(2).tolist(), torch.rand(1)

    for seed in (1, 2):
        random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
        if seed == 2:
            random.gauss(0, 1), np.random.randn()
        kept = resuming.generators()
        first = draws()
        resuming.put_generators_back(*kept)
        assert draws() == first
