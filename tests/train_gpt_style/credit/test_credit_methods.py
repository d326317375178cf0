"""pytest tests/train_gpt_style/credit/test_credit_methods.py — each method against its formula."""

import math
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from goldenseal.digest import tensor_digest
from goldenseal.errors import UsageError
from train_gpt_style.credit.architectures import Plain
from train_gpt_style.credit.constants import VIT_POSITION_STD
from train_gpt_style.credit.features.method import METHODS
from train_gpt_style.credit.methods.base import Moment, Signals
from train_gpt_style.credit.methods.fast import fits
from train_gpt_style.credit.methods.feedback import Feedback
from train_gpt_style.credit.methods.local import local_step
from train_gpt_style.credit.run import build_optimizers, end_to_end, gradients_of

DONE = 3  # steps
NAMES = sorted(METHODS)


def gradients(w, x=None, step=None):
    """The gradients that a step leaves, by name, and its loss."""
    w.model.zero_grad()
    step = step or gradients_of(w.settings)
    loss, _ = step(w.model, w.x if x is None else x, w.y, w.ctx, DONE)
    found = {n: p.grad.clone() for n, p in w.model.named_parameters() if p.grad is not None}
    return found, loss.detach()


# -- what all methods share -----------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_method_has_the_true_loss_and_the_true_gradient_of_the_head(world, name):
    w = world(CREDIT_METHOD=name)
    found, loss = gradients(w)
    true, true_loss = gradients(w, step=end_to_end)
    assert loss == pytest.approx(true_loss)
    for part in ("out_ln.weight", "out_ln.bias", "out_head.weight", "out_head.bias"):
        torch.testing.assert_close(found[part], true[part])


@pytest.mark.parametrize("name", NAMES)
def test_every_trained_parameter_gets_a_gradient_and_one_optimizer(world, name):
    w = world(CREDIT_METHOD=name)
    found, _ = gradients(w)
    trained = {n for n, p in w.model.named_parameters() if p.requires_grad}
    assert set(found) == trained
    owned = [
        id(p)
        for optimizer in build_optimizers(w.settings, w.model).values()
        for group in optimizer.param_groups
        for p in group["params"]
    ]
    assert sorted(owned) == sorted(id(p) for p in w.model.parameters() if p.requires_grad)
    frozen = name in ("frozen", "dfa-shallow")
    assert frozen == (not any(n.startswith("blocks") for n in trained))


@pytest.mark.parametrize("name", ["dfa", "fa", "state-bridge", "credit-bridge"])
def test_no_graph_reaches_from_one_block_into_another(world, name):
    """A block's gradient is that of its own local loss: <f, a> on its input as it is."""
    w = world(CREDIT_METHOD=name)
    seen = {}

    def credits_of(signals):
        seen["a"] = w.method.credits(w.model, signals)
        seen["signals"] = signals
        return seen["a"]

    def step(model, x, y, ctx, done):
        return local_step(model, x, y, ctx, Moment(done, 0.5), credits_of)

    found, _ = gradients(w, step=step)
    for index, block in enumerate(w.model.blocks):
        f = block(seen["signals"].hidden[index])
        local = (f * seen["a"][index + 1]).sum() / len(w.y)
        expected = torch.autograd.grad(local, list(block.parameters()))
        for (part, _), g in zip(block.named_parameters(), expected, strict=True):
            torch.testing.assert_close(found[f"blocks.{index}.{part}"], g)
    local = (w.model.start(w.x) * seen["a"][0]).sum() / len(w.y)
    (expected,) = torch.autograd.grad(local, w.model.embed.weight)
    torch.testing.assert_close(found["embed.weight"], expected)


def test_a_block_moves_against_its_credit(world):
    w = world(CREDIT_METHOD="dfa")
    with torch.no_grad():
        _, hidden = w.model(w.x, return_hidden=True)
        before = w.model.blocks[0](hidden[0])
    gradients(w)
    with torch.no_grad():
        for p in w.model.blocks[0].parameters():
            p -= 0.001 * p.grad
        moved = w.model.blocks[0](hidden[0]) - before
    error = torch.softmax(w.model(w.x), 1) - F.one_hot(w.y, 10)
    assert (moved * (error @ w.model.feedback[1].T)).sum() < 0


