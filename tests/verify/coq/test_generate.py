"""The generated theorems: Coq accepts the nearest double and no other."""

import math
from pathlib import Path

import pytest

from goldenseal.coq import generate
from goldenseal.coq.constants import (
    PHI,
    SQRT5,
    Constant,
    decimal,
    nearest_float,
    nearest_integer,
    of_float,
    rational,
)
from goldenseal.coq.lexer import sentences

ROOT = Path(__file__).parents[3]
REALS = {
    "GOLDEN": PHI,
    "ALPHA": PHI**-3 / 2,
    "NEGATIVE": -PHI / 7,
    "CANCELS": PHI**-60,  # a tiny difference of two large numbers
    "HUGE": PHI**400,
    "ROOT": 1000 * SQRT5,
    "TENTH": decimal("0.1"),
    "SMALL": decimal("-1e-7"),
    "EXACT": of_float(0.75),
    "ZERO": rational(0),
    "BELOW_A_POWER": 1 - decimal("1e-30"),
    "ABOVE_A_POWER": 1 + decimal("1e-30"),
    "SUBNORMAL": decimal("1e-310"),
    "SMALLEST": decimal("3e-324"),
    "LARGE_INTEGER": rational(3 * 10**23),
}


@pytest.fixture(scope="module")
def folder(tools, tmp_path_factory):
    """A folder in which Rounding.v is compiled."""
    path = tmp_path_factory.mktemp("rounding")
    (path / "Rounding.v").write_text((ROOT / "theorems/Rounding.v").read_text("utf-8"), "utf-8")
    assert compiles(tools, path, "Rounding.v")
    return path


def compiles(tools, folder, file):
    arguments = ["-q", "-w", "none", "-Q", ".", "Goldenseal", file]
    return tools.run(tools.coqc, arguments, cwd=folder, seconds=60).returncode == 0


def written(folder, constants):
    (folder / "Constants.v").write_text(generate.constants_file(constants, "Goldenseal"), "utf-8")
    return "Constants.v"


def test_coq_accepts_the_nearest_double_of_every_kind_of_real(tools, folder):
    constants = [Constant(name, nearest_float(x), x, "a real") for name, x in REALS.items()]
    constants.append(Constant("LOOPS", nearest_integer(PHI**3), PHI**3, "an integer"))
    assert compiles(tools, folder, written(folder, constants))


def test_coq_refuses_both_neighbours_of_every_nearest_double(tools, folder):
    """Each generated fact is turned into the claim that its comparison fails, and that holds."""
    constants = [
        Constant(f"{name}_{side}", math.nextafter(nearest_float(x), toward), x, "off by one bit")
        for name, x in REALS.items()
        for side, toward in (("UP", math.inf), ("DOWN", -math.inf))
    ]
    text = generate.constants_file(constants, "Goldenseal")
    facts = [each for each in text.split("\n\n") if each.startswith("Fact ")]
    assert len(facts) == 2 * len(REALS)
    head = text[: text.index("(** In words")]
    denied = "\n\n".join(each.replace("= true.", "= false.") for each in facts)
    (folder / "Denied.v").write_text(head + denied, "utf-8")
    assert compiles(tools, folder, "Denied.v")


def test_coq_refuses_a_constant_off_in_its_last_bit(tools, folder):
    wrong = Constant("ALPHA", math.nextafter(nearest_float(PHI**-3 / 2), 1), PHI**-3 / 2, "alpha")
    assert not compiles(tools, folder, written(folder, [wrong]))


def test_coq_refuses_a_tie_which_the_constant_itself_reports(tools, folder):
    tie = Constant("TIE", 1e23, rational(10**23), "half-way between two doubles")
    assert "half-way between two doubles" in (tie.fault or "")
    assert not compiles(tools, folder, written(folder, [tie]))


def test_coq_refuses_an_integer_that_is_not_nearest(tools, folder):
    assert not compiles(tools, folder, written(folder, [Constant("LOOPS", 5, PHI**3, "loops")]))


def test_the_file_does_not_depend_on_the_order_of_constants():
    constants = [Constant(name, nearest_float(x), x, "a real") for name, x in REALS.items()]
    text = generate.constants_file(constants, "P")
    assert text == generate.constants_file(constants[::-1], "P")
    assert generate.proved_names(list(sentences(text))) == set(REALS)


def test_a_meaning_cannot_break_out_of_its_comment():
    sly = Constant("X", 0.5, of_float(0.5), 'half *) Axiom x : False. (* " oh')
    words = [word for each in sentences(generate.constants_file([sly], "P")) for word in each.words]
    assert "Axiom" not in words
    assert "X_rounded" in words
