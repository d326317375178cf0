"""pytest tests/verify/mutate/test_plan.py — the areas of pyproject.toml are those of the code."""

import ast

import pytest

from goldenseal.config import package_folders
from goldenseal.mutate.plan import Plan, copy_tree, read_plan

SYSTEMS = ["gpt", "soup", "soup_student", "vit_rft"]


def imported(root, module):
    """The modules of the repository that a module imports, and the packages that they lie in."""
    path = root.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def reachable(root, entry, without=()):
    """Files that a module needs, when those `without` are not followed."""
    found, pending = {}, [entry]
    while pending:
        module = pending.pop()
        stem = root.joinpath(*module.split("."))
        path = stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")
        file = path.relative_to(root).as_posix()
        if module in found or not path.is_file() or file in without:
            continue
        if module.startswith("train_gpt_style"):
            found[module] = file
            pending += [module.rpartition(".")[0] or module, *imported(root, module)]
    return set(found.values())


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_file_of_a_feature_and_what_only_features_import_is_mutated_whole(root, system):
    plan = read_plan(root, system, on=True)
    features = {
        path.relative_to(root).as_posix()
        for place in (system, "kit")  # its own, and those of every system
        for path in (root / "train_gpt_style" / place / "features").glob("*.py")
        if path.name != "__init__.py"
    }
    entry = f"train_gpt_style.{system}.run"
    alone = reachable(root, entry) - reachable(root, entry, without=features)
    assert features <= alone
    assert set(plan.files) - plan.shared == alone


def test_a_file_that_only_a_feature_imports_is_found(tmp_path):
    package = tmp_path / "train_gpt_style"
    package.mkdir()
    for name, text in {
        "__init__": "",
        "run": "from train_gpt_style import feature, both",
        "feature": "from train_gpt_style.own import f\nimport train_gpt_style.both",
        "own": "",
        "both": "",
    }.items():
        (package / f"{name}.py").write_text(text)
    less = reachable(tmp_path, "train_gpt_style.run", {"train_gpt_style/feature.py"})
    whole = reachable(tmp_path, "train_gpt_style.run")
    assert whole - less == {"train_gpt_style/feature.py", "train_gpt_style/own.py"}


def test_what_packages_lie_in_is_copied_and_other_folders_are_linked(tmp_path):
    source, tree = tmp_path / "source", tmp_path / "tree"
    for folder in ("package", "lib", "data"):
        (source / folder).mkdir(parents=True)
    (source / "package" / "model.py").write_text("")
    (source / "pyproject.toml").write_text('[tool.goldenseal]\npythonpath = [".", "lib"]\n')
    tree.mkdir()
    plan = Plan(source, "toy", "package.probe:PROBE", {"model": ("package/model.py",)})
    copy_tree(plan, source, tree)
    linked = {path.name for path in tree.iterdir() if path.is_symlink()}
    assert linked == {"data"}
    assert package_folders(tree) == (".", "lib")
