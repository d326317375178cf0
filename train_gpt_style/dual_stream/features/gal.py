"""GAL_ENABLE: a second tower, and a third that reads simplices and arbitrates (dual_stream/gal.py).

Idea: Run 12, of which only a plan is published; the reconstruction and its bounds are described
where it is built.
Off: there is one tower.
"""

import torch
import torch.nn.functional as F

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.dual_stream.constants import DUAL_KNOB_GAL_LR
from train_gpt_style.dual_stream.data import own_generator
from train_gpt_style.dual_stream.gal import Arbiter, Arbitration, Tower
from train_gpt_style.dual_stream.model import built
from train_gpt_style.dual_stream.seams import GatedFeature
from train_gpt_style.geometry.spread import POOL_ROWS, cv_loss


def arbitration(settings):
    """The modules that the settings describe."""
    s = settings
    tower = Tower(*(s.embed_dim, s.stream_dim, s.n_dual_blocks, s.n_heads, s.output_dim, s.classes))
    arbiter = Arbiter(s.n_dual_blocks, s.stream_dim, s.output_dim, s.infonce_temp)
    return Arbitration(tower, arbiter, s.gal_buffer, s.gal_anchors, s.output_dim, s.classes)


class Gal(GatedFeature):
    """Fills three seams: modules, terms, the queue after each update."""

    declaration = Feature(
        name="gal",
        summary="a second tower and an arbiter between the two",
        master=Knob("GAL_ENABLE", bool, False, "build and train them", on="1"),
        knobs=(
            Knob("GAL_BUFFER", int, 50000, "rows of the queue", 1, 2**20, on="60"),
            Knob("GAL_EVERY", int, 25, "a fit at this cadence", 1, unit="steps", on="2"),
            Knob("GAL_LR", float, DUAL_KNOB_GAL_LR, "step of the anchors", 0, 1, on="0.75"),
            Knob("GAL_ANCHORS", int, 64, "most anchors", 1, on="1"),
            Knob("GAL_WHITEN", bool, False, "fit whitened clouds", on="1"),
        ),
        example={
            "GAL_ENABLE": "1",
            "GAL_BUFFER": "50",
            "GAL_EVERY": "1",
            "GAL_LR": "0.25",
            "EPOCHS": "3",
        },
    )

    def check(self, s):
        """The queue must be able to hold the rows of a fit."""
        least = max(5 * s.classes, 8 * s.output_dim)
        if s.gal_buffer < least:
            raise UsageError(
                f"GAL_BUFFER={s.gal_buffer} is fewer than a fit needs: "
                f"max(5 CLASSES, 8 OUTPUT_DIM) = {least}"
            )

    def install(self, model, settings):
        """Both towers, and an empty queue without any anchor."""
        model.extras["gal"] = built(lambda: arbitration(settings), settings, 5)

    def terms(self, model, seen):
        """Tower B's cross-entropy; GAL, exactly 0 before the first fit."""
        s, gal = model.settings, model.extras["gal"]
        geo, b, logits = gal.embed(seen.out)
        seen.facts["seen_gal"] = geo.detach(), b.detach()
        yield "tower_ce", 1.0, F.cross_entropy(logits.float(), seen.y)
        if not gal.fitted:
            yield "gal", 1.0, geo.new_zeros(())
            return
        cosines = gal.agreement(geo, seen.out.emb, b)
        older = gal.geo[: int(gal.kept)].flip(0)[: max(0, POOL_ROWS - len(geo))]
        generator = own_generator(s.seed, seen.step, 4)
        pool = torch.cat((geo, older))
        value = cv_loss(pool, s.cv_target, s.cv_samples, generator, POOL_ROWS, s.cv_kernel)
        seen.facts["gal_cos_a"], seen.facts["gal_cos_b"] = (c.detach() for c in cosines)
        yield "gal", 1.0, value + sum((1 - c) / 2 for c in cosines)

    def after_update(self, model, ctx, seen):
        """The batch joins the queue; a fit at its cadence."""
        s, gal = model.settings, model.extras["gal"]
        geo, b = seen.facts["seen_gal"]
        gal.push(geo, seen.out.emb, b, seen.y)
        if not int(gal.steps) % s.gal_every:
            gal.refit(s.gal_lr, s.gal_whiten)


GAL = Gal()
