"""`python -m train_gpt_style.soup.targets`: what a trained soup gives for each image, as a table.

    python -m train_gpt_style.soup.targets final_model.safetensors data/experts/tables \\
      -o targets.safetensors

A student learns these rows (train_gpt_style.soup_student, TARGETS), and is given the soup's weights
as SOUP. The table names the digests of soup, experts and images: one of others that is in the way
is refused, and so is it by the student.
"""

import argparse
import sys
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from goldenseal.digest import tensor_digest
from goldenseal.disk.files import atomic_write
from goldenseal.errors import GoldensealError, UsageError
from train_gpt_style.kit.data.write_table import table_bytes
from train_gpt_style.kit.tables import Table
from train_gpt_style.soup.data import load_tables
from train_gpt_style.soup.model import Soup

BATCH = 1024
ODD = KeyError, IndexError, TypeError, ValueError, RuntimeError, ZeroDivisionError, UsageError


def soup_in(path):
    """(the soup in evaluation mode, its digest) of its weights. Raises UsageError if none."""
    try:
        state = safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError) as error:
        raise UsageError(f"{path}: no safetensors file: {str(error).splitlines()[0]}") from None
    try:
        count = sum(name.endswith("linear.weight") for name in state)
        shapes = [state[f"projectors.{i}.linear.weight"].shape for i in range(count)]
        anchors, inner = state["readout.constellation.anchors"], len(state["readout.norm.weight"])
        width = len(state["readout.patchwork.parts.0.norm.weight"])
        classes = len(state["readout.down.weight"])
        sizes = anchors.shape[1], len(anchors), inner // width, width, classes
        soup = Soup([shape[1] for shape in shapes], *sizes)
        soup.load_state_dict(state, strict=True)
    except ODD as error:
        raise UsageError(f"{path}: no soup: {str(error).splitlines()[0]}") from None
    return soup.eval().requires_grad_(False), tensor_digest(state)


def embedded(soup, split):
    """The embedding (N, O) of a split's rows."""
    rows = torch.arange(len(split)).split(BATCH)
    return torch.cat([soup.embed(split.batch(part, "cpu")[0]) for part in rows])


def make(weights, tables, out):
    """Write the targets, unless they are there; True when they were written.

    Raises UsageError for tables that the soup was not made for, and for other targets in the way.
    """
    soup, digest = soup_in(weights)
    data = load_tables(tables, len(soup.projectors), names="")
    widths = [p.linear.in_features for p in soup.projectors]
    if data.widths != widths:
        raise UsageError(f"{tables}: experts of {data.widths} columns, the soup's have {widths}")
    seen = {f"{split} {i}": rows for split in ("train", "val") for i, rows in rows_of(data, split)}
    about = {"images": data.images, "soup": digest, "experts": tensor_digest(seen)}
    if Path(out).is_file():
        told = Table(out).about
        if any(told.get(name) != value for name, value in about.items()):
            raise UsageError(f"{out}: targets of another soup, experts or images: move them away")
        return False
    atomic_write(
        Path(out), table_bytes(*(embedded(soup, s) for s in (data.train, data.val)), about)
    )
    return True


def rows_of(data, split):
    """(place, rows) of each expert in a split."""
    return enumerate(getattr(data, split).features)


def main(arguments=None):
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m train_gpt_style.soup.targets")
    parser.add_argument("weights", help="final_model.safetensors of a soup")
    parser.add_argument("tables", help="the folder of tables that it was trained on")
    parser.add_argument("-o", "--out", required=True, help="the table to write")
    options = parser.parse_args(arguments)
    try:
        made = make(options.weights, options.tables, options.out)
    except (GoldensealError, OSError) as error:
        print(f"targets: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 2)
    print(f"{options.out}: {'written' if made else 'is there already, of this soup'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
