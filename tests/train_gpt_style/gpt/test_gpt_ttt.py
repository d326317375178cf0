"""pytest tests/train_gpt_style/gpt/test_gpt_ttt.py — test-time training scores before it adapts."""

import math
from types import SimpleNamespace

import pytest
import torch

from goldenseal.errors import UsageError
from train_gpt_style.gpt import SYSTEM, probe_data, ttt, windows

CHUNK, WINDOW = 16, 64


def documents(*lengths, seed=0):
    """A stream of documents of these lengths, each with its BOS; ids from 2 to 63 otherwise."""
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for length in lengths:
        parts += [
            torch.tensor([windows.BOS_ID]),
            torch.randint(2, 64, (length - 1,), generator=generator),
        ]
    return torch.cat(parts).to(torch.uint16)


def one_byte_each(previous_ids, target_ids):
    return torch.ones_like(target_ids)


@pytest.fixture
def evaluate(context):
    """evaluate(model, tokens, NAME=value...): (loss, bpb), and each forward's losses (B, T)."""

    def evaluate(model, tokens, **environ):
        settings = SYSTEM.read(
            {**probe_data.TINY, "VOCAB_SIZE": "64", "TTT_BATCH_SIZE": "4", **environ}
        )
        seen = []
        hook = model.register_forward_hook(lambda m, args, out: seen.append(out.detach().clone()))
        torch.manual_seed(settings.seed)
        result = ttt.evaluate_ttt(settings, model, context, tokens, one_byte_each)
        hook.remove()
        return result, seen

    return evaluate


@pytest.fixture
def model(build, perturb):
    return perturb(build())


def test_documents_reach_from_a_bos_to_the_next_which_is_the_last_target():
    stream = torch.tensor([1, 5, 6, 7, 1, 8, 9, 1, 4, 4, 4, 4], dtype=torch.uint16)
    found = windows.find_documents(stream)
    assert found == [(0, 5), (4, 4), (7, 5)]
    assert sum(length - 1 for _, length in found) == len(stream) - 1


def test_tokens_before_the_first_bos_belong_to_no_document():
    assert windows.find_documents(torch.tensor([9, 9, 1, 5])) == [(2, 2)]


def test_a_stream_without_documents_or_with_a_lone_bos_is_refused():
    with pytest.raises(UsageError, match="holds no BOS"):
        windows.find_documents(torch.tensor([5, 6, 7]))
    with pytest.raises(UsageError, match="document at token 3 has nothing to predict"):
        windows.find_documents(torch.tensor([1, 6, 7, 1]))


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (1000, [(0, 256, 0, 256), (0, 512, 256, 256), (0, 768, 512, 256), (0, 1000, 768, 232)]),
        (
            1500,
            [
                *((0, 256, 0, 256), (0, 512, 256, 256), (0, 768, 512, 256), (0, 1024, 768, 256)),
                *((256, 1024, 768, 256), (476, 1024, 804, 220)),
            ],
        ),
        (256, [(0, 256, 0, 256)]),
        (1, [(0, 1, 0, 1)]),
    ],
)
def test_windows_are_the_published_ones(targets, expected):
    chunks = math.ceil(targets / 256)
    assert [windows.chunk_window(i, targets, 256, 1024) for i in range(chunks)] == expected


@pytest.mark.parametrize(("chunk", "window"), [(256, 1024), (256, 256), (16, 64), (7, 20), (1, 1)])
def test_every_target_is_scored_exactly_once_inside_its_window(chunk, window):
    for targets in range(1, 400):
        scored = []
        for i in range(math.ceil(targets / chunk)):
            begin, size, offset, count = windows.chunk_window(i, targets, chunk, window)
            assert 0 <= offset <= offset + count == size <= window
            scored += range(begin + offset, begin + offset + count)
        assert scored == list(range(targets))


def test_the_whole_stream_is_counted_once(evaluate, model):
    """Coverage, through the real evaluation: one byte a target makes bits a byte of the loss."""
    (loss, bpb), _ = evaluate(model, documents(2, 17, 18, 33, 100, 3))
    assert bpb == pytest.approx(loss / math.log(2), rel=1e-12)


