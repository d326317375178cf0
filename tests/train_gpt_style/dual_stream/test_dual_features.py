"""pytest tests/train_gpt_style/dual_stream/test_dual_features.py — terms, gradients, refusals."""

import pytest
import torch

from goldenseal.errors import UsageError
from train_gpt_style.dual_stream import SYSTEM
from train_gpt_style.dual_stream.losses import bce, info_nce, loss_and_facts
from train_gpt_style.dual_stream.presets import PRESETS

NOT_FRESH = "warm_start"  # its own purpose
ACTING = [
    f for f in SYSTEM.features if f.declaration.kind == "acts" and f.declaration.name != NOT_FRESH
]
HEAD = {"GEO_HEAD": "1", "CV_WEIGHT": "0.5"}


def batch(rows=6):
    generator = torch.Generator().manual_seed(3)
    views = torch.randn(2 * rows, 3, 8, 8, generator=generator)
    return views, torch.randint(2, (rows,), generator=generator)


@pytest.mark.parametrize("feature", ACTING, ids=lambda f: f.declaration.name)
def test_a_feature_leaves_the_baselines_weights_and_draws_alone(model_of, feature):
    example = dict(feature.declaration.example)
    shape = {k: v for k, v in example.items() if k in ("N_FUSED_BLOCKS", "SEED")}
    plain = model_of(**shape)
    drawn, expected = torch.get_rng_state(), dict(plain.named_parameters())
    model = model_of(**example)
    assert torch.get_rng_state().equal(drawn)
    replaced = ("joint.", "classifier.") if "N_CROSS_BLOCKS" in example else ()
    kept = {n: p for n, p in model.named_parameters() if n in expected}
    assert len(kept) > 40
    for name, p in kept.items():
        if not name.startswith(replaced or "none"):
            assert p.equal(expected[name]), name


REFUSED = {
    "a head that nothing reads": ({"GEO_HEAD": "1"}, "GEO_HEAD=1 alone is read by no loss"),
    "a probe without a head": ({"GEO_BCE_WEIGHT": "1"}, "GEO_BCE_WEIGHT=1.0 needs GEO_HEAD=1"),
    "diversity without a head": ({"GEO_DIV_WEIGHT": "1"}, "needs GEO_HEAD=1"),
    "a scope without a head": ({"NCE_SCOPE": "geo"}, "NCE_SCOPE=geo needs GEO_HEAD=1"),
    "cross beside the fusion": (
        {**HEAD, "N_CROSS_BLOCKS": "1"},
        "N_CROSS_BLOCKS=1 needs N_FUSED_BLOCKS=0 and GEO_HEAD=1, not 1 and 1",
    ),
    "cross without a head": ({"N_CROSS_BLOCKS": "1", "N_FUSED_BLOCKS": "0"}, "not 0 and 0"),
    "a rule without a queue": ({"QUEUE_ADAPT": "A"}, "QUEUE_ADAPT=A needs MASTERY_WEIGHT"),
    "a stop without a queue": ({"NCE_AFTER_MASTERY": "drop"}, "needs MASTERY_WEIGHT above 0"),
    "bounds out of order": (
        {"QUEUE_ADAPT": "A", "MASTERY_WEIGHT": "1", "QUEUE_MIN": "5000"},
        "QUEUE_MIN=5000, MASTERY_QUEUE=4096 and QUEUE_MAX=16384 must be in this order",
    ),
    "thresholds out of order": (
        {"QUEUE_ADAPT": "A", "MASTERY_WEIGHT": "1", "QUEUE_SHRINK": "10"},
        "QUEUE_SHRINK=10.0 must be at most QUEUE_GROW=9.0",
    ),
    "a CV of too few rows": ({"CV_WEIGHT": "1", "BATCH": "2"}, "4 rows by BATCH=2"),
    "a CV of too few anchors": (
        {"ANCHOR_CV_WEIGHT": "1", "N_ANCHORS": "4", "N_COMP": "2"},
        "ANCHOR_CV_WEIGHT=1.0 has 4 rows by N_ANCHORS=4, and a simplex needs 5",
    ),
    "a CV at an end": ({"CV_WEIGHT": "1", "CV_TARGET": "1"}, "CV_TARGET=1.0 must lie between"),
    "a CV at the other": ({"ANCHOR_CV_WEIGHT": "1", "CV_TARGET": "0"}, "CV_TARGET=0.0 must lie"),
    "a CV scope without a head": ({"CV_WEIGHT": "1", "CV_SCOPE": "geo"}, "CV_SCOPE=geo needs GEO"),
    "mastery that never comes": (
        {"MASTERY_WEIGHT": "1", "INFONCE_WEIGHT": "0"},
        "MASTERY_PATIENCE=50 waits for InfoNCE",
    ),
    "a queue too short for a fit": (
        {"GAL_ENABLE": "1", "GAL_BUFFER": "1000"},
        "max\\(5 CLASSES, 8 OUTPUT_DIM\\) = 1024",
    ),
}


