"""pytest tests/test_docs.py — what the documents say is true now."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shell_blocks import commands, make_targets, problem_with_block, shell_blocks

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("theorems/*.md")], key=str
)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_shell_block_can_be_run_as_it_stands(path):
    if path.name == "add-a-system.md":
        pytest.skip("tests/train_gpt_style/test_add_a_system.py types every command of it")
    for block in shell_blocks(path.read_text(encoding="utf-8")):
        assert problem_with_block(ROOT, block) == "", f"{path.name}:\n{block}"


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("make study-energi\n", "make has no target study-energi"),
        ("make data verrify R=records/a\n", "make has no target verrify"),
        ("make -C theorems cleen\n", "make has no target cleen"),
        (".venv/bin/goldenseal chek all\n", "No such command 'chek'"),
        (".venv/bin/goldenseal sweep rum a.toml\n", "No such command 'rum'"),
        (".venv/bin/goldenseal seal a --sing key.pem\n", "No such option"),
        (".venv/bin/goldenseal check\n", "Missing"),
        ("goldenseal check all\n", ".venv/bin/goldenseal"),
        ("HEAD=1 python -m train_gpt_style.gpt\n", ".venv/bin/python"),
        (".venv/bin/python -m train_gpt_style.gtp\n", "no module train_gpt_style.gtp"),
        (".venv/bin/python -m benchmarks.gone\n", "no module benchmarks.gone"),
        (".venv/bin/pytest tests/gone.py\n", "there is no tests/gone.py"),
        ("cd a && frobnicate b\n", "nobody knows the program frobnicate"),
        ("make data 'unfinished\n", "not a shell's"),
    ],
)
def test_a_block_that_cannot_be_run_is_found(block, problem):
    assert problem in problem_with_block(ROOT, block)


def test_hyphenated_targets_and_lines_that_go_on_are_seen():
    body = ("make study-energy A=b \\", "  C=d", "A=1 cat <<'PY'", "x = '", "PY")
    text = "\n   ".join(("1. Do", "```sh", *body, "```")) + "\n"
    (block,) = shell_blocks(text)
    assert list(commands(block)) == [["make", "study-energy", "A=b", "C=d"], ["cat"]]
    assert "study-energy" in make_targets(ROOT)


def test_help_of_every_command_shows_an_example():
    listing = subprocess.run(
        [sys.executable, "-m", "goldenseal", "--help"], capture_output=True, text=True, check=True
    ).stdout
    commands = re.findall(r"^  ([a-z][a-z-]+) ", listing, re.MULTILINE)
    assert {"verify", "knobs", "seal", "check", "reproduce"} <= set(commands)
    for command in commands:
        shown = subprocess.run(
            [sys.executable, "-m", "goldenseal", command, "--help"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert "Example" in shown, command


def seen_by_the_gates():
    """What the README shows of smoke.log: one system's gates, then those of the repository."""
    lines = (ROOT / "smoke.log").read_text(encoding="utf-8").splitlines()
    rows = [re.split(r"\s{2,}", line, maxsplit=2) for line in lines if line.startswith("pass")]
    one = [row for row in rows if row[1].startswith("gpt: ")]
    of_the_repository = [row for row in rows if ": " not in row[1]]
    shown = [["verdict", "gate", "what was checked"], *one, *of_the_repository]
    width = max(len(gate) for _, gate, _ in shown)
    table = [f"{verdict:8} {gate:{width}}  {summary}" for verdict, gate, summary in shown]
    table.insert(1 + len(one), "…        and the same of the other systems")
    return "\n".join([*table, f"{len(rows)} of {len(rows)} gates pass"]) + "\n"


def test_the_table_in_the_readme_is_the_smoke_log():
    """The README shows what a reader will see, so it is held against what was seen."""
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    block = re.search(r"```\n(verdict  gate.*?)```", text, re.DOTALL)
    if os.environ.get("UPDATE_GOLDENS") == "1":
        path.write_text(text.replace(block[1], seen_by_the_gates()), encoding="utf-8")
    else:
        hint = "UPDATE_GOLDENS=1 pytest tests/test_docs.py writes it anew"
        assert block[1] == seen_by_the_gates(), hint


def test_make_help_lists_every_documented_target():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("verify", "test", "data", "train", "seal", "check", "reproduce", "clean"):
        assert f"make {target}" in shown.stdout


def test_the_toy_system_has_fewer_lines_than_its_guide_says():
    guide = (ROOT / "docs" / "add-a-system.md").read_text(encoding="utf-8")
    (limit,) = re.findall(r"less than (\d+) lines with its baseline", guide)
    files = sorted((ROOT / "tests/train_gpt_style/toy").rglob("*.py"))
    assert {"__init__.py", "__main__.py", "baseline.py", "run.py"} <= {path.name for path in files}
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files) < int(limit)
