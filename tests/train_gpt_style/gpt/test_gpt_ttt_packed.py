"""pytest tests/train_gpt_style/gpt/test_gpt_ttt_packed.py — packed, and equal to 1e-6 bpb."""

import pytest
import torch
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from train_gpt_style.gpt import SYSTEM, probe_data, run, ttt
from train_gpt_style.gpt.features import ttt_packed
from train_gpt_style.gpt.probe import PROBE
from train_gpt_style.kit.context import Context

SMALL = {**probe_data.TINY, "VOCAB_SIZE": "64"}
TOLERANCE = 1e-6  # bits a byte
CONTEXT = Context({})


def documents(*lengths, seed=0):
    """A stream of documents of these lengths, BOS included; ids from 2 to 63 otherwise."""
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for length in lengths:
        parts += [torch.ones(1, dtype=torch.int64)]
        parts += [torch.randint(2, 64, (length - 1,), generator=generator)]
    return torch.cat(parts).to(torch.uint16)


def some_bytes(previous_ids, target_ids):
    """Depends on both, so that a shifted window shows."""
    return 1 + (previous_ids + target_ids) % 3


def build(perturb, environ):
    settings = SYSTEM.read({**SMALL, **environ})
    torch.manual_seed(settings.seed)
    return settings, perturb(run.build_model(settings, CONTEXT))


def evaluate(settings, model, tokens, hook=None):
    """(loss, bpb), and the generator's state afterwards."""
    torch.manual_seed(settings.seed)
    handle = model.register_forward_hook(hook or (lambda *_: None))
    result = ttt.evaluate_ttt(settings, model, CONTEXT, tokens, some_bytes)
    handle.remove()
    return result, torch.get_rng_state()


def both(perturb, tokens, environ):
    """The unpacked loop and the packed one: results and generator states."""
    return [
        evaluate(*build(perturb, {**environ, **packed}), tokens)
        for packed in ({}, {"TTT_PACKED": "1"})
    ]


def assert_equal_to_rounding(plain, packed):
    (loss, bpb), state = plain
    (other_loss, other_bpb), other_state = packed
    assert abs(other_bpb - bpb) <= TOLERANCE
    assert other_loss == pytest.approx(loss, rel=1e-6)
    assert torch.equal(state, other_state)


# -- against the frozen baseline's own loop --------------------------------------------------------


@examples(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
    ],  # it holds nothing
)
@example([40, 5, 130, 17, 2, 66, 90], (16, 64), 4)
@example([2, 2], (16, 64), 64)
@example([17, 17, 17], (16, 16), 3)
@example([150], (1, 1), 1)
@given(
    st.lists(st.integers(2, 150), min_size=1, max_size=7),
    st.sampled_from([(16, 64), (16, 16), (7, 20), (24, 64), (64, 64), (5, 64)]),
    st.integers(1, 5),
)
def test_any_mix_of_documents_scores_as_in_the_baseline(perturb, lengths, sizes, batch):
    environ = {
        "TTT_CHUNK_SIZE": str(sizes[0]),
        "TTT_EVAL_SEQ_LEN": str(sizes[1]),
        "TTT_BATCH_SIZE": str(batch),
    }
    tokens = documents(*lengths, seed=sum(lengths))
    settings, model = build(perturb, {**environ, "TTT_PACKED": "1"})
    script = PROBE.baseline.load()
    args = script.Hyperparameters.from_env({**SMALL, **environ})
    frozen = script.build_model(args, CONTEXT)
    frozen.load_state_dict(model.state_dict())
    torch.manual_seed(args.seed)
    expected = script.evaluate_ttt(args, frozen, CONTEXT, tokens, some_bytes)
    state = torch.get_rng_state()
    assert_equal_to_rounding((expected, state), evaluate(settings, model, tokens))


# -- together with other features, against the loop that it replaces -------------------------------


