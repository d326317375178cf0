"""pytest tests/train_gpt_style/dual_stream/test_dual_scan_values.py

Every number of a scan by a second way: loops over plain numbers, on a cloud of a few rows.
"""

import itertools
import math
import statistics
from types import SimpleNamespace

import pytest
import torch

from tests.train_gpt_style.geometry.clouds import gaussian
from train_gpt_style.dual_stream import scans
from train_gpt_style.dual_stream.data import own_generator
from train_gpt_style.dual_stream.features.mastery import QUEUE_ADAPT
from train_gpt_style.dual_stream.gallery import Gallery
from train_gpt_style.geometry import clouds
from train_gpt_style.geometry.anchors import unit
from train_gpt_style.geometry.sphere import uniform_cv
from train_gpt_style.geometry.spread import counted_cv
from train_gpt_style.kit.context import Context

LABELS = torch.tensor([0, 1, 0, 2, 1, 0, 2, 0, 1, 2, 0, 1, 0] * 3)[:35]
ROWS = unit(gaussian(len(LABELS), 6, 3))
SEED = 5


def dot(a, b):
    return sum(x * y for x, y in zip(a.tolist(), b.tolist(), strict=True))


def test_a_marked_cv_stands_beside_what_uniform_clouds_have():
    found = scans.marked_cv(ROWS, 300, 2, SEED)
    cv, volume, count = counted_cv(ROWS, own_generator(SEED, 0, 18), 300)
    assert (found["cv"], found["mean_volume"], found["positive"]) == (cv, volume, f"{count}/300")
    assert found["rows"] == 35
    assert found["uniform"] == uniform_cv(6)
    assert found["effective_dimension"] == clouds.effective_dimension(ROWS)
    assert found["uniform_effective"] == uniform_cv(found["effective_dimension"])
    assert uniform_cv(found["like"]) == pytest.approx(cv)
    assert not found["in_band"]
    assert found["cv"] > scans.BAND_HIGH


@pytest.mark.parametrize(
    ("cv", "inside"), [(0.20, True), (0.23, True), (0.1999, False), (0.2301, False)]
)
def test_the_band_has_both_its_ends(monkeypatch, cv, inside):
    monkeypatch.setattr(scans, "counted_cv", lambda *_: (cv, 1.0, 9))
    assert scans.marked_cv(ROWS, 9, 0, SEED)["in_band"] is inside


def test_the_health_of_embeddings():
    found = scans.health({"emb": 2 * ROWS}, SEED)
    cosines = [dot(a, b) for a, b in itertools.permutations(ROWS, 2)]
    assert found["self_similarity"] == pytest.approx(statistics.fmean(cosines))
    assert found["self_similarity_sd"] == pytest.approx(statistics.pstdev(cosines))
    energies = [s * s for s in found["spectrum"]]
    assert sum(energies) == pytest.approx(float((2 * ROWS - (2 * ROWS).mean(0)).square().sum()))
    assert found["energy_top"]["3"] == pytest.approx(sum(energies[:3]) / sum(energies))
    assert found["energy_top"]["50"] == 1
    assert found["norm_error"] == pytest.approx(1)
    assert found["finite"] is True
    assert found["positive"].endswith("/500")


def test_the_use_of_anchors():
    found = scans.usage(torch.tensor([[0, 3], [3, 3]]), 5)
    assert found["counts"] == [1, 0, 0, 3, 0]
    assert (found["active"], found["anchors"]) == (2, 5)
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert found["entropy"] == pytest.approx(100 * entropy / math.log(5))
    assert found["gini"] == pytest.approx((2 * 0.25 + 4 * 0.75) / 5)


def test_the_use_of_anchors_by_tokens_and_a_cloud_of_tokens_of_all_images():
    nearest = torch.tensor([[0, 0, 1], [2, 1, 0], [1, 1, 1]])
    tokens = unit(gaussian(9, 6, 4)).view(3, 3, 6)
    found = scans.patch_usage({"patch_nearest": nearest, "patch": tokens}, 4, SEED)
    assert found["per_image"] == 2
    assert found["counts"] == [3, 5, 1, 0]
    assert found["cv_rows"] == 9
    assert found["cv_cv"] == counted_cv(tokens.flatten(0, 1), own_generator(SEED, 0, 17), 500)[0]
    many = torch.ones(2, 600, 6) / math.sqrt(6)
    more = scans.patch_usage({"patch_nearest": torch.zeros(2, 600).long(), "patch": many}, 4, SEED)
    assert more["cv_rows"] == 600  # every second of 1200


def test_simplex_channels_by_block():
    raw = torch.arange(2 * 2 * 3 * 11, dtype=torch.float64).view(2, 2, 3, 11).sin()
    found = scans.simplices({"raw": raw})
    for block in range(2):
        volumes = raw[:, block, :, 10].flatten().tolist()
        assert found["valid"][block] == pytest.approx(sum(v >= 0 for v in volumes) / 6)
        assert found["mean_volume2"][block] == pytest.approx(statistics.fmean(volumes))
        channels = raw[:, block].flatten(0, 1).T.tolist()
        spread = statistics.fmean(map(statistics.pvariance, channels))
        assert found["feature_variance"][block] == pytest.approx(spread)
    assert scans.simplices({"raw": torch.zeros(2, 1, 3, 11)})["valid"] == [1]