# -- feedback (10.1, 10.2) ------------------------------------------------------------------------


class Stack(Plain):
    """Linear layers alone, as the formulas have them."""

    def __init__(self, sizes):
        super().__init__()
        layers = [nn.Linear(a, b, bias=False) for a, b in pairwise(sizes)]
        self.shapes = [(size,) for size in sizes[1:-1]]
        self.embed, *blocks, self.out_head = layers
        self.blocks = nn.ModuleList(blocks)


def stack(w, sizes=(6, 8, 8, 8, 10)):
    torch.manual_seed(4)
    w.model = Stack(sizes)
    w.x = torch.randn(len(w.y), sizes[0])
    return w


def test_a_two_layer_network_follows_the_formula(world):
    """dW1 = (B e) x', dW2 = e h', means over the batch."""
    w = stack(world(CREDIT_METHOD="dfa"), (6, 8, 10))
    w.method.install(w.model)
    found, _ = gradients(w)
    with torch.no_grad():
        h = w.x @ w.model.embed.weight.T
        e = torch.softmax(h @ w.model.out_head.weight.T, dim=1) - F.one_hot(w.y, 10)
        first = (e @ w.model.feedback[0].T).T @ w.x / len(w.y)
        second = e.T @ h / len(w.y)
    torch.testing.assert_close(found["embed.weight"], first)
    torch.testing.assert_close(found["out_head.weight"], second)


def test_dfa_with_transposed_forward_weights_is_backpropagation(world):
    """Bit for bit below the head, to 1e-6 further down."""
    w = stack(world(CREDIT_METHOD="dfa"))
    weights = [w.model.out_head.weight, *(b.weight for b in reversed(w.model.blocks))]
    product, matrices = None, []
    for weight in weights:
        product = weight.T if product is None else weight.T @ product
        matrices.append(product.detach().clone())
    w.model.feedback = Feedback(matrices[::-1])
    found, _ = gradients(w)
    true, _ = gradients(w, step=end_to_end)
    assert torch.equal(found["out_head.weight"], true["out_head.weight"])
    for name, g in true.items():
        assert (found[name] - g).norm() <= 2e-6 * g.norm(), name


def test_fa_with_transposed_forward_weights_is_backpropagation(world):
    w = stack(world(CREDIT_METHOD="fa"))
    w.model.feedback = Feedback([b.weight.T.detach().clone() for b in w.model.blocks])
    found, _ = gradients(w)
    true, _ = gradients(w, step=end_to_end)
    for name, g in true.items():
        assert (found[name] - g).norm() <= 2e-6 * g.norm(), name


def test_fa_with_a_random_top_is_dfa_with_products_of_matrices(world):
    w = world(CREDIT_METHOD="fa", CREDIT_FA_TOP="random")
    B = [w.model.feedback[layer] for layer in range(4)]
    products = [B[0] @ B[1] @ B[2] @ B[3], B[1] @ B[2] @ B[3], B[2] @ B[3], B[3]]
    hidden = [torch.zeros(24, 16)] * 4
    signals = Signals(hidden, w.y, torch.randn(24, 10), torch.randn(24, 16))
    found = w.method.credits(w.model, signals)
    for a, product in zip(found, products, strict=True):
        torch.testing.assert_close(a, signals.error @ product.T)
    exact = world(CREDIT_METHOD="fa")
    assert torch.equal(exact.method.credits(exact.model, signals)[-1], signals.top)
    assert "feedback.B3" not in exact.model.state_dict()


