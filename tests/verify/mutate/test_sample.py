"""pytest tests/verify/mutate/test_sample.py"""

from hypothesis import given
from hypothesis import strategies as st

from goldenseal.mutate.operators import mutants_of
from goldenseal.mutate.sample import draw, shares

MUTANTS = [
    mutant
    for area, lines in (("a", 40), ("b", 9), ("c", 1))
    for mutant in mutants_of(b"".join(b"x%d = 1\n" % i for i in range(lines)), f"{area}.py", area)
]


def test_the_same_seed_draws_the_same_mutants_in_whatever_order_they_come():
    assert draw(MUTANTS, 30, 7) == draw(MUTANTS[::-1], 30, 7)
    assert draw(MUTANTS, 30, 7) != draw(MUTANTS, 30, 8)


def test_a_larger_sample_holds_the_smaller_one():
    small, large = (set(draw(MUTANTS, n, 7)) for n in (10, 40))
    assert small <= large


def test_no_mutant_is_drawn_twice_and_none_is_left_when_all_are_wanted():
    drawn = draw(MUTANTS, 10**6, 1)
    assert {m.identity for m in drawn} == {m.identity for m in MUTANTS}
    assert len(drawn) == len(MUTANTS)


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 50), min_size=1),
    st.integers(0, 100),
)
def test_shares_add_up_and_are_within_one_of_the_proportion(sizes, count):
    total = sum(sizes.values())
    count = min(count, total)
    found = shares(sizes, count)
    assert sum(found.values()) == count
    for area, size in sizes.items():
        assert found[area] <= size
        assert total == 0 or abs(found[area] - count * size / total) < 1
