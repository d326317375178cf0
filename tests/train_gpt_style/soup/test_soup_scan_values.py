"""pytest tests/train_gpt_style/soup/test_soup_scan_values.py

Every number of the two scans by a second way: loops over plain numbers, on a few rows.
"""

import itertools
import math
import statistics

import pytest
import torch

from tests.train_gpt_style.geometry.clouds import gaussian
from train_gpt_style.geometry.anchors import unit
from train_gpt_style.geometry.clouds import effective_dimension, energy_shares
from train_gpt_style.geometry.spread import cv_metric
from train_gpt_style.kit.context import Context
from train_gpt_style.soup.features import scan as soup_scan
from train_gpt_style.soup.model import build_model
from train_gpt_style.soup.probe_data import TINY
from train_gpt_style.soup_student.features import scan as student_scan
from train_gpt_style.soup_student.features.align import Queue

SEED, WIDTHS, ROWS = 3, [6, 9, 5], 11


def dot(a, b):
    return sum(x * y for x, y in zip(a.tolist(), b.tolist(), strict=True))


@pytest.fixture
def soup():
    from train_gpt_style.soup import SYSTEM

    torch.manual_seed(1)
    return build_model(SYSTEM.read(TINY), Context({}), WIDTHS, 3)


@pytest.fixture
def features():
    return [gaussian(ROWS, width, width).float() for width in WIDTHS]


def embedding_of(soup, features, without=None):
    """By the projectors themselves, as a call of the soup."""
    pairs = zip(soup.projectors, features, strict=True)
    parts = [p(x) for i, (p, x) in enumerate(pairs) if i != without]
    return unit(sum(parts) / len(parts)).detach()


def shape_of(found, rows):
    """What both scans say of a cloud."""
    assert found["effective_dimension"] == pytest.approx(effective_dimension(rows), rel=1e-5)
    for k, share in energy_shares(rows, (5, 20)).items():
        assert found[f"top_{k}"] == pytest.approx(share, rel=1e-5)
    cosines = [dot(a, b) for a, b in itertools.permutations(rows, 2)]
    assert found["self_similarity"] == pytest.approx(statistics.fmean(cosines), abs=1e-6)
    assert found["self_similarity_sd"] == pytest.approx(statistics.pstdev(cosines), rel=1e-5)
    cv, volume = cv_metric(rows, torch.Generator().manual_seed(SEED), 200)
    assert found["cv"] == pytest.approx(cv, rel=1e-4)
    assert found["mean_volume"] == pytest.approx(volume, rel=1e-4)
    assert cv > 0


def use_of(found, rows, anchors):
    """What both scans say of the use of anchors."""
    nearest = [max(range(len(anchors)), key=lambda a: dot(row, anchors[a])) for row in rows]
    shares = [nearest.count(a) / len(rows) for a in range(len(anchors))]
    assert found["active"] == sum(share > 0 for share in shares)
    assert 1 < found["active"] < len(anchors)
    assert found["anchors"] == len(anchors)
    entropy = -sum(p * math.log(p) for p in shares if p)
    assert found["entropy_percent"] == pytest.approx(100 * entropy / math.log(len(anchors)))
    assert found["collapse"] == []
    apart = sum(abs(p - q) for p, q in itertools.product(shares, repeat=2))
    assert found["gini"] == pytest.approx(apart / (2 * len(anchors)))


def test_what_a_scan_of_the_soup_says(soup, features):
    found = soup_scan.scan(soup, features, seed=SEED)
    rows = embedding_of(soup, features)
    anchors = unit(soup.readout.constellation.anchors.detach())
    shape_of(found, rows)
    use_of(found, rows, anchors)
    cosines = [sorted((dot(row, a) for a in anchors), reverse=True) for row in rows]
    assert found["nearest"] == pytest.approx(1 - statistics.fmean(c[0] for c in cosines), abs=1e-5)
    assert found["next"] == pytest.approx(1 - statistics.fmean(c[1] for c in cosines), abs=1e-5)
    near = statistics.fmean(sum(c > 0.5 for c in each) for each in cosines)
    assert found["near_anchors"] == pytest.approx(near)
    for i in range(3):
        other = embedding_of(soup, features, without=i)
        moved = 1 - statistics.fmean(map(dot, other, rows))
        assert found["uniqueness"][i] == pytest.approx(moved, abs=1e-5)
    assert "cos_consensus" not in found


