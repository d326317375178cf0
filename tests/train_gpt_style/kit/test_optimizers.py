"""pytest tests/train_gpt_style/kit/test_optimizers.py — what optimizers tell a checkpoint."""

import pytest
import torch

from goldenseal.errors import UsageError
from train_gpt_style.kit import checkpoints, resuming


def stepped(make, steps=2):
    """An optimizer of two matrices, each moved so often."""
    params = [torch.nn.Parameter(torch.ones(2, 3)), torch.nn.Parameter(torch.ones(3))]
    optimizer = make(params)
    for _ in range(steps):
        sum((p * p).sum() for p in params).backward()
        optimizer.step()
    return optimizer


class Counting(torch.optim.SGD):
    """Momentum, and a number of its own."""

    def __init__(self, params):
        super().__init__(params, lr=0.1, momentum=0.5)
        self.count = 0

    def step(self, closure=None):
        self.count += 1
        return super().step(closure)

    def kept_for(self, p):
        return {"momentum_buffer": p}

    def own_state(self):
        return {"count": torch.tensor(self.count)}

    def put_own_state(self, found):
        self.count = found["count"].item()


@pytest.mark.parametrize("fused", [False, True])
def test_what_torchs_adam_keeps_is_known(fused):
    adam = stepped(lambda params: torch.optim.Adam(params, fused=fused))
    found = resuming.optimizer_tensors({"all": adam}, 0, 1)
    checkpoints.check_tensors(found, resuming.expected_tensors({"all": adam}), "here")
    assert len(found) == 6


def test_what_an_optimizer_tells_is_kept_and_put_back():
    optimizers = {"all": stepped(Counting)}
    found = resuming.optimizer_tensors(optimizers, 0, 1)
    assert set(found) == {"all.0.momentum_buffer", "all.1.momentum_buffer", "all.count"}
    other = {"all": stepped(Counting, 0)}
    checkpoints.check_tensors(found, resuming.expected_tensors(other), "here")
    resuming.put_optimizers_back(other, found, 0, 1)
    assert other["all"].count == 2
    back = resuming.optimizer_tensors(other, 0, 1)
    assert all(torch.equal(t, found[name]) for name, t in back.items())


def test_parameters_are_numbered_over_all_groups_as_torch_does():
    p, q = (torch.nn.Parameter(torch.ones(n)) for n in (2, 3))
    adam = torch.optim.Adam([{"params": [p]}, {"params": [q]}])
    assert [(i, each.numel()) for i, each in resuming.parameters_of(adam)] == [(0, 2), (1, 3)]


@pytest.mark.parametrize(
    "make",
    [
        lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.5),
        lambda params: torch.optim.Adam(params, amsgrad=True),
    ],
    ids=["momentum", "amsgrad"],
)
def test_state_that_is_not_told_stops_the_run_at_its_first_checkpoint(make):
    with pytest.raises(UsageError, match=r"an optimizer keeps all\.0\.m\w+ and does not tell"):
        resuming.optimizer_tensors({"all": stepped(make)}, 0, 1)
