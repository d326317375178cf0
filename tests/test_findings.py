"""pytest tests/test_findings.py — findings keep the form that their README states; none is run."""

import ast
import re
import subprocess

import pytest

SCRIPTS = "findings/*.sh"


def scripts(root):
    return sorted(root.glob(SCRIPTS))


def test_the_readme_names_every_script_and_no_other(root):
    listed = re.findall(
        r"^\| `(.+?)` \| \S", (root / "findings/README.md").read_text(), re.MULTILINE
    )
    assert listed == [path.stem for path in scripts(root)]
    assert len(listed) >= 10


def test_each_is_one_script_that_says_how_it_ends(root):
    for path in scripts(root):
        text = path.read_text(encoding="utf-8")
        subprocess.run(["sh", "-n", str(path)], check=True)
        assert text.startswith("#!/bin/sh\n# "), path
        assert re.search(r"Exits 1 when|Ends 0 when", text), path
        assert "mktemp -d" in text, path
        assert "trap 'rm -rf \"$work\"' EXIT" in text, path
        assert not re.search(r"goldenseal", text), f"{path}: without the product"


def test_each_pins_what_it_installs(root):
    for path in scripts(root):
        lines = path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
        joined = "\n".join(line for line in lines if not line.startswith("#"))
        for line in re.findall(r"pip\"? (?:install|download) (.*)", joined):
            named = line.partition(" >")[0].partition(" ||")[0]
            packages = [w for w in named.split() if re.match(r"[a-zA-Z]", w)]
            assert packages, path
            assert all("==" in package or package == "work" for package in packages), line


@pytest.mark.parametrize("quote", ["<<'PY'\n"])
def test_the_python_in_them_is_python(root, quote):
    for path in scripts(root):
        for part in path.read_text(encoding="utf-8").split(quote)[1:]:
            ast.parse(part[: part.index("\nPY\n") + 1])
