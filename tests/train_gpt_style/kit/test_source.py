"""pytest tests/train_gpt_style/kit/test_source.py — the source of a run is what a run imports.

Real processes. That the list is what each system's runs load: test_every_system.py.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from goldenseal.bundle.imports import needs_of
from goldenseal.config import find_root
from tests.patience import patience
from train_gpt_style.gpt import probe_data
from train_gpt_style.kit.source import FOLDERS, OWN, files_of

ROOT = find_root(Path(__file__))
VIT = {
    **{"CLASSES": "3", "IMAGE_SIZE": "8", "PATCH_SIZE": "4", "DIM": "6", "DEPTH": "1"},
    **{"HEADS": "1", "BATCH": "4", "SYNTHETIC_IMAGES": "32", "STEPS": "2"},
}
LOADED = """\
import json, runpy, sys
module, out = sys.argv[1:]
sys.argv = ["train"]
try:
    runpy.run_module(module, run_name="__main__", alter_sys=True)
except SystemExit as end:
    code = end.code
loaded = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
with open(out, "w") as file:
    json.dump([code, [path for path in loaded if path]], file)
"""


def start(root, folder, arguments, environ):
    """Run Python in a new folder; the project is the one at `root`."""
    folder.mkdir(exist_ok=True)
    kept = {
        "PATH": os.environ["PATH"],
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": f"{root}{os.pathsep}{root / 'verify'}",
    }
    return subprocess.run(
        [sys.executable, "-P", *map(str, arguments)],
        cwd=folder,
        env={**kept, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=patience(300),
    )


def loaded(folder, module, environ):
    """The project's files that a real run had loaded when it ended."""
    done = start(ROOT, folder, ["-c", LOADED, module, folder / "loaded.json"], environ)
    assert (folder / "loaded.json").exists(), done.stderr
    code, paths = json.loads((folder / "loaded.json").read_text())
    assert code == 0, done.stderr
    tops = [str(ROOT / top) + os.sep for top in ("train_gpt_style", "verify")]
    return {Path(path) for path in paths if path.startswith(tuple(tops))}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """By system: the environments of runs that between them come to every late import."""
    data = probe_data.write(tmp_path_factory.mktemp("data"))
    gpt = {**probe_data.tiny_environment(), **data}
    logged = {"RUN_LOG": "1", "NUMERICS": "portable"}
    return {
        "gpt": [
            {**gpt, "WORLD_INVARIANT": "1"},
            {**gpt, **logged, "CHECKPOINT_EVERY": "1"},
        ],
        "vit_rft": [VIT, {**VIT, **logged, "TELEMETRY": "1", "DCLR_GAIN": "0.5"}],
    }


def test_a_planted_helper_that_is_not_followed_would_be_noticed(runs, tmp_path):
    """The comparison can fail: without one file of the list it does."""
    listed = set(files_of("train_gpt_style.vit_rft")) - {
        ROOT / "verify" / "goldenseal" / "digest.py"
    }
    found = loaded(tmp_path / "run", "train_gpt_style.vit_rft", runs["vit_rft"][1])
    assert {path.name for path in found - listed} == {"digest.py"}


def test_the_list_does_not_depend_on_what_is_loaded_nor_on_what_lies_beside(tmp_path):
    copy = copied(tmp_path)
    (copy / "torch").mkdir()
    (copy / "torch" / "__init__.py").write_text("raise SystemExit('read, never imported')\n")
    needs = needs_of(copy, "train_gpt_style.gpt.__main__", OWN, FOLDERS)
    assert [ROOT / name for name in sorted(needs.files)] == files_of("train_gpt_style.gpt")
    assert "torch" in needs.packages


def copied(folder):
    """A copy of the project's code alone."""
    for top in ("train_gpt_style", "verify"):
        shutil.copytree(ROOT / top, folder / "copy" / top, ignore=shutil.ignore_patterns("__pyc*"))
    return folder / "copy"


@pytest.mark.parametrize(
    "name",
    [
        "verify/goldenseal/digest.py",
        "train_gpt_style/kit/energy/meter.py",
        "train_gpt_style/__init__.py",
    ],
)
def test_a_checkpoint_notices_a_change_anywhere_in_the_source(name, runs, tmp_path):
    copy, folder = copied(tmp_path), tmp_path / "run"
    environ = {**runs["gpt"][0], "ITERATIONS": "1", "CHECKPOINT_EVERY": "1"}
    done = start(copy, folder, ["-m", "train_gpt_style.gpt"], environ)
    assert done.returncode == 0, done.stderr
    with open(copy / name, "a") as file:
        file.write("# another run\n")
    done = start(copy, folder, ["-m", "train_gpt_style.gpt"], environ)
    assert done.returncode == 2
    assert "source was " in done.stderr
    assert done.stderr.count("\n") == 1
