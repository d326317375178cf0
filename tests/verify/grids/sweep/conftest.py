"""The toy repository with a sweep, prepared on demand; fake commands of Slurm."""

import stat

import pytest

from goldenseal.grids.prepare import planned, prepare
from goldenseal.launch.gate import Launch
from tests.verify.grids.study.conftest import PROBE, SYSTEM
from tests.verify.grids.sweep.toy_sweep import SWEEP


@pytest.fixture
def toy(toy, monkeypatch):
    """The toy repository with a sweep of two groups; `prepare` freezes it and writes its cells."""
    package = toy.root / "toysystem"
    (package / "probe.py").write_text(PROBE)

    def write_system(crash=None, bias=0.0):
        text = SYSTEM.replace("CRASH", repr(crash)).replace("BIAS", repr(bias))
        (package / "__main__.py").write_text(text)

    toy.write_system = write_system
    toy.write_system()
    project = toy.root / "pyproject.toml"
    project.write_text(project.read_text().replace("weights.bin", "final.safetensors"))
    toy.file = toy.root / "toy.toml"
    toy.file.write_text(SWEEP)
    toy.folder = toy.root / "sweeps" / "toy"
    monkeypatch.chdir(toy.root)

    def prepared(**launch):
        return prepare(toy.root, planned(toy.root, toy.file), toy.folder, Launch(**launch))

    toy.prepare = prepared
    toy.edit = lambda old, new: toy.file.write_text(SWEEP.replace(old, new, 1))
    return toy


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Puts fake commands of Slurm on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def fake(name, script):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(stat.S_IRWXU)

    return fake
