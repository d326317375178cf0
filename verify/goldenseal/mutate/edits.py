"""What may be edited at one node of a Python source: the operators, each a function of the node.

An edit is (operator, start, stop, new text). Some may not parse, and some may be the same as
another one's; `operators.mutants_of` leaves those out.
"""

import ast
import math
from collections.abc import Iterator
from itertools import pairwise

from goldenseal.mutate.source import Source

Edit = tuple[str, int, int, str]

ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "//"),
    ast.Pow: ("**", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.BitXor: ("^", "|"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.MatMult: ("@", "*"),
}
COMPARISONS: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">=", "!=")),
    ast.LtE: ("<=", ("<", ">", "==")),
    ast.Gt: (">", (">=", "<=", "!=")),
    ast.GtE: (">=", (">", "<", "==")),
    ast.Eq: ("==", ("!=", "<=", ">=")),
    ast.NotEq: ("!=", ("==", "<", ">")),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: ("is not", ("is",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: ("not in", ("in",)),
}
DELETABLE = (
    ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Return, ast.Delete, ast.Raise,
    ast.Break, ast.Continue,
)  # fmt: skip
# Keywords that state what holds anyway: where tensors are, that lists are of one length, that
# nobody assigns to a field.
SAID_ANYWAY = ("device", "strict", "frozen")
LARGER = 1.01  # the second nudge of a float; the first is one unit in the last place
TYPES = {
    "float64": "float32",
    "float32": "float64",
    "bfloat16": "float32",
    "float16": "float32",
    "int64": "int32",
    "int32": "int64",
    "uint16": "int16",
    "uint8": "int8",
    "int8": "uint8",
    "bool": "uint8",
}
NAMESPACES = ("torch", "np", "numpy")
CASTS = {"double": "float", "float": "double", "long": "int", "half": "float"}
FUNCTIONS = {
    **{"min": "max", "max": "min", "any": "all", "all": "any", "floor": "ceil", "ceil": "floor"},
    **{"sum": "mean", "mean": "sum", "zeros": "ones", "ones": "zeros", "argmax": "argmin"},
    **{"zeros_like": "ones_like", "ones_like": "zeros_like", "cos": "sin", "sin": "cos"},
}
METHODS_ONLY = ("sum", "mean")  # the builtin `sum` has no mean beside it
SYMMETRIC = ("min", "max", "dot", "equal", "gcd", "maximum", "minimum")  # order means nothing
LOOPS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def edits_of(source: Source, node: ast.AST) -> Iterator[Edit]:
    """The edits of this very node, those of its children left out."""
    for make in (_constant, _operator, _call, _condition, _loop, _block, _other):
        yield from make(source, node)


def _constant(source: Source, node: ast.AST) -> Iterator[Edit]:
    """A boolean to its opposite; a number to its neighbours; a name, key or mode to another."""
    if not isinstance(node, ast.Constant):
        return
    start, stop, value = source.start(node), source.stop(node), node.value
    if isinstance(value, bool):
        yield "boolean", start, stop, str(not value)
    elif isinstance(value, int):
        yield "number", start, stop, str(value + 1)
        yield "number", start, stop, str(value - 1)
    elif isinstance(value, float) and math.isfinite(value):
        nudged = (math.nextafter(value, math.inf), value * LARGER) if value else (1.0,)
        for number in nudged:
            yield "number", start, stop, repr(number)
    elif isinstance(value, str) and not any(c.isspace() for c in value):
        yield "text", start, stop, repr(value + "x")  # with spaces it is a message for people


def _operator(source: Source, node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        old, new = ARITHMETIC[type(node.op)]
        yield from _token(source, "arithmetic", node.left, node.right, old, new)
    elif isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
        old, new = ARITHMETIC[type(node.op)]
        for made in (f"{new}=", "="):
            operator = "arithmetic" if made != "=" else "assignment"
            yield from _token(source, operator, node.target, node.value, f"{old}=", made)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "arithmetic", source.start(node), source.start(node) + 1, "+"
    elif isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for left, op, right in zip(operands, node.ops, operands[1:], strict=False):
            old, news = COMPARISONS[type(op)]
            if _is_text(left) or _is_text(right):
                news = news[:1]  # whether one name comes before another means nothing
            for new in news:
                yield from _token(source, "comparison", left, right, old, new)
    elif isinstance(node, ast.BoolOp):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            yield from _token(source, "and/or", left, right, old, new)
        yield from _dropped_operands(source, node, old)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _dropped_operands(source: Source, node: ast.BoolOp, word: str) -> Iterator[Edit]:
    """Each operand of an `and` or `or` left out; the others are written anew, in brackets."""
    for left_out in node.values:
        kept = [f"({source.of(value)})" for value in node.values if value is not left_out]
        yield "and/or", source.start(node), source.stop(node), f"({f' {word} '.join(kept)})"


def _call(source: Source, node: ast.AST) -> Iterator[Edit]:
    """A keyword dropped, the last argument dropped, neighbours exchanged, another function."""
    if isinstance(node, ast.Attribute) and _is_type(node):
        yield "type", source.stop(node) - len(node.attr), source.stop(node), TYPES[node.attr]
    if not isinstance(node, ast.Call):
        return
    for keyword in node.keywords:
        if keyword.arg not in SAID_ANYWAY:
            yield "keyword", *_with_comma(source, node, keyword), ""
    if node.args and not isinstance(node.args[-1], ast.Starred | ast.GeneratorExp):
        if source.of(node.args[-1]).rpartition(".")[2] not in SAID_ANYWAY:
            yield "argument", *_with_comma(source, node, node.args[-1]), ""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    name = node.func.id if isinstance(node.func, ast.Name) else name
    if name not in SYMMETRIC:
        yield from _exchanged(source, node.args)
    end = source.stop(node.func)
    if name in FUNCTIONS and (name not in METHODS_ONLY or isinstance(node.func, ast.Attribute)):
        yield "function", end - len(name), end, FUNCTIONS[name]
    if name in CASTS and isinstance(node.func, ast.Attribute) and not node.args:
        yield "type", end - len(name), end, CASTS[name]


def _is_type(node: ast.Attribute) -> bool:
    known = node.attr in TYPES and isinstance(node.value, ast.Name)
    return known and isinstance(node.value, ast.Name) and node.value.id in NAMESPACES


def _exchanged(source: Source, items: list[ast.expr]) -> Iterator[Edit]:
    """Two neighbours, each in the place of the other."""
    for left, right in pairwise(items):
        if isinstance(left, ast.Starred) or isinstance(right, ast.Starred):
            continue
        start, stop = source.start(left), source.stop(right)
        between = source.text(source.stop(left), source.start(right))
        yield "order", start, stop, f"{source.of(right)}{between}{source.of(left)}"


def _condition(source: Source, node: ast.AST) -> Iterator[Edit]:
    """`not` added to a condition; a `not` anywhere dropped."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not", source.start(node), source.start(node.operand), ""
    tests = []
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        tests = [node.test]
    elif isinstance(node, LOOPS):
        tests = [test for generator in node.generators for test in generator.ifs]
    for test in tests:
        if not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
            yield "not", source.start(test), source.stop(test), f"(not ({source.of(test)}))"


def _loop(source: Source, node: ast.AST) -> Iterator[Edit]:
    """A loop over nothing; `break` and `continue` exchanged."""
    over = []
    if isinstance(node, ast.For):
        over = [node.iter]
    elif isinstance(node, LOOPS):
        over = [generator.iter for generator in node.generators]
    for items in over:
        yield "loop", source.start(items), source.stop(items), "()"
    if isinstance(node, ast.Break | ast.Continue):
        new = "continue" if isinstance(node, ast.Break) else "break"
        yield "loop", source.start(node), source.stop(node), new


def _block(source: Source, node: ast.AST) -> Iterator[Edit]:
    """A `with` without effect; an `except` that catches less; a decorator dropped."""
    if isinstance(node, ast.With) and not any(item.optional_vars for item in node.items):
        stop = max(source.stop(item.context_expr) for item in node.items)
        rest = source.data[stop : source.start(node.body[0])]
        if rest.lstrip(b" ").startswith(b":"):
            yield "with", source.start(node), stop, "if True"
    elif isinstance(node, ast.ExceptHandler) and node.type is not None:
        items = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        for left_out in items:
            kept = "".join(f"{source.of(item)}, " for item in items if item is not left_out)
            yield "except", source.start(node.type), source.stop(node.type), f"({kept.rstrip()})"
    elif isinstance(node, ast.FunctionDef | ast.ClassDef):
        for decorator in node.decorator_list:
            at = source.data.rindex(b"@", 0, source.start(decorator))
            yield "decorator", at, source.stop(decorator), ""


def _other(source: Source, node: ast.AST) -> Iterator[Edit]:
    """A statement gone; a bound of a slice gone; what is returned together exchanged."""
    only_annotated = isinstance(node, ast.AnnAssign) and node.value is None
    if isinstance(node, DELETABLE) and not only_annotated:
        yield "statement", source.start(node), source.stop(node), "pass"
    if isinstance(node, ast.Slice):
        for bound in (node.lower, node.upper):
            if bound is not None:
                yield "slice", source.start(bound), source.stop(bound), ""
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        yield from _exchanged(source, node.value.elts)


def _token(
    source: Source, operator: str, left: ast.expr, right: ast.expr, old: str, new: str
) -> Iterator[Edit]:
    """The operator between two operands, if that is all there is besides brackets."""
    start, stop = source.stop(left), source.start(right)
    between = source.text(start, stop)
    words = between.strip("() \t\r\n\\")
    if " ".join(words.split()) == old:
        at = start + len(between[: between.index(words)].encode())
        yield operator, at, at + len(words.encode()), new


def _with_comma(source: Source, call: ast.Call, argument: ast.AST) -> tuple[int, int]:
    """Where an argument stands, with the comma before or after it."""
    start, stop = source.start(argument), source.stop(argument)
    after = source.text(stop, source.stop(call))
    if after.lstrip().startswith(","):
        stop += len(after[: after.index(",") + 1].encode())
        rest = source.data[stop : source.stop(call)]
        stop += len(rest) - len(rest.lstrip(b" "))
    else:
        before = source.data[source.stop(call.func) : start].rstrip()
        if before.endswith(b","):
            start = source.stop(call.func) + len(before) - 1
    return start, stop