@pytest.mark.parametrize(
    "environ",
    [
        {"PHINTA_ENABLE": "1"},
        {"PHINTA_ENABLE": "1", "PHINTA_PER_BLOCK": "1"},
        {"UT_LOOPS": "3", "UT_LAYER_START": "2", "UT_LAYER_END": "4"},
        {"TTT_INNER_STEPS": "2", "TTT_LR_INNER": "0.0625"},
        {"JEPA_LAMBDA": "0.5"},
        {"TIE_EMBEDDINGS": "0"},
        {"TTT_LORA_LR": "0"},
        {
            **{"PHINTA_ENABLE": "1", "UT_LOOPS": "2", "UT_LAYER_END": "4"},
            **{"TTT_INNER_STEPS": "1", "TTT_LR_INNER": "0.125"},
        },
    ],
    ids=" ".join,
)
def test_with_other_features_on_it_scores_as_without_packing(perturb, environ):
    tokens = documents(40, 5, 130, 17, 2, 66, 90)
    environ = {**environ, "TTT_BATCH_SIZE": "4"}
    assert_equal_to_rounding(*both(perturb, tokens, environ))


def test_each_rank_scores_its_own_documents_as_without_packing(perturb, monkeypatch):
    tokens = documents(40, 5, 130, 17, 2, 66, 90)
    monkeypatch.setattr(ttt.dist, "all_reduce", lambda *args, **kwargs: None)
    for rank in range(2):
        monkeypatch.setattr(CONTEXT, "rank", rank)
        monkeypatch.setattr(CONTEXT, "world_size", 2)
        assert_equal_to_rounding(*both(perturb, tokens, {"TTT_BATCH_SIZE": "2"}))


# -- what is computed ------------------------------------------------------------------------------


