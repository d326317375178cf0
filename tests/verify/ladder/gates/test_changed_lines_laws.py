"""pytest tests/verify/ladder/gates/test_changed_lines_laws.py — what holds of any two texts."""

from hypothesis import given
from hypothesis import strategies as st

from goldenseal.ladder.gates.changed_lines import new_numbers

lines = st.lists(st.sampled_from(["a", "b", "c", "", "    d"]), max_size=12)


@given(lines)
def test_of_equal_texts_no_line_is_changed(text):
    assert new_numbers(text, list(text)) == []


@given(lines, lines)
def test_the_lines_that_are_not_changed_are_the_others_in_order(before, after):
    numbers = new_numbers(before, after)
    assert numbers == sorted(set(numbers))
    kept = [text for n, text in enumerate(after, start=1) if n not in numbers]
    rest = iter(before)
    assert all(text in rest for text in kept)  # a subsequence of what was there before


@given(lines, lines, lines)
def test_what_is_put_between_is_changed(head, tail, middle):
    marked = [f"new {i}" for i in range(len(middle))]
    numbers = new_numbers(head + tail, head + marked + tail)
    assert set(range(len(head) + 1, len(head) + len(marked) + 1)) <= set(numbers)
