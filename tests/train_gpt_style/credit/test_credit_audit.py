"""pytest tests/train_gpt_style/credit/test_credit_audit.py — the command that judges a network."""

import dataclasses
import json
import re
import shutil
from itertools import pairwise

import pytest
import safetensors.torch
import torch

from goldenseal.errors import UsageError
from goldenseal.runlog import RunLog, read_run_log
from tests.train_gpt_style.cases import inside
from tests.train_gpt_style.test_checkpoints_refused import rewritten
from train_gpt_style.credit import SYSTEM
from train_gpt_style.credit.audit import subject
from train_gpt_style.credit.audit.command import main as audit
from train_gpt_style.credit.audit.log import Log
from train_gpt_style.credit.run import main as train
from train_gpt_style.kit import entry
from train_gpt_style.kit.context import Context

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
    "CREDIT_MEASURE": "1024",
}


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
    for name, knobs in {"wider": {"DIM": "24"}, "other": {"SEED": "7"}}.items():
        with inside(home / name):
            train({**SMALL, **knobs})
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


def test_the_replay_evaluates_stability_and_depth_at_equal_steps(runs, capsys):
    _, found = told(capsys, runs / "dfa", "--baseline", runs / "frozen")
    frozen = [line for line in read_run_log(runs / "frozen/train.jsonl") if "val_acc" in line]
    rows = found["trajectory"]
    assert [row["baseline"] for row in rows] == [
        float.fromhex(line["val_acc"]) for line in frozen if line["kind"] == "validation"
    ]
    assert all(value != "not evaluated" for value in found["replay"].values())
    assert [(row["batches"], row["size"]) for row in rows] == [(8, 128)] * 2
    _, alone = told(capsys, runs / "dfa")
    assert alone["replay"]["d"] == "not evaluated"


def test_between_which_thresholds_no_verdict_changes_is_told(runs, capsys):
    _, found = told(capsys, runs / "dfa")
    growths = [found["diagnostics"][0]["value"]]
    growths += [max(b / a for a, b in pairwise(row["hidden"])) for row in found["trajectory"]]
    assert found["sensitivity"]["a"] == {"low": pytest.approx(max(growths)), "high": None}
    assert found["sensitivity"]["d"] == "not evaluated"
    audit([str(runs / "dfa"), "--draws", "0"])
    assert "no verdict changes for thresholds of (a) " in capsys.readouterr().out


def test_the_training_loss_is_compared_by_whole_epochs(runs, capsys):
    _, found = told(capsys, runs / "dfa")
    assert found["loss_decrease"] == "not evaluated: less than two epochs of finite losses"
    losses = [3.0, 2.0, 1.5, 1.0, 0.5]
    log = Log(runs, [{"kind": "step", "loss": loss.hex()} for loss in losses])
    assert log.decrease(2) == 2.5 - 1.25
    assert log.decrease(3) is None


def test_a_log_of_another_run_is_passed_over_and_refused_when_it_is_named(runs, capsys, tmp_path):
    """Two runs in one folder leave one train.jsonl: that of the second."""
    shutil.copytree(runs / "frozen/checkpoints", tmp_path / "frozen")
    shutil.copy(runs / "dfa/train.jsonl", tmp_path)
    words = "is of another run: CREDIT_METHOD=dfa, not frozen"
    audit([str(tmp_path / "frozen"), "--json"])
    found = capsys.readouterr()
    assert json.loads(found.out)["replay"] == "not evaluated: no log"
    assert words in found.err
    with pytest.raises(UsageError, match=words):
        audit([str(tmp_path / "frozen"), "--log", str(tmp_path / "train.jsonl")])
    _, found = told(capsys, tmp_path / "frozen", "--log", runs / "frozen/train.jsonl")
    assert [row["epoch"] for row in found["trajectory"]] == [2, 4]


