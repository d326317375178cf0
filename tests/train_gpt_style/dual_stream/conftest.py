"""Small models and data of the dual stream; what is trained is trained once."""

import contextlib
import io

import pytest
import torch

from tests.train_gpt_style.cases import inside
from train_gpt_style.dual_stream import SYSTEM
from train_gpt_style.dual_stream.model import build_model
from train_gpt_style.dual_stream.probe_data import TINY
from train_gpt_style.dual_stream.run import main
from train_gpt_style.kit.context import Context

SMALL = {**TINY, "SYNTHETIC_IMAGES": "12"}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def model_of():
    """A fresh tiny model of an environment, always from the same state of torch's generator."""

    def build(**environ):
        torch.manual_seed(0)
        return build_model(SYSTEM.read({**SMALL, **environ}), Context({}))

    return build


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A run on noise with scans and checkpoints: its folder."""
    folder = tmp_path_factory.mktemp("trained")
    environ = {**SMALL, "SCAN_EVERY": "1", "CM_WEIGHT": "1", "CHECKPOINT_EVERY": "2"}
    with inside(folder), contextlib.redirect_stdout(io.StringIO()):
        main({**environ, "RUN_LOG": "1"})
    return folder
