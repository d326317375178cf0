"""SCAN_EVERY: what the embeddings of the validation rows look like, as JSON lines in scan.jsonl.

Effective dimension, share of the largest directions, self-similarity, CV, use of anchors and how
near they are, how much each expert moves the embedding (1 - cos between with and without it), and,
where the consensus is known, cosine to it and R@1; with the collapse detector's verdict
(geometry.collapse). It observes only: no draw from a global generator, no gradient.
Off (0): nothing is observed, nothing is written.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.geometry.anchors import unit
from train_gpt_style.geometry.clouds import (
    anchor_usage,
    effective_dimension,
    energy_shares,
    self_similarity,
)
from train_gpt_style.geometry.collapse import halved, reasons
from train_gpt_style.geometry.spread import cv_metric
from train_gpt_style.kit.metrics import rank_one
from train_gpt_style.kit.seams import Observer
from train_gpt_style.kit.start import Log
from train_gpt_style.soup.seams import GatedFeature

FILE, TOPS = "scan.jsonl", (5, 20)
RESULTS = "cv", "effective_dimension", "cos_consensus", "r1_consensus"


def scan(model, features, consensus=None, seed=0):
    """Facts by name of the embeddings of rows [(N, D)]; no module is called, weights are read."""
    with torch.no_grad():
        pairs = zip(model.projectors, features, strict=True)
        parts = torch.stack([projected(p.linear, p.norm, x) for p, x in pairs])
        embedding = unit(parts.mean(dim=0))
        cosines = embedding @ unit(model.readout.constellation.anchors).T
    ordered = cosines.sort(dim=1, descending=True).values.double()
    usage = anchor_usage(cosines.argmax(dim=1), cosines.shape[1])
    similar, deviation = self_similarity(embedding)
    cv, volume = cv_metric(embedding, torch.Generator().manual_seed(seed), 200)
    found = {
        "active": usage.active,
        "anchors": usage.anchors,
        "entropy_percent": usage.entropy,
        "gini": usage.gini,
        "near_anchors": float((ordered > 0.5).sum(dim=1).double().mean()),
        "nearest": float(1 - ordered[:, 0].mean()),
        "next": float(1 - ordered[:, min(1, ordered.shape[1] - 1)].mean()),
        "effective_dimension": effective_dimension(embedding),
        **{f"top_{k}": share for k, share in energy_shares(embedding, TOPS).items()},
        "self_similarity": similar,
        "self_similarity_sd": deviation,
        "cv": cv,
        "mean_volume": volume,
        "collapse": reasons(usage.active, usage.anchors, usage.entropy, similar),
    }
    if len(parts) > 1:
        others = [(parts.sum(dim=0) - part) / (len(parts) - 1) for part in parts]
        found["uniqueness"] = [float(1 - (unit(o) * embedding).sum(dim=1).mean()) for o in others]
    if consensus is not None:
        consensus = consensus.to(embedding.device)
        found["cos_consensus"] = float((embedding * consensus).sum(dim=1).mean())
        found["r1_consensus"] = rank_one((embedding @ consensus.T).cpu().numpy())
    return found


def projected(linear, norm, rows):
    """What a projector makes of rows (N, D)."""
    seen = F.linear(rows, linear.weight, linear.bias)
    return F.layer_norm(seen, norm.normalized_shape, norm.weight, norm.bias, norm.eps)


class Scanner(Observer):
    """Writes a line into scan.jsonl after each validation that is due."""

    def __init__(self, run):
        self.run = run
        kept = run.start.observers["scan"] if run.start is not None else {"file": None, "seen": []}
        self.file = Log(run.ctx, Path.cwd() / FILE, kept["file"])
        self.seen = kept["seen"]  # (epoch, active anchors)
        if self.file.kept is not None:
            self.file.go_on()

    def position(self):
        """Bytes of the file, and what the warning level remembers."""
        return {"file": self.file.position(), "seen": self.seen}

    def after_validation(self, step, facts, train_ms=None):
        """A line, when it is due: at the cadence, and at the end."""
        run, s = self.run, self.run.settings
        epoch = step // run.per_epoch
        if epoch % s.scan_every and epoch != s.soup_epochs:
            return
        features = [x.to(run.ctx.device) for x in run.data.val.features]
        known = run.data.kept.get("consensus")
        found = scan(run.model, features, None if known is None else known.val, s.seed)
        self.seen = [*self.seen, [epoch, found["active"]]]
        found["warning"] = halved(self.seen)
        self.file(json.dumps({"step": step, "epoch": epoch, **found}), console=False)
        if epoch == s.soup_epochs:  # what a study may ask of the run
            run.results.update({name: found[name] for name in RESULTS if name in found})
        for words in found["collapse"]:
            run.log(f"collapse: {words}")


class Scan(GatedFeature):
    """Fills one seam: an observer of the loop."""

    declaration = Feature(
        name="scan",
        summary="write what the embeddings look like",
        master=Knob(
            *("SCAN_EVERY", int, 0, "scan at this cadence of validations; 0: never", 0),
            unit="epochs",
            on="1",
        ),
        example={"SCAN_EVERY": "1"},
        kind="observes",
    )

    def check(self, settings):
        """Singular values are LAPACK's."""
        if settings.numerics == "portable":
            raise UsageError("SCAN_EVERY needs NUMERICS=native: its singular values are LAPACK's")

    def observer(self, run):
        """The scanner of this run."""
        return Scanner(run)


SCAN = Scan()
