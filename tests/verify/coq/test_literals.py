"""Float literals without a theorem are found with file and line."""

import pytest

from verify.constants import Constant, decimal, rational
from verify.coq.literals import unproved_literals
from verify.errors import UsageError

LR = Constant("LR", 0.04, decimal("0.04"), "a rate")


@pytest.fixture
def scan(tmp_path):
    def run(text, constants=()):
        (tmp_path / "code").mkdir(exist_ok=True)
        (tmp_path / "code" / "a.py").write_text(text, "utf-8")
        return unproved_literals(tmp_path, ["code"], constants)

    return run


def test_an_inexact_literal_is_found_with_file_line_and_text(scan):
    assert scan("x = 0.5\n\ny = 0.30\n") == [
        "code/a.py:3: 0.30 has no theorem; register it as a Constant"
    ]


@pytest.mark.parametrize(
    "text", ["0.5", "1.0", "1e3", "-2.25", "1_000.5", "0.0", "3", "1e22", "'0.3'", "f'{x:.3f}'"]
)
def test_a_literal_that_its_text_determines_needs_no_theorem(scan, text):
    assert scan(f"x = {text}") == []


@pytest.mark.parametrize(
    "text",
    ["0.1", "1e23", "0.50000000000000000001", "0.3j", "f(-0.3)", "lambda a=0.7: a", "f'{0.3 * x}'"],
)
def test_a_literal_that_is_rounded_needs_one(scan, text):
    assert len(scan(f"x = {text}")) == 1


def test_a_registered_value_is_accounted_for_in_either_sign(scan):
    assert scan("x, y, z = 0.04, -0.04, 4e-2", [LR]) == []
    assert len(scan("x = 0.040000000000000001\ny = 0.04000000000000001", [LR])) == 1


def test_an_integer_constant_does_not_excuse_a_float(scan):
    assert len(scan("x = 0.1", [Constant("N", 4, rational(4), "loops")])) == 1


def test_a_text_that_is_not_python_is_refused(scan):
    with pytest.raises(UsageError, match=r"code/a\.py: cannot be read as Python"):
        scan("x = = 1")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="nowhere is not a folder"):
        unproved_literals(tmp_path, ["nowhere"], ())
