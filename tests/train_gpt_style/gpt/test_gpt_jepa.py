"""pytest tests/train_gpt_style/gpt/test_gpt_jepa.py — the span loss and where it acts."""

import hashlib

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenseal.errors import UsageError
from train_gpt_style.gpt import SYSTEM, run, ttt
from train_gpt_style.gpt.features.jepa import (
    JEPA,
    SpanLoss,
    draw_span,
    longest_span,
    span_generator,
)
from train_gpt_style.gpt.seams import Moment


def span_loss(h, a, b):
    loss = SpanLoss(layer=0)
    loss.ends.copy_(torch.tensor((a - 1, b)))
    return loss(h)


@given(st.integers(4, 40), st.data())
def test_a_span_stays_inside_and_both_ends_of_its_range_are_drawn_legally(T, data):
    M = data.draw(st.integers(1, T - 2))
    a, b = draw_span(T, M, torch.Generator().manual_seed(data.draw(st.integers(0, 2**32))))
    assert 1 <= a < b <= T - 1
    assert b - a <= M


def test_every_legal_span_comes_up_and_no_other():
    generator = torch.Generator().manual_seed(0)
    drawn = {draw_span(6, 3, generator) for _ in range(600)}
    assert drawn == {(a, a + s) for s in (1, 2, 3) for a in range(1, 6 - s)}


def test_the_longest_span_is_a_part_of_the_sequence_and_at_least_one():
    fracs = (0.0, 0.06, 0.0625, 0.124, 0.125, 0.99)
    assert [longest_span(16, frac) for frac in fracs] == [1, 1, 1, 1, 2, 15]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**31), st.integers(4, 12))
def test_the_loss_lies_between_zero_and_two(seed, T):
    generator = torch.Generator().manual_seed(seed)
    h = torch.randn(3, T, 5, generator=generator) * 10.0 ** float(seed % 7 - 3)
    a, b = draw_span(T, T - 2, generator)
    assert -1e-6 <= span_loss(h, a, b).item() <= 2 + 1e-6


def test_a_still_stream_has_loss_one_and_a_linear_one_loss_zero():
    assert span_loss(torch.ones(2, 8, 4), 2, 5).item() == 1.0
    time = torch.arange(8.0)[None, :, None]
    linear = 3 + time * torch.tensor([1.0, -2.0, 0.5, 4.0])
    assert span_loss(linear, 2, 5).item() == pytest.approx(0.0, abs=1e-6)
    assert span_loss(linear, 1, 7).item() == 1.0  # the whole sequence: no context is left


def test_a_hand_computed_loss():
    h = torch.zeros(1, 5, 2)
    h[0] = torch.tensor([[0.0, 0], [1, 0], [1, 1], [2, 1], [2, 3]])
    # span a=2, b=3: patch h3-h1 = (1, 1); context (h1-h0) + (h4-h3) = (1, 2); cos 3 / sqrt 10
    assert span_loss(h, 2, 3).item() == pytest.approx(1 - 3 / 10**0.5, rel=1e-6)


def test_independent_states_have_the_loss_of_the_published_limit():
    h = torch.randn(512, 16, 512, generator=torch.Generator().manual_seed(0))
    assert span_loss(h, 4, 9).item() == pytest.approx(1 + 0.5**0.5, abs=0.01)


def test_draws_depend_on_seed_step_and_shard_and_on_nothing_else(build):
    model, s = build(JEPA_LAMBDA="0.5"), SYSTEM.read({"JEPA_LAMBDA": "0.5", "SEED": "3"})
    seen = set()
    for step in range(4):
        for shard in range(8):
            before = torch.get_rng_state()
            JEPA.before_micro_batch(model, s, Moment(step, shard, 0.0))
            assert torch.equal(before, torch.get_rng_state())
            ends = tuple(model.auxiliary_losses["jepa"].ends.tolist())
            JEPA.before_micro_batch(model, s, Moment(step, shard, 0.5))
            assert ends == tuple(model.auxiliary_losses["jepa"].ends.tolist())
            seen.add(ends)
    assert len(seen) > 24
    assert span_generator(3, 1, 2).initial_seed() != span_generator(4, 1, 2).initial_seed()


def test_a_micro_batchs_generator_is_seeded_by_63_bits_of_a_digest_of_seed_step_and_shard():
    for seed, step, shard in ((1337, 0, 0), (1337, 3, 7), (0, 12, 1)):
        digest = hashlib.sha256(f"jepa {seed} {step} {shard}".encode()).hexdigest()
        generator = span_generator(seed, step, shard)
        assert generator.initial_seed() == int(digest[:16], 16) // 2


def test_the_loss_takes_the_span_that_was_drawn_from_the_state_before_its_first(build):
    environ = {"JEPA_LAMBDA": "0.5", "JEPA_MAX_SPAN_FRAC": "0.25", "SEED": "3"}
    model, s = build(**environ), SYSTEM.read(environ)
    for step, shard in ((0, 0), (0, 7), (5, 2)):
        JEPA.before_micro_batch(model, s, Moment(step, shard, 0.0))
        longest = longest_span(s.train_seq_len, 0.25)
        a, b = draw_span(s.train_seq_len, longest, span_generator(3, step, shard))
        assert model.auxiliary_losses["jepa"].ends.tolist() == [a - 1, b]


def test_nothing_of_it_is_stored(build):
    assert list(build(JEPA_LAMBDA="0.5").state_dict()) == list(build().state_dict())


