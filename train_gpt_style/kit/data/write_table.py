"""The file of a table, as `kit.tables` reads it.

Shape letters: N rows, C classes.
"""

import json

import safetensors.torch
import torch


def table_bytes(train, val, about):
    """The file of a table: tensors, and the texts about them as one JSON text.

    One, since safetensors keeps several in no order: equal tables would be different files.
    """
    tensors = {"train": train.contiguous(), "val": val.contiguous()}
    return safetensors.torch.save(tensors, metadata={"about": json.dumps(about, sort_keys=True)})


def one_hot(labels, classes):
    """(N,) class numbers to (N, C) uint8."""
    return torch.nn.functional.one_hot(labels, classes).to(torch.uint8)
