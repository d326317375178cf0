"""The theorems of this repository, and what is written about them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from goldenseal.coq import build, generate, pins, project, settings, toolchain
from goldenseal.coq.gate import check_theorems
from goldenseal.coq.rules import source_findings
from goldenseal.result import Verdict
from tests.patience import patience

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "theorems"


@pytest.fixture(scope="module")
def loaded():
    return project.load(FOLDER)


def test_the_gate_passes_on_this_repository():
    if shutil.which("coqc") is None:
        pytest.skip(f"coqc is not installed; type: {toolchain.INSTALL}")
    result = check_theorems(ROOT)
    assert result.findings == ()
    assert result.verdict is Verdict.PASS


def test_the_theorems_that_the_proposal_rests_on_are_there_and_pinned(loaded):
    named = {each.name for each in loaded.declarations() if each.kind == "Theorem"}
    promised = {
        "Phi.phi_sqr_plus_inv_sqr",
        "Phi.inv_phi",
        "Phi.alpha_phi_phi_cube",
        "Phi.phi_cube_nearest",
        "Phi.lr_scale_matrix_lr",
        "Doubles.loops_nearest",
        "Lora.adapted_zero_up",
        "RowNorm.row_norm_inv_phi",
        "Rounding.nearest_double",
    }
    assert promised <= named
    pinned = (FOLDER / pins.FILE).read_text("utf-8")
    assert all(f'"{name}"' in pinned for name in named)


def test_every_constant_of_the_code_has_a_theorem_and_no_other_has(loaded):
    (source,) = (each for each in loaded.sources if each.file == generate.FILE)
    declared = settings.load_constants(ROOT, settings.read(ROOT).constants)
    names = {each.name for each in declared.constants}
    assert names == generate.proved_names(source.sentences)
    assert names >= {
        "INV_PHI",
        "UT_LOOPS_PHI",
        "VIT_INIT_STD",
        "CORPUS_COVERAGE",
        "KNOB_BETA1",
        "VIT_KNOB_BETA1",
    }


def test_every_system_has_a_constants_module_of_its_own():
    declared = settings.load_constants(ROOT, settings.read(ROOT).constants)
    folders = {path.parent for path in (ROOT / "train_gpt_style").glob("*/constants.py")}
    assert {ROOT / home for home in declared.homes} == {each / "constants.py" for each in folders}


def test_no_source_assumes_or_switches_off_anything(loaded):
    assert source_findings(loaded) == []


def test_every_file_opens_with_a_box_that_says_what_it_does_not_say(loaded):
    for source in loaded.sources:
        box = source.text.partition("\n\n")[0]
        assert box.startswith("(" + "*" * 78 + ")\n"), source.file
        assert "Does not say:" in box, source.file
        assert "Source:" in box or source.file == "Doubles.v", source.file


def test_every_name_that_the_readme_lists_in_backticks_as_a_file_is_there():
    head = (FOLDER / "README.md").read_text("utf-8").partition("<!-- index")[0]
    for name in re.findall(r"`(\w+\.(?:v|json|sh)|_CoqProject)`", head):
        assert (FOLDER / name).is_file(), name


def run_setup(path, script="setup.sh"):
    environment = {"PATH": str(path), "HOME": "/nonexistent"}
    return subprocess.run(
        [shutil.which("sh") or "sh", str(FOLDER / script)],
        env=environment, capture_output=True, text=True, timeout=patience(30), check=False,
    )  # fmt: skip


def program(folder, name, body):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_setup_does_nothing_where_coq_and_flocq_are(tmp_path):
    (tmp_path / "user-contrib/Flocq/Core").mkdir(parents=True)
    (tmp_path / "user-contrib/Flocq/Core/Core.vo").touch()
    program(tmp_path, "coqc", f"echo {tmp_path}")
    program(tmp_path, "apt-get", f"touch {tmp_path}/called")
    done = run_setup(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "called").exists()


def test_setup_without_the_right_to_install_prints_the_line_to_type(tmp_path):
    program(tmp_path, "apt-get", "exit 1")
    program(tmp_path, "id", "echo 1000")
    done = run_setup(tmp_path)
    assert done.returncode == 0
    assert f"sudo {toolchain.INSTALL}" in done.stderr


def test_setup_where_there_is_no_apt_says_what_to_install(tmp_path):
    done = run_setup(tmp_path)
    assert done.returncode == 0
    assert toolchain.INSTALL in done.stderr


def test_setup_as_root_installs_and_survives_a_failure(tmp_path):
    program(tmp_path, "id", "echo 0")
    program(tmp_path, "apt-get", f'echo "$@" >> {tmp_path}/log\nexit 1')
    program(tmp_path, "env", 'shift\nexec "$@"')
    done = run_setup(tmp_path)
    assert done.returncode == 0
    assert "did not succeed" in done.stderr
    calls = (tmp_path / "log").read_text().splitlines()
    assert calls[0].split()[-3:] == ["coq", "libcoq-flocq", "libcoq-interval"]
    assert calls[1] == "update -q"


def test_another_version_without_root_says_that_it_needs_it(tmp_path):
    program(tmp_path, "id", "echo 1000")
    program(tmp_path, "dirname", f"echo {tmp_path}/theorems")
    (tmp_path / "theorems").mkdir()
    done = run_setup(tmp_path, "versions.sh")
    assert done.returncode == 3
    assert done.stderr == "coq-versions: making a chroot needs root; type: sudo make coq-versions\n"
    assert not (tmp_path / ".goldenseal").exists()


def test_another_version_without_debootstrap_prints_the_line_to_type(tmp_path):
    program(tmp_path, "id", "echo 0")
    program(tmp_path, "dirname", f"echo {FOLDER}")
    done = run_setup(tmp_path, "versions.sh")
    assert done.returncode == 3
    assert done.stderr.startswith("coq-versions: debootstrap is not installed; type: apt-get")


def test_another_version_that_cannot_be_installed_could_not_run_and_leaves_nothing_ready(tmp_path):
    for name in ("head", "mkdir", "rm", "tail"):
        (tmp_path / name).symlink_to(shutil.which(name))
    program(tmp_path, "id", "echo 0")
    program(tmp_path, "dirname", f"echo {tmp_path}/theorems")
    program(tmp_path, "apt-get", "echo mirror:one; echo mirror:two")
    program(tmp_path, "debootstrap", f'echo "$@" > {tmp_path}/log; echo no such mirror; exit 1')
    program(tmp_path, "chroot", "exit 9")
    (tmp_path / "theorems").mkdir()
    done = run_setup(tmp_path, "versions.sh")
    assert done.returncode == 3
    assert "no such mirror" in done.stderr
    assert "install.log says why" in done.stderr
    assert (tmp_path / "log").read_text().split()[1:] == [
        "trixie", f"{tmp_path}/.goldenseal/coq-versions/trixie", "mirror:one",
    ]  # fmt: skip
    assert not (tmp_path / ".goldenseal/coq-versions/trixie/ready").exists()


def test_the_gate_needs_neither_torch_nor_numpy():
    code = (
        "import sys; sys.modules['torch'] = sys.modules['numpy'] = None\n"
        "from pathlib import Path\n"
        "from goldenseal.coq import settings\n"
        "from goldenseal.ladder.gates import citation\n"
        "from goldenseal.coq.reading import code_findings\n"
        "root = Path.cwd(); known = settings.read(root)\n"
        "declared = settings.load_constants(root, known.constants)\n"
        "print(len(declared.constants), code_findings(root, known, declared))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    count, _, found = done.stdout.strip().partition(" ")
    assert int(count) > 40
    assert found == "[]"


def test_the_builds_are_kept_outside_the_source_folder():
    store = build.store_of(ROOT)
    assert not store.is_relative_to(FOLDER)
    assert os.path.relpath(store, ROOT).startswith(".goldenseal")
