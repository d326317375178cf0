"""pytest tests/test_docs.py — what the documents say is true now."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

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
def test_every_make_target_in_a_document_exists(path):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    blocks = re.findall(r"```sh\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    for block in blocks:
        for target in re.findall(r"^make ([a-z]+)", block, re.MULTILINE):
            assert target in targets, f"{path.name}: make {target}"


def test_help_of_every_command_shows_an_example():
    listing = subprocess.run(
        [sys.executable, "-m", "verify", "--help"], capture_output=True, text=True, check=True
    ).stdout
    commands = re.findall(r"^[│|] ([a-z][a-z-]+) ", listing, re.MULTILINE)
    assert {"verify", "knobs", "seal", "check", "reproduce"} <= set(commands)
    for command in commands:
        shown = subprocess.run(
            [sys.executable, "-m", "verify", command, "--help"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert "Example" in shown, command


def test_the_table_in_the_readme_is_the_smoke_log():
    """The README shows what a reader will see, so it is held against what was seen."""
    table = (ROOT / "README.md").read_text(encoding="utf-8")
    for line in (ROOT / "smoke.log").read_text(encoding="utf-8").splitlines():
        if line.startswith("pass"):
            verdict, rest = line[:8].strip(), line[8:]
            gate, summary = re.split(r"\s{2,}", rest, maxsplit=1)
            assert re.search(rf"{verdict}\s+{re.escape(gate)}\s+{re.escape(summary)}", table), gate


def test_make_help_lists_every_documented_target():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("verify", "test", "data", "train", "seal", "check", "reproduce", "clean"):
        assert f"make {target}" in shown.stdout
