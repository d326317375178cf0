"""Which files a module needs to run: its imports, followed by reading, never by importing.

This is what a bundle holds and what a run logs as its source: one answer, which does not depend on
what happens to be loaded. Imports inside functions and under conditions count, since a run may come
to them; what no run can come to (`if TYPE_CHECKING:`, and `if __name__ == "__main__":` of a module
that is not the one started) does not.
"""

import ast
import functools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from goldenseal.errors import UsageError

# What checks, shows and tests a training run is no part of one.
UNFIT = (
    "hypothesis",
    "pytest",
    "rich",
    "typer",
    "goldenseal.cli",
    "goldenseal.ladder.gates",
    "goldenseal.ladder.probe",
    "goldenseal.ladder.run",
    "goldenseal.ladder.suite",
)
HERE = (".",)  # packages lie in the top folder itself
DYNAMIC = ("__import__", "import_module")
IMPORT_FAILS = ("BaseException", "Exception", "ImportError", "ModuleNotFoundError")


@dataclass
class Needs:
    """What was found on the way."""

    root: Path
    folders: Sequence[str] = HERE  # below `root`, in which packages lie
    own: Collection[str] | None = None  # packages at the top; None: all that lie under `root`
    files: dict[str, str] = field(default_factory=dict)  # text by path, relative to the root
    packages: set[str] = field(default_factory=set)  # of other projects, by the name imported
    chains: dict[str, tuple[str, ...]] = field(default_factory=dict)  # who asked for a module

    def holds(self, module: str) -> bool:
        """Whether a module is of this project."""
        head = module.partition(".")[0]
        return is_own(self.root, module, self.folders) if self.own is None else head in self.own

    def place(self, module: str) -> Path | None:
        """Its file; None when it is not there."""
        return locate(self.root, module, self.folders)

    def is_folder(self, module: str) -> bool:
        """Whether there is a folder of that name, which needs no file of its own."""
        places = (self.root.joinpath(folder, *module.split(".")) for folder in self.folders)
        return any(place.is_dir() for place in places)


@dataclass(frozen=True)
class Import:
    """A module that is named; `name`: what is imported from it, which may be a module too."""

    module: str
    name: str = ""
    optional: bool = False  # the code goes on without it


def needs_of(
    root: Path,
    module: str,
    own: Collection[str] | None = None,
    folders: Sequence[str] = HERE,
) -> Needs:
    """The files that `module` needs when it is started, with the text files it names.

    Packages lie in `folders` of `root`. A text file counts when a module beside it holds its name
    as a string. `own` names the packages that are followed, by default all that lie there. Raises
    UsageError, one line with the chain of imports, for a module that is not there, one that belongs
    to the gates or the command line, an import whose name is computed, and a file that is not UTF-8
    text.
    """
    needs = Needs(root, folders, own)
    _follow(needs, module, ())
    return needs


def entry_of(root: Path, module: str, folders: Sequence[str] = HERE) -> str:
    """What `python -m module` runs: the module, or the `__main__` of a package."""
    file = locate(root, module, folders)
    is_package = file is None or file.name == "__init__.py"
    return f"{module}.__main__" if is_package else module


def locate(root: Path, module: str, folders: Sequence[str] = HERE) -> Path | None:
    """The file of a module in one of the folders of `root`; None when it is not there."""
    for stem in (root.joinpath(folder, *module.split(".")) for folder in folders):
        for path in (stem / "__init__.py", stem.with_name(f"{stem.name}.py")):
            if path.is_file():
                return path
    return None


def is_own(root: Path, module: str, folders: Sequence[str] = HERE) -> bool:
    """Whether the module, or the package at the head of its name, is in one of the folders."""
    names = (module.partition(".")[0], module)
    return any(locate(root, name, folders) is not None for name in names)


def read_text(path: Path) -> str:
    """The text of a file with LF line ends, whatever the checkout made of them.

    Raises UsageError when it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a file of UTF-8 text: {error}") from None


def _follow(needs: Needs, module: str, chain: tuple[str, ...], optional: bool = False) -> None:
    if module in needs.chains:
        return
    started = not chain
    chain = (*chain, module)
    shown = " > ".join(chain)
    if any(module == unfit or module.startswith(f"{unfit}.") for unfit in UNFIT):
        raise UsageError(f"{shown}: {module} serves the checks and is no part of a training run")
    if not needs.holds(module):
        needs.packages.add(module.partition(".")[0])
        return
    path = needs.place(module)
    if path is None:
        if optional or needs.is_folder(module):
            return  # a folder without __init__.py holds modules, and is none
        raise UsageError(f"{shown}: there is no module {module} under {needs.root}")
    needs.chains[module] = chain
    text = read_text(path)
    imports, strings = _said(path, module, started, text)
    needs.files[path.relative_to(needs.root).as_posix()] = text
    _add_data(needs, path, strings)
    if "." in module:
        _follow(needs, module.rpartition(".")[0], chain)
    for need in imports:
        _follow(needs, need.module, chain, need.optional)
        # `from a import b` may name a module or something in one.
        names = _all_of(needs, need.module) if need.name == "*" else [need.name]
        for wanted in (f"{need.module}.{name}" for name in names if name):
            if wanted in UNFIT or needs.place(wanted) is not None:
                _follow(needs, wanted, chain)


@functools.lru_cache(maxsize=4096)  # each process of a gate that runs a system asks for the same
def _said(
    path: Path, module: str, started: bool, text: str
) -> tuple[tuple[Import, ...], frozenset[str]]:
    """What a module's text imports, in order, and the strings in it."""
    tree = _parsed(path, text)
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    imports = tuple(Reader(path, module, started).read(tree))
    return imports, frozenset(s for s in strings if isinstance(s, str))


