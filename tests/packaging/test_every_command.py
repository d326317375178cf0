"""pytest tests/packaging/test_every_command.py — the wheel alone, where nobody has heard of it.

Each command is typed in an empty repository: it says in one line what it lacks, and what a stranger
could do, or does its work. None ends in a traceback, none speaks of what only our repository has.
"""

import ast
import json
import shutil

import pytest
import typer

from goldenseal.cli import app
from tests.packaging.conftest import run
from tests.packaging.test_wheel import SMALL
from tests.shell_blocks import make_targets

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)
NO_TABLE = "no pyproject.toml with a [tool.goldenseal] table"
# What is typed: exit code, words that are said.
TYPED = {
    "audit .": (0, "not checkable"),
    "bundle x -o x.py": (2, NO_TABLE),
    "cite 1234": (2, "no sealed record begins with 1234"),
    "check all": (2, "holds no record"),
    "claims": (2, "goldenseal claims README.md"),
    "claims README.md": (0, "0 findings"),
    "export .": (2, "--ro-crate DIR|NAME.zip or --model-card DIR|NAME.md"),
    "export . --ro-crate c.zip": (2, "is not sealed"),
    "export . --model-card c.md": (2, "is not sealed"),
    "explain 1234 5678": (2, "nothing here has a digest"),
    "init": (2, "goldenseal init -- python train.py"),
    "knobs": (2, NO_TABLE),
    "mutate x": (2, NO_TABLE),
    "record x records/a/2026-01-02_X": (2, NO_TABLE),
    "record --from . mine": (2, "no run logged by any of W&B"),
    "record": (2, "goldenseal record -- python train.py"),
    "report . -o r.html": (0, "r.html"),
    "reproduce 1234": (2, "1234"),
    "seal .": (2, "record.json is missing"),
    "study plan a.toml": (2, NO_TABLE),
    "study run a.toml b": (2, NO_TABLE),
    "study status b": (2, "b"),
    "study report b": (2, NO_TABLE),
    "study proposal b": (2, NO_TABLE),
    "study energy b": (2, NO_TABLE),
    "sweep plan a.toml": (2, NO_TABLE),
    "sweep run a.toml": (2, NO_TABLE),
    "sweep collect b": (2, NO_TABLE),
    "sweep status b": (2, "b"),
    "sweep cancel b": (2, "b"),
    "sweep resume b": (2, "b"),
    "theorems check": (2, NO_TABLE),
    "theorems refresh": (2, NO_TABLE),
    "verdict": (3, "run `goldenseal verify`"),
    "verify": (3, "nothing to check"),
    "verify --list": (0, "loss and gradients"),
}
# One process types them all: starting one a command would only measure how fast Python starts.
TYPIST = """
import contextlib, io, json, sys
from goldenseal.cli import main
told = {}
for typed in json.loads(sys.argv[1]):
    out = io.StringIO()
    sys.argv = ["goldenseal", *typed.split()]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
    told[typed] = [code, out.getvalue()]
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(empty, tmp_path_factory):
    """What the installed command says to each of TYPED in an empty repository."""
    folder, variables = empty
    stranger = tmp_path_factory.mktemp("stranger")
    (stranger / ".git").mkdir()
    (stranger / "README.md").write_text("# Mine\n")
    python = (folder / "bin/python", "-c", TYPIST, json.dumps(list(TYPED)))
    shown = run(*python, env=variables, cwd=stranger)
    return json.loads(shown.splitlines()[-1])


@pytest.mark.parametrize("typed", TYPED)
def test_in_an_empty_repository_it_says_what_it_lacks(told, typed):
    code, words = TYPED[typed]
    assert told[typed][0] == code, told[typed]
    assert words in " ".join(told[typed][1].split()), told[typed]
    if code:
        assert len(told[typed][1].strip().splitlines()) == 1, told[typed]


def test_without_torch_the_command_names_the_extra_that_brings_it(empty, root, tmp_path):
    folder, variables = empty
    blocked = "import sys; sys.modules['torch'] = None\n" + TYPIST
    python = (folder / "bin/python", "-c", blocked, json.dumps(["verify", "verify --list"]))
    shown = json.loads(run(*python, env=variables, cwd=tmp_path).splitlines()[-1])
    assert shown["verify"][0] == 3
    assert "nothing to check" in shown["verify"][1]
    shutil.copytree(root / SMALL, tmp_path / "records" / "a" / "2026-01-02_Small")
    python = (folder / "bin/python", "-c", blocked, json.dumps(["verify", "verdict"]))
    green = json.loads(run(*python, env=variables, cwd=tmp_path).splitlines()[-1])
    assert [code for code, _ in green.values()] == [0, 0]
    assert green["verdict"][1].startswith("fresh, PASSED")
    needs = "goldenseal: this needs torch: pip install 'goldenseal[gates]'\n"
    assert shown["verify --list"] == [3, needs]


def names(command, above=""):
    for name, each in command.commands.items():
        yield from names(each, f"{above}{name} ") if hasattr(each, "commands") else [above + name]


def test_every_command_is_typed():
    every = sorted(names(typer.main.get_command(app)))
    assert not [name for name in every if not any(f"{t} ".startswith(f"{name} ") for t in TYPED)]


def test_no_message_names_what_only_this_repository_can_make(root):
    for path in sorted((root / "verify").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        said = [
            node.body[0] for node in ast.walk(tree) if isinstance(node, DOCUMENTED) and node.body
        ]
        documented = {id(first.value) for first in said if isinstance(first, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                named = [t for t in make_targets(root) if f"`make {t}" in node.value]
                assert not named or id(node) in documented, f"{path}:{node.lineno}: make {named}"
