"""What the tests of the soup share: the probes' small data, whole runs of both systems."""

import json
from types import SimpleNamespace

import pytest
import torch

from train_gpt_style.soup import probe_data as soup_data
from train_gpt_style.soup import run as soup_run
from train_gpt_style.soup_student import probe_data as student_data
from train_gpt_style.soup_student import run as student_run


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tables(tmp_path_factory):
    """The environment that points to the soup's probe tables."""
    return soup_data.write(tmp_path_factory.mktemp("soup") / "tables")


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """The environment that points to the student's probe images, targets and soup."""
    return student_data.write(tmp_path_factory.mktemp("student"))


@pytest.fixture
def perform(tmp_path, monkeypatch, tables, images, capsys):
    """perform(system, name, NAME=value, ...): a whole small run in a folder of that name."""

    def perform(system, name="run", **environ):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.chdir(folder)
        if system == "soup":
            soup_run.main({**soup_data.TINY, **tables, **environ})
        else:
            student_run.main({**student_data.TINY, **images, **environ})
        return SimpleNamespace(
            folder=folder,
            printed=capsys.readouterr().out.splitlines(),
            weights=folder / "final_model.safetensors",
            lines=lambda file: [
                json.loads(line) for line in (folder / file).read_text("utf-8").splitlines()
            ],
        )

    return perform
