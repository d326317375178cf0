"""Works out an expression of Python that is made of numbers alone, exactly, and sees it rounded."""

import ast
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

FLOATS = {"complex", "double", "float", "float16", "float32", "float64", "half", "single"}
_UNROUNDED = {"Decimal", "Fraction", "decimal", "rational"}  # calls that give an exact number
_CALLS = FLOATS | _UNROUNDED | {"abs", "pow", "sqrt"}
_MOST_BITS = 1 << 16  # of a power that is worked out; a larger one is no double anyway
_MOST_ROOT = 64


class InexactError(Exception):
    """A value, or one on the way to it, is no double: Python rounds it."""


def called(node: ast.Call) -> str:
    """`sqrt` of `math.sqrt(x)`."""
    if isinstance(node.func, ast.Name):  # nearly every call; to unparse each takes a second
        return node.func.id
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return ast.unparse(node.func).rpartition(".")[2]


def is_number(node: ast.expr) -> bool:
    """Whether an expression is made of numbers, arithmetic and calls of float, sqrt, pow."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float | complex)
    if isinstance(node, ast.UnaryOp):
        return not isinstance(node.op, ast.Not) and is_number(node.operand)
    if isinstance(node, ast.BinOp):
        return is_number(node.left) and is_number(node.right)
    if isinstance(node, ast.Call) and called(node) in _CALLS and node.args and not node.keywords:
        return all(is_number(each) or _is_text(each) for each in node.args)
    return False


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def work_out(node: ast.expr) -> tuple[Fraction, bool]:
    """(value, whether Python holds it as a float) of an expression that is_number.

    Raises InexactError when Python would round the value or one on the way to it, and what
    arithmetic raises for a value that is infinite or does not exist.
    """
    value, floating = _work_out(node)
    if floating and Fraction(float(value)) != value:
        raise InexactError
    return value, floating


def _work_out(node: ast.expr) -> tuple[Fraction, bool]:
    if isinstance(node, ast.Constant):
        given = node.value.imag if isinstance(node.value, complex) else node.value
        if isinstance(given, str):
            return (Fraction(given) if "/" in given else Fraction(Decimal(given))), False
        if not isinstance(given, int | float):
            raise TypeError(type(given))
        return Fraction(given), isinstance(given, float)
    if isinstance(node, ast.UnaryOp):
        value, floating = work_out(node.operand)
        if isinstance(node.op, ast.UAdd):
            return value, floating
        return (-value if isinstance(node.op, ast.USub) else -value - 1), floating
    if isinstance(node, ast.BinOp):
        return _operation(node.op, work_out(node.left), work_out(node.right))
    if not isinstance(node, ast.Call):
        raise TypeError(type(node))
    name, arguments = called(node), [work_out(each) for each in node.args]
    values = [value for value, _ in arguments]
    if name == "sqrt":
        return power(values[0], Fraction(1, 2)), True
    if name == "pow":
        return _operation(ast.Pow(), arguments[0], arguments[1])
    if name in _UNROUNDED:
        return (values[0] / values[1] if len(values) == 2 else values[0]), False
    return (abs(values[0]), arguments[0][1]) if name == "abs" else (values[0], True)


def _operation(
    op: ast.operator, left: tuple[Fraction, bool], right: tuple[Fraction, bool]
) -> tuple[Fraction, bool]:
    (a, a_floats), (b, b_floats) = left, right
    floating = a_floats or b_floats
    if floating and any(Fraction(float(each)) != each for each in (a, b)):
        raise InexactError  # an integer beside a float becomes one first
    if isinstance(op, ast.Pow):
        integers = a.denominator == b.denominator == 1
        return power(a, b), floating or b.denominator > 1 or (b < 0 and integers)
    if isinstance(op, ast.Div):
        return a / b, floating or a.denominator == b.denominator == 1
    if isinstance(op, ast.LShift):
        return a * power(Fraction(2), b), floating
    simple: dict[type[ast.operator], Callable[[], Fraction]] = {
        ast.Add: lambda: a + b,
        ast.Sub: lambda: a - b,
        ast.Mult: lambda: a * b,
        ast.FloorDiv: lambda: Fraction(a // b),
        ast.Mod: lambda: a % b,
        ast.RShift: lambda: Fraction(int(a) >> int(b)),
        ast.BitAnd: lambda: Fraction(int(a) & int(b)),
        ast.BitOr: lambda: Fraction(int(a) | int(b)),
        ast.BitXor: lambda: Fraction(int(a) ^ int(b)),
    }
    return simple[type(op)](), floating


def power(base: Fraction, exponent: Fraction) -> Fraction:
    """base ** exponent; InexactError where that is irrational, complex or beyond every double."""
    degree, times = exponent.denominator, exponent.numerator
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if bits * abs(times) > _MOST_BITS or degree > _MOST_ROOT or (base < 0 and degree > 1):
        raise InexactError
    over, under = _root(abs(base.numerator), degree), _root(base.denominator, degree)
    return Fraction(-over if base < 0 else over, under) ** times


def _root(number: int, degree: int) -> int:
    """The integer whose power of `degree` is `number`; InexactError when there is none."""
    low, high = 0, 1 << (number.bit_length() // degree + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= number else (low, middle - 1)
    if low**degree != number:
        raise InexactError
    return low
