"""pytest tests/train_gpt_style/kit/test_finite.py — the guard that looks before each update."""

from types import SimpleNamespace

import pytest
import torch

from goldenseal.errors import ContradictedError
from train_gpt_style.kit import checkpoints
from train_gpt_style.kit.features import finite

ALONE = SimpleNamespace(world_size=1, device="cpu")
LOSS = torch.tensor(1.0)


@pytest.fixture
def model():
    """A weight and a bias with gradients, and a frozen layer without."""
    model = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Linear(1, 1).requires_grad_(False))
    model(torch.ones(1, 2)).sum().backward()
    return model


def stopped(model, loss=LOSS, ctx=ALONE, step=6, **settings):
    """What the guard says; None where it lets the update be."""
    settings = SimpleNamespace(**{"checkpoint_every": 0, **settings})
    try:
        finite.Finite({}).before_update(settings, model, ctx, step, loss)
    except ContradictedError as error:
        return str(error)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("place", ["train loss", "gradient of 0.weight", "gradient of 0.bias"])
def test_the_first_that_is_not_finite_is_named(model, bad, place):
    assert stopped(model) is None
    loss = LOSS
    if place == "train loss":
        loss = torch.tensor(bad)
        model[0].bias.grad += bad
    else:
        getattr(model[0], place.rpartition(".")[2]).grad[..., -1] = bad
    assert stopped(model, loss) == (
        f"step 7: {place} is not finite; no weight was moved; "
        "last good checkpoint: none, CHECKPOINT_EVERY=0"
    )


@pytest.mark.parametrize(
    ("theirs", "place"), [(0, "train loss"), (2, "gradient of 0.bias"), (3, None)]
)
def test_all_ranks_stop_at_the_first_of_any(model, monkeypatch, theirs, place):
    def all_reduce(t, op):
        assert op == "the least"
        t.fill_(min(int(t), theirs))

    op = SimpleNamespace(MIN="the least")
    monkeypatch.setattr(finite, "dist", SimpleNamespace(all_reduce=all_reduce, ReduceOp=op))
    said = stopped(model, ctx=SimpleNamespace(world_size=2, device="cpu"))
    assert said is None if place is None else f"step 7: {place} is not finite" in said


def test_the_last_good_checkpoint_is_told(model, tmp_path):
    files = dict.fromkeys(checkpoints.FILES, b"")

    def words():
        said = stopped(
            model, LOSS / 0, checkpoint_every=1, checkpoint_dir=tmp_path, get=lambda *name: ""
        )
        return said.rpartition("last good checkpoint: ")[2]

    assert words() == "none yet"
    for step in (1, 2):
        checkpoints.write(tmp_path, step, files, keep=2)
    assert words() == str(tmp_path / "step-00000002")
    (tmp_path / "step-00000002" / "manifest.json").unlink()
    assert words() == str(tmp_path / "step-00000001")
    (tmp_path / "step-00000001" / "manifest.json").unlink()
    assert words() == "none that is whole"
