"""GEO_HEAD, GEO_BCE_WEIGHT, GEO_DIV_WEIGHT: an embedding of the geometric stream, and its losses.

Idea: the geometric stream's own mean, projected to the sphere by weights of its own; a classifier
on it; and a push apart of same-class rows that are too near. Published structure; the diversity's
form is this package's own, and no number here has a theorem.
Off: no such embedding exists.
"""

import torch
from torch import nn

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.dual_stream.blocks import projection
from train_gpt_style.dual_stream.constants import DUAL_KNOB_GEO_DIV_COS
from train_gpt_style.dual_stream.losses import bce
from train_gpt_style.dual_stream.model import built
from train_gpt_style.dual_stream.seams import GatedFeature
from train_gpt_style.kit.seams import Observer


def needs_geo_head(settings, master):
    """Raise UsageError when there is no geometric embedding to read."""
    if not settings.geo_head:
        raise UsageError(f"{master}={settings[master]} needs GEO_HEAD=1")


class GeoHead(GatedFeature):
    """Fills one seam: a module of the model."""

    declaration = Feature(
        name="geo_head",
        summary="embed the geometric stream too",
        master=Knob("GEO_HEAD", bool, False, "an embedding of the geometric stream", on="1"),
        example={"GEO_HEAD": "1", "CV_WEIGHT": "0.5", "CV_SAMPLES": "16"},
    )

    def check(self, s):
        """Some loss must read it, or it receives no gradient."""
        reads = s.geo_bce_weight or s.geo_div_weight or s.n_cross_blocks or s.cv_weight
        if not reads and s.nce_scope != "geo":
            raise UsageError(
                "GEO_HEAD=1 alone is read by no loss: set GEO_BCE_WEIGHT, GEO_DIV_WEIGHT, "
                "CV_WEIGHT, N_CROSS_BLOCKS or NCE_SCOPE=geo"
            )

    def install(self, model, settings):
        """The projection."""
        s = settings
        model.geo_output_proj = built(lambda: projection(s.stream_dim, s.output_dim), s, 1)


class GeoAccuracy(Observer):
    """The accuracy of the geometric classifier over the whole validation split, as geo_val_acc."""

    def __init__(self, run):
        self.run, self.correct = run, 0
        run.model.lookers.append(self.look)

    def look(self, labels):
        """A batch of the validation was computed; nothing keeps a gradient."""
        model = self.run.model
        with self.run.ctx.autocast():
            logits = model.extras["geo_classifier"](model.seen.geo)
        self.correct = self.correct + (logits.argmax(dim=1) == labels).sum()

    def after_validation(self, step, facts, train_ms=None):
        """A line, the result so far, and a new count."""
        run = self.run
        accuracy = run.ctx.read(self.correct) / len(run.val_split)
        run.results["geo_val_acc"], self.correct = accuracy, 0
        run.log(f"step:{step}/{run.steps} geo_val_{run.log.acc}:{accuracy:.6f}")


class GeoBce(GatedFeature):
    """Fills three seams: a module, a term, an observer."""

    declaration = Feature(
        name="geo_bce",
        summary="classify the geometric embedding",
        master=Knob("GEO_BCE_WEIGHT", float, 0.0, "weight of its cross-entropy", 0.0, on="0.25"),
        example={"GEO_HEAD": "1", "GEO_BCE_WEIGHT": "0.5"},
    )

    def check(self, settings):
        """There must be one."""
        needs_geo_head(settings, "GEO_BCE_WEIGHT")

    def install(self, model, settings):
        """A linear probe."""
        s = settings
        model.extras["geo_classifier"] = built(lambda: nn.Linear(s.output_dim, s.classes), s, 2)

    def terms(self, model, seen):
        """Sigmoid cross-entropy, the classifier's targets."""
        s = model.settings
        logits = model.extras["geo_classifier"](seen.out.geo)
        yield "geo_bce", s.geo_bce_weight, bce(logits, seen.y, s.label_smoothing)

    def observer(self, run):
        """Counts at each validation."""
        return GeoAccuracy(run)


class GeoDiversity(GatedFeature):
    """Fills one seam: a term."""

    declaration = Feature(
        name="geo_div",
        summary="push same-class geometric embeddings apart",
        master=Knob("GEO_DIV_WEIGHT", float, 0.0, "weight of the push apart", 0.0, on="2"),
        knobs=(
            Knob(
                *("GEO_DIV_COS", float, DUAL_KNOB_GEO_DIV_COS, "cosine that costs nothing", -1, 1),
                on="0.9375",
            ),
        ),
        example={"GEO_HEAD": "1", "GEO_DIV_WEIGHT": "4", "GEO_DIV_COS": "0.25"},
    )

    def check(self, settings):
        """There must be an embedding."""
        needs_geo_head(settings, "GEO_DIV_WEIGHT")

    def terms(self, model, seen):
        """Mean over ordered same-class pairs of ReLU(cos - GEO_DIV_COS); 0 without such a pair."""
        s, rows = model.settings, seen.out.geo.float()
        same = (seen.y.unsqueeze(1) == seen.y).fill_diagonal_(False)
        over = torch.relu(rows @ rows.T - s.geo_div_cos)
        yield "geo_div", s.geo_div_weight, (over * same).sum() / same.sum().clamp_min(1)


GEO_HEAD, GEO_BCE, GEO_DIV = GeoHead(), GeoBce(), GeoDiversity()
