"""pytest tests/test_layering.py — dependencies point one way, files stay small, torch optional."""

import ast
import subprocess
import sys

import pytest

LINE_CAP = 400


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
            assert lines < LINE_CAP, f"{path}: {lines} lines"


def test_no_file_of_the_product_loads_a_pickle(root):
    for folder in ("verify", "train_gpt_style", "records", "benchmarks"):
        for path in sorted((root / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            calls = [ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)]
            assert not {"torch.load", "pickle.load", "pickle.loads"} & set(calls), path
            assert "pickle" not in imports_of(path), path


def test_a_verifier_raises_and_never_asserts(root):
    for path in sorted((root / "verify").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Assert)], path
