"""pytest tests/train_gpt_style/gpt/test_gpt_e2e_ttt.py — more steps, each after its chunk's score.

Every test is exact, and of both loops: the baseline's and the packed one.
"""

from functools import partial

import pytest
import torch
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from goldenseal.errors import UsageError
from train_gpt_style.gpt import SYSTEM, probe_data, run, ttt
from train_gpt_style.gpt.features.e2e_ttt import E2E_TTT
from train_gpt_style.kit.context import Context

CHUNK, LENGTH = 16, 90  # 89 targets: five full chunks, and one of nine
CHUNKS = 6
ON = {"TTT_INNER_STEPS": "2", "TTT_LR_INNER": "0.0625"}
LOOPS = pytest.mark.parametrize("packed", ["0", "1"], ids=["baseline's loop", "packed"])


def one_byte_each(previous_ids, target_ids):
    return torch.ones_like(target_ids)


def document(length=LENGTH, seed=0):
    """One document; ids from 2 to 63 after its BOS."""
    generator = torch.Generator().manual_seed(seed)
    rest = torch.randint(2, 64, (length - 1,), generator=generator)
    return torch.cat([torch.ones(1, dtype=torch.int64), rest]).to(torch.uint16)


@pytest.fixture
def chunk_losses(perturb):
    """chunk_losses(tokens, NAME=value...): the losses that are counted, a tensor a chunk, in order.

    A chunk is counted when its bytes are: once, right after the forward pass that scores it.
    """

    def chunk_losses(tokens, before_pass=None, **environ):
        settings = SYSTEM.read(
            {**probe_data.TINY, "VOCAB_SIZE": "64", "TTT_BATCH_SIZE": "4", **environ}
        )
        torch.manual_seed(settings.seed)
        model = perturb(run.build_model(settings, Context({})))
        passes, counted = [], []

        def count(previous_ids, target_ids):
            counted.append(passes[-1][0, -CHUNK:] if len(counted) < CHUNKS - 1 else passes[-1][0])
            return torch.ones_like(target_ids)

        if before_pass is not None:
            model.register_forward_pre_hook(before_pass, with_kwargs=True)
        model.register_forward_hook(lambda m, args, out: passes.append(out.detach().clone()))
        torch.manual_seed(settings.seed)
        result = ttt.evaluate_ttt(settings, model, Context({}), tokens, count)
        return counted, result, len(passes)

    return chunk_losses


@LOOPS
@examples(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
    ],  # it holds nothing
)
@given(position=st.integers(1, LENGTH - 1))
def test_no_tokens_loss_depends_on_itself_or_on_a_later_token(chunk_losses, packed, position):
    """Token p is the target at p - 1. What its chunk adapts to is known to later chunks alone."""
    tokens = document()
    changed = tokens.clone()
    changed[position] = 2 + (int(tokens[position]) - 1) % 62
    before, _, _ = chunk_losses(tokens, **ON, TTT_PACKED=packed)
    after, _, _ = chunk_losses(changed, **ON, TTT_PACKED=packed)
    hit, within = divmod(position - 1, CHUNK)
    assert len(before) == len(after) == CHUNKS
    for i in range(hit):
        assert torch.equal(before[i], after[i])
    if hit < CHUNKS - 1:
        # Its own loss is another, since it is another target; those before it in the chunk stay.
        assert torch.equal(before[hit][:within], after[hit][:within])
        assert before[hit][within] != after[hit][within]
    for i in range(hit + 1, CHUNKS):
        assert not torch.equal(before[i], after[i])


@LOOPS
def test_inner_steps_change_later_chunks_and_never_the_first(chunk_losses, packed):
    inner, _, _ = chunk_losses(document(), **ON, TTT_PACKED=packed)
    usual, _, _ = chunk_losses(document(), TTT_PACKED=packed)
    none, _, _ = chunk_losses(document(), TTT_LORA_LR="0", TTT_PACKED=packed)
    assert torch.equal(inner[0], usual[0])
    assert torch.equal(inner[0], none[0])
    for i in range(1, CHUNKS):
        assert not torch.equal(inner[i], usual[i])
        assert not torch.equal(inner[i], none[i])


@LOOPS
def test_a_document_of_one_chunk_is_scored_as_without_any_adaptation(chunk_losses, packed):
    _, inner, passes = chunk_losses(document(CHUNK), **ON, TTT_PACKED=packed)
    _, plain, _ = chunk_losses(document(CHUNK), TTT_LORA_LR="0", TTT_PACKED=packed)
    assert inner == plain
    assert passes == 1


@LOOPS
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_each_inner_step_is_a_pass_of_its_own_after_the_score(chunk_losses, packed, steps):
    """A chunk that trains: its score, the inner passes, and one for the usual step."""
    environ = {"TTT_INNER_STEPS": str(steps), "TTT_LR_INNER": "0.0625", "TTT_PACKED": packed}
    _, _, passes = chunk_losses(document(), **environ)
    assert passes == (CHUNKS - 1) * (1 + steps + 1) + 1


@LOOPS
def test_no_inner_step_calls_nothing(chunk_losses, packed, monkeypatch):
    monkeypatch.setattr(E2E_TTT, "before_adapter_step", None)  # calling it would raise
    environ = {"TTT_INNER_STEPS": "0", "TTT_LR_INNER": "0.0625", "TTT_PACKED": packed}
    dormant, result, passes = chunk_losses(document(), **environ)
    usual, expected, _ = chunk_losses(document(), TTT_PACKED=packed)
    assert result == expected
    assert all(torch.equal(a, b) for a, b in zip(dormant, usual, strict=True))
    assert passes == CHUNKS


@LOOPS
def test_a_step_before_the_score_would_be_seen(chunk_losses, packed):
    """The planted defect: adapters that move to a chunk before it is scored."""
    tokens = document()
    changed = tokens.clone()
    changed[60] = 2 + (int(tokens[60]) - 1) % 62  # the target at 59, in chunk 3
    before, _, _ = chunk_losses(tokens, peek, **ON, TTT_PACKED=packed)
    after, _, _ = chunk_losses(changed, peek, **ON, TTT_PACKED=packed)
    assert all(torch.equal(before[i], after[i]) for i in range(3))
    assert not torch.equal(before[3][: 59 - 48], after[3][: 59 - 48])


def peek(model, args, kwargs):
    """Before a pass that will train: one step of sign descent of the head on that very chunk."""
    if not torch.is_grad_enabled():
        return
    head = kwargs["lora"].head
    head = head.args[0] if isinstance(head, partial) else head  # of all rows
    loss = model.forward(*args, **kwargs).sum()
    (gradient,) = torch.autograd.grad(loss, [head.B])
    with torch.no_grad():
        head.B.sub_(gradient.sign() / 16)


def test_the_settings_that_would_do_nothing_are_refused():
    with pytest.raises(UsageError, match="needs TTT_LR_INNER above 0"):
        SYSTEM.read({"TTT_INNER_STEPS": "2"})
    with pytest.raises(UsageError, match="needs TTT_LORA_LR above 0"):
        SYSTEM.read({**ON, "TTT_LORA_LR": "0"})
