"""What the tests of the ViT share: the frozen baseline, the probe's images, whole runs of both."""

import json
from types import SimpleNamespace

import pytest
import torch

from train_gpt_style.vit_rft import probe_data, run
from train_gpt_style.vit_rft.probe import PROBE


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def baseline():
    """The frozen script, as a module."""
    return PROBE.baseline.load()


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """The environment that points to the probe's images."""
    return probe_data.write(tmp_path_factory.mktemp("images"))


@pytest.fixture
def perform(tmp_path, monkeypatch, data, capsys):
    """perform(name, meter=None, NAME=value, ...): a whole small run in a folder of that name."""

    def perform(name="run", meter=None, main=run.main, **environ):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.chdir(folder)
        if meter is not None:
            monkeypatch.setattr(run, "meter_for", lambda settings, device: meter)
        main({**probe_data.TINY, **data, **environ})
        return SimpleNamespace(
            folder=folder,
            printed=capsys.readouterr().out.splitlines(),
            weights=(folder / "final_model.safetensors").read_bytes(),
            log=folder / "train.jsonl",
            lines=lambda file: [
                json.loads(line) for line in (folder / file).read_text("utf-8").splitlines()
            ],
        )

    return perform
