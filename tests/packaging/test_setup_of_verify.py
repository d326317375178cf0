"""`make verify` installs less than `make test`: what it leaves out, no gate may import."""

import re
import subprocess
import sys
import tomllib

import pytest

OTHER_NAMES = {
    "pillow": "PIL",
    "nvidia-ml-py": "pynvml",
    "pyyaml": "yaml",
    "tomli-w": "tomli_w",
}
GATES = """
import sys
for name in {absent!r}:
    sys.modules[name] = None
from pathlib import Path
from goldenseal import config
from goldenseal.ladder import run, suite
from goldenseal.ladder.probe import load_object
root = Path(".").resolve()
for system in config.systems(root):
    load_object(system.probe)
"""


def extras_of(root):
    """The extras that each set-up of the Makefile installs, of .venv/ready and of .venv/tests."""
    installed = re.findall(r"-e '\.\[([\w,]+)\]'", (root / "Makefile").read_text())
    return [set(words.split(",")) for words in installed]


def packages(root, extras):
    """What the base and these extras name, as it is imported."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    needs = [*project["dependencies"], *(need for extra in extras for need in optional[extra])]
    names = {re.match(r"[\w.-]+", need)[0].lower() for need in needs}
    return {OTHER_NAMES.get(name, name.replace("-", "_")) for name in names}


@pytest.fixture
def absent(root):
    gates, tests = extras_of(root)
    return sorted(packages(root, tests) - packages(root, gates))


def run(root, code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_gates_and_all_probes_are_imported_without_what_only_tests_need(root, absent):
    assert {"jinja2", "matplotlib", "playwright", "pytest", "transformers"} <= set(absent)
    done = run(root, GATES.format(absent=absent))
    assert done.returncode == 0, done.stderr


def test_numbers_of_documents_are_recomputed_without_it(root, absent):
    code = GATES.format(absent=absent).partition("from pathlib")[0]
    done = run(root, code + "from goldenseal.cli import main; main()", "claims", "README.md")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_the_tests_need_is_added_to_what_the_gates_need(root):
    gates, tests = extras_of(root)
    assert packages(root, gates) <= packages(root, tests)
