"""The loss: the baseline's two terms, then what each feature adds. A weight of 0 computes nothing.

Shape letters: B images, C classes, O sphere.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from train_gpt_style.dual_stream.model import Output


@dataclass
class Seen:
    """What a step saw: the output for views a and b, 2 B rows, their classes, and its number.

    facts: all that a log says of it. terms: of these, what the loss is made of.
    """

    out: Output
    y: torch.Tensor
    step: int
    facts: dict[str, Any]
    terms: dict[str, Any]


def bce(logits, y, smoothing):
    """Sigmoid cross-entropy, mean over classes and batch; targets y (1 - s) + s / C."""
    targets = F.one_hot(y, logits.shape[1]).float()
    if smoothing:
        targets = targets * (1 - smoothing) + smoothing / logits.shape[1]
    return F.binary_cross_entropy_with_logits(logits.float(), targets)


def info_nce(rows, temperature):
    """(loss, hits) of rows (2 B, O): cross-entropy of each a against all b, one direction.

    hits: how many of a have their own b as the nearest.
    """
    a, b = rows.float().chunk(2)
    similar, own = a @ b.T / temperature, torch.arange(len(a), device=a.device)
    return F.cross_entropy(similar, own), (similar.argmax(dim=1) == own).sum()


def contrasted(model, seen):
    """The rows that InfoNCE compares: emb, or what a feature has in its place; None: it is off."""
    rows = seen.out.emb
    for feature in model.settings.features:
        rows = feature.contrasted(model, seen, rows)
    return rows


def loss_and_facts(model, views, y, step=0):
    """The loss of views a and b (2 B, 3, S, S) of images of classes y (B,), and what to say of it.

    facts: `correct`, how many of the 2 B are classified as y; each term's value by its name; `hits`
    of InfoNCE; `seen`, all that the terms were made of.
    """
    s = model.settings
    model(views)
    out = model.seen
    both = torch.cat((y, y))
    total, facts = 0, {"correct": (out.logits.argmax(dim=1) == both).sum()}
    seen = Seen(out, both, step, facts, {})
    if s.bce_weight:
        seen.terms["bce"] = bce(out.logits, both, s.label_smoothing)
        total = total + s.bce_weight * seen.terms["bce"]
    rows = contrasted(model, seen) if s.infonce_weight else None
    if rows is not None:
        seen.terms["nce"], facts["hits"] = info_nce(rows, s.infonce_temp)
        total = total + s.infonce_weight * seen.terms["nce"]
    for feature in s.features:
        for name, weight, value in feature.terms(model, seen):
            seen.terms[name] = value
            total = total + weight * value
    facts.update(seen.terms, seen=seen)
    return total, facts
