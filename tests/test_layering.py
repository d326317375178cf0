"""pytest tests/test_layering.py — dependencies point one way, files stay small, torch optional."""

import ast
import subprocess
import sys

import pytest

from tests.import_graph import circles, import_graph, longest_path

LINE_CAP = 400  # of tests and benchmarks
PRODUCT_CAP = 350
# One file on purpose: it is copied into every sealed record and must need nothing beside it.
LONGER = {"verify/check_seal.py": 376}
FLOORS = 23  # may fall, never rise: `python -m tests.import_graph` prints the longest way down
# Circles that stand today. What is in them may leave, and nothing may join.
# A system's declaration says how it is run, late; the run reads the declaration.
STANDING = (
    {"train_gpt_style.gpt", "train_gpt_style.gpt.run"},
    {"train_gpt_style.soup", "train_gpt_style.soup.run"},
    {"train_gpt_style.soup_student", "train_gpt_style.soup_student.run"},
    {"train_gpt_style.vit_rft", "train_gpt_style.vit_rft.run"},
)
# Strangers' old weights become safetensors there, once, in a process that can open nothing.
CONVERTS = "train_gpt_style/kit/data/experts/convert.py"


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
        "from verify.cli import main; sys.argv = ['goldenseal', *sys.argv[1:]]; main()"
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


def planted(tmp_path, **sources):
    """A repository whose modules verify.NAME have these sources."""
    for name, source in {"__init__": "", **sources}.items():
        path = tmp_path / "verify" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
    return import_graph(tmp_path)


def test_no_module_is_in_a_circle_of_imports(root):
    for circle in circles(import_graph(root)):
        assert any(circle <= standing for standing in STANDING), sorted(circle)


def test_a_circle_through_a_function_is_seen(tmp_path):
    late = "def f():\n    from verify import b\n"
    graph = planted(tmp_path, a=late, b="import verify.c\n", c="from .a import f\n")
    assert circles(graph) == [{"verify.a", "verify.b", "verify.c"}]


def test_imports_for_the_type_checker_make_no_circle(tmp_path):
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from verify import b\n"
    assert circles(planted(tmp_path, a=typed, b="from verify import a\n")) == []


def test_the_longest_way_down_does_not_grow(root):
    path = longest_path(import_graph(root))
    assert len(path) <= FLOORS, " > ".join(path)


def test_floors_are_counted_along_the_longest_way(tmp_path):
    graph = planted(tmp_path, a="from verify import b, c\n", b="from verify import c\n", c="")
    assert longest_path(graph) == ["verify.a", "verify.b", "verify.c"]