def test_feedback_has_the_published_scale(world):
    """||a|| = 4.5 at d = 256 for ||e|| = 0.9: entries of variance 1 / C."""
    w = world(DIM=256, DEPTH=1, CREDIT_METHOD="dfa")
    assert float(w.model.feedback[0].std()) == pytest.approx(1 / math.sqrt(10), rel=0.05)
    fa = world(DIM=256, DEPTH=1, CREDIT_METHOD="fa", CREDIT_FEEDBACK_SCALE=2)
    assert float(fa.model.feedback[0].std()) == pytest.approx(2 / 16, rel=0.05)


def test_shallow_dfa_trains_what_frozen_trains_by_the_credit_of_dfa(world):
    found, _ = gradients(world(CREDIT_METHOD="dfa-shallow"))
    dfa, _ = gradients(world(CREDIT_METHOD="dfa"))
    frozen, _ = gradients(world(CREDIT_METHOD="frozen"))
    assert set(found) == set(frozen)
    torch.testing.assert_close(found["embed.weight"], dfa["embed.weight"])
    assert not torch.allclose(found["embed.weight"], frozen["embed.weight"])


def test_the_penalty_has_a_unique_minimum_that_the_step_descends_to(world):
    """<f, a> + lambda ||f||^2: f = -a / (2 lambda); its gradient at f is a + 2 lambda f."""
    w = world(CREDIT_METHOD="dfa", CREDIT_PENALTY=0.5)
    found, _ = gradients(w)
    plain, _ = gradients(world(CREDIT_METHOD="dfa"))
    with torch.no_grad():
        _, hidden = w.model(w.x, return_hidden=True)
    for index, block in enumerate(w.model.blocks):
        f = block(hidden[index])
        cost = 0.5 * f.square().sum() / len(w.y)
        (more,) = torch.autograd.grad(cost, block.w2.bias)
        name = f"blocks.{index}.w2.bias"
        torch.testing.assert_close(found[name], plain[name] + more)


@pytest.mark.parametrize("gain", [None, 0.0])
@pytest.mark.parametrize("penalty", [0, 0.25])
@pytest.mark.parametrize("residual", [0, 1])
@pytest.mark.parametrize("top", ["exact", "random"])
@pytest.mark.parametrize("method", ["dfa", "fa"])
def test_the_step_that_is_written_out_is_the_straightforward_one(
    world, method, top, residual, penalty, gain
):
    """Within rounding: 1e-6 of each gradient, on a network whose norms have been moved, and on one
    with a gain that nothing can be divided by."""
    knobs = {"CREDIT_METHOD": method, "CREDIT_FA_TOP": top, "RESIDUAL_ADD": residual}
    pair = [world(**knobs, CREDIT_PENALTY=penalty, CREDIT_FAST=fast) for fast in (0, 1)]
    for w in pair:
        generator = torch.Generator().manual_seed(5)
        with torch.no_grad():
            for p in w.model.parameters():
                p += 0.1 * torch.randn(p.shape, generator=generator)
            if gain is not None:
                w.model.blocks[1].ln.weight[3] = gain
    (slow, slow_loss), (found, found_loss) = (gradients(w) for w in pair)
    assert torch.equal(slow_loss, found_loss)
    assert set(slow) == set(found)
    for name, g in slow.items():
        assert (found[name] - g).norm() <= 1e-6 * g.norm(), name


def test_a_step_leaves_no_graph_that_would_hold_activations(world):
    _, loss = gradients(world(CREDIT_METHOD="fa"))
    assert loss.grad_fn is None


def test_other_networks_and_bfloat16_take_the_straightforward_step(world):
    assert fits(world().model, world().ctx)
    for model in ("student", "relu-mlp"):
        assert not fits(world(CREDIT_MODEL=model).model, world().ctx)
    rounding = world()
    rounding.ctx.autocast_type = torch.bfloat16
    assert not fits(rounding.model, rounding.ctx)


# -- networks, refusals, digests ------------------------------------------------------------------


