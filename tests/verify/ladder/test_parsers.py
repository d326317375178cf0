"""pytest tests/verify/ladder/test_parsers.py — options of other parsers, as they are seen."""

import importlib.util
import json
import subprocess
import sys

import pytest

OBSERVE = """
import json, sys
from goldenseal.ladder.observed import Observed

observed = Observed(lambda file: file == sys.argv[1], lambda text: text)
path, sys.argv[:] = sys.argv[1], sys.argv[1:]
with observed.watching():
    try:
        exec(compile(open(path).read(), path, "exec"), {"__name__": "__main__"})
    except SystemExit:
        pass
    print(json.dumps({n: [o.default, o.value] for n, o in observed.options.items()}))
"""
FUNCTION = "def run(steps: int = 100, lr: float = 0.1):\n    print(steps, file=sys.stderr)\n"
SCRIPTS = {
    "absl": (
        "from absl import app, flags\nflags.DEFINE_integer('steps', 100, '')\n"
        "flags.DEFINE_float('lr', 0.1, '')\napp.run(lambda argv: None)\n"
    ),
    "fire": f"import sys\nimport fire\n{FUNCTION}fire.Fire(run)\n",
    "jsonargparse": (
        "from jsonargparse import ArgumentParser\np = ArgumentParser()\n"
        "p.add_argument('--steps', type=int, default=100)\n"
        "p.add_argument('--lr', type=float, default=0.1)\np.parse_args()\n"
    ),
    "typer": f"import sys\nimport typer\n{FUNCTION}typer.run(run)\n",
    "tyro": f"import sys\nimport tyro\n{FUNCTION}tyro.cli(run)\n",
}
DEFAULTS_ALONE = {"fire", "tyro"}  # they call the function themselves


@pytest.mark.parametrize("library", SCRIPTS)
def test_a_default_is_seen_though_the_command_sets_the_option(library, tmp_path):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    script = tmp_path / "train.py"
    script.write_text(SCRIPTS[library])
    command = [sys.executable, "-c", OBSERVE, str(script), "--steps=5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    value = "100" if library in DEFAULTS_ALONE else "5"
    assert found == {"--steps": ["100", value], "--lr": ["0.1", "0.1"]}


TYRO_OF_A_DATACLASS = """
import dataclasses, tyro
@dataclasses.dataclass
class Optimizer:
    lr: float = 0.1
@dataclasses.dataclass
class Settings:
    name: str
    max_steps: int = 100
    of: Optimizer = dataclasses.field(default_factory=Optimizer)
tyro.cli(Settings)
"""


def test_fields_of_a_dataclass_are_options_as_tyro_types_them(tmp_path):
    """So that what makes a run short, and features, can be guessed; here with a stand-in for it."""
    package = tmp_path / "tyro"
    package.mkdir()
    (package / "_cli.py").write_text("def cli(kind):\n    return kind(name='x')\n")
    (package / "__init__.py").write_text("from tyro._cli import cli\n")
    script = tmp_path / "train.py"
    script.write_text(f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n{TYRO_OF_A_DATACLASS}")
    command = [sys.executable, "-c", OBSERVE, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {"--max-steps": ["100", "100"], "--of.lr": ["0.1", "0.1"]}


def test_options_of_a_framework_are_none_of_the_script(tmp_path):
    """What hydra itself understands, such as `--multirun`, is no option of a training run."""
    package = tmp_path / "hydra"
    package.mkdir()
    (package / "__init__.py").write_text(
        "import argparse\ndef main():\n    p = argparse.ArgumentParser()\n"
        "    p.add_argument('--multirun', action='store_true')\n    p.parse_args([])\n"
    )
    (package / "main.py").write_text((package / "__init__.py").read_text())
    script = tmp_path / "train.py"
    script.write_text(
        f"import argparse, sys\nsys.path.insert(0, {str(tmp_path)!r})\nimport hydra.main\n"
        "hydra.main.main()\np = argparse.ArgumentParser()\n"
        "p.add_argument('--width', type=int, default=8)\np.parse_args([])\n"
    )
    command = [sys.executable, "-c", OBSERVE, str(script), "--width=8"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"--width": ["8", "8"]}
