"""The file of a table, as `kit.tables` reads it.

Shape letters: N rows, C classes.
"""

import safetensors.torch
import torch


def table_bytes(train, val, about):
    """The file of a table: tensors and the text about them."""
    tensors = {"train": train.contiguous(), "val": val.contiguous()}
    return safetensors.torch.save(tensors, metadata=dict(sorted(about.items())))


def one_hot(labels, classes):
    """(N,) class numbers to (N, C) uint8."""
    return torch.nn.functional.one_hot(labels, classes).to(torch.uint8)
