"""pytest tests/train_gpt_style/gpt/test_gpt_equality.py — features off, against the baseline."""

import pytest
import torch

from train_gpt_style.gpt import SYSTEM, model, muon, probe_data, run, schedule
from train_gpt_style.gpt.features import FEATURES
from train_gpt_style.kit.source import files_of

SHAPES = {
    "default": {},
    "one layer": {"NUM_LAYERS": "1"},
    "odd layers, untied": {"NUM_LAYERS": "3", "TIE_EMBEDDINGS": "0"},
    "as many key heads as query heads": {"NUM_KV_HEADS": "4", "MLP_MULT": "3"},
    "other scales": {"QK_GAIN_INIT": "0.7", "LOGIT_SOFTCAP": "5", "ROPE_BASE": "100", "SEED": "7"},
}
UNSET = {knob.name: "" for feature in FEATURES for knob in feature.declaration.all_knobs}
DEFAULT = {
    knob.name: knob.text(knob.default)
    for feature in FEATURES
    for knob in feature.declaration.all_knobs
}
DORMANT = {knob.name: knob.on for feature in FEATURES for knob in feature.declaration.knobs}


@pytest.fixture
def pair(baseline, build, context):
    """pair(environ): the baseline's model and the candidate's."""

    def pair(environ):
        text = {**probe_data.TINY, "VOCAB_SIZE": "64", **environ}
        args = baseline.Hyperparameters.from_env(text)
        torch.manual_seed(args.seed)
        theirs = baseline.build_model(args, context)
        after = torch.get_rng_state()
        ours = build(**environ)
        assert torch.equal(after, torch.get_rng_state())
        return theirs, ours

    return pair


@pytest.mark.parametrize("environ", SHAPES.values(), ids=SHAPES)
def test_a_fresh_model_has_the_baselines_names_bytes_and_random_draws(pair, environ):
    theirs, ours = (m.state_dict() for m in pair(environ))
    assert list(theirs) == list(ours)
    assert all(torch.equal(theirs[name], ours[name]) for name in theirs)
    assert [t.dtype for t in theirs.values()] == [t.dtype for t in ours.values()]


@pytest.mark.parametrize("environ", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("shape", [(2, 16), (1, 1), (3, 31)])
def test_losses_and_gradients_on_perturbed_weights_are_the_baselines(
    pair, batch, perturb, environ, shape
):
    theirs, ours = map(perturb, pair(environ))
    x, y = batch(*shape)
    losses = [m(x, y) for m in (theirs, ours)]
    assert torch.equal(*losses)
    for loss in losses:
        loss.backward()
    expected = dict(theirs.named_parameters())
    for name, p in ours.named_parameters():
        theirs_grad = expected[name].grad
        assert (p.grad is None) == (theirs_grad is None) == (p.numel() == 0), name
        assert p.grad is None or torch.equal(p.grad, theirs_grad), name


def test_the_optimizers_move_perturbed_weights_as_the_baselines_do(
    baseline, pair, batch, perturb, context
):
    environ = {"TIE_EMBEDDINGS": "0"}
    theirs, ours = map(perturb, pair(environ))
    text = {**probe_data.TINY, "VOCAB_SIZE": "64", **environ}
    their_optimizers = baseline.build_optimizers(baseline.Hyperparameters.from_env(text), theirs)
    our_optimizers = list(run.build_optimizers(SYSTEM.read(text), ours).values())
    for a, b in zip(their_optimizers, our_optimizers, strict=True):
        assert type(a).__name__ == type(b).__name__
        assert a.state_dict()["param_groups"] == b.state_dict()["param_groups"]
    for step in range(3):
        for m, optimizers in ((theirs, their_optimizers), (ours, our_optimizers)):
            m(*batch(seed=step)).backward()
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()
    expected = theirs.state_dict()
    for name, t in ours.state_dict().items():
        assert torch.equal(t, expected[name]), name


def test_newton_schulz_is_the_baselines_for_wide_tall_and_square_matrices(baseline):
    for shape in ((8, 24), (24, 8), (16, 16)):
        G = torch.randn(shape, generator=torch.Generator().manual_seed(1))
        assert torch.equal(muon.newton_schulz(G, 5), baseline.newton_schulz(G, 5))


def test_the_schedules_are_the_baselines(baseline):
    for environ in ({}, {"MAX_WALLCLOCK_SECONDS": "0"}, {"WARMDOWN_ITERS": "0"}):
        s, args = SYSTEM.read(environ), baseline.Hyperparameters.from_env(environ)
        for step in (0, 1, 499, 500, 18799, 18800, 18801, 20000):
            assert schedule.muon_momentum(s, step) == baseline.muon_momentum(args, step)
            for elapsed in (0.0, 1.0, 123456.0, 599999.0, 600000.0, 700000.0):
                expected = baseline.lr_scale(args, step, elapsed)
                assert schedule.lr_scale(s, step, elapsed) == expected


@pytest.mark.parametrize("scenario", probe_data.SCENARIOS)
def test_a_whole_run_prints_and_writes_what_the_baseline_does(baseline, data, perform, scenario):
    environ = {**probe_data.SCENARIOS[scenario](), **data}
    theirs, ours = perform(baseline.main, environ), perform(run.main, environ)
    assert theirs.comparable == ours.comparable
    assert list(theirs.files) == list(ours.files)
    for name in ("final_model.safetensors", "final_model.int8.safetensors.z"):
        assert theirs.files[name] == ours.files[name]


@pytest.mark.parametrize("off", [UNSET, DEFAULT, DORMANT], ids=["empty", "default", "dormant"])
def test_unset_empty_default_and_dormant_knobs_all_mean_off(tiny, perform, off):
    environ = {**tiny, "ITERATIONS": "1", "VAL_LOSS_EVERY": "0"}
    assert perform(run.main, {**environ, **off}) == perform(run.main, environ)


def test_warm_up_steps_leave_no_trace(tiny, perform):
    """Only the wall clock may tell a warmed-up run from another."""
    environ = {**tiny, "ITERATIONS": "1"}
    warmed, cold = (perform(run.main, {**environ, "WARMUP_STEPS": n}) for n in ("1", "0"))
    knob = "warmup_steps:"
    assert [line for line in warmed.comparable if not line.startswith(knob)] == [
        line for line in cold.comparable if not line.startswith(knob)
    ]
    assert warmed.files["final_model.safetensors"] == cold.files["final_model.safetensors"]


def test_a_single_layer_runs_whole(baseline, data, perform):
    environ = {**probe_data.TINY, **data, "NUM_LAYERS": "1", "ITERATIONS": "1"}
    theirs, ours = perform(baseline.main, environ), perform(run.main, environ)
    assert theirs.comparable == ours.comparable


def test_the_log_holds_every_module_of_the_run(tiny, perform):
    done = perform(run.main, {**tiny, "ITERATIONS": "0"})
    log = done.files["logs/train_gpt.txt"].decode()
    for path in files_of("train_gpt_style.gpt"):
        assert path.read_text(encoding="utf-8") in log
    assert log.endswith("\n".join(done.lines) + "\n")


def test_a_copied_model_is_independent_of_its_original(build, batch, perturb):
    import copy

    original = perturb(build(UT_LOOPS="2", UT_LAYER_END="2", PHINTA_ENABLE="1"))
    twin = copy.deepcopy(original)
    before = twin(*batch()).item()
    with torch.no_grad():
        for p in original.parameters():
            p.zero_()
    assert twin(*batch()).item() == before


def test_control_names_are_the_baselines(baseline):
    assert model.CONTROL_NAMES == baseline.CONTROL_NAMES
