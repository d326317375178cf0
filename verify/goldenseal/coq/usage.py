"""Finds declared constants that no training code reads by name.

Imports, module attributes, aliases and re-exports are followed to the constants module; an import
that is never read is no use, and neither is a local variable of the same name. A constant that is
the default of a knob is used when the knob is read, as `settings.embed_lr` or `s["EMBED_LR"]`.
What is made at run time (getattr, exec, globals) is not seen.
"""

import ast
from collections import defaultdict
from collections.abc import Mapping
from pathlib import PurePosixPath

from goldenseal.coq.arithmetic import called
from goldenseal.coq.literals import PythonFiles, children

Symbol = tuple[str, str]  # a module's dotted name, and a name in it
_Scopes = tuple[()] | tuple[ast.AST, "_Scopes"]  # the functions around a place, inmost first
_SCOPES = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
)  # fmt: skip


def unused_constants(files: PythonFiles, homes: Mapping[str, frozenset[str]]) -> list[str]:
    """One line for each name of `homes` (constants module -> names) that the scanned code lacks.

    A constants module's own reading counts for nothing.
    """
    trees = {_module(name): tree for name, (_, tree) in files.items()}
    packages = {_module(name) for name in files if name.endswith("__init__.py")}
    home_of = {(_module(name), each): name for name, names in homes.items() for each in names}
    names = _Names(trees, packages, frozenset(home_of))
    reads = _Reads(names)
    for name, (_, tree) in files.items():
        if name not in homes:
            reads.read(_module(name), tree)
    findings = []
    for symbol, home in sorted(home_of.items(), key=lambda item: (item[1], item[0])):
        knobs = reads.defaults[symbol]
        if symbol in reads.symbols or knobs & reads.knobs:
            continue
        why = "read by no code of tool.goldenseal.scan"
        if knobs:
            why = f"only the default of {', '.join(sorted(knobs))}, a knob that no code reads"
        findings.append(f"{home}: {symbol[1]} is {why}; import it where it is used, or remove it")
    return findings


def _module(name: str) -> str:
    """`a.b` of a/b.py and of a/b/__init__.py."""
    path = PurePosixPath(name).with_suffix("")
    return ".".join(path.parts[:-1] if path.name == "__init__" else path.parts)


