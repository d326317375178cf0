"""pytest tests/train_gpt_style/dual_stream/test_dual_scans.py — scans, detectors, tools."""

import json
import shutil

import pytest
import torch

from goldenseal.errors import UsageError
from train_gpt_style.dual_stream import SYSTEM
from train_gpt_style.dual_stream.diagnosis import verdict
from train_gpt_style.dual_stream.run import main
from train_gpt_style.dual_stream.scans import Gallery, marked_cv, scan
from train_gpt_style.dual_stream.tools import scalars
from train_gpt_style.dual_stream.watch import Watched
from train_gpt_style.geometry.anchors import unit
from train_gpt_style.kit import entry

FIELDS = {
    *("validation accuracy", "effective dimension", "pentachoron CV", "anchor CV", "patch CV"),
    *("class CV", "1-NN", "same-diff gap", "self-similarity", "pooled anchors", "patch anchors"),
    *("anchors per image", "entropy", "Gini", "CM valid", "geo feature variance", "verdict"),
}


def gallery_of(model, emb=None):
    """What a model sees in noise; its embeddings replaced by others when they are given."""
    count = 12 if emb is None else len(emb)
    generator = torch.Generator().manual_seed(2)
    gallery = Gallery(count)
    with torch.no_grad():
        model(torch.randn(count, 3, 8, 8, generator=generator))
    if emb is not None:
        model.seen.emb = emb
    gallery.add(model, torch.arange(count) % 2)
    return gallery


def test_all_eight_scans_and_every_field_are_there_as_json(model_of):
    model = model_of().eval()
    found = scan(model, gallery_of(model))
    assert [name[0] for name in found["scans"]] == list("12345678")
    assert set(found["diagnosis"]) == FIELDS
    json.dumps(found, allow_nan=False)
    assert found["scans"]["8 architecture summary"]["parameters"] == 6306


def test_scanning_changes_nothing(model_of):
    model = model_of()
    state = {n: p.clone() for n, p in model.named_parameters()}
    gallery, before = gallery_of(model), torch.get_rng_state()
    scan(model, gallery)
    assert model.training
    assert torch.get_rng_state().equal(before)
    assert all(p.equal(state[n]) for n, p in model.named_parameters())


def in_the_band(rows):
    """A collapsed cloud whose CV lies in the band: few wide directions around one point."""
    spread = unit(torch.randn(rows, 15, generator=torch.Generator().manual_seed(4)))
    return unit(torch.cat((torch.ones(rows, 1), 0.05 * spread), dim=1))


def test_a_collapsed_cloud_in_the_band_is_never_called_healthy(model_of):
    model = model_of(OUTPUT_DIM="16").eval()
    rows = in_the_band(200)
    marked = marked_cv(rows, 4000, 0, 7)
    assert marked["in_band"]
    found = scan(model, gallery_of(model, rows))
    told = found["diagnosis"]["verdict"]
    assert told["state"] == "collapsed"
    assert any("self-similarity" in reason for reason in told["reasons"])


def test_no_mark_stands_without_the_uniform_value_of_its_dimension(model_of):
    model = model_of().eval()
    found = scan(model, gallery_of(model))

    def marks(value):
        if isinstance(value, dict):
            for key in value:
                if key.endswith("in_band") and isinstance(value[key], bool):
                    yield key.removesuffix("in_band"), value
            for each in value.values():
                yield from marks(each)

    seen = list(marks(found))
    assert len(seen) > 5
    for prefix, table in seen:
        assert {f"{prefix}uniform", f"{prefix}uniform_effective"} <= set(table)
    assert "uniform" in found["diagnosis"]["class CV"]


SOUND = {"finite": True, "self_similarity": 0.1}
USED = {"active": 60, "anchors": 64, "entropy": 95.0}
VERDICTS = {
    "sound": (SOUND, USED, {}, "no collapse found", 0),
    "similar": ({**SOUND, "self_similarity": 0.91}, USED, {}, "collapsed", 1),
    "three anchors of 64": (SOUND, {**USED, "active": 3}, {}, "collapsed", 1),
    "four anchors of 64": (SOUND, {**USED, "active": 4}, {}, "no collapse found", 0),
    "one anchor of few": (SOUND, {"active": 1, "anchors": 4, "entropy": 50}, {}, "collapsed", 1),
    "little entropy": (SOUND, {**USED, "entropy": 4.9}, {}, "collapsed", 1),
    "not finite": ({**SOUND, "finite": False}, USED, {}, "broken", 1),
    "did nothing": (SOUND, USED, {"vacuous": ["cm"], "no_gradient": ["w"]}, "no collapse found", 2),
}


@pytest.mark.parametrize(
    ("one", "two", "seven", "state", "reasons"), VERDICTS.values(), ids=VERDICTS
)
def test_the_verdict(one, two, seven, state, reasons):
    told = verdict(one, two, seven)
    assert told["state"] == state
    assert len(told["reasons"]) == reasons


