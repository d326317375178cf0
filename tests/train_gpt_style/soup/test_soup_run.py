"""pytest tests/train_gpt_style/soup/test_soup_run.py — sizes, features and data of the soup."""

import math
import shutil

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenseal.errors import UsageError
from train_gpt_style.geometry.anchors import unit
from train_gpt_style.geometry.readout import Readout
from train_gpt_style.kit.batches import Loader
from train_gpt_style.kit.context import Context
from train_gpt_style.kit.data.write_table import table_bytes
from train_gpt_style.soup import SYSTEM, figures
from train_gpt_style.soup.consensus import calibrate, consensus_of
from train_gpt_style.soup.data import load_data
from train_gpt_style.soup.features import cv
from train_gpt_style.soup.features.scan import scan
from train_gpt_style.soup.model import build_model, loss_of
from train_gpt_style.soup.probe_data import IMAGES, TINY
from train_gpt_style.soup.probe_data import tables as probe_tables

WIDTHS = st.lists(st.integers(1, 9), min_size=1, max_size=4)


@settings(max_examples=20, deadline=None)
@given(WIDTHS, st.integers(2, 6), st.integers(1, 4), st.integers(1, 3), st.integers(1, 5))
def test_the_general_formula_counts_every_soup(widths, output, parts, width, classes):
    anchors = 2 * parts
    sizes = {"OUTPUT_DIM": output, "N_ANCHORS": anchors, "N_COMP": parts, "D_COMP": width}
    model = figures.on_paper({n: str(v) for n, v in sizes.items()}, widths, classes)
    assert figures.count(model) == figures.formula(widths, output, anchors, parts, width, classes)


def settings_of(tables, **more):
    return SYSTEM.read({**TINY, **tables, **more})


def installed(tables, **more):
    """(settings, data, a fresh model with the features that are on, what they said)."""
    s, said = settings_of(tables, **more), []
    data = load_data(s)
    torch.manual_seed(0)
    model = build_model(s, Context({}), data.widths, data.classes)
    for feature in s.features:
        feature.install(model, s, data, said.append)
    return s, data, model, said


def test_calibrated_projectors_give_the_affine_map_before_their_norm(tables):
    s, data, model, said = installed(tables, CALIBRATE="1", GPA="1")
    found = consensus_of(s, data)
    for i, projector in enumerate(model.projectors):
        way = calibrate(found.parts[i], found.clouds[i], found.train)
        rows = data.train.features[i]
        assert torch.allclose(projector.linear(rows).double(), way(rows), atol=1e-5)
    qualities = [line for line in said if line.startswith("calibration")]
    assert len(qualities) == 3
    for line in qualities:  # never a fit alone
        for measure in ("back", "whitened", "plain"):
            assert all(f"{measure}_{part}:" in line for part in ("fit", "held_out", "permuted"))
        assert " n:7 D:" in line
    assert len([line for line in said if line.startswith("pair experts:")]) == 6


@pytest.mark.parametrize(
    "reader",
    [{"CALIBRATE": "1"}, {"CONSENSUS_NCE": "1"}, {"ANCHOR_INIT": "fps"}, {"CV_WEIGHT": "1"}],
)
def test_the_agreement_is_told_whatever_reads_the_consensus(tables, reader):
    _, _, _, said = installed(tables, GPA="1", **reader)
    assert sum(line.startswith("consensus agreement:0.") for line in said) == 1


def test_a_step_of_one_model_moves_no_draw_of_another(tables):
    on = {"CV_WEIGHT": "1", "CV_SAMPLES": "8"}
    s, _, first, _ = installed(tables, **on)
    _, _, second, _ = installed(tables, **on)
    rows = unit(torch.randn(9, 6, generator=torch.Generator().manual_seed(0)))
    alone = float(second.auxiliary["cv"](second, rows, None))
    for feature in s.features:
        feature.before_step(first, s, 7, 1)
    assert float(second.auxiliary["cv"](second, rows, None)) == alone
    assert float(first.auxiliary["cv"](first, rows, None)) != alone


def test_labels_are_bits_and_a_class_that_val_lacks_is_reported(tables, tmp_path, perform):
    train, val = probe_tables()["labels"]
    val = val.clone()
    val[:, 2] = 0
    folder = tmp_path / "t"
    shutil.copytree(tables["EXPERTS"], folder)
    path = folder / "labels.safetensors"
    path.write_bytes(table_bytes(train, val, {"images": IMAGES}))
    run = perform("soup", "less", EXPERTS=str(folder), RUN_LOG="1")
    facts = [line for line in run.lines("train.jsonl") if "val_map" in line]
    assert facts
    assert all(line["val_map_classes"] == 2 for line in facts)
    assert all(0 <= float.fromhex(line["val_f1_micro"]) <= 1 for line in facts)
    path.write_bytes(table_bytes(train, val * 2, {"images": IMAGES}))
    with pytest.raises(UsageError, match="val holds other bytes than 0 and 1"):
        load_data(settings_of({"EXPERTS": str(folder)}))


def test_the_target_is_measured_on_the_first_512_rows_alone(tables, monkeypatch):
    asked = []
    monkeypatch.setattr(cv, "cv_metric", lambda rows, g, n, pool=512: asked.append(pool) or (1, 1))
    on = {"EXPERTS": "", "SYNTHETIC_ROWS": "600", "CV_WEIGHT": "1"}
    said = installed(tables, **on)[3]
    assert asked == [512]
    assert "measured on 512 rows" in said[0]


