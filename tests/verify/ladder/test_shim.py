"""pytest tests/verify/ladder/test_shim.py — the CPU that answers calls for CUDA."""

import torch
import torch.distributed as dist

from goldenseal.ladder.shim import answered_by_cpu


def test_a_device_that_is_given_by_its_number_is_the_cpu():
    """As `model.to(rank)`; a number that is no device stays what it is."""
    answered = []
    with answered_by_cpu(answered):
        moved = [
            torch.nn.Linear(2, 2).to(0).weight,
            torch.nn.Linear(2, 2, device=1).weight,
            torch.ones(2).to(0),
            torch.ones(2).to(1, torch.float64),
            torch.zeros(2, device=0),
        ]
        assert torch.ones(2, 3).sum(0).shape == (3,)
    assert {each.device.type for each in moved} == {"cpu"}
    assert moved[3].dtype == torch.float64
    assert answered


def test_ranks_that_name_their_gpu_train_without_one():
    answered = []
    with answered_by_cpu(answered):
        dist.init_process_group("nccl", store=dist.HashStore(), rank=0, world_size=1)
        try:
            for given in ({"device_ids": [0], "output_device": 0}, {}):
                net = torch.nn.parallel.DistributedDataParallel(
                    torch.nn.Linear(2, 2).to(0), **given
                )
                net(torch.ones(1, 2)).sum().backward()
            by_place = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 2), [0])
        finally:
            dist.destroy_process_group()
    assert net.module.weight.grad is not None
    assert by_place.device_ids is None
    assert "GPUs of DistributedDataParallel" in answered


def test_a_generator_is_still_a_class():
    """Libraries that are imported later write it into annotations, and ask for it."""
    with answered_by_cpu([]):
        made = torch.Generator("cuda").manual_seed(3)
        assert made.device.type == "cpu"
        assert isinstance(made, torch.Generator)
        assert not isinstance(3, torch.Generator)
        assert torch.Generator | None
