"""What the tests of the GPT share: the frozen baseline, the probe's data, whole runs of both."""

import contextlib
import io
import os
from types import SimpleNamespace
from unittest import mock

import pytest
import torch

from goldenseal.ladder.recorder import counting_clock
from train_gpt_style.gpt import SYSTEM, probe_data, run
from train_gpt_style.gpt.knobs import MICRO_BATCHES
from train_gpt_style.gpt.probe import PROBE
from train_gpt_style.kit.context import Context


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def baseline():
    """The frozen script, as a module."""
    return PROBE.baseline.load()


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """The environment that points to the probe's tokenizer and shards."""
    return probe_data.write(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def tiny(data):
    """The environment of a whole run in half a second."""
    return {**probe_data.tiny_environment(), **data}


@pytest.fixture
def context():
    """This process, alone."""
    return Context({}, MICRO_BATCHES)


@pytest.fixture
def build(context):
    """build(NAME=value, ...): the candidate's model, seeded as a run seeds it."""

    def build(**environ):
        s = SYSTEM.read({**probe_data.TINY, "VOCAB_SIZE": "64", **environ})
        torch.manual_seed(s.seed)
        return run.build_model(s, context)

    return build


@pytest.fixture
def perform(tmp_path, monkeypatch):
    """perform(main, environ): a whole run in a folder of its own: printed lines and files."""
    count = iter(range(100))

    def perform(main, environ):
        folder = tmp_path / f"run{next(count)}"
        folder.mkdir()
        monkeypatch.chdir(folder)
        printed = io.StringIO()
        kept = {"PATH": os.environ["PATH"]}
        with (
            mock.patch.dict(os.environ, {**kept, **environ}, clear=True),
            counting_clock(),
            contextlib.redirect_stdout(printed),
        ):
            main(environ)
        files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
        lines = printed.getvalue().splitlines()
        return SimpleNamespace(
            lines=lines,
            # the sources differ, so do their sizes
            comparable=[line for line in lines if not line.startswith(("Code size", "Total sub"))],
            files={name: path.read_bytes() for name, path in sorted(files.items())},
        )

    return perform


def perturb(model, seed=0):
    """No tensor stays zero: a fresh model's blocks change nothing, which would hide faults."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for _, p in sorted(model.named_parameters()):
            p.add_(torch.randn(p.shape, generator=generator) * 0.05)
    return model


@pytest.fixture
def batch():
    """batch(B, T, seed): token ids below 64, and their targets."""

    def batch(B=2, T=16, seed=0):
        generator = torch.Generator().manual_seed(seed)
        return torch.randint(64, (2, B, T), generator=generator).unbind(0)

    return batch


@pytest.fixture(name="perturb")
def perturb_fixture():
    return perturb