def reference(model, tokens):
    """Plain windowed scoring, document by document: (sum of losses, targets)."""
    nothing = SimpleNamespace(head=lambda x: 0.0, q=[lambda x: 0.0] * 9, v=[lambda x: 0.0] * 9)
    ids, total, count = tokens.to(torch.int64).tolist(), 0.0, 0
    starts = [i for i, token in enumerate(ids) if token == windows.BOS_ID]
    for start, following in zip(starts, [*starts[1:], len(ids) - 1], strict=True):
        document = torch.tensor(ids[start : following + 1])
        for first in range(0, len(document) - 1, CHUNK):
            end = min(first + CHUNK, len(document) - 1)
            window = document[max(0, end - WINDOW) : end + 1]
            with torch.no_grad():
                losses = model.eval()(window[None, :-1], window[None, 1:], lora=nothing)[0]
            total += losses[len(losses) - (end - first) :].double().sum().item()
            count += end - first
    return total, count


def test_with_learning_rate_zero_it_is_plain_scoring_document_by_document(evaluate, model):
    tokens = documents(40, 5, 130, 17, 2, 66, 90)
    (loss, _), _ = evaluate(model, tokens, TTT_LORA_LR="0")
    total, count = reference(model, tokens)
    assert count == len(tokens) - 1
    assert loss == pytest.approx(total / count, rel=1e-6)


def test_a_token_cannot_reach_the_scores_of_earlier_chunks(evaluate, model):
    """Exact: token 60 is the target at position 59, in chunk 3."""
    tokens = documents(90)
    changed = tokens.clone()
    changed[60] = 2 + (int(tokens[60]) - 1) % 62
    _, before = evaluate(model, tokens)
    _, after = evaluate(model, changed)
    assert len(before) == len(after) == 6
    for i in range(3):
        assert torch.equal(before[i], after[i])
    for i in range(3, 6):
        assert not torch.equal(before[i], after[i])


def test_the_first_chunk_does_not_know_of_the_adapters_and_later_ones_do(evaluate, model):
    tokens = documents(90)
    _, adapted = evaluate(model, tokens)
    _, plain = evaluate(model, tokens, TTT_LORA_LR="0")
    assert torch.equal(adapted[0], plain[0])
    assert all(not torch.equal(a, b) for a, b in zip(adapted[1:], plain[1:], strict=True))


def test_adapting_to_a_repetitive_document_lowers_its_loss(evaluate, model):
    tokens = torch.cat([torch.tensor([1]), torch.arange(2, 10).repeat(20)]).to(torch.uint16)
    (adapted, _), _ = evaluate(model, tokens, TTT_LORA_LR="0.05")
    (plain, _), _ = evaluate(model, tokens, TTT_LORA_LR="0")
    assert adapted < plain


def test_documents_of_a_batch_do_not_affect_each_other(evaluate, model):
    """Same shapes, another second document: the first one's scores keep every bit."""
    first = documents(80, seed=1)  # with the BOS of the next: as long as the others
    second, other = documents(81, seed=2), documents(81, seed=3)
    _, a = evaluate(model, torch.cat([first, second]))
    _, b = evaluate(model, torch.cat([first, other]))
    for x, y in zip(a, b, strict=True):
        assert torch.equal(x[0], y[0])
        assert not torch.equal(x[1], y[1])


def test_nothing_leaks_from_one_batch_of_documents_to_the_next(evaluate, model, monkeypatch):
    """With the same draw at each reset, a document scores alike after another and alone."""
    draw = ttt.BatchedLoRA.reset

    def same_draw(lora):
        torch.manual_seed(7)
        draw(lora)

    monkeypatch.setattr(ttt.BatchedLoRA, "reset", same_draw)
    first, second = documents(50, seed=1), documents(81, seed=2)
    _, both = evaluate(model, torch.cat([first, second]), TTT_BATCH_SIZE="1")
    _, alone = evaluate(model, second, TTT_BATCH_SIZE="1")
    assert (len(both), len(alone)) == (4 + 5, 5)
    for x, y in zip(both[4:], alone, strict=True):
        assert torch.equal(x, y)


def test_base_weights_are_frozen_during_and_trainable_after(evaluate, model):
    before = {name: t.clone() for name, t in model.state_dict().items()}
    evaluate(model, documents(50, 70))
    assert all(torch.equal(t, before[name]) for name, t in model.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in model.parameters())


def test_adapters_have_the_published_size_and_start_as_nothing(build):
    lora = ttt.DocumentLoRA(4, build(), 2)
    assert sum(p.numel() for p in lora.parameters()) == 4352
    x = torch.randn(4, 3, 32)
    assert not lora.head(x).any()
    assert not lora.q[0](x).any()
    assert lora.head.A.abs().max() <= 1 / math.sqrt(32)
