"""pytest tests/train_gpt_style/gpt/test_gpt_optim.py — each parameter has exactly one owner."""

import pytest
import torch
from torch import nn

from goldenseal.errors import UsageError
from train_gpt_style.gpt import SYSTEM, optim
from train_gpt_style.gpt.seams import GatedFeature

EVERYTHING = {"PHINTA_ENABLE": "1", "PHINTA_PER_BLOCK": "1", "PHINTA_START": "identity"}


@pytest.mark.parametrize(
    "environ",
    [{}, {"TIE_EMBEDDINGS": "0"}, {"NUM_LAYERS": "1"}, {"PHINTA_ENABLE": "1"}, EVERYTHING],
    ids=str,
)
def test_the_groups_partition_the_trainable_parameters(build, environ):
    model = build(**environ)
    optimizers = optim.build_optimizers(SYSTEM.read(environ), model)
    owned = [p for o in optimizers.values() for g in o.param_groups for p in g["params"]]
    assert len(owned) == len({id(p) for p in owned})
    expected = {id(p) for p in model.parameters() if p.numel() > 0}
    assert {id(p) for p in owned} == expected


def test_matrices_go_to_muon_and_everything_else_to_adam(build):
    model = build(**EVERYTHING)
    groups = optim.group_parameters(model, SYSTEM.read(EVERYTHING).features)
    names = {id(p): name for name, p in model.named_parameters()}
    matrices = {names[id(p)] for p in groups["matrices"]}
    assert all(p.ndim == 2 for p in groups["matrices"])
    assert {"blocks.0.attn.c_q.weight", "around_block.phinta.0.A"} <= matrices
    assert not any("resid_mix" in name or "skip" in name for name in matrices)
    assert "around_block.phinta.0.gain" in {names[id(p)] for p in groups["scalars"]}


def test_a_parameter_that_nobody_claims_stops_the_run_before_it_starts(build):
    model = build()
    model.before_head["stray"] = nn.Linear(32, 32)
    with pytest.raises(UsageError, match=r"before_head\.stray\.weight has 0"):
        optim.build_optimizers(SYSTEM.read({}), model)


def test_a_parameter_that_two_claim_stops_the_run_before_it_starts(build):
    class Greedy(GatedFeature):
        def claim(self, parameter_name):
            return "scalars" if parameter_name == "tok_emb.weight" else None

        def lr_factor(self, group, settings):
            return 1.0

    settings = SYSTEM.read({})
    settings.features = (Greedy(),)
    with pytest.raises(UsageError, match=r"tok_emb\.weight has 2"):
        optim.build_optimizers(settings, build())


def test_a_tensor_that_is_not_the_models_stops_the_run_before_it_starts(build):
    model = build()
    optimizers = optim.build_optimizers(SYSTEM.read({}), model)
    optimizers["stray"] = torch.optim.SGD([nn.Parameter(torch.zeros(2))], lr=1.0)
    with pytest.raises(UsageError, match="1 tensors that are not the model's"):
        optim.check_partition(model, optimizers)


def test_a_group_that_is_not_one_of_ours_is_an_error(build):
    class Lost(GatedFeature):
        def claim(self, parameter_name):
            return "nowhere" if parameter_name == "tok_emb.weight" else None

    settings = SYSTEM.read({})
    settings.features = (Lost(),)
    with pytest.raises(UsageError, match="'nowhere' is no optimizer group"):
        optim.build_optimizers(settings, build())
