"""Writes the theorems about constants: one for each number that the running code uses."""

import re
from collections.abc import Sequence

from goldenseal.coq.constants import LEAST_EXPONENT, Constant, Quadratic, export, round_to_double
from goldenseal.coq.lexer import Sentence

FILE = "Constants.v"

_HEADER = """\
(******************************************************************************)
(*            The constants of the code are correctly rounded                 *)
(*                                                                            *)
(* GENERATED from the running code; `goldenseal theorems refresh` rewrites    *)
(* it, and the theorem gate fails when it differs from what the code says.    *)
(*                                                                            *)
(*   NAME_double == the binary64 number that the code uses for NAME, as its   *)
(*                  exact integer mantissa and exponent of two                *)
(*  NAME_integer == the integer that the code uses for NAME                   *)
(* NAME_computed == the comparison of integers that decides, without axiom    *)
(*  NAME_rounded == NAME_double is the real expression, rounded to nearest    *)
(*  NAME_nearest == NAME_integer is the integer nearest to the real expression *)
(*                                                                            *)
(* Source: the constants that pyproject.toml names under [tool.goldenseal].   *)
(*                                                                            *)
(* Does not say: that the code combines its constants without further         *)
(* rounding, that float32 or bfloat16 copies are nearest (they are rounded a  *)
(* second time), or that a value is a good choice.                            *)
(******************************************************************************)

From Coq Require Import ZArith Reals.
From Flocq Require Import Core.
From {prefix} Require Import Rounding.

Open Scope R_scope.
"""


def constants_file(constants: Sequence[Constant], prefix: str) -> str:
    """The text of the generated file. A false claim is written down too: it does not compile."""
    return _HEADER.replace("{prefix}", prefix) + "".join(
        _integer(each) if isinstance(each.value, int) else _double(each)
        for each in sorted(constants, key=lambda each: each.name)
    )


def _double(constant: Constant) -> str:
    p, q, d = constant.real.integers
    mantissa, exponent = _mantissa(constant)
    real = f"IZR {_z(p)} / IZR {d}" if q == 0 else _surd(constant.real)
    lemma = (
        f"nearest_double_rational {_z(p)} {d}" if q == 0 else f"nearest_double {_z(p)} {_z(q)} {d}"
    )
    return f"""
(** In words: {_comment(constant)} *)
Definition {constant.name}_double : R := F2R (Float radix2 {_z(mantissa)} {_z(exponent)}).

Fact {constant.name}_computed :
  is_nearest_double {_z(p)} {_z(q)} {d} {_z(mantissa)} {_z(exponent)} = true.
Proof. vm_compute; reflexivity. Qed.

Theorem {constant.name}_rounded :
  round radix2 (FLT_exp (-1074) 53) ZnearestE ({real}) = {constant.name}_double.
Proof. exact ({lemma} _ _ {constant.name}_computed). Qed.
"""


def _integer(constant: Constant) -> str:
    p, q, d = constant.real.integers
    value = _z(int(constant.value))
    return f"""
(** In words: {_comment(constant)} *)
Definition {constant.name}_integer : Z := {value}.

Fact {constant.name}_computed : within_half {_z(p)} {_z(q)} {d} {value} = true.
Proof. vm_compute; reflexivity. Qed.

Theorem {constant.name}_nearest : ZnearestE ({_surd(constant.real)}) = {constant.name}_integer.
Proof. exact (nearest_integer _ _ _ _ {constant.name}_computed). Qed.
"""


def _mantissa(constant: Constant) -> tuple[int, int]:
    """The code's double as mantissa and exponent, at the exponent that rounding arrives with.

    They differ only for a real just below a power of two, which rounds up to mantissa 2**53.
    """
    sign, mantissa, exponent = export(float(constant.value))
    wanted = round_to_double(constant.real).exponent
    if exponent == wanted + 1 and mantissa < 1 << 53 and exponent > LEAST_EXPONENT:
        mantissa, exponent = 2 * mantissa, wanted
    return (-mantissa if sign else mantissa), exponent


def _surd(real: Quadratic) -> str:
    p, q, d = real.integers
    return f"(IZR {_z(p)} + IZR {_z(q)} * sqrt 5) / IZR {d}"


def _z(number: int) -> str:
    return str(number) if number >= 0 else f"({number})"


def _comment(constant: Constant) -> str:
    """One line that can neither close the comment nor open a string in it."""
    words = constant.meaning.replace("(*", "( *").replace("*)", "* )").replace('"', "'")
    return f"{constant.name} = {constant.value!r}, {words}: the nearest to {constant.real}."


def proved_names(source: Sequence[Sentence]) -> set[str]:
    """Names of the constants that a generated file has a theorem for."""
    names = set()
    for sentence in source:
        words = sentence.words
        if words[0] == "Theorem" and (match := re.fullmatch(r"(\w+)_(rounded|nearest)", words[1])):
            names.add(match[1])
    return names