def test_windows_are_packed_without_padding_and_no_window_is_left_out(perturb):
    """Of the forwards that train, each row is a whole window; of the others, of about one width."""
    lengths = (40, 5, 130, 17, 2, 66, 90)
    settings, model = build(perturb, {"TTT_PACKED": "1", "TTT_BATCH_SIZE": "7"})
    seen = []

    def hook(module, args, losses):
        seen.append((torch.is_grad_enabled(), tuple(args[0].shape), tuple(losses.shape)))

    evaluate(settings, model, documents(*lengths), hook)
    chunks = [-(-length // 16) for length in (*lengths[:-1], lengths[-1] - 1)]  # with the next BOS
    training = [(shape, losses) for grad, shape, losses in seen if grad]
    for i, (shape, losses) in enumerate(training):
        going = sum(c > i + 1 for c in chunks)
        assert shape == (going, min(16 * (i + 1), 64))
        assert losses == (going, 16)
    assert len(training) == max(chunks) - 1
    ending = [shape for grad, shape, _ in seen if not grad]
    assert sum(rows for rows, _ in ending) == len(lengths)
    assert all(width <= 64 for _, width in ending)


def test_the_windows_of_documents_that_end_hold_little_padding():
    batch = [(0, length) for length in (2, 5, 6, 9, 13, 17)]
    groups = ttt_packed.alike(batch, range(6), 16)
    assert groups == [[0, 1], [2, 3], [4], [5]]
    every = [(0, length) for length in range(2, 22)]  # each length of a last chunk of 20
    assert ttt_packed.alike(every, range(20), 20) == [
        list(range(start, start + 5)) for start in (0, 5, 10, 15)
    ]
    assert ttt_packed.alike(batch, range(2, 3), 16) == [[2]]
    assert ttt_packed.alike(batch, range(3, 3), 16) == []


def test_packing_gives_targets_from_the_first_scored_one_on():
    tokens = torch.arange(100, 200)
    x, y, scored = ttt_packed.pack(1, [(10, 25), (40, 29)], tokens, 16, 64)
    assert x.shape == (2, 28)
    assert y.shape == scored.shape == (2, 12)
    assert torch.equal(x[0], torch.cat([tokens[10:34], torch.zeros(4, dtype=torch.int64)]))
    assert torch.equal(x[1], tokens[40:68])
    assert torch.equal(y[0][scored[0]], tokens[27:35])
    assert torch.equal(y[1][scored[1]], tokens[57:69])
    assert not y[0, 8:].any()
    assert scored.sum(dim=1).tolist() == [8, 12]


def test_the_adapters_learn_from_the_mean_of_each_document_and_from_the_sum_over_them():
    scale = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    optimizer = torch.optim.SGD([scale], lr=1.0)
    numbers = torch.arange(12.0).view(3, 4)
    ttt_packed.adapt_to(SYSTEM.read({}), optimizer, scale[:, None] * numbers, None, ())
    assert torch.equal(scale.detach(), torch.tensor([1.0, 2.0, 4.0]) - numbers.mean(dim=1))


def test_some_rows_of_the_adapters_do_what_they_do_in_the_whole(perturb):
    _, model = build(perturb, {})
    lora = perturb(ttt.DocumentLoRA(5, model, 2))
    x = torch.randn(5, 3, 32, generator=torch.Generator().manual_seed(1))
    for rows in (range(1, 4), [0, 3], range(5)):
        some = ttt_packed.SomeRows(lora, rows)
        pairs = ((some.head, lora.head), (some.q[2], lora.q[2]), (some.v[0], lora.v[0]))
        for mine, theirs in pairs:
            assert torch.allclose(mine(x[list(rows)]), theirs(x)[list(rows)], atol=1e-6)


# -- score first, then adapt -----------------------------------------------------------------------


def losses_of(perturb, tokens, **environ):
    """The losses of every forward pass, in order."""
    settings, model = build(perturb, {"TTT_PACKED": "1", **environ})
    seen = []
    result, _ = evaluate(settings, model, tokens, lambda m, args, out: seen.append(out.detach()))
    return result, seen


def test_a_token_cannot_reach_the_scores_of_earlier_chunks(perturb):
    """Exact: token 60 is the target at position 59, in chunk 3; each forward scores one chunk."""
    tokens = documents(90)
    changed = tokens.clone()
    changed[60] = 2 + (int(tokens[60]) - 1) % 62
    _, before = losses_of(perturb, tokens)
    _, after = losses_of(perturb, changed)
    assert [tuple(losses.shape) for losses in before] == [(1, 16)] * 5 + [(1, 9)]
    for i in range(3):
        assert torch.equal(before[i], after[i])
    assert torch.equal(before[3][:, : 59 - 48], after[3][:, : 59 - 48])
    for i in range(3, 6):
        assert not torch.equal(before[i], after[i])


def test_the_first_chunk_does_not_know_of_the_adapters_and_later_ones_do(perturb):
    _, adapted = losses_of(perturb, documents(90))
    _, plain = losses_of(perturb, documents(90), TTT_LORA_LR="0")
    assert torch.equal(adapted[0], plain[0])
    assert all(not torch.equal(a, b) for a, b in zip(adapted[1:], plain[1:], strict=True))


def test_documents_of_a_batch_do_not_affect_each_other(perturb):
    first = documents(80, seed=1)  # with the BOS of the next: as long as the others
    second, other = documents(81, seed=2), documents(81, seed=3)
    _, a = losses_of(perturb, torch.cat([first, second]))
    _, b = losses_of(perturb, torch.cat([first, other]))
    assert len(a) == len(b) == 5
    for x, y in zip(a, b, strict=True):
        assert torch.equal(x[0], y[0])
        assert not torch.equal(x[1], y[1])


# -- whole runs ------------------------------------------------------------------------------------


def test_packing_leaves_training_and_the_artifact_alone(tiny, perform):
    plain, packed = perform(run.main, tiny), perform(run.main, {**tiny, "TTT_PACKED": "1"})
    for name in ("final_model.safetensors", "final_model.int8.safetensors.z"):
        assert plain.files[name] == packed.files[name]

    def bpb(lines):
        return float(lines[-1].split("val_bpb:")[1])

    assert packed.lines[-1].startswith("final_int8_ttt_lora_exact")
    assert abs(bpb(plain.lines) - bpb(packed.lines)) <= TOLERANCE


def test_base_weights_are_trainable_and_the_tail_idle_afterwards(perturb):
    settings, model = build(perturb, {"TTT_PACKED": "1"})
    before = {name: t.clone() for name, t in model.state_dict().items()}
    evaluate(settings, model, documents(50, 70))
    assert all(torch.equal(t, before[name]) for name, t in model.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    x = torch.ones(1, 4, 2)
    assert model.before_head["ttt_packed"](x) is x
