"""pytest tests/verify/mutate/test_operators.py"""

import ast
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenseal.mutate.operators import mutants_of

ROOT = Path(__file__).parents[3]
GPT = ROOT / "train_gpt_style/gpt"
FILES = [GPT / f"{name}.py" for name in ("muon", "optim", "run", "schedule", "validate")]
SNIPPETS = {
    "number": (b"x = 3\n", {"x = 4", "x = 2", "pass"}),
    "float": (b"x = 0.5\n", {"x = 0.5000000000000001", "x = 0.505", "pass"}),
    "zero": (b"x = 0.0\n", {"x = 1.0", "pass"}),
    "name or key": (b"x = 'rb'\n", {"x = 'rbx'", "pass"}),
    "message": (b"x = 'a message'\n", {"pass"}),
    "arithmetic": (b"x = (a) + b\n", {"x = (a) - b", "pass"}),
    "accumulation": (b"x @= b\n", {"x *= b", "x = b", "pass"}),
    "shift": (b"x = a << b\n", {"x = a >> b", "pass"}),
    "comparison": (b"x = a <b\n", {"x = a <=b", "x = a >=b", "x = a !=b", "pass"}),
    "equality": (b"x = a == b\n", {"x = a != b", "x = a <= b", "x = a >= b", "pass"}),
    "equality of names": (b"x = a == 'b c'\n", {"x = a != 'b c'", "pass"}),
    "identity": (b"x = a is  not b\n", {"x = a is b", "pass"}),
    "boolean": (b"x = True\n", {"x = False", "pass"}),
    "and/or": (b"x = a and b\n", {"x = a or b", "x = ((a))", "x = ((b))", "pass"}),
    "keyword": (b"f(a, k=b)\n", {"f(a)", "f(k=b)", "pass"}),
    "keyword before another": (b"f(k=b, m=c)\n", {"f(m=c)", "f(k=b)", "pass"}),
    "keyword that holds anyway": (b"f(*a, strict=True)\n", {"pass"}),
    "device that holds anyway": (b"f(a.device)\n", {"pass"}),
    "arguments": (b"f(a, b)\n", {"f(b, a)", "f(a)", "pass"}),
    "arguments of one meaning": (b"max(a, b)\n", {"min(a, b)", "max(a)", "pass"}),
    "arguments in brackets": (b"f((a), b)\n", {"f((b), a)", "f((a))", "pass"}),
    "not dropped": (b"x = not a\n", {"x = a", "pass"}),
    "condition negated": (b"x = b if a else c\n", {"x = b if (not (a)) else c", "pass"}),
    "slice": (b"x = a[b:c]\n", {"x = a[:c]", "x = a[b:]", "pass"}),
    "type": (b"x = torch.int64\n", {"x = torch.int32", "pass"}),
    "cast": (b"x = a.double()\n", {"x = a.float()", "pass"}),
    "function": (b"x = torch.zeros(*a)\n", {"x = torch.ones(*a)", "pass"}),
    "comprehension": (
        b"x = [a for a in b if a]\n",
        {"x = [a for a in () if a]", "x = [a for a in b if (not (a))]", "pass"},
    ),
    "loop": (
        b"for a in b:\n    break\n",
        {"for a in ():\n    break", "for a in b:\n    continue", "for a in b:\n    pass"},
    ),
    "with": (b"with a:\n    f()\n", {"if True:\n    f()", "with a:\n    pass"}),
    "with something": (b"with a as b:\n    f()\n", {"with a as b:\n    pass"}),
    "except": (
        b"try:\n    f()\nexcept (A, B):\n    pass\n",
        {
            "try:\n    f()\nexcept (B,):\n    pass",
            "try:\n    f()\nexcept (A,):\n    pass",
            "try:\n    pass\nexcept (A, B):\n    pass",
        },
    ),
    "except one": (
        b"try:\n    pass\nexcept A:\n    pass\n",
        {"try:\n    pass\nexcept ():\n    pass"},
    ),
    "decorator": (b"@a\ndef f():\n    ...\n", {"def f():\n    ...", "@a\ndef f():\n    pass"}),
    "results": (
        b"def f():\n    return a, b\n",
        {"def f():\n    return b, a", "def f():\n    pass"},
    ),
    "letters of several bytes": ("x = 'φ ' + a\n".encode(), {"x = 'φ ' - a", "pass"}),
}


@pytest.mark.parametrize("name", SNIPPETS)
def test_an_operator_makes_these_edits_and_no_others(name):
    source, expected = SNIPPETS[name]
    found = {m.apply(source).decode().strip() for m in mutants_of(source, "a.py")}
    assert found == expected


def test_imports_annotations_docstrings_and_names_for_export_are_left_alone():
    head = b'"""Doc 1 + 1."""\nimport a\n\n__all__ = ["f"]\n'
    assert mutants_of(head + b'def f(x: 1 + 1 = None) -> 2:\n    """Doc."""\n', "a.py") == []


def test_code_inside_an_f_string_is_edited_where_it_stands():
    source = b'x = f"{a} step {1000.0 * b:.2f} of {c}"\n'
    edits = {m.apply(source).decode().strip() for m in mutants_of(source, "a.py")}
    assert edits <= {
        "pass",
        'x = f"{a} step {1000.0 / b:.2f} of {c}"',
        'x = f"{a} step {1000.0000000000001 * b:.2f} of {c}"',
        'x = f"{a} step {1010.0 * b:.2f} of {c}"',
    }


@cache
def of_file(path):
    return path.read_bytes(), mutants_of(path.read_bytes(), path.name)


@settings(deadline=None)
@given(st.sampled_from(FILES), st.integers(0, 10**6))
def test_a_mutant_differs_in_one_place_and_still_parses(path, number):
    source, mutants = of_file(path)
    mutant = mutants[number % len(mutants)]
    changed = mutant.apply(source)
    assert changed[: mutant.start] == source[: mutant.start]
    assert changed[mutant.start + len(mutant.new.encode()) :] == source[mutant.stop :]
    assert source[mutant.start : mutant.stop].decode() == mutant.old
    assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(source))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_two_mutants_of_a_file_share_a_name_or_a_result(path):
    source, mutants = of_file(path)
    assert mutants
    assert len({m.identity for m in mutants}) == len(mutants)
    assert len({m.apply(source) for m in mutants}) == len(mutants)


def test_a_loop_over_nothing_is_asked_of_the_loops_body():
    source = b"for a in b:\n    f(a)\nx = [g(a) for a in b if c]\n"
    first, second = (m for m in mutants_of(source, "a.py") if m.new == "()")
    assert first.nodes[0] == (2, 4, 2, 8)
    assert second.nodes[0] == (3, 5, 3, 9)


def test_a_name_stays_when_the_line_moves():
    source = b"x = 1\n"
    before, after = (mutants_of(text, "a.py") for text in (source, b"# more\n\n" + source))
    assert [m.identity for m in before] == [m.identity for m in after]
    assert [m.line + 2 for m in before] == [m.line for m in after]