@pytest.mark.parametrize(("environ", "words"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_in_one_line(environ, words):
    defaults = {"N_FUSED_BLOCKS": "1"} if "beside" in words or "1 and 1" in words else {}
    with pytest.raises(UsageError, match=words) as caught:
        SYSTEM.read({**defaults, **environ})
    assert "\n" not in str(caught.value)


QUEUE = {"QUEUE_ADAPT": "A", "MASTERY_WEIGHT": "1"}
JUST_ENOUGH = {
    "bounds that are one": {**QUEUE, "QUEUE_MIN": "4096", "QUEUE_MAX": "4096"},
    "thresholds that are one": {**QUEUE, "QUEUE_SHRINK": "9"},
    "rows for one simplex": {"CV_WEIGHT": "1", "BATCH": "3"},
    "anchors for one simplex": {"ANCHOR_CV_WEIGHT": "1", "N_ANCHORS": "5", "N_COMP": "1"},
    "a queue long enough for a fit": {"GAL_ENABLE": "1", "GAL_BUFFER": "1024"},
}


@pytest.mark.parametrize("environ", JUST_ENOUGH.values(), ids=JUST_ENOUGH)
def test_what_just_fits_is_taken(environ):
    SYSTEM.read(environ)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_understood(name):
    SYSTEM.read(PRESETS[name])


def test_the_targets_of_the_classifier_are_smoothed_over_all_classes():
    logits = torch.zeros(1, 4)
    plain, smooth = (bce(logits, torch.tensor([2]), s) for s in (0.0, 0.5))
    assert float(plain) == pytest.approx(float(smooth))
    sure = torch.tensor([[-20.0, -20.0, 20.0, -20.0]])
    expected = 20 * ((1 - 0.5 - 0.125) + 3 * 0.125) / 4
    assert float(bce(sure, torch.tensor([2]), 0.5)) == pytest.approx(expected, rel=1e-4)


def test_info_nce_is_the_cross_entropy_of_finding_the_own_view():
    rows = torch.cat((torch.eye(4), torch.eye(4)))
    loss, hits = info_nce(rows, 0.5)
    assert int(hits) == 4
    expected = torch.log(torch.exp(torch.tensor(2.0)) + 3) - 2
    assert float(loss) == pytest.approx(float(expected), rel=1e-6)


def test_a_term_of_weight_zero_is_not_computed(model_of):
    model = model_of(BCE_WEIGHT="0", ANCHOR_DROP="0")
    with torch.no_grad():
        model.classifier.out.weight.fill_(float("nan"))
    loss, facts = loss_and_facts(model, *batch())
    assert loss.isfinite()
    assert "bce" not in facts
    assert set(facts["seen"].terms) == {"nce"}


def test_the_cm_term_is_dead_without_a_floor_and_alive_with_one(model_of):
    grads = []
    for floor in ("0", "0.015625"):
        model = model_of(CM_WEIGHT="64", CM_FLOOR=floor, BCE_WEIGHT="0", ANCHOR_DROP="0")
        _, facts = loss_and_facts(model, *batch())
        value = facts["seen"].terms["cm"]
        weight = model.dual[0].geo.simplex.deform.weight
        (grad,) = torch.autograd.grad(value, weight)
        grads.append((float(value.detach()), float(grad.abs().max())))
    assert grads[0] == (0, 0)
    assert min(grads[1]) > 0


def test_the_signs_of_the_separation_differ_and_the_value_does_not(model_of):
    losses, grads = [], []
    for environ in ({}, {"AUTOGRAD_SIGN": "described"}, None):
        on = {"ENABLE_AUTOGRAD": "1", "AUTOGRAD_SEP": "1"} if environ is not None else {}
        model = model_of(ANCHOR_DROP="0", **on, **(environ or {})).eval()
        loss, _ = loss_and_facts(model, *batch())
        loss.backward()
        losses.append(float(loss.detach()))
        grads.append(model.patch.weight.grad)
    assert losses[0] == losses[1] == losses[2]
    assert not grads[0].equal(grads[1])
    assert not grads[0].equal(grads[2])


def test_diversity_counts_same_class_pairs_alone(model_of):
    model = model_of(GEO_HEAD="1", GEO_DIV_WEIGHT="1", GEO_DIV_COS="-1").eval()
    views, _ = batch(2)
    _, facts = loss_and_facts(model, views, torch.tensor([0, 1]))
    geo = model.seen.geo.detach()
    expected = ((geo[0] @ geo[2] + 1) + (geo[1] @ geo[3] + 1)) / 2
    assert float(facts["geo_div"].detach()) == pytest.approx(float(expected), abs=1e-6)


def test_the_scope_of_info_nce_leaves_the_standard_head_without_a_gradient(model_of):
    model = model_of(**{**HEAD, "CV_WEIGHT": "0", "NCE_SCOPE": "geo", "BCE_WEIGHT": "0"})
    loss, _ = loss_and_facts(model, *batch())
    loss.backward()
    assert model.joint.output_proj[0].weight.grad is None
    assert model.geo_output_proj[0].weight.grad.abs().max() > 0
