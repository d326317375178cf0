"""pytest tests/train_gpt_style/dual_stream/test_dual_mastery.py — the queue and its size."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from train_gpt_style.dual_stream.adapt import Rule, decision, may_change, resized
from train_gpt_style.dual_stream.mastery import MasteryQueue, hardest, margin

PUBLISHED = Rule("A", 3.0, 9.0, 3.0, 5, 5, 1024, 16384, 2048)
B = Rule("B", 3.0, 9.0, 3.0, 5, 5, 1024, 16384, 2048)


def filled(limit=8, capacity=8, dim=3, patience=50):
    return MasteryQueue(limit, capacity, dim, patience)


@pytest.mark.parametrize(("t", "m"), [(0, 0.1), (2500, 0.2), (5000, 0.3), (9000, 0.3)])
def test_the_margin_grows_from_a_tenth_to_three_tenths(t, m):
    assert margin(t, 0.1, 0.3, 5000) == pytest.approx(m)
    assert margin(t, 0.1, 0.3, 0) == 0.3


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_margin_stays_within_its_ends_and_never_falls(a, b):
    low, high = sorted((a, b))
    assert 0.1 <= margin(low, 0.1, 0.3, 5000) <= margin(high, 0.1, 0.3, 5000) <= 0.3 + 1e-15


def test_forty_nine_hits_and_a_miss_do_not_activate_and_fifty_do():
    queue = filled()
    for perfect in [True] * 49 + [False] + [True] * 49:
        queue.count_hits(perfect)
        assert not queue.active
    queue.count_hits(True)
    assert queue.active
    assert int(queue.age) == 0
    queue.count_hits(False)
    assert int(queue.age) == 1


def test_with_no_patience_it_begins_after_the_first_batch():
    queue = filled(patience=0)
    assert not queue.active
    queue.count_hits(False)
    assert queue.active


@given(st.lists(st.integers(1, 5), max_size=6), st.integers(1, 9))
def test_it_keeps_the_newest_in_order(sizes, limit):
    queue, pushed = filled(limit, 9, 1), []
    for size in sizes:
        rows = torch.arange(len(pushed), len(pushed) + size).float().unsqueeze(1)
        queue.push(rows, rows.squeeze(1).long())
        pushed += rows.squeeze(1).tolist()
    kept = pushed[-limit:]
    assert int(queue.size) == len(kept)
    assert queue.rows[: len(kept), 0].tolist() == kept
    assert queue.labels.tolist() == [*map(int, kept), *[-1] * (9 - len(kept))]


def test_a_smaller_queue_keeps_the_newest_and_a_larger_one_grows_again():
    queue = filled(6, 8, 1)
    queue.push(torch.arange(6.0).unsqueeze(1), torch.arange(6))
    queue.resize(2)
    assert queue.labels.tolist() == [4, 5, *[-1] * 6]
    assert queue.rows[2:].eq(0).all()
    queue.resize(8)
    queue.push(torch.arange(8.0).unsqueeze(1), torch.arange(8))
    assert queue.labels.tolist() == list(range(8))


def test_the_hardest_are_the_nearest_other_and_the_farthest_same():
    queue = torch.tensor([[1.0, 0], [0.6, 0.8], [0, 1], [-1, 0]])
    labels = torch.tensor([0, 0, 1, 1])
    negative, positive, both = hardest(torch.tensor([[1.0, 0]]), torch.tensor([0]), queue, labels)
    assert (float(negative), float(positive), bool(both)) == (0, pytest.approx(0.6), True)
    none = hardest(torch.tensor([[1.0, 0]]), torch.tensor([2]), queue, labels)
    assert not bool(none[2])


def test_rows_without_both_kinds_cost_nothing_and_an_empty_queue_neither():
    queue = filled(4, 4, 2)
    rows = torch.eye(2, requires_grad=True)
    assert [float(v) for v in queue.loss(rows, torch.tensor([0, 1]), 0.1)] == [0, 0, 0]
    queue.push(torch.eye(2), torch.tensor([0, 0]))
    value, negative, positive = queue.loss(rows, torch.tensor([0, 0]), 0.1)
    assert [float(v.detach()) for v in (value, negative, positive)] == [0, 0, 0]
    queue.push(-torch.eye(2), torch.tensor([1, 1]))
    value, negative, positive = queue.loss(rows[:1], torch.tensor([0]), 0.5)
    assert float(negative) == 0
    assert float(positive) == 0
    assert float(value.detach()) == pytest.approx(0.5)
    value.backward()
    assert rows.grad.isfinite().all()


def test_all_that_decides_its_future_is_in_its_state():
    queue = filled(6, 8, 2, patience=3)
    queue.push(torch.eye(2), torch.tensor([0, 1]))
    queue.count_hits(True)
    other = filled(6, 8, 2, patience=3)
    other.load_state_dict(queue.state_dict())
    for each in (queue, other):
        each.count_hits(True)
        each.count_hits(True)
        each.push(-torch.eye(2), torch.tensor([1, 0]))
    assert queue.active
    state, theirs = queue.state_dict(), other.state_dict()
    assert all(state[name].equal(theirs[name]) for name in state)


# -- size -----------------------------------------------------------------------------------------


def test_the_published_example_line():
    assert decision([8.2, 11.5], B) == 1
    assert resized(4096, 1, B) == 6144


@pytest.mark.parametrize(
    ("gaps", "a", "b"),
    [
        ([20.0], 0, 0),  # the first decides nothing
        ([5.0, 9.5], 1, 1),
        ([5.0, 9.0], 0, 1),
        ([5.0, 2.0], -1, 0),
        ([5.0, 1.9], -1, -1),
        ([4.0, 5.0, 5.0, 6.0, 7.0, 7.5], 1, 0),  # drift over five epochs
        ([8.9, 5.0, 5.0, 6.0, 6.0, 5.5], -1, 0),
        ([8.0, 5.0, 5.0, 6.0, 6.0, 5.0], 0, 0),  # exactly three is no drift
    ],
)
def test_both_variants_decide_as_published(gaps, a, b):
    assert decision(gaps, PUBLISHED) == a
    assert decision(gaps, B) == b


@given(st.lists(st.sampled_from([-1, 0, 1]), max_size=40), st.integers(1024, 16384))
def test_the_size_stays_within_its_bounds_and_moves_by_a_step_at_most(decisions, size):
    for each in decisions:
        new = resized(size, each, PUBLISHED)
        assert 1024 <= new <= 16384
        assert abs(new - size) <= 2048
        size = new


def test_floor_cap_and_rest():
    assert resized(2048, -1, B) == resized(1024, -1, B) == 1024
    assert resized(15000, 1, B) == resized(16384, 1, B) == 16384
    assert may_change(3, 0, B)
    assert [may_change(e, 10, B) for e in range(11, 17)] == [False] * 5 + [True]
