"""What the geometry's tests share: seeded clouds and volumes."""

import torch


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def gaussian(rows, dim, seed=0, dtype=torch.float64):
    return torch.randn(rows, dim, generator=generator(seed), dtype=dtype)


def sphere(rows, dim, seed=0, dtype=torch.float64):
    return torch.nn.functional.normalize(gaussian(rows, dim, seed, dtype), dim=1)
