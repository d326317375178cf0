"""A trained soup, of which a student reads the constellation, patchwork and classifier: frozen.

Frozen means: no gradient, in no optimizer, in evaluation mode, and the same digest after the run.
"""

from functools import cached_property
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from goldenseal.digest import tensor_digest
from goldenseal.errors import ContradictedError, UsageError
from train_gpt_style.geometry.readout import Readout
from train_gpt_style.kit.metrics import (
    macro_f1,
    mean_average_precision,
    micro_f1,
    top_rate,
    with_positives,
)

PREFIX = "readout."
ODD = KeyError, IndexError, TypeError, ValueError, RuntimeError, ZeroDivisionError, UsageError


class Frozen:
    """The soup in a safetensors file. Raises UsageError, one line, for a file that is none."""

    def __init__(self, path):
        self.path = path
        if not Path(path).is_file():
            raise UsageError(f"SOUP={path}: there is no such file")
        try:
            self.state = safetensors.torch.load_file(path)
        except (safetensors.SafetensorError, OSError) as error:
            reason = str(error).splitlines()[0]
            raise UsageError(f"SOUP={path}: no safetensors file: {reason}") from None
        self.digest = tensor_digest(self.state)

    @cached_property
    def readout(self):
        """The readout, frozen. Raises UsageError when the file holds none."""
        state = {
            name.removeprefix(PREFIX): t
            for name, t in self.state.items()
            if name.startswith(PREFIX)
        }
        try:
            anchors, inner = state["constellation.anchors"], len(state["norm.weight"])
            width = len(state["patchwork.parts.0.norm.weight"])
            # On no device: a fresh module of its own would draw from the run's generator.
            with torch.device("meta"):
                sizes = inner // width, width, len(state["down.weight"])
                readout = Readout(torch.empty(anchors.shape), *sizes)
            readout.load_state_dict(state, strict=True, assign=True)
        except ODD as error:
            reason = str(error).splitlines()[0]
            raise UsageError(f"SOUP={self.path}: holds no readout of a soup: {reason}") from None
        self.before = tensor_digest(readout.state_dict())
        return readout.eval().requires_grad_(False)

    @property
    def anchors(self):
        """Its anchors (A, O), as they are."""
        return self.readout.constellation.anchors

    @property
    def sphere(self):
        """Its dimension."""
        return self.anchors.shape[1]

    @property
    def classes(self):
        """How many logits it gives."""
        return self.readout.down.out_features

    @property
    def read(self):
        """Whether anything has asked for the readout."""
        return "readout" in self.__dict__

    def check_outside(self, optimizers):
        """Raise ContradictedError when an optimizer holds a parameter of the readout."""
        own = {id(p) for p in self.parameters}
        for name, optimizer in optimizers.items():
            if any(id(p) in own for group in optimizer.param_groups for p in group["params"]):
                raise ContradictedError(f"the frozen soup is in the optimizer {name}")

    def check_unchanged(self):
        """Raise ContradictedError unless all is as it was."""
        trained = [name for name, p in self.readout.named_parameters() if p.requires_grad]
        if trained or self.readout.training or any(p.grad is not None for p in self.parameters):
            raise ContradictedError("the frozen soup is being trained")
        if tensor_digest(self.readout.state_dict()) != self.before:
            raise ContradictedError("the frozen soup has changed")

    @torch.no_grad()
    def judge(self, embedding, labels):
        """What its logits of embeddings (M, O) are worth against class numbers (M,), by name."""
        scores = self.readout(embedding).float().cpu().numpy()
        positive = (labels.unsqueeze(1) == torch.arange(scores.shape[1])).numpy()
        return {
            "val_map": mean_average_precision(scores, positive),
            "val_map_classes": with_positives(positive),
            "val_f1": macro_f1(scores, positive),
            "val_f1_micro": micro_f1(scores, positive),
            "val_top": top_rate(scores, positive),
        }

    @property
    def parameters(self):
        """All of the readout's."""
        return list(self.readout.parameters())


def needed(settings, name):
    """Raise UsageError when `name`, which is on, has no soup to read."""
    if not settings.soup:
        raise UsageError(f"{name} needs SOUP, the soup that made the targets, and TARGETS")


def soup_of(settings, data, ctx, classes=None):
    """The run's soup on its device. Raises UsageError when its sizes are not the run's."""
    soup = data.soup
    if soup.sphere != settings.output_dim:
        raise UsageError(f"SOUP: a sphere of {soup.sphere}, OUTPUT_DIM={settings.output_dim}")
    if classes is not None and soup.classes != classes:
        raise UsageError(f"SOUP: {soup.classes} classes, the images have {classes}")
    soup.readout.to(ctx.device)
    return soup