def test_a_tiny_gradient_is_one_by_its_maximum_and_none_at_all_is_named():
    net = torch.nn.Linear(100, 1)
    net.extra = torch.nn.Parameter(torch.zeros(3))
    watched = Watched(net)
    net.weight.grad = torch.zeros(1, 100)
    net.weight.grad[0, 7] = 1e-30
    net.weight.grad[0, 8] = -1e-30  # the mean is 0
    net.bias.grad = torch.zeros(1)
    watched.after_step({"cm": torch.tensor(0.0), "nce": torch.tensor(0.0)})
    watched.after_step({"cm": torch.tensor(0.0), "nce": torch.tensor(1.0)})
    expected = {"steps": 2, "no_gradient": ["extra", "bias"], "vacuous": ["cm"]}
    found = watched.found()
    assert {**found, "no_gradient": sorted(found["no_gradient"])} == {
        **expected,
        "no_gradient": sorted(expected["no_gradient"]),
    }
    assert Watched(net, watched.position()).found() == found
    assert Watched(net).found() == {}


# -- files and tools ------------------------------------------------------------------------------


def test_a_run_with_scans_writes_one_line_a_validation_and_names_the_dead_term(trained):
    lines = [json.loads(line) for line in (trained / "scan.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    assert lines[-1]["scans"]["7 classifier and gradients"]["vacuous"] == ["cm"]
    assert lines[-1]["scans"]["7 classifier and gradients"]["no_gradient"] == []


def tool(monkeypatch, capsys, *arguments, **environ):
    """(exit code, standard output, standard error) of the command with a tool."""
    monkeypatch.delenv("DATA_DIR", raising=False)
    code = entry.cli(SYSTEM, main, list(arguments))
    return (code, *capsys.readouterr())


def test_the_scan_of_a_checkpoint_prints_and_draws(trained, monkeypatch, capsys, tmp_path):
    page = tmp_path / "scan.html"
    path = str(trained / "checkpoints")
    code, out, _ = tool(monkeypatch, capsys, "scan", path, "--html", str(page))
    assert code == 0
    assert "SCAN 1 EMBEDDING HEALTH" in out
    assert "SCAN 8 ARCHITECTURE SUMMARY" in out
    assert "DIAGNOSIS SUMMARY" in out
    assert "cm was 0 on every step" in out
    text = page.read_text(encoding="utf-8")
    assert text.count("<svg") == 6
    assert "14 to 16 dimensions" in text
    code, out, _ = tool(monkeypatch, capsys, "scan", path, "--json")
    assert json.loads(out)["step"] == 4


def test_a_scan_of_what_is_no_checkpoint_is_one_line(trained, monkeypatch, capsys, tmp_path):
    code, _, error = tool(monkeypatch, capsys, "scan", str(tmp_path))
    assert (code, error.count("\n")) == (2, 1)
    assert "no checkpoint" in error
    copy = tmp_path / "copy"
    shutil.copytree(trained / "checkpoints", copy)
    for path in copy.glob("step-*/model.safetensors"):
        path.write_bytes(b"x")
    code, _, error = tool(monkeypatch, capsys, "scan", str(copy))
    assert code == 2
    assert "its manifest says otherwise" in error
    code, _, error = tool(monkeypatch, capsys, "scan", str(copy), "--images", "1")
    assert code == 2


def test_the_presets_are_listed_and_an_unknown_one_is_refused(monkeypatch, capsys):
    code, out, _ = tool(monkeypatch, capsys, "presets", "v2")
    assert code == 0
    assert out.splitlines()[0] == "GEO_HEAD=1"
    code, out, _ = tool(monkeypatch, capsys, "presets", "v1", "--json")
    assert json.loads(out)["v1"]["parameters"] == 6_296_582
    code, _, error = tool(monkeypatch, capsys, "presets", "v9")
    assert code == 2
    assert "no preset; one of v1, v2" in error


def test_another_word_is_refused_and_help_lists_the_tools(monkeypatch, capsys):
    code, _, error = tool(monkeypatch, capsys, "scam")
    assert code == 2
    assert "scam" in error
    code, out, _ = tool(monkeypatch, capsys, "--help")
    assert code == 0
    assert all(f"dual_stream {name} --help" in out for name in ("presets", "scan", "scalars"))


def test_a_run_log_becomes_scalars_of_losses_and_scans(trained, tmp_path):
    found = list(scalars.scalars(trained / "train.jsonl"))
    tags = {tag for tag, _, _ in found}
    assert {"train/loss", "train/bce", "train/val_acc", "scan/effective_dimension"} <= tags
    assert "scan/pentachoron_CV_uniform" in tags
    assert max(step for _, _, step in found) == 4
    with pytest.raises(UsageError, match="RUN_LOG=1 writes"):
        list(scalars.scalars(tmp_path / "train.jsonl"))


def test_no_run_holds_the_tools(trained):
    from train_gpt_style.kit.source import files_of

    names = [path.as_posix() for path in files_of("train_gpt_style.dual_stream")]
    assert not [name for name in names if "/tools/" in name or "presets" in name]
