"""CREDIT_MODEL and CREDIT_OUT_LN: another network, and the residual MLP without its last norm.

Idea: a diagnostic that holds of one architecture only is none. The networks are in
train_gpt_style/credit/architectures.py. The last norm alone makes the gradient at h_L shrink as h_L
grows (theorems on layer norm), so the same network without it shows what it is the cause of.
Off: the baseline's residual MLP.
"""

from torch import nn

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.credit.architectures import build
from train_gpt_style.credit.seams import GatedFeature

MODELS = ("resmlp", "vit-mini", "student", "small-cnn", "relu-mlp")
WITH_NORM = MODELS[:2]


class Architecture(GatedFeature):
    """Fills one seam: the network."""

    declaration = Feature(
        name="architecture",
        summary="another network than the residual MLP",
        master=Knob(
            *("CREDIT_MODEL", str, MODELS[0], "network; vit-mini, student: published at DIM=128"),
            choices=MODELS,
            on="small-cnn",
        ),
        knobs=(
            Knob(
                *("CREDIT_PATCH", int, 4, "vit-mini: side of a patch", 1),
                unit="pixels",
                on="2",
                under="vit-mini",
            ),
            Knob(
                *("CREDIT_HEADS", int, 4, "vit-mini: attention heads; divide DIM", 1),
                on="2",
                under="vit-mini",
            ),
        ),
        example={"CREDIT_MODEL": "vit-mini"},
    )

    def check(self, settings):
        """Heads must divide the width; a student learns from the teacher."""
        s = settings
        if s.credit_model == "vit-mini" and s.dim % s.credit_heads:
            raise UsageError(f"CREDIT_HEADS={s.credit_heads} must divide DIM={s.dim}")

    def network(self, settings, shape, classes):
        """The named one."""
        return build(settings, shape, classes)


class OutLn(GatedFeature):
    """Fills one seam: what is built loses its last norm."""

    declaration = Feature(
        name="out_ln",
        summary="the network without the norm before its head",
        master=Knob("CREDIT_OUT_LN", bool, True, "keep the norm before the head", on="0"),
        example={"CREDIT_OUT_LN": "0"},
    )

    def check(self, settings):
        """There must be one."""
        if settings.credit_model not in WITH_NORM:
            raise UsageError(
                f"CREDIT_OUT_LN=0: {settings.credit_model} has no norm before its head, "
                f"{' and '.join(WITH_NORM)} have"
            )

    def install(self, model, settings):
        """The identity in its place."""
        model.out_ln = nn.Identity()


ARCHITECTURE, OUT_LN = Architecture(), OutLn()