def test_anchors_as_a_cloud():
    found = scans.anchor_geometry({"directions": ROWS}, SEED)
    cosines = [dot(a, b) for a, b in itertools.permutations(ROWS, 2)]
    assert found["self_similarity"] == pytest.approx(statistics.fmean(cosines))
    assert found["self_similarity_sd"] == pytest.approx(statistics.pstdev(cosines))
    assert found["cv"] == counted_cv(ROWS, own_generator(SEED, 0, 18), 200)[0]


def test_the_structure_of_classes():
    found = scans.class_structure({"emb": ROWS}, LABELS, SEED)
    places = range(len(ROWS))
    cosine = {(i, j): dot(ROWS[i], ROWS[j]) for i, j in itertools.permutations(places, 2)}
    nearest = [max((j for j in places if j != i), key=lambda j: cosine[i, j]) for i in places]
    right = [bool(LABELS[i] == LABELS[j]) for i, j in enumerate(nearest)]
    assert found["one_nn"] == pytest.approx(statistics.fmean(right))
    assert 0 < found["one_nn"] < 0.5  # so that right and wrong are told apart
    own = [c for (i, j), c in cosine.items() if LABELS[i] == LABELS[j]]
    other = [c for (i, j), c in cosine.items() if LABELS[i] != LABELS[j]]
    assert found["same_diff_gap"] == pytest.approx(statistics.fmean(own) - statistics.fmean(other))
    middles = unit(torch.stack([ROWS[LABELS == c].mean(dim=0) for c in range(3)]))
    for a, b in itertools.product(range(3), repeat=2):
        expected = dot(middles[a], middles[b])
        assert found["centroid_cosines"][a][b] == pytest.approx(expected)
    pairs = {(a, b): dot(middles[a], middles[b]) for a, b in itertools.combinations(range(3), 2)}
    best = max(pairs, key=lambda pair: pairs[pair])
    assert found["nearest_centroids"]["classes"] == list(best)
    assert found["nearest_centroids"]["cosine"] == pytest.approx(pairs[best])


def test_the_cv_of_classes():
    found = scans.class_structure({"emb": ROWS}, LABELS, SEED)
    assert list(found["classes"]) == ["0", "1", "2"]
    for c in range(3):
        alone = scans.marked_cv(ROWS[LABELS == c], 200, 64 + c, SEED)
        assert found["classes"][str(c)] == alone
    cvs = [each["cv"] for each in found["classes"].values()]
    assert found["cv_mean"] == pytest.approx(statistics.fmean(cvs))
    assert found["cv_sd"] == pytest.approx(statistics.stdev(cvs))
    assert found["cv_range"] == [min(cvs), max(cvs)]
    assert found["in_band"] == sum(scans.BAND_LOW <= cv <= scans.BAND_HIGH for cv in cvs)
    assert found["uniform"] == uniform_cv(6)
    assert found["rows"] == [8, 16]
    own = [e["uniform_effective"] for e in found["classes"].values()]
    assert found["uniform_effective"] == [min(own), max(own)]
    flat = scans.class_structure({"emb": unit(ROWS[:, :3])}, LABELS, SEED)
    assert flat["uniform_effective"] is None
    one = scans.class_structure({"emb": ROWS}, 0 * LABELS, SEED)
    assert (one["cv_sd"], one["nearest_centroids"]) == (0, None)
    assert one["same_diff_gap"] == pytest.approx(
        statistics.fmean(dot(a, b) for a, b in itertools.permutations(ROWS, 2))
    )


def test_what_the_classifier_says():
    logits = torch.tensor([[3.0, 1, 2], [0, 1, 2], [1, 5, 2], [4, 0, 0]])
    found = scans.classification({"logits": logits}, torch.tensor([0, 1, 1, 2]))
    assert found["accuracy"] == 0.5
    assert found["confusion"] == [[1, 0, 0], [0, 1, 1], [1, 0, 0]]


def test_parameters_are_counted_by_the_first_part_of_their_name():
    model = torch.nn.ModuleDict({"a": torch.nn.Linear(3, 2), "b": torch.nn.Linear(2, 2)})
    model["a"].extra = torch.nn.Linear(1, 1)
    assert scans.architecture(model) == {"parameters": 16, "parts": {"a": 10, "b": 6}}


def test_a_gallery_keeps_each_tokens_distances_and_volume_where_they_belong(model_of):
    model, gallery = model_of().eval(), Gallery(3, 3)
    with torch.no_grad():
        model(torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(2)))
    seen = model.seen
    gallery.add(model, torch.tensor([0, 1, 0]))
    raw = gallery.parts["raw"][0]
    images, tokens = seen.simplices[0].volume2.shape
    assert raw.shape == (images, len(seen.simplices), tokens, 11)
    for image, block, token in itertools.product(range(images), range(raw.shape[1]), range(tokens)):
        one = seen.simplices[block]
        expected = torch.cat((one.distances[:, image, token], one.volume2[image, token].view(1)))
        assert torch.equal(raw[image, block, token], expected)


def test_the_gap_of_an_epoch_is_of_its_own_answers_alone(model_of):
    environ = dict(QUEUE_ADAPT.declaration.example)
    model = model_of(**environ)
    queue, said = model.extras["mastery"], []
    queue.count_hits(True)
    assert queue.active

    ctx, seen = Context({}), SimpleNamespace(facts={"correct": 3}, y=torch.zeros(4))
    for epoch in (1, 2):
        QUEUE_ADAPT.after_update(model, ctx, seen)
        QUEUE_ADAPT.after_update(model, ctx, seen)
        QUEUE_ADAPT.after_epoch(model, ctx, said.append, epoch, 0.5)
        assert queue.gaps[-1] == 25
    assert int(queue.gap_count) == 2
