"""pytest tests/test_layering.py — dependencies point one way, files stay small, torch optional."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.import_graph import circles, import_graph, longest_path, rooms

LINE_CAP = 400  # of tests and benchmarks
PRODUCT_CAP = 350
# One file on purpose: it is copied into every sealed record and must need nothing beside it.
LONGER = {"verify/goldenseal/records/check_seal.py": 397}
# Strangers' old weights become safetensors there, once, in a process that can open nothing.
CONVERTS = "train_gpt_style/kit/data/experts/convert.py"
ROOM_FLOORS = 10
FLAT = 12  # files beside the rooms of verify/goldenseal
FLOORS = 23  # of modules; may fall, never rise: `python -m tests.import_graph` prints them


def imports_of(path):
    """Every imported module name, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_verify_imports_nothing_of_the_training_code(root):
    for path in sorted((root / "verify").rglob("*.py")):
        for name in imports_of(path):
            assert not name.startswith("train_gpt_style"), f"{path} imports {name}"


def test_verify_names_no_training_module_even_as_text(root):
    for path in sorted((root / "verify").rglob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            documented = line.lstrip().startswith(("#", '"""', "module =", "probe ="))
            assert documented or "train_gpt_style" not in line, f"{path}:{number}"


def test_the_walk_sees_imports_inside_functions(tmp_path):
    path = tmp_path / "sneaky.py"
    path.write_text("def f():\n    from train_gpt_style.gpt import model\n")
    assert list(imports_of(path)) == ["train_gpt_style.gpt"]


@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["--help"], ["check", "all"]],
    ids=lambda a: " ".join(a),
)
def test_these_commands_work_without_torch(root, arguments):
    blocked = (
        "import sys; sys.modules['torch'] = None; sys.modules['numpy'] = None\n"
        "from goldenseal.cli import main; sys.argv = ['goldenseal', *sys.argv[1:]]; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", blocked, *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_file_has_one_subject_and_stays_under_the_cap(root):
    for folder in ("verify", "train_gpt_style", "tests", "benchmarks"):
        for path in sorted((root / folder).rglob("*.py")):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            cap = LINE_CAP if folder in ("tests", "benchmarks") else PRODUCT_CAP
            cap = LONGER.get(path.relative_to(root).as_posix(), cap)
            assert lines <= cap, f"{path}: {lines} lines"


def test_no_file_of_the_product_loads_a_pickle(root):
    for folder in ("verify", "train_gpt_style", "records", "benchmarks"):
        for path in sorted((root / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            calls = [ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)]
            if path == root / CONVERTS:
                assert set(calls) & {"confine", "torch.load"} == {"confine", "torch.load"}
                assert "'weights_only': True" in ast.unparse(tree)
                continue
            assert not {"torch.load", "pickle.load", "pickle.loads"} & set(calls), path
            assert "pickle" not in imports_of(path), path


def test_a_verifier_raises_and_never_asserts(root):
    for path in sorted((root / "verify").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Assert)], path


def test_the_linter_sees_every_file_but_what_is_sealed(root):
    """A folder of code may have the name of a folder that is left out."""
    command = [sys.executable, "-m", "ruff", "check", "--show-files", "."]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    seen = {Path(line) for line in done.stdout.splitlines()}
    code = {p for top in ("verify", "train_gpt_style", "benchmarks", "tests", "findings")
            for p in (root / top).rglob("*.py")}  # fmt: skip
    sealed = root / "tests" / "fixtures" / "sealed"
    assert {p for p in code - seen if not p.is_relative_to(sealed)} == set()
    assert not [p for p in seen if p.is_relative_to(root / "records") or p.is_relative_to(sealed)]


def planted(tmp_path, **sources):
    """A repository whose modules goldenseal.NAME have these sources."""
    for name, source in {"__init__": "", **sources}.items():
        path = tmp_path / "verify" / "goldenseal" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return import_graph(tmp_path)


def test_no_module_is_in_a_circle_of_imports(root):
    assert circles(import_graph(root)) == []


def test_no_room_is_in_a_circle_of_rooms_and_the_house_has_few_floors(root):
    house = rooms(import_graph(root))
    assert circles(house) == []
    assert len(longest_path(house)) <= ROOM_FLOORS, " > ".join(longest_path(house))
    flat = list((root / "verify" / "goldenseal").glob("*.py"))
    assert len(flat) <= FLAT, sorted(path.name for path in flat)


def test_the_page_on_the_layout_names_every_room_and_every_file_beside_them(root):
    page = (root / "docs" / "layout.md").read_text(encoding="utf-8")
    for path in (root / "verify" / "goldenseal").iterdir():
        if path.is_dir() and path.name != "__pycache__":
            assert f"| `{path.name}/` |" in page
        elif path.suffix == ".py" and not path.name.startswith("__"):
            assert f"`{path.name}`" in page


def test_rooms_are_folders_and_the_files_beside_them(tmp_path):
    graph = {"goldenseal.a.x": {"goldenseal.b"}, "goldenseal.b": {"goldenseal.a.y"}}
    house = rooms(graph | {"goldenseal.a.y": set()})
    assert house == {"goldenseal.a": {"goldenseal.b"}, "goldenseal.b": {"goldenseal.a"}}
    assert len(circles(house)) == 1


def test_a_circle_through_a_function_is_seen(tmp_path):
    late = "def f():\n    from goldenseal import b\n"
    graph = planted(tmp_path, a=late, b="import goldenseal.c\n", c="from .a import f\n")
    assert circles(graph) == [{"goldenseal.a", "goldenseal.b", "goldenseal.c"}]


def test_imports_for_the_type_checker_make_no_circle(tmp_path):
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from goldenseal import b\n"
    assert circles(planted(tmp_path, a=typed, b="from goldenseal import a\n")) == []


def test_the_longest_way_down_does_not_grow(root):
    path = longest_path(import_graph(root))
    assert len(path) <= FLOORS, " > ".join(path)


def test_floors_are_counted_along_the_longest_way(tmp_path):
    graph = planted(
        tmp_path, a="from goldenseal import b, c\n", b="from goldenseal import c\n", c=""
    )
    assert longest_path(graph) == ["goldenseal.a", "goldenseal.b", "goldenseal.c"]
