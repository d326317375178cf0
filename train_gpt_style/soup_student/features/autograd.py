"""ENABLE_AUTOGRAD: the gradient of the embedding, corrected (geometry.gradient).

Idea: take out its radial part, times AUTOGRAD_TANG, and its part along the nearest anchor of the
frozen soup, times AUTOGRAD_SEP; of the two signs that part may have, `library` is what a public
library computes, and `described` what its text says. The embedding itself is not touched.
Off (0): the gradient is as it is.
"""

import torch

from goldenseal.knobs import Feature, Knob
from train_gpt_style.geometry.gradient import SIGNS, embedding_autograd
from train_gpt_style.soup_student.constants import STUDENT_KNOB_AUTOGRAD_TANG
from train_gpt_style.soup_student.frozen import needed, soup_of
from train_gpt_style.soup_student.seams import GatedFeature


class Autograd(GatedFeature):
    """Fills three seams: the embedding, the log's header, a validation's check."""

    declaration = Feature(
        name="autograd",
        summary="a corrected gradient of the embedding",
        master=Knob("ENABLE_AUTOGRAD", bool, False, "correct the gradient", on="1"),
        knobs=(
            Knob(
                *("AUTOGRAD_TANG", float, STUDENT_KNOB_AUTOGRAD_TANG),
                "share of the radial part that is removed",
                *(0.0, 1.0),
                on="1",
            ),
            Knob(
                *("AUTOGRAD_SEP", float, 1.0, "share of the part along the nearest anchor"),
                *(0.0, 2.0),
                on="0.5",
            ),
            Knob(
                *("AUTOGRAD_SIGN", str, "library", "which part that is"),
                choices=SIGNS,
                on="described",
            ),
        ),
        example={"ENABLE_AUTOGRAD": "1"},
    )

    def check(self, settings):
        """Anchors to be near to."""
        if settings.autograd_sep > 0:
            needed(settings, f"AUTOGRAD_SEP={settings.autograd_sep}")

    def install(self, model, settings, data, ctx):
        """On the embedding, in training."""
        s = settings
        directions = torch.zeros(1, s.output_dim, device=ctx.device)
        if s.autograd_sep > 0:
            directions = soup_of(s, data, ctx).readout.constellation.directions()

        def shaped(embedding, model):
            if not model.training:
                return embedding
            rule = s.autograd_tang, s.autograd_sep, s.autograd_sign
            return embedding_autograd(embedding, directions, *rule)

        model.on_embedding.append(shaped)

    def header(self, data):
        """Whose anchors, if any."""
        return {} if data.soup is None else {"soup": data.soup.digest}

    def judge(self, data, embedding):
        """No fact; but the soup, where its anchors are read, must not have moved."""
        if data.soup is not None and data.soup.read:
            data.soup.check_unchanged()
        return {}


AUTOGRAD = Autograd()
