"""Which files a module needs to run: its imports, followed by reading, never by importing."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from verify.errors import UsageError

# What checks, shows and tests a training run is no part of one.
UNFIT = (
    "hypothesis",
    "pytest",
    "rich",
    "typer",
    "verify.cli",
    "verify.gates",
    "verify.probe",
    "verify.run",
    "verify.suite",
)
DYNAMIC = ("__import__", "import_module")


@dataclass
class Needs:
    """What was found on the way."""

    files: dict[str, str] = field(default_factory=dict)  # text by path, relative to the root
    packages: set[str] = field(default_factory=set)  # of other projects, by the name imported
    chains: dict[str, tuple[str, ...]] = field(default_factory=dict)  # who asked for a module


def needs_of(root: Path, module: str) -> Needs:
    """The files under `root` that `module` needs, with the text files that it names.

    Imports inside functions and under conditions count. A text file counts when a module beside it
    holds its name as a string. Raises UsageError, one line with the chain of imports, for a module
    that is not there, one that belongs to the gates or the command line, an import whose name is
    computed, and a file that is not UTF-8 text.
    """
    needs = Needs()
    _follow(root, needs, module, ())
    return needs


def locate(root: Path, module: str) -> Path | None:
    """The file of a module under `root`; None when it is not there."""
    stem = root.joinpath(*module.split("."))
    for path in (stem / "__init__.py", stem.with_name(f"{stem.name}.py")):
        if path.is_file():
            return path
    return None


def is_own(root: Path, module: str) -> bool:
    """Whether the module, or the package at the head of its name, is under `root`."""
    return locate(root, module.partition(".")[0]) is not None or locate(root, module) is not None


def read_text(path: Path) -> str:
    """The text of a file with LF line ends, whatever the checkout made of them.

    Raises UsageError when it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a file of UTF-8 text: {error}") from None


def _follow(root: Path, needs: Needs, module: str, chain: tuple[str, ...]) -> None:
    if module in needs.chains:
        return
    chain = needs.chains[module] = (*chain, module)
    shown = " > ".join(chain)
    if any(module == unfit or module.startswith(f"{unfit}.") for unfit in UNFIT):
        raise UsageError(f"{shown}: {module} serves the checks and is no part of a training run")
    if not is_own(root, module):
        needs.packages.add(module.partition(".")[0])
        return
    path = locate(root, module)
    if path is None:
        if root.joinpath(*module.split(".")).is_dir():
            return  # a folder without __init__.py holds modules, and is none
        raise UsageError(f"{shown}: there is no module {module} under {root}")
    text = read_text(path)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{path}: not Python: {error}") from None
    needs.files[path.relative_to(root).as_posix()] = text
    _add_data(root, needs, path, tree)
    is_package = path.name == "__init__.py"
    if "." in module:
        _follow(root, needs, module.rpartition(".")[0], chain)
    for wanted in _imports(tree, path, module if is_package else module.rpartition(".")[0]):
        # `from a import b` may name a module or something in one.
        parent, _, name = wanted.rpartition(":")
        if not parent:
            _follow(root, needs, wanted, chain)
        elif locate(root, f"{parent}.{name}") is not None:
            _follow(root, needs, f"{parent}.{name}", chain)


def _imports(tree: ast.Module, path: Path, package: str) -> Iterator[str]:
    """Names of modules, and `module:name` for each name imported from one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            base = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            source = ".".join(part for part in (base, node.module) if part)
            yield source
            yield from (f"{source}:{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in DYNAMIC:
            first = node.args[0] if node.args else None
            name = first.value if isinstance(first, ast.Constant) else None
            if not isinstance(name, str) or name.startswith("."):
                raise UsageError(
                    f"{path}:{node.lineno}: the name of the imported module is computed or "
                    "relative: write it out, so that a bundle can hold that module"
                )
            yield name


def _called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
    return ""


def _add_data(root: Path, needs: Needs, path: Path, tree: ast.Module) -> None:
    beside = {p.name for p in path.parent.iterdir() if p.is_file() and p.suffix != ".py"}
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    for name in sorted(beside & {s for s in strings if isinstance(s, str)}):
        data = path.with_name(name)
        needs.files[data.relative_to(root).as_posix()] = read_text(data)
