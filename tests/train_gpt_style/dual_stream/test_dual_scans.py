"""pytest tests/train_gpt_style/dual_stream/test_dual_scans.py — scans, detectors."""

import contextlib
import io
import json

import pytest
import torch

from tests.train_gpt_style.cases import inside
from tests.train_gpt_style.dual_stream.conftest import SMALL
from train_gpt_style.dual_stream.diagnosis import verdict
from train_gpt_style.dual_stream.gallery import Gallery, evenly
from train_gpt_style.dual_stream.run import main
from train_gpt_style.dual_stream.scans import class_structure, like, marked_cv, scan
from train_gpt_style.dual_stream.tools.page import page
from train_gpt_style.dual_stream.tools.words import text_of, told
from train_gpt_style.dual_stream.watch import Watched
from train_gpt_style.geometry.anchors import unit

FIELDS = {
    *("validation accuracy", "effective dimension", "pentachoron CV", "anchor CV", "patch CV"),
    *("class CV", "1-NN", "same-diff gap", "self-similarity", "pooled anchors", "patch anchors"),
    *("anchors per image", "entropy", "Gini", "CM valid", "geo feature variance", "verdict"),
    *("nearest centroids", "hard negative", "hard positive", "self-similarity sd"),
    "simplices positive",
}


def gallery_of(model, emb=None):
    """What a model sees in noise; its embeddings replaced by others when they are given."""
    count = 12 if emb is None else len(emb)
    generator = torch.Generator().manual_seed(2)
    gallery = Gallery(count, count)
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
    for name in ("2 pooled anchor usage", "3 patch anchor usage"):
        assert found["scans"][name]["anchors"] == len(model.constellation.anchors)


def test_scanning_changes_nothing(model_of):
    model = model_of()
    state = {n: p.clone() for n, p in model.named_parameters()}
    gallery, before = gallery_of(model), torch.get_rng_state()
    scan(model, gallery)
    assert model.training
    assert torch.get_rng_state().equal(before)
    assert all(p.equal(state[n]) for n, p in model.named_parameters())


def test_the_last_scan_and_the_geometric_accuracy_are_results_of_the_run(trained, tmp_path):
    metrics = json.loads((trained / "metrics.json").read_text())
    last = json.loads((trained / "scan.jsonl").read_text().splitlines()[-1])
    health = last["scans"]["1 embedding health"]
    assert metrics["cv"] == health["cv"]
    assert metrics["effective_dimension"] == health["effective_dimension"]
    assert metrics["active_anchors"] == last["scans"]["2 pooled anchor usage"]["active"]
    assert "geo_val_acc" not in metrics
    with inside(tmp_path), contextlib.redirect_stdout(io.StringIO()) as said:
        main({**SMALL, "GEO_HEAD": "1", "GEO_BCE_WEIGHT": "1", "EPOCHS": "1", "RUN_LOG": "1"})
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert f"geo_val_chance:{metrics['geo_val_acc']:.6f}" in said.getvalue()
    assert 0 <= metrics["geo_val_acc"] <= 1


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
                if key.endswith("in_band"):
                    yield key.removesuffix("in_band"), value
            for each in value.values():
                yield from marks(each)

    seen = list(marks(found))
    assert len(seen) > 5
    for prefix, table in seen:
        assert {f"{prefix}uniform", f"{prefix}uniform_effective"} <= set(table)
    assert "uniform" in found["diagnosis"]["class CV"]
    six = found["scans"]["6 class structure"]
    assert {"in_band", "uniform", "uniform_effective"} <= {key for key in six if told(key)}


SOUND = {"self_similarity": 0.1}
USED = {"active": 60, "anchors": 64, "entropy": 95.0, "counts": [512]}
VERDICTS = {
    "sound": (SOUND, USED, {}, "no collapse found", 0),
    "similar": ({**SOUND, "self_similarity": 0.91}, USED, {}, "collapsed", 1),
    "three anchors of 64": (SOUND, {**USED, "active": 3}, {}, "collapsed", 1),
    "four anchors of 64": (SOUND, {**USED, "active": 4}, {}, "no collapse found", 0),
    "one anchor of few": (SOUND, {**USED, "active": 1, "anchors": 4}, {}, "collapsed", 1),
    "three anchors, three images": (
        *(SOUND, {**USED, "active": 3, "counts": [1, 1, 1]}, {}),
        *("no collapse found", 0),
    ),
    "little entropy": (SOUND, {**USED, "entropy": 4.9}, {}, "collapsed", 1),
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
    expected = {"steps": 2, "window": 2, "no_gradient": ["extra", "bias"], "vacuous": ["cm"]}
    found = watched.found()
    assert {**found, "no_gradient": sorted(found["no_gradient"])} == {
        **expected,
        "no_gradient": sorted(expected["no_gradient"]),
    }
    assert Watched(net, watched.position()).found() == found
    assert Watched(net).found() == {}


def test_a_parameter_that_once_had_a_gradient_is_named_in_a_later_window():
    net = torch.nn.Linear(2, 1)
    net.weight.grad, net.bias.grad = torch.ones(1, 2), torch.ones(1)
    watched = Watched(net)
    watched.after_step({"cm": torch.tensor(1.0)})
    assert watched.found()["no_gradient"] == []
    watched.begin()
    assert watched.found()["no_gradient"] == []
    net.bias.grad = torch.zeros(1)
    watched.after_step({"cm": torch.tensor(0.0)})
    assert watched.found() == {"steps": 2, "window": 1, "no_gradient": ["bias"], "vacuous": []}


def test_a_gallery_of_a_split_by_class_has_images_of_every_class(model_of):
    model, gallery = model_of().eval(), Gallery(6, 25)
    labels = torch.arange(25) // 5
    assert evenly(6, 25).tolist() == [0, 4, 8, 12, 16, 20]
    assert evenly(9, 3).tolist() == [0, 1, 2]
    with torch.no_grad():
        for part in labels.split(7):
            model(torch.randn(len(part), 3, 8, 8))
            gallery.add(model, part)
    whole = gallery.whole(model)
    assert whole["labels"].tolist() == [0, 0, 1, 2, 3, 4]
    assert len(whole["emb"]) == len(whole["patch"]) == len(gallery) == 6


def test_what_is_not_finite_is_broken_and_no_traceback(model_of):
    model = model_of().eval()
    gallery = gallery_of(model)
    gallery.parts["emb"][0][3, 1] = float("nan")
    found = scan(model, gallery)
    assert found["diagnosis"]["verdict"] == {
        "state": "broken",
        "reasons": ["emb is not finite"],
    }
    told = {"checkpoint": "c", "step": 1, "data": "noise", **found}
    assert "verdict: broken: emb is not finite" in text_of(told)
    assert "<h1>" in page(told)


def test_a_cv_beyond_every_uniform_cloud_is_like_none():
    assert like(0.0) is None
    assert like(0.97) == "below 4"
    assert like(8e-8) == "above 65536"
    assert like(0.2030) == pytest.approx(16, abs=0.01)


def test_hard_negatives_and_positives_are_of_other_images():
    rows = torch.tensor([[1.0, 0], [0.6, 0.8], [0, 1], [-1, 0]])
    found = class_structure({"emb": rows}, torch.tensor([0, 0, 1, 2]), 0)
    assert found["hard_neg"] == pytest.approx((0 + 0.8) / 2)
    assert found["hard_pos"] == pytest.approx(0.6)
    assert found["nearest_centroids"]["classes"] == [0, 1]
    assert found["rows"] == [1, 2]