def test_a_scan_holds_the_embedding_against_the_consensus(soup, features):
    rows = embedding_of(soup, features)
    consensus = unit(rows + 0.4 * gaussian(*rows.shape, 8).float())
    found = soup_scan.scan(soup, features, consensus, SEED)
    expected = statistics.fmean(map(dot, rows, consensus))
    assert found["cos_consensus"] == pytest.approx(expected, abs=1e-5)
    first = [
        all(dot(rows[i], consensus[i]) > dot(rows[i], c) for j, c in enumerate(consensus) if j != i)
        for i in range(ROWS)
    ]
    assert found["r1_consensus"] == pytest.approx(statistics.fmean(first))
    assert 0 < found["r1_consensus"] < 1


def test_one_expert_is_as_unique_as_can_be_and_one_anchor_is_collapse(features):
    from train_gpt_style.soup import SYSTEM

    one = {**TINY, "N_EXPERTS": "1", "N_ANCHORS": "1", "N_COMP": "1"}
    soup = build_model(SYSTEM.read(one), Context({}), WIDTHS[:1], 3)
    found = soup_scan.scan(soup, features[:1], seed=SEED)
    assert "uniqueness" not in found
    assert found["next"] == found["nearest"]
    assert any("1 of 1 anchors" in words for words in found["collapse"])


def test_what_a_scan_of_the_student_says():
    rows, anchors = unit(gaussian(ROWS, 6, 2)).float(), 3 * gaussian(6, 6, 4).float()
    assert "active" not in student_scan.scan(rows, seed=SEED)
    found = student_scan.scan(rows, anchors, SEED)
    shape_of(found, rows)
    use_of(found, rows, unit(anchors))


@pytest.mark.parametrize(("system", "epochs"), [("soup", "SOUP_EPOCHS"), ("student", "EPOCHS")])
def test_a_scan_comes_at_its_cadence_and_at_the_end(perform, system, epochs):
    run = perform(system, **{"SCAN_EVERY": "2", epochs: "5"})
    lines = run.lines("scan.jsonl")
    assert [line["epoch"] for line in lines] == [2, 4, 5]
    assert len({line["step"] / line["epoch"] for line in lines}) == 1


def test_the_students_scan_tells_the_cv_of_its_targets(perform, images):
    from safetensors.torch import load_file

    (*_, last) = perform("student", SCAN_EVERY="1").lines("scan.jsonl")
    targets = unit(load_file(images["TARGETS"])["val"])
    seed = 1234
    cv, _ = cv_metric(targets, torch.Generator().manual_seed(seed), 200)
    assert last["cv_targets"] == pytest.approx(cv, rel=1e-6)


def test_a_queue_keeps_the_newest_rows_oldest_first():
    queue = Queue(5, 2, 3, whiten=False)
    batches = [torch.full((2, 2), float(i)) for i in range(1, 5)]
    for batch in batches[:2]:
        queue.push(batch, -batch)
    assert queue.embeddings[:, 0].tolist() == [0, 1, 1, 2, 2]
    assert (int(queue.filled), int(queue.steps), int(queue.fitted)) == (4, 2, 0)
    queue.push(batches[2], -batches[2])
    assert queue.targets[:, 1].tolist() == [-1, -2, -2, -3, -3]
    assert (int(queue.filled), int(queue.fitted)) == (5, 1)
    queue.push(torch.arange(14.0).view(7, 2), torch.zeros(7, 2))
    assert queue.embeddings[:, 0].tolist() == [4, 6, 8, 10, 12]
