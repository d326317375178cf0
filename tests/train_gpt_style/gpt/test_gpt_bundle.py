"""pytest tests/train_gpt_style/gpt/test_gpt_bundle.py — the bundle trains what the package trains.

Real processes in empty folders. The bundle's have the standard library and the third-party
packages, but no way to this repository: `-S` leaves out the path files of an editable install.
"""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from goldenseal.bundle.make import make_bundle, read_bundle, write_bundle
from goldenseal.config import find_root, python_path, system
from goldenseal.records.source import read_source
from goldenseal.runlog import read_run_log
from tests.patience import patience

ROOT = find_root(Path(__file__))
THIRD_PARTY = Path(torch.__file__).parents[1]
ALONE = """\
import runpy, sys
sys.path.append({packages!r})
for name in ("goldenseal", "train_gpt_style"):
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    sys.exit(f"{{name}} can be imported: this shows nothing")
sys.argv = [{bundle!r}]
runpy.run_path({bundle!r}, run_name="__main__")
"""


@pytest.fixture(scope="module")
def top(tmp_path_factory):
    return tmp_path_factory.mktemp("bundles")


@pytest.fixture(scope="module")
def bundles(top):
    """The bundle's two forms, written as the command writes them."""
    made = make_bundle(ROOT, system(ROOT, "gpt"))
    paths = {False: top / "train_gpt.py", True: top / "small.py"}
    for compress, path in paths.items():
        write_bundle(made, path, compress)
    return paths


def run_in(folder, command, environ):
    """The finished run: printed lines, and the files that it left."""
    folder.mkdir()
    # One thread, so that two runs on a busy machine do not wait for each other.
    kept = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**kept, **environ, "RUN_LOG": "1", "RUN_LOG_STATE_EVERY": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=patience(300),
    )
    assert done.returncode == 0, done.stderr
    lines = [re.sub(r"train_time:.*", "", line) for line in done.stdout.splitlines()]
    return SimpleNamespace(
        folder=folder,
        lines=[line for line in lines if not line.startswith(("Code size", "Total sub"))],
        sizes=dict(re.findall(r"^(\w.*): (\d+) bytes$", done.stdout, re.MULTILINE)),
        log=read_run_log(folder / "train.jsonl"),
        source=(folder / "logs" / "train_gpt.txt").read_bytes(),
        files={p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()},
    )


def run_alone(folder, bundle, environ):
    script = ALONE.format(packages=str(THIRD_PARTY), bundle=str(bundle))
    return run_in(folder, ["-I", "-S", "-B", "-c", script], environ)


@pytest.fixture(scope="module")
def package_run(top, tiny):
    folder, environ = top / "package", {**tiny, "PYTHONPATH": python_path(ROOT)}
    return run_in(folder, ["-P", "-m", "train_gpt_style.gpt"], environ)


@pytest.fixture(scope="module")
def bundle_run(top, bundles, tiny):
    return run_alone(top / "bundle", bundles[False], tiny)


def test_everything_printed_is_the_same_but_times_and_the_size_of_the_source(
    package_run, bundle_run
):
    assert package_run.lines == bundle_run.lines
    assert any("train_loss" in line for line in bundle_run.lines)


def test_code_bytes_are_those_of_the_file_that_ships(bundle_run, bundles):
    shipped = bundles[False].read_bytes()
    assert bundle_run.source.startswith(shipped + b"\n" + b"=" * 100)
    assert bundle_run.sizes["Code size"] == str(len(shipped))
    artifact = (bundle_run.folder / "final_model.int8.safetensors.z").stat().st_size
    assert bundle_run.sizes["Total submission size int8+zlib"] == str(len(shipped) + artifact)
    assert bundle_run.log[-1]["clock"] == {
        "artifact_bytes": artifact,
        "code_bytes": len(shipped),
    }


def test_the_package_still_counts_its_modules(package_run, bundles):
    code = int(package_run.sizes["Code size"])
    assert 0 < code < bundles[False].stat().st_size
    assert b"Goldenseal bundle" not in package_run.source


def test_the_compressed_form_runs_too_and_finds_the_data_files_of_the_portable_lane(
    top, bundles, tiny
):
    done = run_alone(top / "compressed", bundles[True], {**tiny, "NUMERICS": "portable"})
    shipped = bundles[True].read_bytes()
    assert len(shipped) < bundles[False].stat().st_size / 2
    assert done.source.startswith(shipped)
    assert done.log[-1]["clock"]["code_bytes"] == len(shipped)
    assert done.log[0]["numeric_class"]["lane"] == "portable"


def test_it_holds_what_a_run_needs_unchanged_and_none_of_the_checks(bundles):
    sealed = read_source(ROOT).files
    source = {name.removeprefix("verify/"): digest for name, digest in sealed.items()}
    for path in bundles.values():
        found = read_bundle(path.read_bytes(), path.name)
        assert found.entry == "train_gpt_style.gpt.__main__"
        for name, text in found.files.items():
            assert hashlib.sha512(text.encode("utf-8")).hexdigest() == source[name], name
        unfit = re.compile(
            r"cli|gates/|probe|smoke|submission|artifact|corpus|check_run|bundle/(make|loader)"
        )
        assert not [name for name in found.files if unfit.search(name)]
        assert {"goldenseal/runlog.py", "train_gpt_style/kit/covered.txt"} <= set(found.files)


def test_a_wrong_setting_is_one_line_and_leaves_the_folder_empty(top, bundles):
    folder = top / "wrong"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, str(bundles[False])],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PHINTA_ENABEL": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "error: PHINTA_ENABEL is not a knob; did you mean PHINTA_ENABLE?\n"
    assert list(folder.iterdir()) == []