def test_a_test_that_was_not_finite_leaves_the_rest_of_the_report(runs, capsys, tmp_path):
    """The newest network may be finite although an earlier test was not."""
    log = RunLog(tmp_path / "log.jsonl", read_run_log(runs / "dfa/train.jsonl")[0] | {"kind": ""})
    first, *rest = Log(tmp_path, read_run_log(runs / "dfa/train.jsonl")).tests()
    for line in ({**first, "hidden_1": "inf", "gradient_2": "nan"}, *rest):
        log.write("validation", {k: v for k, v in line.items() if k not in ("kind", "clock")})
    log.end({})
    page = tmp_path / "page.html"
    _, found = told(capsys, runs / "dfa", "--log", tmp_path / "log.jsonl", "--html", page)
    assert found["trajectory"][0]["gradient"] is None
    assert found["replay"]["a"] == "never"
    assert "<svg" in page.read_text()


def test_a_cosine_that_is_not_defined_has_no_calibration(tmp_path, capsys):
    with inside(tmp_path / "zero"):
        train({**SMALL, "CREDIT_METHOD": "dfa", "CREDIT_FEEDBACK_SCALE": "0"})
    capsys.readouterr()
    _, found = told(capsys, tmp_path / "zero")
    assert found["cosines"] == {"N/A": "a norm is 0 or not finite, so its cosine is not defined"}
    assert found["calibration"] == "not evaluated: the deep cosine is not defined"


def test_an_exact_top_alone_has_no_spread_and_no_z(tmp_path, capsys):
    with inside(tmp_path / "one"):
        train({**SMALL, "CREDIT_METHOD": "fa", "DEPTH": "1"})
    capsys.readouterr()
    _, found = told(capsys, tmp_path / "one")
    assert (found["calibration"]["sd"], found["calibration"]["z"]) == (0.0, None)
    audit([str(tmp_path / "one"), "--draws", "5"])
    assert "z undefined" in capsys.readouterr().out


def test_an_unsettled_relaxation_is_a_note_and_its_residual_credit_an_option(tmp_path, capsys):
    with inside(tmp_path / "ep"):
        train({**SMALL, "CREDIT_METHOD": "ep", "CREDIT_EP_STEPS": "3"})
    capsys.readouterr()
    _, found = told(capsys, tmp_path / "ep")
    assert found["facts"]["ep_settled"] == 0
    assert any(note.startswith("the relaxation had not settled after 3") for note in found["notes"])
    _, residual = told(capsys, tmp_path / "ep", "--ep-credit", "residual")
    assert residual["cosines"]["deep"] != found["cosines"]["deep"]


@pytest.mark.filterwarnings("ignore:for .* copying from a non-meta")
def test_all_tensors_lie_where_the_network_does(runs, monkeypatch):
    """`meta` stands for an accelerator: it takes no tensor of another device."""
    places = []

    class Elsewhere(Context):
        def __init__(self, environ):
            super().__init__(environ)
            self.device = torch.device("meta")

    def spy(model, x, y, *rest):
        places.extend({p.device.type for p in model.parameters()} | {x.device.type, y.device.type})
        raise UsageError("seen")

    monkeypatch.setattr(subject, "Context", Elsewhere)
    monkeypatch.setattr(subject, "measured", spy)
    with pytest.raises(UsageError, match="seen"):
        audit([str(runs / "dfa")])
    assert places == ["meta"]


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
    words = "8 batches of 128 gradients at layer L/2 are needed: 1024 examples"
    assert found["diagnostics"][2]["reason"] == words


def test_saved_feedback_gives_the_very_cosines_of_the_run(runs, capsys):
    _, found = told(capsys, runs / "dfa")
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
    assert re.search(r"growth \d[.\d]*, limit 50", text)  # (a)
    assert re.search(r"asked for: 0\.\d+", text)  # (d): two points above frozen
    assert "First firing step:" in text
    leaning = text[text.index("How far a verdict leans") :]
    assert re.search(r"\(a\) scale growth</td><td>50</td>\s*<td>\d[.\d]*</td><td>any", leaning)
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
        (("dfa", "--reference", "frozen"), "was trained by frozen: distances are from"),
        (("dfa", "--reference", "wider"), "its states have the shapes [(1024, 24)"),
        (("dfa", "--reference", "other"), "was tested on other inputs"),
        (("dfa", "--baseline-log", "frozen/train.jsonl"), "is that of --baseline: name both"),
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