@pytest.mark.parametrize("model", ["resmlp", "vit-mini", "student", "small-cnn", "relu-mlp"])
@pytest.mark.parametrize("method", ["bp", *NAMES])
def test_each_network_is_trained_by_each_method_or_refuses_it_in_one_line(world, model, method):
    knobs = {"CREDIT_MODEL": model, "CREDIT_METHOD": method, "CREDIT_EP_STEPS": 2}
    unfit = {"small-cnn": ("fa",), "vit-mini": ("state-bridge", "credit-bridge")}
    if method in unfit.get(model, ()):
        with pytest.raises(UsageError, match=f"CREDIT_METHOD={method} needs layers"):
            world((3, 8, 8), **knobs)
        return
    w = world((3, 8, 8), count=6, CREDIT_PENALTY=0.25, **knobs)
    found, loss = gradients(w)
    assert torch.isfinite(loss)
    assert set(found) == {n for n, p in w.model.named_parameters() if p.requires_grad}
    logits, hidden = w.model(w.x, return_hidden=True)
    assert [tuple(h.shape[1:]) for h in hidden] == w.model.shapes
    assert logits.shape == (6, 10)


@pytest.mark.parametrize(
    ("knobs", "shape", "words"),
    [
        ({"CREDIT_MODEL": "vit-mini", "CREDIT_HEADS": 3}, (3, 8, 8), "CREDIT_HEADS=3 must divide"),
        ({"CREDIT_MODEL": "vit-mini"}, (3, 6, 8), "CREDIT_PATCH=4 must divide the sides"),
        ({"CREDIT_MODEL": "vit-mini"}, (12,), "needs images of at least 4 pixels"),
        ({"CREDIT_MODEL": "small-cnn"}, (3, 8, 7), "needs images of at least 8 pixels"),
        ({"CREDIT_MODEL": "student", "CREDIT_OUT_LN": 0}, (12,), "student has no norm"),
        ({"CREDIT_METHOD": "ep", "CREDIT_EP_BETA": 0}, (12,), "CREDIT_EP_BETA=0 must be above"),
        ({"CREDIT_METHOD": "ep", "CREDIT_EP_RATE": 0}, (12,), "CREDIT_EP_RATE=0 must be above"),
        ({"CREDIT_METHOD": "credit-bridge", "CREDIT_BRIDGE_TAU": 0}, (12,), "TAU=0 must be above"),
        ({"CREDIT_METHOD": "hebb"}, (12,), "one of bp, fa, dfa"),
    ],
)
def test_what_does_not_fit_is_one_line(world, knobs, shape, words):
    with pytest.raises(UsageError, match=words) as caught:
        world(shape, **knobs)
    assert "\n" not in str(caught.value)


def test_the_feedback_is_in_the_digest_of_the_network(world):
    w, other = world(CREDIT_METHOD="dfa"), world(CREDIT_METHOD="dfa", CREDIT_FEEDBACK_SEED=1)
    assert tensor_digest(w.model.state_dict()) != tensor_digest(other.model.state_dict())
    plain = world().model.state_dict()
    same = {n: t for n, t in w.model.state_dict().items() if n in plain}
    assert tensor_digest(same) == tensor_digest(plain)


def test_positions_and_the_class_token_begin_small(world):
    w = world((3, 8, 8), CREDIT_MODEL="vit-mini")
    for p in (w.model.position, w.model.cls):
        assert 0.3 * VIT_POSITION_STD < float(p.detach().std()) < 3 * VIT_POSITION_STD


def test_the_streams_of_a_method_are_the_same_for_ever(world):
    """Sealed runs drew their matrices and nets from these seeds."""
    knobs = {"SEED": 42, "CREDIT_FEEDBACK_SEED": 3}
    w = world(CREDIT_METHOD="dfa", **knobs)
    assert w.method.generator().initial_seed() == 42 ^ (1610612741 + 3)
    assert w.method.generator(5).initial_seed() == 42 ^ (1610612741 + 3 + 5)
    assert world(CREDIT_METHOD="state-bridge", **knobs).method.fork().seed == (42 ^ 805306457) + 3
