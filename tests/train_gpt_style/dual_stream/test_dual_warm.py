"""pytest tests/train_gpt_style/dual_stream/test_dual_warm.py — a warm start is one, or an error."""

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from goldenseal.errors import UsageError
from tests.train_gpt_style.cases import inside
from tests.train_gpt_style.dual_stream.conftest import SMALL
from train_gpt_style.dual_stream.probe_data import write
from train_gpt_style.dual_stream.run import main

HEAD = {"GEO_HEAD": "1", "CV_WEIGHT": "0.5"}


@pytest.fixture
def kept(model_of, tmp_path):
    """The weights of a model without a geometric head, every one moved; and the model."""
    model = model_of(SEED="5", MASTERY_WEIGHT="1")
    with torch.no_grad():
        for p in model.parameters():
            p.add_(1)
        model.extras["mastery"].labels.fill_(1)
    path = tmp_path / "kept.safetensors"
    save_file(model.state_dict(), path)
    return path, model


def test_the_files_parameters_are_taken_and_new_ones_are_fresh_and_named(model_of, kept):
    path, earlier = kept
    fresh = model_of(**HEAD, MASTERY_WEIGHT="1")
    model = model_of(**HEAD, MASTERY_WEIGHT="1", WARM_START=str(path))
    own = dict(model.named_parameters())
    for name, p in earlier.named_parameters():
        assert own[name].equal(p)
    assert model.geo_output_proj[0].weight.equal(fresh.geo_output_proj[0].weight)
    assert int(model.extras["mastery"].labels[0]) == -1  # a queue begins empty
    assert "others in: geo_output_proj" in model.warm_start


def test_a_missing_file_ends_the_run_before_anything_is_there(tmp_path):
    with inside(tmp_path), pytest.raises(UsageError, match="WARM_START=v1: no such file"):
        main({**SMALL, "WARM_START": "v1"})
    assert not list(tmp_path.iterdir())


def test_a_run_says_what_it_began_with(tmp_path, capsys):
    environ = {**SMALL, **write(tmp_path / "images"), "EPOCHS": "0"}
    with inside(tmp_path):
        main({**environ, "WARM_START": "warm.safetensors"})
    assert "warm start: 1 of " in capsys.readouterr().out
    with safe_open(tmp_path / "final_model.safetensors", "pt") as file:
        assert float(file.get_tensor("position")[0, 0]) == -0.5


BAD = {
    "another shape": ({"position": torch.zeros(3, 12)}, "position is torch.float32"),
    "no part of the model": ({"other": torch.zeros(3)}, "other is not of this run"),
    "nothing": ({}, "no parameter in it"),
}


@pytest.mark.parametrize(("tensors", "words"), BAD.values(), ids=BAD)
def test_weights_that_do_not_fit_are_one_line(model_of, tmp_path, tensors, words):
    save_file(tensors, tmp_path / "bad.safetensors")
    with pytest.raises(UsageError, match=words) as error:
        model_of(WARM_START=str(tmp_path / "bad.safetensors"))
    assert "\n" not in str(error.value)
    (tmp_path / "bad.safetensors").write_bytes(b"no")
    with pytest.raises(UsageError, match="no safetensors file"):
        model_of(WARM_START=str(tmp_path / "bad.safetensors"))
