"""WARM_START: weights of an earlier run to begin with.

Idea: Runs 2, 3 and 7 began with the weights of Run 1; the published Run 7 did not find them and
silently trained from scratch. Here a file that is missing, or of another shape, ends the run before
anything is trained. Parameters that the file lacks, of parts that the earlier run had not, begin as
they would without it; a line says which. Queues and counters are no weights: they begin empty.
Off (empty): every parameter begins fresh.
"""

import hashlib
from pathlib import Path

import torch

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.dual_stream.seams import GatedFeature
from train_gpt_style.kit import checkpoints


def file_of(settings):
    """The file: below the current folder, or below DATA_DIR. Raises UsageError when in neither."""
    found = Path(settings.warm_start)
    for path in (found, Path(settings.data_dir) / found):
        if path.is_file():
            return path
    raise UsageError(
        f"WARM_START={found}: no such file; a final_model.safetensors, or leave it empty to train "
        "from scratch"
    )


class WarmStart(GatedFeature):
    """Fills three seams: the start of a run, the parameters that it begins with, what it says."""

    declaration = Feature(
        name="warm_start",
        summary="begin with the weights of an earlier run",
        master=Knob("WARM_START", str, "", "safetensors file; empty: none", on="warm.safetensors"),
        example={"WARM_START": "warm.safetensors"},
    )

    def prepare(self, ctx, settings):
        """It must be there."""
        file_of(settings)

    def install(self, model, settings):
        """Copy what is in the file. Last of all that install: their parameters may be in it."""
        path = file_of(settings)
        data = path.read_bytes()
        found = checkpoints.tensors(data, str(path))
        own, state = dict(model.named_parameters()), model.state_dict()
        weights = {name: t for name, t in found.items() if name in own or name not in state}
        if not weights:
            raise UsageError(f"{path}: no parameter in it")
        expected = {name: p for name, p in own.items() if name in weights}
        checkpoints.check_tensors(weights, expected, str(path))
        with torch.no_grad():
            for name, t in weights.items():
                own[name].copy_(t)
        digest = hashlib.sha512(data).hexdigest()[:16]
        fresh = sorted({name.partition(".")[0] for name in own if name not in weights})
        taken = f"{len(weights)} of {len(own)} parameters from {settings.warm_start}"
        others = " ".join(fresh) or "none"
        model.warm_start = f"warm start: {taken}, sha512 {digest}; others in: {others}"

    def observer(self, run):
        """None; but a run that begins says what it begins with."""
        if run.start is None:
            run.log(run.model.warm_start)


WARM_START = WarmStart()
