"""pytest tests/train_gpt_style/dual_stream/test_dual_gal.py — the arbitration, from empty."""

import pytest
import torch

from train_gpt_style.dual_stream.gal import centroids, moved
from train_gpt_style.dual_stream.losses import loss_and_facts
from train_gpt_style.geometry.anchors import unit

ON = {"GAL_ENABLE": "1", "GAL_BUFFER": "60", "GAL_ANCHORS": "3"}


def batch(seed, rows=12):
    generator = torch.Generator().manual_seed(seed)
    views = torch.randn(2 * rows, 3, 8, 8, generator=generator)
    return views, torch.randint(2, (rows,), generator=generator)


def pushed(model, seed):
    """One step's rows come in; the facts of it."""
    _, facts = loss_and_facts(model, *batch(seed), step=seed)
    gal, seen = model.extras["gal"], facts["seen"]
    geo, b = facts["seen_gal"]
    gal.push(geo, seen.out.emb, b, seen.y)
    gal.refit(0.25, False)
    return facts


def test_from_empty_there_is_no_anchor_and_no_loss_until_a_fit_means_something(model_of):
    model = model_of(**ON)
    gal = model.extras["gal"]
    assert gal.least == 48
    for seed in (1, 2):
        assert int(gal.known) == 0
        facts = pushed(model, seed)
        assert float(facts["gal"]) == 0
        assert float(facts["tower_ce"].detach()) > 0
    assert int(gal.kept) == 48
    labels = gal.labels[:48]
    assert gal.anchors[: int(gal.known)].equal(centroids(gal.geo[:48], labels))
    facts = pushed(model, 3)
    assert float(facts["gal"].detach()) > 0
    assert -1 <= float(facts["gal_cos_a"]) <= 1
    assert int(gal.kept) == 60
    assert int(gal.known) <= 3


def test_it_learns_from_the_towers_and_guides_them_once_its_queue_was_full(model_of):
    model = model_of(**ON)
    gal = model.extras["gal"]
    for seed in (1, 2):
        pushed(model, seed)
    arbiter = {id(p) for p in gal.arbiter.parameters()}
    towers = {n: p for n, p in model.named_parameters() if id(p) not in arbiter}

    def reached():
        _, facts = loss_and_facts(model, *batch(9), step=9)
        grads = torch.autograd.grad(facts["gal"], list(towers.values()), allow_unused=True)
        pairs = zip(towers, grads, strict=True)
        return {n for n, g in pairs if g is not None and float(g.abs().max()) > 0}

    assert not gal.guides
    assert reached() == set()
    pushed(model, 3)
    assert gal.guides
    assert {"joint.output_proj.0.weight", "dual.0.geo.simplex.deform.weight"} <= reached()


def test_anchors_turn_towards_their_centroids_and_stay_on_the_sphere():
    anchors = torch.eye(3)
    targets = unit(anchors + 0.2 * torch.tensor([[0.0, 1, 0], [-1, 0, 0], [0, 0, 0]]))
    stepped = moved(anchors, targets, 0.5)
    assert torch.allclose(stepped.norm(dim=1), torch.ones(3))
    assert ((stepped * targets).sum(dim=1) >= (anchors * targets).sum(dim=1) - 1e-6).all()
    assert moved(anchors, targets, 0.0).equal(anchors)


def test_centroids_become_anchors_where_there_is_none_or_none_is_near():
    targets = torch.eye(3)
    assert moved(torch.zeros(0, 3), targets, 0.5).equal(targets)
    grown = moved(targets[:1], targets, 0.25)
    assert grown.shape == (3, 3)
    assert grown[1:].equal(targets[1:])


def test_the_queue_keeps_the_newest_rows(model_of):
    gal = model_of(**ON).extras["gal"]
    for start in range(0, 75, 25):
        rows = torch.arange(start, start + 25).float().unsqueeze(1).expand(25, 6)
        gal.push(rows, rows, rows, torch.arange(start, start + 25))
    assert gal.labels.tolist() == list(range(15, 75))
    assert gal.geo[:, 0].tolist() == list(range(15, 75))
    assert int(gal.seen) == 75
    assert int(gal.steps) == 3


@pytest.mark.parametrize("whiten", [False, True])
def test_its_rotations_take_the_arbiter_to_each_tower(model_of, whiten):
    gal = model_of(**ON).extras["gal"]
    generator = torch.Generator().manual_seed(1)
    geo = unit(torch.randn(60, 6, generator=generator))
    turn = torch.linalg.qr(torch.randn(6, 6, generator=generator))[0]
    gal.push(geo, geo @ turn, -geo, torch.arange(60) % 2)
    gal.refit(0.25, whiten)
    assert torch.allclose(gal.turn_a, turn, atol=1e-4)
    assert [float(c) for c in gal.agreement(geo, geo @ turn, -geo)] == pytest.approx([1, 1])


def test_a_whitened_fit_is_judged_on_whitened_rows(model_of):
    gal = model_of(**ON).extras["gal"]
    generator = torch.Generator().manual_seed(2)
    rows = torch.randn(72, 6, generator=generator)
    a = rows * torch.tensor([4.0, 1, 1, 0.25, 1, 1]) @ torch.linalg.qr(rows[:6])[0] + 3
    gal.push(rows[:60], a[:60], rows[:60] - 2, torch.arange(60) % 2)
    gal.refit(0.25, True)
    cosines = gal.agreement(rows[60:], a[60:], rows[60:] - 2)
    assert [float(c) for c in cosines] == pytest.approx([1, 1], abs=1e-4)
