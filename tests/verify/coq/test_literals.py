"""Numbers that are rounded where they stand are found with file and line, in every spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.coq.literals import python_files, unproved_literals
from goldenseal.errors import UsageError


@pytest.fixture
def scan(tmp_path):
    def run(text, homes=None):
        (tmp_path / "code").mkdir(exist_ok=True)
        (tmp_path / "code" / "a.py").write_text(text, "utf-8")
        homes = homes or {}
        return unproved_literals(python_files(tmp_path, ["code"], homes), homes)

    return run


def test_an_inexact_literal_is_found_with_file_line_and_text(scan):
    assert scan("x = 0.5\n\ny = 0.30\n") == [
        "code/a.py:3: 0.30 has no theorem; declare it in a constants module, import it"
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("0.5", "1.0", "1e3", "-2.25", "1_000.5", "0.0", "3", "1e22", "'0.3'", "f'{x:.3f}'"),
        *("1 / 16", "2**63 - 1", "10**30", "3 * 0.5", "2 ** -10", "4 ** 0.5", "7 // 3", "~5", "-1"),
        *("x / 3", "x * 2 / 3", "1 / len(x)", "float('0.5')", "float('inf')", "float(x)", "1e999"),
        *("math.sqrt(9)", "pow(2, 10)", "True", "{'LR': '0.3'}", "log('step', '0.3')"),
        *("'{:.2f}'.format(x)", "not 1", "1 << 20", "Fraction(1, 3)", "Decimal('0.1')"),
    ],
)
def test_a_number_that_its_text_determines_needs_no_theorem(scan, text):
    assert scan(f"x = {text}") == []


@pytest.mark.parametrize(
    "text",
    [
        *(
            "0.1",
            "1e23",
            "0.50000000000000000001",
            "0.3j",
            "f(-0.3)",
            "f'{0.3 * x}'",
            ".02",
            "2e-2",
        ),
        *(
            "0.0_2",
            "2E-2",
            "(0.5, [0.02])",
            "{'std': 0.02}",
            "x if y else -0.02",
            "+0.02",
            "1 + 0.3j",
        ),
        *(
            "1 / 3",
            "5 ** 0.5",
            "(5 ** .5 - 2) / 2",
            "10 ** -3",
            "-1 / 10",
            "x * (9 / 10)",
            "2 ** 0.1",
        ),
        *("float('0.02')", "float('2e-2')", "np.float32('.1')", "float(get('LR', '0.02'))"),
        *("float(1 / 3)", "float(Fraction(1, 3))", "math.sqrt(5)", "sqrt(2) / 2", "pow(5, 0.5)"),
        *("2**53 * 1.0 + 1", "(2**53 + 1) / 1", "f(std=0.02)", "Knob('LR', float, 0.3, 'a rate')"),
    ],
)
def test_a_number_that_is_rounded_needs_one(scan, text):
    assert len(scan(f"x = {text}")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "def f(eps=1e-7):\n    pass",
        "def f(*, eps: float = 1e-7):\n    pass",
        "f = lambda eps=1e-7: eps",
        "class A:\n    eps: float = 1 / 10",
        "@decorated(0.1)\ndef f():\n    pass",
        "match x:\n    case 0.1:\n        pass",
        "x: float = 0.1",
        "x = y = 0.1",
    ],
)
def test_it_is_found_wherever_it_stands(scan, text):
    assert len(scan(text)) == 1


def test_the_value_of_another_constant_is_no_excuse(tmp_path, scan):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "constants.py").write_text("STD = 0.02\n")
    (finding,) = scan("f(std=0.02)", {"code/constants.py": frozenset({"STD"})})
    assert finding.startswith("code/a.py:1: 0.02 ")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A = 0.1\nB, C = 0.2, -0.3\nD: float = 1 / 3\n", []),
        ("A = 0.1\nE = 0.4\n", ["code/a.py:2: 0.4 has no theorem; declare it here"]),
        (
            "A = 0.1\ndef f(x=0.4):\n    A = 0.5\n",
            ["code/a.py:2: 0.4 has no theorem; declare it here"],
        ),
        ("A, E = 0.1, 0.4\n", ["code/a.py:1: 0.1", "code/a.py:1: 0.4"]),
    ],
)
def test_a_constants_module_may_hold_what_it_declares_and_no_more(scan, text, found):
    findings = scan(text, {"code/a.py": frozenset("ABCD")})
    assert len(findings) == len(found)
    assert all(a.startswith(b) for a, b in zip(findings, found, strict=True))


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_quotient_is_exact_just_when_its_double_is(a, b):
    import ast
    from fractions import Fraction

    from goldenseal.coq.literals import inexact

    text = f"x = {a} / {b}"
    assert (list(inexact(text, ast.parse(text))) == []) == (Fraction(a / b) == Fraction(a, b))


def test_huge_powers_are_judged_at_once(scan):
    assert scan("x = 10 ** 10 ** 10 ** 10") != []


def test_a_text_that_is_not_python_is_refused(scan):
    with pytest.raises(UsageError, match=r"code/a\.py: cannot be read as Python"):
        scan("x = = 1")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="nowhere is not a folder"):
        python_files(tmp_path, ["nowhere"])
