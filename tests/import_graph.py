"""Who imports whom in this repository: `python -m tests.import_graph` prints circles and floors.

Imports inside functions count, since a circle that is entered late is still a circle; imports
below `if TYPE_CHECKING` do not, since they never run.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

Graph = dict[str, set[str]]
TOPS = {"goldenseal": "verify", "train_gpt_style": "."}  # package: the folder in which it lies


def modules(root: Path) -> dict[str, Path]:
    """The file of every module, by dotted name; a package is its __init__.py."""
    files = {}
    for top, folder in TOPS.items():
        for path in sorted((root / folder / top).rglob("*.py")):
            parts = path.relative_to(root / folder).with_suffix("").parts
            files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


def import_graph(root: Path) -> Graph:
    """The modules of ours that each of ours imports."""
    files = modules(root)
    return {name: set(_imports(name, path, files)) - {name} for name, path in files.items()}


def _imports(name: str, path: Path, files: dict[str, Path]) -> Iterator[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in _nodes(ast.parse(path.read_text(encoding="utf-8"))):
        named: list[str] = []
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level]
            base = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            # `from package import thing`: thing is a module, or else a name of the package
            full = [f"{base}.{alias.name}" for alias in node.names]
            named = [each if each in files else base for each in full]
        yield from (each for each in named if each in files)


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for other in node.orelse:
                yield from (other, *_nodes(other))
        else:
            yield from (node, *_nodes(node))


def components(graph: Graph) -> list[frozenset[str]]:
    """Strongly connected components (Tarjan), each after those that it imports."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    pending: list[str] = []
    made: list[frozenset[str]] = []

    def visit(name: str) -> None:
        order[name] = lowest[name] = len(order)
        pending.append(name)
        for other in sorted(graph[name]):
            if other not in order:
                visit(other)
            if other in pending:
                lowest[name] = min(lowest[name], lowest[other])
        if lowest[name] == order[name]:
            start = pending.index(name)
            made.append(frozenset(pending[start:]))
            del pending[start:]

    for name in graph:
        if name not in order:
            visit(name)
    return made


def circles(graph: Graph) -> list[frozenset[str]]:
    """The components of several modules: from each of them one comes back to it."""
    return [component for component in components(graph) if len(component) > 1]


def longest_path(graph: Graph) -> list[str]:
    """A longest chain of imports, from the top floor down; of a circle one module stands in it."""
    best: dict[str, list[str]] = {}
    for component in components(graph):
        below = {other for name in component for other in graph[name]} - component
        longest = max((best[other] for other in sorted(below)), key=len, default=[])
        for name in component:
            best[name] = [min(component), *longest]
    return max(best.values(), key=len, default=[])


def rooms(graph: Graph) -> Graph:
    """The same between rooms: a folder of a package with all below it, or a file beside them."""

    def room(name: str) -> str:
        return ".".join(name.split(".")[:2])

    between: Graph = {room(name): set() for name in graph}
    for name, others in graph.items():
        between[room(name)] |= {room(other) for other in others} - {room(name)}
    return between


def main() -> None:
    """Print what was found."""
    graph = import_graph(Path(__file__).parents[1])
    for label, part in (("modules", graph), ("rooms", rooms(graph))):
        for circle in circles(part):
            print(f"circle of {label}:", ", ".join(sorted(circle)))
        path = longest_path(part)
        print(f"{label}: {len(part)} on {len(path)} floors: {' > '.join(path)}")


if __name__ == "__main__":
    main()
