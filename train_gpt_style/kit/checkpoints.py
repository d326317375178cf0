"""Checkpoints: folders that are whole or not there, and what a run needs to go on from one.

    CHECKPOINT_DIR/[RUN_ID/]step-00000100/
        model.safetensors         the weights
        optimizers.safetensors    GROUP.INDEX.KEY of every optimizer, all ranks' shares together
        rng.safetensors           where torch's generators stand
        state.json                step, clock, place in the data, in the logs; what the run is
        manifest.json             bytes and SHA-512 of each other file; written last

Everything is written into `.step-….partial`, which is then renamed. Nothing is ever unpickled.
"""

import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import safetensors
import safetensors.torch
import torch

from goldenseal.disk import canonical
from goldenseal.disk.files import read_small
from goldenseal.errors import UsageError

SCHEMA = 1
MANIFEST, STATE = "manifest.json", "state.json"
FILES = ("model.safetensors", "optimizers.safetensors", "rng.safetensors", STATE)


def folder_of(settings):
    """Where the checkpoints of this run lie."""
    return Path(settings.checkpoint_dir) / settings.get("RUN_ID", "")


def name_of(step):
    """The folder's name, which sorts as the steps do."""
    return f"step-{step:08d}"


def listed(folder):
    """The finished checkpoints in `folder`, good or damaged, the newest first."""
    found = [path for path in folder.glob("step-*") if path.name[5:].isdigit() and path.is_dir()]
    return sorted(found, key=lambda path: int(path.name[5:]), reverse=True)


def write(folder, step, files, keep):
    """Write `files` (bytes by name) as the checkpoint of `step`; then drop all but `keep`.

    Raises OSError, and leaves the earlier checkpoints as they are, when the disk does not take it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clear_partial(folder)
    partial, final = folder / f".{name_of(step)}.partial", folder / name_of(step)
    try:
        partial.mkdir()
        manifest = {}
        for name, data in files.items():
            write_synced(partial / name, data)
            manifest[name] = {"bytes": len(data), "sha512": hashlib.sha512(data).hexdigest()}
        whole = canonical.dumps({"schema": SCHEMA, "files": manifest})
        write_synced(partial / MANIFEST, whole)
        sync_folder(partial)
        if final.exists():  # damaged, or of another attempt
            retire(final)
        os.rename(partial, final)
        sync_folder(folder)
    except OSError:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    for old in listed(folder)[keep:]:
        retire(old)


def retire(path):
    """Remove a checkpoint, such that no half of it can be taken for a whole one."""
    gone = path.with_name(f".{path.name}.retired.partial")
    os.rename(path, gone)
    shutil.rmtree(gone)


def clear_partial(folder):
    """Remove what an interrupted write left behind."""
    for path in sorted(folder.glob(".step-*.partial")):
        shutil.rmtree(path)


def write_synced(path, data):
    """Write a file through to the disk."""
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path):
    """Make the folder's entries last."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path):
    """The files of a checkpoint, bytes by name, each as its manifest says.

    Raises UsageError, one line, when one is missing, cut short, edited or not in the manifest.
    """
    manifest = canonical.read(path / MANIFEST, f"{path}/{MANIFEST}")
    entries = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(entries, dict) or manifest.get("schema") != SCHEMA:
        raise UsageError(f"{path}/{MANIFEST}: not the manifest of a checkpoint, schema {SCHEMA}")
    present = {entry.name for entry in path.iterdir()}
    for name in sorted({*FILES, *entries, MANIFEST} ^ present | (set(FILES) ^ set(entries))):
        raise UsageError(f"{path}/{name}: missing, or not a file of a checkpoint")
    files = {}
    for name, entry in sorted(entries.items()):
        size = (path / name).lstat().st_size
        if not isinstance(entry, dict) or entry.get("bytes") != size:
            raise UsageError(f"{path}/{name}: {size} bytes, its manifest says otherwise")
        data = read_small(path / name, size)
        if entry.get("sha512") != hashlib.sha512(data).hexdigest():
            raise UsageError(f"{path}/{name}: its bytes are not those of its manifest")
        files[name] = data
    return files


def newest_good(folder, say):
    """(path, files) of the newest undamaged checkpoint; None when there is no checkpoint at all.

    `say` is told of each damaged one that is passed over: the run from an earlier one takes the
    same steps again. Raises UsageError when all are damaged.
    """
    problems = []
    for path in listed(folder):
        try:
            files = read(path)
        except UsageError as error:
            problems.append(str(error))
            continue
        for problem in problems:
            say(f"{problem}; going back to {path.name}")
        return path, files
    if problems:
        raise UsageError(
            f"{problems[0]}; no other checkpoint is whole: "
            "move them away, or give another CHECKPOINT_DIR"
        )


def tensors(data, where):
    """The tensors of a safetensors file. Raises UsageError when it is none."""
    try:
        return safetensors.torch.load(data)
    except safetensors.SafetensorError as error:
        raise UsageError(f"{where}: no safetensors file: {str(error).splitlines()[0]}") from None


def check_tensors(found, expected, where):
    """Raise UsageError, naming the first, unless names, shapes and dtypes are the expected ones."""
    for name in sorted(set(found) ^ set(expected)):
        reason = "is missing" if name in expected else "is not of this run"
        raise UsageError(f"{where}: {name} {reason}")
    for name in sorted(found):
        ours, theirs = ((tuple(t.shape), t.dtype) for t in (expected[name], found[name]))
        if ours != theirs:
            raise UsageError(
                f"{where}: {name} is {theirs[1]} {theirs[0]}, in this run {ours[1]} {ours[0]}"
            )


def first_not_finite(named):
    """The name of the first tensor with a NaN or an infinity; None when there is none."""
    for name, t in sorted(named.items()):
        wide = t.float() if t.dtype is torch.bfloat16 else t  # numpy has no bfloat16
        # By numpy: torch's own test is no operation that the portable lane covers.
        if not np.isfinite(wide.detach().cpu().numpy()).all():
            return name
