"""pytest tests/packaging/test_first_minute.py — the fault that the README plants is found."""

import re
import subprocess

from tests.shell_blocks import shell_blocks


def test_the_planted_fault_is_named_as_the_readme_shows(root, tmp_path):
    text = (root / "README.md").read_text(encoding="utf-8")
    section = text.split("## The first minute")[1].split("\n## ")[0]
    _, planted = shell_blocks(section)
    for name in ("docs", ".venv"):
        (tmp_path / name).symlink_to(root / name)
    done = subprocess.run(
        ["bash", "-ec", planted], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    shown = re.search(r"```\n(FAIL.*?)```", section, re.DOTALL)[1]
    found = " ".join(done.stdout.split())
    for line in shown.splitlines():
        assert " ".join(line.split()).removesuffix("· …").strip() in found
