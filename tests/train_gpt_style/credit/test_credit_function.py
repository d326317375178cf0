"""pytest tests/train_gpt_style/credit/test_credit_function.py — any network of a function."""

import json
import re
import sys

import pytest

from goldenseal.errors import UsageError
from tests.train_gpt_style.cases import inside
from train_gpt_style.credit.audit.command import main as audit
from train_gpt_style.credit.run import main as train

SMALL = {"DIM": "8", "DEPTH": "1", "STEPS": "1", "LOG_EVERY": "0", "CHECKPOINT_EVERY": "1"}
SMALL |= {"BATCH": "16", "TEACHER_TRAIN": "96", "TEACHER_TEST": "1024"}
OWN = """
import torch
from torch import nn

def network(scale=1.0):
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Linear(6, 8), nn.ReLU(inplace=True), nn.Linear(8, 8), nn.Linear(8, 3))
    with torch.no_grad():
        layers[2].weight *= scale
    x, y = torch.randn(1024, 6), torch.randint(3, (1024,))
    return {"model": layers, "x": x, "y": y, "layers": ["0", "2"], "accuracy": 0.5}

SETTING = {"width": 8, "depth": 1, "data": "noise", "epochs": 3, "seeds": [1]}

def judged():
    return {**unstated(), "setting": SETTING, "baseline_setting": SETTING}

def deeper():
    return {**judged(), "baseline_setting": {**SETTING, "depth": 2}}

def half_stated():
    return {**judged(), "setting": {"width": 8}}

def unstated():
    return {**network(), "baseline": 0.4}

def untrained():
    found = network()
    found["model"].requires_grad_(False)
    return found

def nothing():
    return None

def failing():
    return [][1]

def unfit():
    return {**network(), "x": torch.zeros(1024, 5)}

class Pair(nn.Module):
    def forward(self, x):
        return x, x

def paired():
    model = nn.Sequential(Pair(), First())
    return {**network(), "model": model, "layers": ["0"]}

class First(nn.Module):
    def forward(self, pair):
        return pair[0]

def reordered():
    return {**network(), "layers": ["2", "0"]}

def exploding():
    return {**network(1000.0), "baseline": 0.4}

def not_finite():
    return network(float("inf"))

def zero():
    found = network()
    for p in found["model"][0].parameters():
        p.data.zero_()
    return found

def forgetful():
    return {"model": network()["model"]}

def lost():
    return {**network(), "layers": ["0", "9"]}
"""


def told(capsys, *arguments):
    """(exit code, report as JSON)."""
    code = audit([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "own_networks.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    yield "own_networks"
    sys.modules.pop("own_networks", None)


def test_any_network_is_judged_by_the_outputs_of_its_modules(own, capsys):
    code, found = told(capsys, f"{own}:judged")
    assert found["not_evaluated"] == ""
    assert found["diagnostics"][3]["value"] == pytest.approx(0.1)
    assert found["cosines"] == {"N/A": "the function gives no credits"}
    code, found = told(capsys, f"{own}:exploding")
    assert "a" in found["fired"]
    assert code == 1


def test_a_state_of_zero_is_undefined_and_not_divided_by(own, capsys):
    code, found = told(capsys, f"{own}:zero")
    assert found["diagnostics"][0]["reason"] == "undefined: the norm of h_0 is 0"
    assert "a" in found["not_evaluated"]
    assert code != 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("not_finite", "a network whose states are not finite cannot be judged"),
        ("forgetful", "it returns no x; needed: model, x, y, layers"),
        ("lost", "the network has no module '9'"),
        ("absent", "it must name a function of a module"),
        ("deeper", "the baseline's depth is 2, the network's 1"),
        ("half_stated", "setting: it must be a mapping with data, depth, epochs"),
        ("nothing", "it returns NoneType, not a mapping with model, x, y, layers"),
        ("failing", "the function failed: IndexError: list index out of range"),
        ("unfit", "the network failed: RuntimeError: mat1 and mat2"),
        ("paired", "the output of module '0' is no tensor (1024, ...)"),
        ("reordered", "layers are called in the order 0, 2: list them so"),
    ],
)
def test_what_cannot_be_judged_is_one_line(own, name, words):
    with pytest.raises(UsageError, match=re.escape(words)) as caught:
        audit([f"{own}:{name}"])
    assert "\n" not in str(caught.value)


def test_two_accuracies_whose_settings_nobody_states_are_not_compared(own, capsys, tmp_path):
    """Two settings that were made up were always equal."""
    _, found = told(capsys, f"{own}:unstated")
    assert found["diagnostics"][3]["reason"] == "the setting of the network is not stated"
    assert "d" in found["not_evaluated"]
    with inside(tmp_path / "frozen"):
        train({**SMALL, "CREDIT_METHOD": "frozen"})
    with pytest.raises(UsageError, match="states no setting that could be compared"):
        audit([f"{own}:unstated", "--baseline", str(tmp_path / "frozen")])


def test_a_network_without_a_trained_parameter_has_the_gradients_of_its_states(own, capsys):
    _, found = told(capsys, f"{own}:untrained")
    _, trained = told(capsys, f"{own}:judged")
    assert found["layers"] == trained["layers"]
