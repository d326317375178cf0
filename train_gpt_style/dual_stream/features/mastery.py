"""MASTERY_WEIGHT, QUEUE_ADAPT, NCE_AFTER_MASTERY, NCE_SCOPE: after InfoNCE is mastered.

Idea: when each view has found its own for MASTERY_PATIENCE batches in a row, embeddings are held
against a queue of the past (dual_stream/mastery.py); the queue's size may follow the gap between
training and validation (dual_stream/adapt.py); InfoNCE may stop then, or be about the geometric
embedding alone. Published figures; forms that are not published are this package's own.
Off: no queue exists, InfoNCE is always on, about the image embedding.
"""

import torch

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.dual_stream.adapt import Rule, decision, may_change, resized
from train_gpt_style.dual_stream.constants import DUAL_KNOB_MARGIN_END, DUAL_KNOB_MARGIN_START
from train_gpt_style.dual_stream.features.heads import needs_geo_head
from train_gpt_style.dual_stream.mastery import MasteryQueue, margin
from train_gpt_style.dual_stream.seams import GatedFeature

READY = {"MASTERY_PATIENCE": "0", "MASTERY_QUEUE": "12"}  # from the second step of a short run


def needs_mastery(settings, master):
    """Raise UsageError when there is no queue."""
    if not settings.mastery_weight:
        raise UsageError(f"{master}={settings[master]} needs MASTERY_WEIGHT above 0")


class Mastery(GatedFeature):
    """Fills three seams: a module, a term, the queue after each update."""

    declaration = Feature(
        name="mastery",
        summary="hold embeddings against a queue of the past",
        master=Knob("MASTERY_WEIGHT", float, 0.0, "weight of the queue's loss", 0.0, on="0.5"),
        knobs=(
            Knob(
                "MASTERY_PATIENCE",
                int,
                50,
                "perfect batches in a row before it begins; 0: after the first",
                0,
                unit="batches",
                on="5",
            ),
            Knob("MASTERY_QUEUE", int, 4096, "rows of the queue at the start", 1, 2**20, on="9"),
            Knob("MARGIN_START", float, DUAL_KNOB_MARGIN_START, "margin at first", -2, 2, on="-2"),
            Knob("MARGIN_END", float, DUAL_KNOB_MARGIN_END, "margin at last", -2, 2, on="1"),
            Knob("MARGIN_STEPS", int, 5000, "batches between them", 0, unit="batches", on="8"),
        ),
        example={
            "MASTERY_WEIGHT": "1",
            "MARGIN_START": "1",
            "MARGIN_END": "-2",
            "MARGIN_STEPS": "2",
            **READY,
        },
    )

    def check(self, s):
        """It must be able to begin."""
        if s.mastery_patience and not s.infonce_weight:
            raise UsageError(
                f"MASTERY_PATIENCE={s.mastery_patience} waits for InfoNCE, and INFONCE_WEIGHT=0: "
                "set MASTERY_PATIENCE=0, or a weight"
            )

    def install(self, model, settings):
        """An empty queue, with room for all that it may grow to."""
        s = settings
        room = s.queue_max if s.queue_adapt != "off" else s.mastery_queue
        model.extras["mastery"] = MasteryQueue(
            s.mastery_queue, room, s.output_dim, s.mastery_patience
        )

    def terms(self, model, seen):
        """Nothing before the activation, but what leads to it: perfect batches in a row.

        mastery_age: batches since the activation, -1 before it.
        """
        s, queue = model.settings, model.extras["mastery"]
        seen.facts["nce_streak"], seen.facts["mastery_age"] = queue.streak + 0.0, queue.age + 0.0
        if not queue.active:
            return
        m = margin(int(queue.age), s.margin_start, s.margin_end, s.margin_steps)
        rows = seen.out.emb.float()
        value, seen.facts["hard_neg"], seen.facts["hard_pos"] = queue.loss(rows, seen.y, m)
        yield "mastery", s.mastery_weight, value

    def after_update(self, model, ctx, seen):
        """The batch joins the queue, and is counted."""
        queue, hits = model.extras["mastery"], seen.facts.get("hits")
        queue.push(seen.out.emb, seen.y)
        perfect = hits is not None and ctx.read(hits) * 2 == len(seen.y)
        queue.count_hits(perfect)


def rule_of(settings):
    """The constants of the queue's size."""
    s = settings
    return Rule(
        *(s.queue_adapt, s.queue_drift, s.queue_grow, s.queue_shrink, s.queue_window),
        *(s.queue_cooldown, s.queue_min, s.queue_max, s.queue_step),
    )