class _Names:
    """Where each name of each module comes from."""

    def __init__(
        self, trees: Mapping[str, ast.Module], packages: set[str], constants: frozenset[Symbol]
    ):
        self.modules, self.constants = set(trees), constants
        self.origins: dict[Symbol, Symbol] = {}  # imported or assigned name -> what it stands for
        self.stars: dict[str, list[str]] = defaultdict(list)
        self.aliases: set[int] = set()  # ids of assignments that only give another name
        for module, tree in trees.items():
            package = module if module in packages else module.rpartition(".")[0]
            statements: list[ast.AST] = [tree]
            for node in statements:  # which grow on the way: outer ones before inner ones
                if isinstance(node, ast.Import):
                    self._import(module, node)
                elif isinstance(node, ast.ImportFrom):
                    self._import_from(module, package, node)
                elif not isinstance(node, ast.expr):  # no import stands in an expression
                    statements += children(node)
        for module, tree in trees.items():
            for name in _rebound(tree):
                self.origins.pop((module, name), None)
        known = -1
        while known != len(self.aliases):  # an alias of an alias, in whatever order of files
            known = len(self.aliases)
            for module, tree in trees.items():
                for statement in tree.body:
                    self._assignment(module, statement)
        self.likely = self._likely()

    def _likely(self) -> set[str]:
        """Every last name under which a constant can be read: its own, or one made of such."""
        likely = {name for _, name in self.constants}
        known = -1
        while known != len(likely):
            known = len(likely)
            likely |= {name for (_, name), source in self.origins.items() if source[1] in likely}
        return likely

    def _import(self, module: str, node: ast.Import) -> None:
        for alias in node.names:
            whole = alias.name if alias.asname else alias.name.partition(".")[0]
            self.origins[module, alias.asname or whole] = (whole, "")

    def _import_from(self, module: str, package: str, node: ast.ImportFrom) -> None:
        source = node.module or ""
        if node.level:
            parts = package.split(".")
            above = parts[: len(parts) - node.level + 1]
            source = ".".join([*above, source] if source else above)
        for alias in node.names:
            if alias.name == "*":
                self.stars[module].append(source)
            else:
                self.origins[module, alias.asname or alias.name] = (source, alias.name)

    def _assignment(self, module: str, statement: ast.stmt) -> None:
        """A top-level `A = B` or `A, B = C, D` that gives a constant another name."""
        targets: list[ast.expr] = []
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        elif isinstance(statement, ast.Assign):
            targets = statement.targets
        value = getattr(statement, "value", None)
        pairs = [pair for target in targets for pair in _paired(target, value)]
        sources = [self.resolve(module, source) for _, source in pairs]
        if pairs and all(source in self.constants for source in sources):
            self.aliases.add(id(statement))
            for (target, _), source in zip(pairs, sources, strict=True):
                if source is not None:
                    self.origins[module, target] = source

    def resolve(self, module: str, node: ast.expr | None) -> Symbol | None:
        """The symbol that `NAME` or `package.module.NAME` stands for in a module, if known."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        symbol = self.follow((module, node.id))
        for part in parts:
            whole = ".".join(filter(None, symbol))
            inner = f"{whole}.{part}"
            symbol = (inner, "") if inner in self.modules else self.follow((whole, part))
        return symbol

    def follow(self, symbol: Symbol) -> Symbol:
        """Through imports and aliases to where a name is made; a module is (name, "")."""
        seen: set[Symbol] = set()
        while symbol not in seen and symbol not in self.constants:
            seen.add(symbol)
            if ".".join(filter(None, symbol)) in self.modules and symbol not in self.origins:
                return ".".join(filter(None, symbol)), ""
            if symbol in self.origins:
                symbol = self.origins[symbol]
                continue
            for source in self.stars.get(symbol[0], []):
                target = self.follow((source, symbol[1])) if symbol[1] else symbol
                if target in self.constants:
                    return target
        return symbol


def _paired(target: ast.expr, value: ast.expr | None) -> list[tuple[str, ast.expr]]:
    """(name, what is assigned to it), of tuples one by one."""
    if isinstance(target, ast.Name) and value is not None:
        return [(target.id, value)]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = zip(target.elts, value.elts, strict=False)  # of unlike length it is no program
        return [pair for each, part in pairs for pair in _paired(each, part)]
    return []


def _rebound(tree: ast.Module) -> set[str]:
    """Names that a module assigns outside its functions: an import of that name is overwritten."""
    names, pending = set(), list(tree.body)
    while pending:
        node: ast.AST = pending.pop()
        if isinstance(node, (*_SCOPES, ast.ClassDef)):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        pending.extend(ast.iter_child_nodes(node))  # type: ignore[arg-type]
    return names


class _Reads:
    """What the code reads: constants by name, and knobs."""

    def __init__(self, names: _Names):
        self.names = names
        self.symbols: set[Symbol] = set()
        self.defaults: dict[Symbol, set[str]] = defaultdict(set)  # constant -> knobs, as a default
        self.knobs: set[str] = set()
        self.skipped: set[int] = set()  # ids of nodes that are no reading
        self.stored: dict[ast.AST, frozenset[str]] = {}

    def read(self, module: str, tree: ast.AST) -> None:
        """Everything below `tree`, a module."""
        pending: list[tuple[ast.AST, _Scopes]] = [(tree, ())]
        while pending:
            node, scopes = pending.pop()
            if id(node) in self.names.aliases or id(node) in self.skipped:
                continue
            if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
                if isinstance(node, ast.Attribute):
                    self.knobs.add(node.attr.upper())
                if self._reads_constant(module, node, scopes):
                    continue
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
                self._knob_text(node.slice)
            elif isinstance(node, ast.Call):
                if isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
                    self._knob_text(node.args[0])
                self._knob_default(module, node)
            elif isinstance(node, _SCOPES):
                inside: _Scopes = (node, scopes)
                for field, value in ast.iter_fields(node):
                    scope = scopes if field in ("args", "decorator_list", "returns") else inside
                    for child in value if isinstance(value, list) else [value]:
                        if isinstance(child, ast.AST):
                            pending.append((child, scope))
                continue
            pending += [(child, scopes) for child in children(node)]

    def _reads_constant(
        self, module: str, node: ast.Name | ast.Attribute, scopes: "_Scopes"
    ) -> bool:
        """Whether a name in these scopes is a constant's, which is then noted."""
        if (node.id if isinstance(node, ast.Name) else node.attr) not in self.names.likely:
            return False
        symbol, base = self.names.resolve(module, node), _base(node)
        if symbol not in self.names.constants:
            return False
        while scopes:
            scope, scopes = scopes
            if base in self._stored(scope):
                return False  # a variable of the function
        self.symbols.add(symbol)
        return True

    def _stored(self, scope: ast.AST) -> frozenset[str]:
        """Variables of a scope, found when they are first asked for."""
        if scope not in self.stored:
            self.stored[scope] = _stored(scope)
        return self.stored[scope]

    def _knob_text(self, node: ast.expr) -> None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            self.knobs.add(node.value)

    def _knob_default(self, module: str, call: ast.Call) -> None:
        """Note a constant that is the default in `Knob(name, type, default)`: it is no read."""
        if called(call) != "Knob" or not call.args:
            return
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        default = call.args[2] if len(call.args) > 2 else given.get("default")
        symbol, name = self.names.resolve(module, default), call.args[0]
        if symbol in self.names.constants and isinstance(name, ast.Constant):
            self.defaults[symbol].add(str(name.value))
            self.skipped.add(id(default))


def _base(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _stored(scope: ast.AST) -> frozenset[str]:
    """Variables of a function, lambda or comprehension, and of those inside it."""
    names, shared = set(), set[str]()
    for node in ast.walk(scope):
        if isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            shared |= set(node.names)
    return frozenset(names - shared)