def test_the_loss_starts_when_its_part_of_training_is_over(build):
    environ = {"JEPA_LAMBDA": "0.25", "JEPA_START_FRAC": "0.5"}
    model, s = build(**environ), SYSTEM.read(environ)
    weights = []
    for progress in (0.0, 0.49, 0.5, 0.9):
        JEPA.before_micro_batch(model, s, Moment(0, 0, progress))
        weights.append(model.auxiliary_losses["jepa"].weight.item())
    assert weights == [0.0, 0.0, 0.25, 0.25]


def test_each_tap_sees_another_block_and_minus_one_is_the_last(build, batch, perturb):
    losses = {}
    for layer in (-1, 0, 1, 2, 3):
        model = perturb(build(JEPA_LAMBDA="0.5", JEPA_LAYER=str(layer)))
        model.auxiliary_losses["jepa"].ends.copy_(torch.tensor((2, 9)))
        losses[layer] = model(*batch()).item()
    assert losses[-1] == losses[3]
    assert len(set(losses.values())) == 4


def test_the_tap_of_the_last_block_is_the_state_before_the_final_norm(build, batch, perturb):
    model = perturb(build(JEPA_LAMBDA="1"))
    tapped, last = [], []
    model.auxiliary_losses["jepa"].register_forward_pre_hook(lambda _, args: tapped.append(args[0]))
    model.blocks[-1].register_forward_hook(lambda _, args, out: last.append(out))
    model(*batch())
    assert tapped[0] is last[0]


def test_evaluation_and_test_time_training_never_see_the_loss(build, batch, perturb):
    plain, model = perturb(build()), perturb(build(JEPA_LAMBDA="0.5"))
    x, y = batch()
    assert model(x, y).item() > plain(x, y).item()
    assert torch.equal(model.eval()(x, y), plain.eval()(x, y))
    torch.manual_seed(0)
    lora = ttt.DocumentLoRA(2, model, 2)
    model.train()
    plain.train()
    assert torch.equal(model(x, y, lora=lora), plain(x, y, lora=lora))


def test_weight_zero_leaves_loss_and_gradients_as_they_are(build, batch, perturb):
    plain, model = perturb(build()), perturb(build(JEPA_LAMBDA="0.5"))
    model.auxiliary_losses["jepa"].weight.zero_()
    losses = [m(*batch()) for m in (plain, model)]
    assert torch.equal(*losses)
    for loss in losses:
        loss.backward()
    for p, q in zip(plain.parameters(), model.parameters(), strict=True):
        assert torch.equal(p.grad, q.grad)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"JEPA_MAX_SPAN_FRAC": "0.95", "TRAIN_SEQ_LEN": "16"}, "at most 14"),
        ({"JEPA_MAX_SPAN_FRAC": "1.0"}, "at most 1022"),
        ({"JEPA_MAX_SPAN_FRAC": "1.5"}, "at most 1"),
        ({"TRAIN_SEQ_LEN": "2", "TRAIN_BATCH_TOKENS": "16"}, "T must be at least 4"),
        ({"JEPA_LAYER": "9"}, "JEPA_LAYER=9 is no block: NUM_LAYERS=9"),
        ({"JEPA_LAYER": "11"}, "JEPA_LAYER=11 is no block: NUM_LAYERS=9"),
        ({"JEPA_LAYER": "-2"}, "at least -1"),
        ({"JEPA_START_FRAC": "1"}, "would never start"),
        ({"JEPA_LAMBDA": "-0.1"}, "at least 0"),
    ],
)
def test_settings_that_make_no_sense_are_one_line(environ, words):
    with pytest.raises(UsageError) as caught:
        SYSTEM.read({"JEPA_LAMBDA": "0.1", "TRAIN_BATCH_TOKENS": "524288", **environ})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("frac", ["0", "0.001", "0.5", "0.99"])
def test_a_legal_fraction_never_fails_to_draw(frac):
    settings = SYSTEM.read(
        {"JEPA_LAMBDA": "0.1", "JEPA_MAX_SPAN_FRAC": frac, "TRAIN_SEQ_LEN": "512"}
    )
    for shard in range(200):
        a, b = draw_span(512, longest_span(512, float(frac)), span_generator(1, 0, shard))
        assert 1 <= a < b <= 511
    assert settings.jepa_max_span_frac == float(frac)


def test_it_compiles_as_one_graph_and_a_new_span_needs_no_new_code(build, batch, perturb):
    model = perturb(build(JEPA_LAMBDA="0.5"))
    graphs = []

    def backend(graph, _):
        graphs.append(graph)
        return graph.forward

    compiled = torch.compile(model, backend=backend, fullgraph=True, dynamic=False)
    s = SYSTEM.read({"JEPA_LAMBDA": "0.5", "TRAIN_SEQ_LEN": "16", "TRAIN_BATCH_TOKENS": "256"})
    model(*batch())  # fills the rotary tables, whose absence would be another graph
    for step, progress in ((0, 0.0), (1, 0.5), (2, 0.9)):
        JEPA.before_micro_batch(model, s, Moment(step, 0, progress))
        assert torch.equal(compiled(*batch()), model(*batch()))
    assert len(graphs) == 1


def test_two_whole_runs_are_equal_and_the_baseline_weights_are_seed_matched(perform, tiny):
    environ = {**tiny, "JEPA_LAMBDA": "0.5"}
    first, second = perform(run.main, environ), perform(run.main, environ)
    assert first.files["final_model.safetensors"] == second.files["final_model.safetensors"]
    off = perform(run.main, tiny)
    assert off.files["final_model.safetensors"] != first.files["final_model.safetensors"]
