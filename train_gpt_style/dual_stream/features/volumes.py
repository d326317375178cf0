"""CV_WEIGHT, ANCHOR_CV_WEIGHT, CM_WEIGHT, SPREAD_WEIGHT: losses on volumes and anchors.

CV: how much the volumes of random simplices of embeddings, or of anchors, differ, held to a target.
For uniform points on a sphere 0.20 to 0.23 is what 14 to 16 dimensions give: a cloud in that band
is no better for it. CM: squared volumes of the tokens' simplices below a floor; real points never
have negative ones, so with floor 0 this loss is 0 and has no gradient. Spread: anchors that point
the same way. Published weights; simplices are drawn from a generator of their own.
Off (0): nothing is computed or drawn.
"""

import torch

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.dual_stream.constants import DUAL_CM_FLOOR_MOST, DUAL_KNOB_CV_TARGET
from train_gpt_style.dual_stream.data import own_generator
from train_gpt_style.dual_stream.features.heads import needs_geo_head
from train_gpt_style.dual_stream.seams import GatedFeature
from train_gpt_style.geometry.pool import CORNERS
from train_gpt_style.geometry.spread import cv_loss


def check_cv(settings, master, name, rows):
    """Raise UsageError for a target at an end, or fewer rows than a simplex has corners."""
    if not 0 < settings.cv_target < 1:
        raise UsageError(f"CV_TARGET={settings.cv_target} must lie between 0 and 1, not at an end")
    if rows < CORNERS:
        raise UsageError(
            f"{master}={settings[master]} has {rows} rows by {name}={settings[name]}, and a "
            f"simplex needs {CORNERS}"
        )


def spread_of(rows, settings, step, place):
    """(CV - CV_TARGET)^2 of rows (M, O), by the CV knobs."""
    s = settings
    generator = own_generator(s.seed, step, place)
    return cv_loss(rows, s.cv_target, s.cv_samples, generator, s.cv_pool, s.cv_kernel)


class Cv(GatedFeature):
    """Fills one seam: a term."""

    declaration = Feature(
        name="cv",
        summary="hold the volume spread of the embeddings to a target",
        master=Knob("CV_WEIGHT", float, 0.0, "weight of (CV - target)^2", 0.0, on="0.5"),
        knobs=(
            Knob(
                *("CV_TARGET", float, DUAL_KNOB_CV_TARGET, "the target; also of anchors", 0, 1),
                on="0.5",
            ),
            Knob(*("CV_SAMPLES", int, 64, "simplices drawn; also of anchors", 5, 65536), on="24"),
            Knob(
                *("CV_SCOPE", str, "all", "which embeddings"),
                choices=("all", "geo"),
                on="geo",
            ),
            Knob("CV_POOL", int, 512, "rows they are drawn from; also of anchors", 5, on="6"),
            Knob(
                "CV_KERNEL",
                str,
                "gram",
                "one expansion, or 6 x 6 determinants",
                choices=("gram", "det"),
                on="det",
            ),
        ),
        example={"CV_WEIGHT": "0.25", "CV_TARGET": "0.25", "GEO_HEAD": "1"},
    )

    def check(self, s):
        """There must be simplices, a target that is none of the ends, and what the scope names."""
        check_cv(s, "CV_WEIGHT", "BATCH", 2 * s.batch)
        if s.cv_scope == "geo":
            needs_geo_head(s, "CV_SCOPE")

    def terms(self, model, seen):
        """The mean over the image embedding and the geometric one, if there is one.

        CV_SCOPE=geo: the geometric one alone. Its gradient reaches the standard stream too, which
        the geometric one reads by cross-attention.
        """
        s = model.settings
        whole = seen.out.emb if s.cv_scope == "all" else None
        clouds = [rows for rows in (whole, seen.out.geo) if rows is not None]
        found = [spread_of(rows, s, seen.step, 1 + i) for i, rows in enumerate(clouds)]
        yield "cv", s.cv_weight, torch.stack(found).mean()


class AnchorCv(GatedFeature):
    """Fills one seam: a term."""

    declaration = Feature(
        name="anchor_cv",
        summary="hold the volume spread of the anchors to a target",
        master=Knob("ANCHOR_CV_WEIGHT", float, 0.0, "weight of the anchors'", 0.0, on="0.5"),
        example={"ANCHOR_CV_WEIGHT": "0.75"},
    )

    def check(self, s):
        """There must be simplices, and a target that is none of the ends."""
        check_cv(s, "ANCHOR_CV_WEIGHT", "N_ANCHORS", s.n_anchors)

    def terms(self, model, seen):
        """By the knobs of CV_WEIGHT."""
        s, directions = model.settings, model.constellation.directions()
        yield "anchor_cv", s.anchor_cv_weight, spread_of(directions, s, seen.step, 3)


class Cm(GatedFeature):
    """Fills one seam: a term."""

    declaration = Feature(
        name="cm",
        summary="push the volumes of the tokens' simplices above a floor",
        master=Knob("CM_WEIGHT", float, 0.0, "weight of ReLU(floor - vol2)", 0.0, on="64"),
        knobs=(
            Knob(
                "CM_FLOOR",
                float,
                0.0,
                "the floor; 0 does nothing",
                0,
                DUAL_CM_FLOOR_MOST,
                on="0.0001",
            ),
        ),
        example={"CM_WEIGHT": "128", "CM_FLOOR": "0.00390625"},
    )

    def terms(self, model, seen):
        """The mean over tokens and dual blocks."""
        s = model.settings
        short = [torch.relu(s.cm_floor - each.volume2).mean() for each in seen.out.simplices]
        yield "cm", s.cm_weight, torch.stack(short).mean()


class Spread(GatedFeature):
    """Fills one seam: a term."""

    declaration = Feature(
        name="spread",
        summary="push anchors apart",
        master=Knob("SPREAD_WEIGHT", float, 0.0, "weight of ReLU(cos)", 0.0, on="0.5"),
        example={"SPREAD_WEIGHT": "0.25"},
    )

    def terms(self, model, seen):
        """The mean of ReLU(cos) over ordered pairs of different anchors."""
        rows = model.constellation.directions()
        cosines = torch.relu(rows @ rows.T)
        others = len(rows) * (len(rows) - 1)
        yield (
            "spread",
            model.settings.spread_weight,
            (cosines.sum() - cosines.diagonal().sum()) / others,
        )


CV, ANCHOR_CV, CM, SPREAD = Cv(), AnchorCv(), Cm(), Spread()
