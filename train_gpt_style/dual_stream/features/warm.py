"""WARM_START: begin from weights of another run, such as final_model.safetensors of Run 1.

Idea (Runs 2, 3, 7): go on from a trained model with more losses. A published run fell back to a
fresh start when its file was not there, and said so nowhere; here what is not there, does not fit
or is not of this model is an error, and what the file does not hold is named in the log.
The path is one from DATA_DIR, beside the data of the run, or absolute.
Off (empty): every weight is drawn.
"""

from pathlib import Path

import torch

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.dual_stream.seams import GatedFeature
from train_gpt_style.kit.checkpoints import tensors


def weights_of(settings):
    """(path, tensors by name) of the file. Raises UsageError when it is not there, or is none."""
    path = Path(settings.data_dir) / settings.warm_start
    if not path.is_file():
        raise UsageError(f"WARM_START={settings.warm_start}: there is no file {path}")
    return path, tensors(path.read_bytes(), path)


def load(model, found, where):
    """Put tensors in the place of the model's; returns the names that keep their own weights.

    Raises UsageError for a tensor of another shape, and for one that the model does not have.
    """
    own = dict(model.named_parameters())
    for name, t in sorted(found.items()):
        if name not in own:
            raise UsageError(f"{where}: {name} is no parameter of this model")
        if own[name].shape != t.shape:
            shapes = f"{tuple(t.shape)}, in this model {tuple(own[name].shape)}"
            raise UsageError(f"{where}: {name} is {shapes}")
    with torch.no_grad():
        for name, t in found.items():
            own[name].copy_(t)
    return [name for name in own if name not in found]


class WarmStart(GatedFeature):
    """Fills one seam: the weights that a run begins with."""

    declaration = Feature(
        name="warm",
        summary="begin from weights of another run",
        master=Knob(
            "WARM_START", str, "", "a safetensors file, from DATA_DIR", on="warm.safetensors"
        ),
        example={"WARM_START": "warm.safetensors"},
    )

    def check(self, settings):
        """The file must be there."""
        weights_of(settings)

    def install(self, model, settings):
        """After all that the other features installed."""
        path, found = weights_of(settings)
        fresh = load(model, found, path)
        told = f": {', '.join(fresh)}" if fresh else ""
        model.notes.append(f"warm start: {len(found)} tensors; fresh: {len(fresh)}{told}")


WARM = WarmStart()