def _parsed(path: Path, text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{path}: not Python: {error}") from None


def _all_of(needs: Needs, module: str) -> list[str]:
    """The names in a module's `__all__`, which a star brings in, modules among them."""
    path = needs.place(module) if needs.holds(module) else None
    names = []
    for node in _parsed(path, read_text(path)).body if path else ():
        match node:
            case ast.Assign(targets=[ast.Name("__all__")], value=ast.List(each) | ast.Tuple(each)):
                names += [v.value for v in each if isinstance(v, ast.Constant)]
    return [name for name in names if isinstance(name, str)]


class Reader:
    """The imports of one module, in order; `started`: it is the one that is run."""

    def __init__(self, path: Path, module: str, started: bool):
        self.path, self.module, self.started = path, module, started
        self.package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        self.dynamic = set(DYNAMIC)

    def read(self, tree: ast.Module) -> Iterator[Import]:
        """Raises UsageError for a name that is computed."""
        for node in ast.walk(tree):  # first, what the functions that import are called here
            if isinstance(node, ast.ImportFrom):
                self.dynamic |= {a.asname for a in node.names if a.asname and a.name in DYNAMIC}
        yield from self._inside(tree, optional=False)

    def _inside(self, node: ast.AST, optional: bool) -> Iterator[Import]:
        skipped: list[ast.stmt] = []
        lenient: list[ast.stmt] = []
        match node:
            case ast.If(test=test, body=body, orelse=orelse):
                outcome = self._outcome(test)
                skipped = {None: [], True: orelse, False: body}[outcome]
            case ast.Try(body=body, handlers=handlers):
                lenient = body if any(_catches(h.type) for h in handlers) else []
            case ast.With(items=items, body=body):
                calls = [i.context_expr for i in items if isinstance(i.context_expr, ast.Call)]
                caught = [a for call in calls if _called(call) == "suppress" for a in call.args]
                lenient = body if any(map(_catches, caught)) else []
            case ast.Import(names=names):
                yield from (Import(alias.name, "", optional) for alias in names)
            case ast.ImportFrom(names=names):
                source = self._absolute(node)
                yield from (Import(source, alias.name, optional) for alias in names)
            case ast.Call() if _called(node) in self.dynamic:
                yield Import(self._dynamic(node), "", optional)
        for child in ast.iter_child_nodes(node):
            if child not in skipped:
                yield from self._inside(child, optional or child in lenient)

    def _outcome(self, test: ast.expr) -> bool | None:
        """What a condition is in every run; None: who knows."""
        match test:
            case ast.Name("TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
                return False
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                outcome = self._outcome(inner)
                return None if outcome is None else not outcome
            case ast.Compare(
                left=ast.Name("__name__"), ops=[ast.Eq()], comparators=[ast.Constant("__main__")]
            ):
                return self.started
        return None

    def _absolute(self, node: ast.ImportFrom) -> str:
        parents = self.package.split(".")
        base = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
        return ".".join(part for part in (base, node.module) if part)

    def _dynamic(self, call: ast.Call) -> str:
        name, package = _argument(call, 0, "name"), _argument(call, 1, "package")
        text = name.value if isinstance(name, ast.Constant) else None
        if isinstance(text, str) and not text.startswith("."):
            return text
        match package:
            case ast.Constant(value=str(base)):
                pass
            case ast.Name("__package__"):
                base = self.package
            case ast.Name("__name__"):
                base = self.module
            case _:
                base = ""
        if isinstance(text, str) and base:
            stem = text.lstrip(".")
            parents = base.split(".")
            kept = parents[: len(parents) - (len(text) - len(stem)) + 1]
            return ".".join([*kept, stem])
        raise UsageError(
            f"{self.path}:{call.lineno}: the name of the imported module is computed: write it "
            "out, so that it is known what a run needs"
        )


def _argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    named = [keyword.value for keyword in call.keywords if keyword.arg == name]
    return call.args[place] if len(call.args) > place else next(iter(named), None)


def _called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
    return ""


def _catches(kind: ast.expr | None) -> bool:
    """Whether `except kind` takes a failing import; a bare one does."""
    match kind:
        case None:
            return True
        case ast.Tuple(elts=kinds):
            return any(map(_catches, kinds))
        case ast.Name(name):
            return name in IMPORT_FAILS
    return False


def _add_data(needs: Needs, path: Path, strings: Collection[str]) -> None:
    beside = {p.name for p in path.parent.iterdir() if p.is_file() and p.suffix != ".py"}
    for name in sorted(beside.intersection(strings)):
        data = path.with_name(name)
        needs.files[data.relative_to(needs.root).as_posix()] = read_text(data)
