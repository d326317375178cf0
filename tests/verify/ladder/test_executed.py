"""pytest tests/verify/ladder/test_executed.py — which instructions of a file were executed."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.ladder.executed import Executed, instructions

SOURCE = """
def choose(n):
    small = n < 3 and n > 0
    return "low" if small else [m for m in range(n) if m % 2]

class Thing:
    size = 3
    def method(self):
        yield self.size

def unused():
    return 1
"""


def lines_run(tmp_path, source, call):
    """Numbers of the lines that `call` executes of a source, and of those that it does not."""
    path = tmp_path / "code.py"
    path.write_text(source)
    executed = Executed(lambda file: file == str(path))
    space = {}
    with executed.tracing():
        exec(compile(source, str(path), "exec"), space)
        call(space)
    ran = executed.extents().get(str(path), set())
    every = instructions(source.encode(), str(path))
    assert ran <= set(every), ran - set(every)
    return {e[0] for e in ran}, {e[0] for e in every if e not in ran}


def test_a_function_that_is_not_called_is_not_run(tmp_path):
    ran, idle = lines_run(tmp_path, SOURCE, lambda space: space["choose"](1))
    assert 12 in idle
    assert 9 in idle
    assert {3, 4} <= ran


@pytest.mark.parametrize(("numbers", "idle"), [((1,), True), ((7,), True), ((1, 7), False)])
def test_both_halves_of_a_line_must_be_run(tmp_path, numbers, idle):
    _, left = lines_run(tmp_path, SOURCE, lambda space: [space["choose"](n) for n in numbers])
    assert (4 in left) is idle


def test_a_generator_is_run_only_when_it_is_asked(tmp_path):
    _, made = lines_run(tmp_path, SOURCE, lambda space: space["Thing"]().method())
    assert 9 in made
    _, asked = lines_run(tmp_path, SOURCE, lambda space: list(space["Thing"]().method()))
    assert 9 not in asked


def test_files_that_are_not_asked_for_are_left_alone(tmp_path):
    executed = Executed(lambda file: False)
    with executed.tracing():
        exec(compile(SOURCE, "x.py", "exec"), {})
    assert executed.extents() == {}


def test_a_tracer_that_was_there_before_is_put_back():
    before = sys.gettrace()
    with Executed(lambda file: False).tracing():
        assert sys.gettrace() is not before
    assert sys.gettrace() is before


def test_an_exception_leaves_what_was_run(tmp_path):
    source = "def f(n):\n    a = 1 / n\n    return a\n"

    def call(space):
        with pytest.raises(ZeroDivisionError):
            space["f"](0)

    ran, idle = lines_run(tmp_path, source, call)
    assert 3 in idle
    assert 2 in ran


def test_of_an_imported_module_only_functions_are_asked_for():
    whole = {extent[0] for extent in instructions(SOURCE.encode(), "x.py")}
    inner = {extent[0] for extent in instructions(SOURCE.encode(), "x.py", imported=True)}
    assert inner == {3, 4, 9, 12}
    assert inner < whole


STATEMENTS = st.lists(
    st.sampled_from(
        [
            "x = x + 1",
            "x = x if x > 2 else -x",
            "y = [i for i in range(x % 3)]",
            "z = x and y or 3",
            "for i in range(x % 3): x += i",
            "while x > 5: x -= 3",
            "try: 1 // (x % 2)\n    except ZeroDivisionError: x = 1",
            "w = (lambda a: a + 1)(x)",
            "with open('/dev/null'): pass",
            "v = {i: i for i in range(2)}",
            "x, y = y and 1 or 2, [x]",
            "assert x or not x",
        ]
    ),
    min_size=1,
    max_size=8,
)


@given(STATEMENTS, st.integers(-3, 9))
def test_what_is_run_is_always_a_part_of_what_there_is(tmp_path_factory, statements, n):
    body = "".join(f"    {line}\n" for line in statements)
    source = f"def f(x):\n    y = []\n{body}\n"
    folder = tmp_path_factory.mktemp("code")
    ran, _ = lines_run(folder, source, lambda space: space["f"](n))
    assert 2 in ran


def extents_of(path, source, numbers, seen=None):
    """What is noted of calls of `f` with these numbers, beside what was seen before."""
    executed = Executed(lambda file: file == str(path), seen)
    space = {}
    with executed.tracing():
        exec(compile(source, str(path), "exec"), space)
        for n in numbers:
            space["f"](n)
    return executed.extents().get(str(path), set())


@given(STATEMENTS, st.lists(st.integers(-3, 9), max_size=2), st.lists(st.integers(-3, 9)))
def test_a_run_that_knows_what_was_seen_notes_the_rest(statements, first, second):
    body = "".join(f"    {line}\n" for line in statements)
    source = f"def f(x):\n    y = []\n{body}\n"
    seen = extents_of("code.py", source, first)
    more = extents_of("code.py", source, second, {"code.py": seen})
    assert not seen & more
    assert seen | more == seen | extents_of("code.py", source, second)


def test_equal_code_of_two_files_is_told_apart():
    executed = Executed(lambda file: True)
    with executed.tracing():
        for file in ("a.py", "b.py"):
            space = {}
            exec(compile("def f():\n    return 1\n", file, "exec"), space)
        space["f"]()
    assert 2 not in {extent[0] for extent in executed.extents()["a.py"]}
    assert 2 in {extent[0] for extent in executed.extents()["b.py"]}
