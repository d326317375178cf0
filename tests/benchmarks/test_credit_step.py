"""pytest tests/benchmarks/test_credit_step.py — what a local step keeps alive, by the benchmark."""

from types import SimpleNamespace

import pytest

from benchmarks.credit import ARMS, Arm, peak_of

SIZES = SimpleNamespace(dim=32, depth=12)


@pytest.fixture(scope="module")
def of_backpropagation():
    """Bytes."""
    return peak_of(Arm(ARMS["bp"], SIZES))


@pytest.mark.parametrize("name", ["dfa", "fa"])
def test_a_step_that_is_written_out_keeps_at_most_three_fifths(of_backpropagation, name):
    assert 0.4 < peak_of(Arm(ARMS[name], SIZES)) / of_backpropagation <= 0.6


@pytest.mark.parametrize("name", ["dfa", "fa"])
def test_the_straightforward_step_keeps_more(of_backpropagation, name):
    assert peak_of(Arm(ARMS[f"{name}, straightforward"], SIZES)) > 1.5 * of_backpropagation
