"""ENABLE_AUTOGRAD: every embedding has another gradient than its own.

Idea: take out the radial part, and correct along the nearest anchor (geometry/gradient.py, where
the two signs are explained: the published one attracts). The forward pass is the identity.
Off: gradients are what they are.
"""

from goldenseal.knobs import Feature, Knob
from train_gpt_style.dual_stream.constants import DUAL_KNOB_AUTOGRAD_SEP
from train_gpt_style.dual_stream.seams import GatedFeature
from train_gpt_style.geometry.gradient import SIGNS, embedding_autograd


def shaped(embedding, model):
    """An embedding (B, O) of the model, with the gradient that its settings describe."""
    s = model.settings
    directions = model.constellation.directions().detach()
    rule = s.autograd_tang, s.autograd_sep, s.autograd_sign
    return embedding_autograd(embedding, directions, *rule)


class Shaping(GatedFeature):
    """Fills one seam: the gradient of the embeddings."""

    declaration = Feature(
        name="autograd",
        summary="correct the gradient of the embeddings",
        master=Knob("ENABLE_AUTOGRAD", bool, False, "correct it", on="1"),
        knobs=(
            Knob("AUTOGRAD_TANG", float, 1.0, "share of the radial part taken out", 0, 1, on="0.5"),
            Knob(
                *("AUTOGRAD_SEP", float, DUAL_KNOB_AUTOGRAD_SEP, "strength along the anchor", 0, 2),
                on="0.5",
            ),
            Knob(
                "AUTOGRAD_SIGN",
                str,
                "library",
                "towards the nearest anchor, or not towards it",
                choices=SIGNS,
                on="described",
            ),
        ),
        example={"ENABLE_AUTOGRAD": "1", "AUTOGRAD_SEP": "1"},
    )

    def install(self, model, settings):
        """What model.finish applies."""
        model.shape_gradient = shaped


AUTOGRAD = Shaping()