class QueueAdapt(GatedFeature):
    """Fills three seams: buffers, a count of right answers, a decision after each epoch."""

    declaration = Feature(
        name="queue_adapt",
        summary="let the queue's size follow the gap of training and validation",
        master=Knob(
            "QUEUE_ADAPT",
            str,
            "off",
            "the rule: A by gap and drift, B by change",
            choices=("off", "A", "B"),
            on="A",
        ),
        knobs=(
            Knob("QUEUE_MIN", int, 1024, "fewest rows", 1, on="12"),
            Knob("QUEUE_MAX", int, 16384, "most rows", 1, 2**20, on="32"),
            Knob("QUEUE_STEP", int, 2048, "rows that a decision adds or takes", 1, on="1"),
            Knob("QUEUE_COOLDOWN", int, 5, "epochs of rest after one", 0, unit="epochs", on="9"),
            Knob("QUEUE_DRIFT", float, 3.0, "change that counts", 0, 100, unit="points", on="90"),
            Knob("QUEUE_GROW", float, 9.0, "A: grow above", -100, 100, unit="points", on="6"),
            Knob("QUEUE_SHRINK", float, 3.0, "A: shrink below", -100, 100, unit="points", on="25"),
            Knob("QUEUE_WINDOW", int, 5, "A: epochs that drift is over", 1, unit="epochs", on="1"),
        ),
        example={
            "QUEUE_ADAPT": "A",
            "MASTERY_WEIGHT": "0.75",
            **READY,
            # Of these gaps, 0 8 8 0 points, the third grows it by drift, the fourth shrinks it.
            "EPOCHS": "5",
            "BATCH": "12",
            "LR": "0.25",
            "SEED": "38",
            "QUEUE_MIN": "3",
            "QUEUE_MAX": "24",
            "QUEUE_STEP": "20",
            "QUEUE_COOLDOWN": "0",
            "QUEUE_WINDOW": "2",
            "QUEUE_DRIFT": "4",
            "QUEUE_GROW": "30",
            "QUEUE_SHRINK": "4",
        },
    )

    def check(self, s):
        """Bounds in order, and a queue between them."""
        needs_mastery(s, "QUEUE_ADAPT")
        if not s.queue_min <= s.mastery_queue <= s.queue_max:
            raise UsageError(
                f"QUEUE_MIN={s.queue_min}, MASTERY_QUEUE={s.mastery_queue} and "
                f"QUEUE_MAX={s.queue_max} must be in this order"
            )
        if s.queue_shrink > s.queue_grow:
            raise UsageError(
                f"QUEUE_SHRINK={s.queue_shrink} must be at most QUEUE_GROW={s.queue_grow}"
            )

    def install(self, model, settings):
        """The epoch's right and all answers; the last gaps; the epoch of the last change."""
        queue = model.extras["mastery"]
        queue.register_buffer("answers", torch.zeros(2, dtype=torch.int64))
        queue.register_buffer("gaps", torch.zeros(settings.queue_window + 1, dtype=torch.float64))
        queue.register_buffer("gap_count", torch.tensor(0))
        queue.register_buffer("changed", torch.tensor(0))

    def after_update(self, model, ctx, seen):
        """Count the batch's answers."""
        answers = model.extras["mastery"].answers
        answers[0] += seen.facts["correct"]
        answers[1] += len(seen.y)

    def after_epoch(self, model, ctx, log, epoch, val_accuracy):
        """Note the gap, decide, resize."""
        queue, rule = model.extras["mastery"], rule_of(model.settings)
        right, asked = ctx.read(queue.answers)
        queue.answers.zero_()
        if not queue.active or not asked:
            return
        gap = 100 * (right / asked - val_accuracy)
        queue.gaps.copy_(torch.cat((queue.gaps[1:], queue.gaps.new_tensor([gap]))))
        queue.gap_count += 1
        known = min(int(queue.gap_count), len(queue.gaps))
        size = int(queue.limit)
        decided = decision(queue.gaps[-known:].tolist(), rule)
        new = resized(size, decided, rule)
        if new != size and may_change(epoch, int(queue.changed), rule):
            queue.resize(new)
            queue.changed.fill_(epoch)
            log(f"epoch:{epoch} queue:{size} to {new} gap:{gap:.2f}")


class NceAfterMastery(GatedFeature):
    """Fills one seam: what InfoNCE compares."""

    declaration = Feature(
        name="nce_after",
        summary="stop InfoNCE once mastery begins",
        master=Knob(
            "NCE_AFTER_MASTERY",
            str,
            "keep",
            "InfoNCE once mastery began",
            choices=("keep", "drop"),
            on="drop",
        ),
        example={"NCE_AFTER_MASTERY": "drop", "MASTERY_WEIGHT": "0.5", **READY},
    )

    def check(self, settings):
        """There must be mastery."""
        needs_mastery(settings, "NCE_AFTER_MASTERY")

    def contrasted(self, model, seen, rows):
        """Nothing once it is active."""
        return None if model.extras["mastery"].active else rows


class NceScope(GatedFeature):
    """Fills one seam: what InfoNCE compares."""

    declaration = Feature(
        name="nce_scope",
        summary="InfoNCE on the geometric embedding alone",
        master=Knob(
            "NCE_SCOPE",
            str,
            "all",
            "which embedding InfoNCE compares",
            choices=("all", "geo"),
            on="geo",
        ),
        example={"NCE_SCOPE": "geo", "GEO_HEAD": "1", "GEO_BCE_WEIGHT": "0.25"},
    )

    def check(self, settings):
        """There must be one."""
        needs_geo_head(settings, "NCE_SCOPE")

    def contrasted(self, model, seen, rows):
        """The geometric embedding, unless InfoNCE is off; it reads the standard stream too."""
        return None if rows is None else seen.out.geo


MASTERY, QUEUE_ADAPT = Mastery(), QueueAdapt()
NCE_AFTER, NCE_SCOPE = NceAfterMastery(), NceScope()
