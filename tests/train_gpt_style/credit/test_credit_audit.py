"""pytest tests/train_gpt_style/credit/test_credit_audit.py — the command that judges a network."""

import dataclasses
import json
import re
import shutil
import sys

import pytest
import safetensors.torch
import torch

from goldenseal.errors import UsageError
from tests.train_gpt_style.cases import inside
from tests.train_gpt_style.test_checkpoints_refused import rewritten
from train_gpt_style.credit import SYSTEM
from train_gpt_style.credit.audit.command import main as audit
from train_gpt_style.credit.run import main as train
from train_gpt_style.kit import entry

SMALL = {
    "DIM": "16",
    "DEPTH": "2",
    "STEPS": "4",
    "BATCH": "16",
    "LOG_EVERY": "0",
    "TEACHER_TRAIN": "96",
    "TEACHER_TEST": "1024",
    "CHECKPOINT_EVERY": "2",
    "RUN_LOG": "1",
    "EVAL_EVERY": "2",
    "CREDIT_MEASURE": "32",
}
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

def judged():
    return {**network(), "baseline": 0.4}

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


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Trained networks by the method that trained them."""
    torch.set_num_threads(1)
    home = tmp_path_factory.mktemp("runs")
    for name, method in {"dfa": "dfa", "frozen": "frozen", "bp": "bp", "fa": "fa"}.items():
        with inside(home / name):
            train({**SMALL, "CREDIT_METHOD": method})
    with inside(home / "longer"):
        train({**SMALL, "CREDIT_METHOD": "frozen", "STEPS": "6"})
    return home


def told(capsys, *arguments):
    """(exit code, report as JSON)."""
    code = audit([*map(str, arguments), "--json", "--draws", "5"])
    return code, json.loads(capsys.readouterr().out)


def test_a_run_is_judged_from_its_newest_checkpoint(runs, capsys):
    code, found = told(capsys, runs / "dfa", "--baseline", runs / "frozen")
    assert found["schema"] == 1
    assert found["subject"].endswith("step-00000004")
    assert [each["letter"] for each in found["diagnostics"]] == list("abcd")
    assert found["not_evaluated"] == ""
    assert code == (1 if found["fired"] else 0)
    cosines = [each["cosine"] for each in found["layers"]]
    assert found["cosines"]["deep"] == pytest.approx(sum(cosines[1:]) / 2)
    assert found["calibration"]["n"] == 5
    assert [row["epoch"] for row in found["trajectory"]] == [2, 4]
    assert set(found["replay"]) == set("abcd")
    assert found["thresholds"]["n_ref"] == 128


def test_without_a_baseline_nothing_passes(runs, capsys):
    code, found = told(capsys, runs / "bp")
    assert found["verdict"].endswith("not evaluated (d)")
    assert code == (1 if found["fired"] else 3)
    assert found["diagnostics"][3]["fires"] == "not evaluated"
    assert found["strategies"]["S_full"] is not False
    assert found["undercut"] == "not evaluated"


def test_too_few_examples_leave_stability_not_evaluated(runs, capsys):
    _, found = told(capsys, runs / "dfa", "--examples", 1000)
    assert found["not_evaluated"] == "cd"


def test_saved_feedback_gives_the_very_cosines_of_the_run(runs, capsys):
    _, found = told(capsys, runs / "dfa", "--examples", 32)
    metrics = json.loads((runs / "dfa/metrics.json").read_text())
    assert [each["cosine"] for each in found["layers"]] == [
        metrics[f"cosine_{layer}"] for layer in range(3)
    ]


def test_a_checkpoint_without_its_feedback_has_no_cosine_and_never_one(runs, capsys, tmp_path):
    """A fallback compared the gradient with itself, and printed 1.000."""
    place = shutil.copytree(runs / "dfa/checkpoints/step-00000004", tmp_path / "step-00000004")
    weights = safetensors.torch.load((place / "model.safetensors").read_bytes())
    kept = {n: t for n, t in weights.items() if not n.startswith("feedback.")}
    rewritten(place, {"model.safetensors": safetensors.torch.save(kept)})
    _, found = told(capsys, place)
    assert {each["cosine"] for each in found["layers"]} == {"N/A"}
    assert found["cosines"] == {"N/A": "the checkpoint lacks feedback.B0"}
    assert "gamma" not in found["cosines"]
    assert audit([str(place)]) in (1, 3)
    assert "cosines N/A: the checkpoint lacks feedback.B0" in capsys.readouterr().out


def test_backpropagation_has_no_cosine_of_its_own(runs, capsys):
    _, found = told(capsys, runs / "bp")
    assert found["cosines"] == {"N/A": "backpropagation's credit is the gradient itself"}


def test_effects_and_distances_are_told_on_request(runs, capsys):
    arguments = (runs / "dfa", "--effects", "--reference", runs / "bp")
    _, found = told(capsys, *arguments)
    assert [len(values) for values in found["effects"].values()] == [2, 2]
    assert len(found["distances"]) == 3
    assert found["present"] == 1.0
    _, same = told(capsys, runs / "bp", "--reference", runs / "bp")
    assert same["distances"] == [0.0] * 3
    assert "effects" not in same
    audit([*map(str, arguments), "--draws", "0"])
    text = capsys.readouterr().out
    assert "rho of layers 1 to L:" in text
    assert "distance by layer:" in text


def test_one_layer_that_carries_the_mean_is_named(runs, capsys):
    assert audit([str(runs / "fa"), "--draws", "0"]) in (1, 3)
    text = capsys.readouterr().out
    assert "warning: layer 2 alone carries" in text
    assert "without the top layer" in text


@pytest.mark.parametrize("n_ref", [128, 1024])
def test_the_floor_is_told_with_its_batch(runs, capsys, n_ref):
    _, found = told(capsys, runs / "bp", "--n-ref", n_ref)
    top = found["layers"][-1]["gradient"]
    assert found["diagnostics"][1]["value"] == pytest.approx(top / n_ref)


def test_the_page_has_the_four_panels_and_the_trajectories(runs, tmp_path, capsys):
    page = tmp_path / "audit.html"
    audit([str(runs / "dfa"), "--baseline", str(runs / "frozen"), "--html", str(page)])
    text = page.read_text()
    for words in ("(a) scale growth", "(b) gradient at the top", "(c) stability", "(d) depth"):
        assert words in text
    assert text.count("<svg") == 2
    assert "First firing step:" in text
    assert not re.search(r'(src|href)="http', text)
    again = tmp_path / "again.html"
    audit([str(runs / "dfa"), "--baseline", str(runs / "frozen"), "--html", str(again)])
    assert again.read_text() == text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("dfa", "--baseline", "bp"), "was trained by bp: train it by CREDIT_METHOD=frozen"),
        (("dfa", "--baseline", "longer"), "(d): the baseline's epochs is 6"),
        (("dfa", "--batches", "7"), "--batches 7: (c) needs at least 8"),
        (("dfa", "--examples", "1025"), "the test split has 1024"),
        (("dfa", "--examples", "0"), "--examples 0: at least 1"),
        (("dfa", "--draws", "1"), "--draws 1: a spread needs at least 2"),
        (("dfa", "--html", "nowhere/x.html"), "there is no such folder"),
        (("dfa", "--data-dir", "."), "was trained on the synthetic teacher"),
        ((".",), "no checkpoint in it"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(runs, arguments, words, monkeypatch):
    monkeypatch.chdir(runs)
    before = sorted(runs.rglob("*"))
    with pytest.raises(UsageError, match=re.escape(words)) as caught:
        audit(list(arguments))
    assert "\n" not in str(caught.value)
    assert sorted(runs.rglob("*")) == before


def test_a_checkpoint_of_another_kind_is_refused(runs, tmp_path):
    place = shutil.copytree(runs / "dfa/checkpoints/step-00000004", tmp_path / "step-00000004")
    rewritten(place, {"state.json": b'{"knobs":{"STEPS":"3"}}'})
    with pytest.raises(UsageError, match="no checkpoint of this system"):
        audit([str(place)])


# -- any network ----------------------------------------------------------------------------------


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
    ],
)
def test_what_cannot_be_judged_is_one_line(own, name, words):
    with pytest.raises(UsageError, match=re.escape(words)):
        audit([f"{own}:{name}"])


def test_the_command_is_that_of_the_system(runs, capsys):
    assert entry.cli(SYSTEM, train, ["audit", str(runs / "bp"), "--draws", "0"]) in (1, 3)
    assert "not evaluated (d)" in capsys.readouterr().out
    assert entry.cli(SYSTEM, train, ["audit", "--help"]) == 0
    assert "The four diagnostics:" in capsys.readouterr().out
    assert entry.cli(SYSTEM, train, ["audit", str(runs / "bp"), "--examples", "x"]) == 2
    assert entry.cli(SYSTEM, train, ["judge"]) == 2
    gone = dataclasses.replace(SYSTEM, commands={"audit": "train_gpt_style.credit.nothing:main"})
    with pytest.raises(UsageError, match="audit: a bundle only trains"):
        entry.commanded(gone, "audit")