def test_anchors_start_in_the_consensus(tables):
    for way in ("fps", "kmeans"):
        s, data, model, _ = installed(tables, ANCHOR_INIT=way)
        anchors = model.readout.constellation.anchors.detach()
        nearest = (unit(anchors) @ consensus_of(s, data).train.T).max(dim=1).values
        assert float(nearest.min()) > (0.9999 if way == "fps" else 0.7)
    plain = installed(tables)[2].readout.constellation.anchors
    assert not torch.equal(plain, anchors)


def test_no_feature_moves_the_weights_that_it_does_not_set(tables):
    plain = installed(tables)[2].state_dict()
    on = {"CALIBRATE": "1", "GPA": "1", "ANCHOR_INIT": "fps", "CV_WEIGHT": "1"}
    moved = installed(tables, **on)[2].state_dict()
    different = {name for name in plain if not torch.equal(plain[name], moved[name])}
    expected = {f"projectors.{i}.linear.{part}" for i in range(3) for part in ("weight", "bias")}
    assert different == {*expected, "readout.constellation.anchors"}


def test_frozen_anchors_stop_where_they_are(perform):
    name = "readout.constellation.anchors"
    short = perform("soup", "one", SOUP_EPOCHS="1", EVAL_EVERY="0")
    frozen = perform("soup", "frozen", ANCHOR_FREEZE="1", EVAL_EVERY="0")
    free = perform("soup", "free", EVAL_EVERY="0")
    one, two, three = (safetensors.torch.load_file(r.weights) for r in (short, frozen, free))
    assert torch.equal(one[name], two[name])
    assert not torch.equal(two[name], three[name])
    assert not torch.equal(one["readout.up.weight"], two["readout.up.weight"])


def test_the_loss_is_bce_and_the_terms_that_are_on(tables):
    _, data, model, _ = installed(tables, CONSENSUS_NCE="0.5", CV_WEIGHT="0.25")
    model.eval()
    rows = torch.arange(6)
    features, labels = data.train.batch(rows, "cpu")
    terms = dict(model.auxiliary)
    whole = loss_of(model, features, labels, rows)
    embedding, logits = model(features)
    parts = [term(model, embedding, rows) for term in terms.values()]
    model.auxiliary.clear()
    bce = loss_of(model, features, labels, rows)
    assert torch.allclose(whole, bce + sum(parts))
    by_hand = -(
        labels * logits.sigmoid().log() + (1 - labels) * (1 - logits.sigmoid()).log()
    ).mean()
    assert torch.allclose(bce, by_hand, atol=1e-6)
    assert set(terms) == {"nce", "cv"}
    assert all(float(part.detach()) > 0 for part in parts)


def test_the_corrected_gradient_leaves_the_embedding_alone(tables):
    s, data, model, _ = installed(tables, ENABLE_AUTOGRAD="1")
    plain = build_model(s, Context({}), data.widths, data.classes)
    plain.load_state_dict(model.state_dict())
    features, labels = data.train.batch(torch.arange(5), "cpu")
    for m in (model, plain):
        m.train()
        m.readout.dropout.p = 0.0
        loss_of(m, features, labels).backward()
    assert torch.equal(model.embed(features), plain.embed(features))
    pairs = zip(model.named_parameters(), plain.parameters(), strict=True)
    changed = {n for (n, a), b in pairs if not torch.equal(a.grad, b.grad)}
    assert "projectors.0.linear.weight" in changed
    assert not any(name.startswith("readout.down") for name in changed)


def test_gpa_alone_is_refused_and_names_what_would_read_it(tables):
    for wrong in ({"GPA": "1"}, {"GPA": "1", "CALIBRATE": "1", "N_EXPERTS": "1"}):
        with pytest.raises(UsageError, match=r"^GPA=1"):
            settings_of(tables, **wrong)


def test_a_scan_says_what_it_sees_and_a_collapsed_soup_is_called_so(tables, perform):
    _, data, model, _ = installed(tables)
    with torch.no_grad():
        for projector in model.projectors:
            projector.linear.weight.zero_()
    found = scan(model, data.val.features)
    assert len(found["collapse"]) == 3
    assert found["active"] == 1
    done = perform("soup", CALIBRATE="1", SCAN_EVERY="2", SOUP_EPOCHS="3")
    lines = done.lines("scan.jsonl")
    assert [line["epoch"] for line in lines] == [2, 3]
    assert len(lines[0]["uniqueness"]) == 3
    assert -1 <= lines[0]["cos_consensus"] <= 1
    assert 0 <= lines[0]["r1_consensus"] <= 1


@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 5))
def test_an_epoch_reads_each_row_once_and_a_loader_goes_on(rows, batch, seed):
    loader = Loader(rows, batch, seed, whole=math.ceil)
    epochs = [torch.cat([loader.next_rows() for _ in range(-(-rows // batch))]) for _ in range(2)]
    for epoch in epochs:
        assert epoch.sort().values.tolist() == list(range(rows))
    first = Loader(rows, batch, seed, whole=math.ceil)
    first.next_rows()
    second = Loader(rows, batch, seed, whole=math.ceil)
    second.restore(first.position)
    assert torch.equal(first.next_rows(), second.next_rows())


def test_a_readout_needs_compartments_that_divide():
    with pytest.raises(UsageError, match="2 compartments must divide 5"):
        Readout(torch.zeros(5, 2), 2, 3, 4)
