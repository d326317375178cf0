"""Scan a checkpoint: eight scans, a diagnosis, and on request a page with pictures.

    DATA_DIR=images python -m train_gpt_style.dual_stream scan checkpoints
    python -m train_gpt_style.dual_stream scan checkpoints/step-00000100 --json
    python -m train_gpt_style.dual_stream scan checkpoints --html scan.html

CHECKPOINT is a folder that CHECKPOINT_EVERY wrote, or the folder that holds several: the newest
whole one is taken. Its settings are its own; the images are validation images of DATA_DIR, evenly
over the split, or the synthetic ones of its seed if it was trained on such.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import torch

from goldenseal.disk import canonical
from goldenseal.errors import UsageError
from train_gpt_style.dual_stream import SYSTEM
from train_gpt_style.dual_stream.data import load_data, scaled
from train_gpt_style.dual_stream.gallery import Gallery, evenly
from train_gpt_style.dual_stream.model import build_model
from train_gpt_style.dual_stream.scans import scan
from train_gpt_style.dual_stream.tools.words import text_of
from train_gpt_style.dual_stream.watch import Watched
from train_gpt_style.kit import checkpoints
from train_gpt_style.kit.context import Context

CHUNK = 256  # images a forward pass


def opened(path):
    """(path, files) of a checkpoint, or of the newest whole one in a folder; else UsageError."""
    path = Path(path)
    if (path / checkpoints.MANIFEST).is_file():
        return path, checkpoints.read(path)
    found = checkpoints.newest_good(path, lambda problem: print(problem, file=sys.stderr))
    if found is None:
        raise UsageError(f"{path}: no checkpoint, and none in it: a folder step-00000001, say")
    return found


def settings_of(files, path, environ):
    """(settings, state): the checkpoint's own, with the caller's DATA_DIR.

    Raises UsageError, also when the run had data and the caller names none: noise tells nothing.
    """
    state = canonical.loads(files[checkpoints.STATE], f"{path}/{checkpoints.STATE}")
    knobs = state.get("knobs") if isinstance(state, dict) else None
    if not isinstance(knobs, dict) or not all(isinstance(v, str) for v in knobs.values()):
        raise UsageError(f"{path}/{checkpoints.STATE}: no state of a run")
    if state.get("data") and not environ.get("DATA_DIR"):
        raise UsageError(f"{path}: its run had images: set DATA_DIR to the folder that holds them")
    return SYSTEM.read({**knobs, "DATA_DIR": environ.get("DATA_DIR", "")}), state


def scanned(path, environ, images=512):
    """The scans of a checkpoint as JSON. Raises UsageError, one line, for what does not fit."""
    path, files = opened(path)
    settings, state = settings_of(files, path, environ)
    _, split = load_data(settings)
    with Context({}) as ctx:
        model = build_model(settings, ctx).eval()
        where = f"{path}/model.safetensors"
        tensors = checkpoints.tensors(files["model.safetensors"], where)
        checkpoints.check_tensors(tensors, model.state_dict(), where)
        model.load_state_dict(tensors)
        chosen = evenly(images, len(split))
        gallery = Gallery(len(chosen), len(chosen))
        with torch.no_grad():
            for places in chosen.split(CHUNK):
                model(scaled(split.images(places)).to(ctx.device))
                gallery.add(model, split.labels[places])
    watched = state.get("observers", {}).get("scan", {}).get("watched")
    found = scan(model, gallery, None if watched is None else Watched(model, watched).found())
    return {"checkpoint": path.name, "step": state.get("step"), "data": split.kind, **found}


def main(arguments):
    """Print the scans; write the page."""
    parser = argparse.ArgumentParser(
        prog=sys.argv[0],
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkpoint", metavar="CHECKPOINT")
    parser.add_argument("--images", type=int, default=512, help="validation images at most")
    parser.add_argument("--json", action="store_true", help="everything, for programs")
    parser.add_argument(
        *("--html",),
        type=Path,
        nargs="?",
        const=Path("scan.html"),
        metavar="FILE",
        help="write a page with pictures; by default scan.html",
    )
    options = parser.parse_args(arguments)
    if options.images < 2:
        raise UsageError(f"--images {options.images}: at least 2")
    found = scanned(options.checkpoint, os.environ, options.images)
    print(json.dumps(found, indent=1) if options.json else text_of(found))
    if options.html:
        from train_gpt_style.dual_stream.tools.page import page

        options.html.write_text(page(found), encoding="utf-8")
