"""SCAN_EVERY: what the embeddings of the validation images look like, lines of scan.jsonl.

Effective dimension, share of the largest directions, self-similarity, CV, and where SOUP is given
the use of its anchors, with the collapse detector's verdict (geometry.collapse). It observes only:
it reads what the validation has just made.
Off (0): nothing is observed, nothing is written.
"""

import json
from pathlib import Path

import torch

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.geometry.anchors import unit
from train_gpt_style.geometry.clouds import (
    anchor_usage,
    effective_dimension,
    energy_shares,
    self_similarity,
)
from train_gpt_style.geometry.collapse import reasons
from train_gpt_style.geometry.spread import cv_metric
from train_gpt_style.kit.seams import Observer
from train_gpt_style.kit.start import Log
from train_gpt_style.soup_student.seams import GatedFeature

FILE, TOPS, SAMPLES = "scan.jsonl", (5, 20), 200
RESULTS = "cv", "cv_targets", "effective_dimension", "active"


def scan(embedding, anchors=None, seed=0):
    """Facts by name of unit rows (M, O); anchors (A, O) of a soup."""
    similar, deviation = self_similarity(embedding)
    cv, volume = cv_metric(embedding, torch.Generator().manual_seed(seed), SAMPLES)
    found = {
        "effective_dimension": effective_dimension(embedding),
        **{f"top_{k}": share for k, share in energy_shares(embedding, TOPS).items()},
        "self_similarity": similar,
        "self_similarity_sd": deviation,
        "cv": cv,
        "mean_volume": volume,
    }
    if anchors is None:
        return found
    usage = anchor_usage((embedding @ unit(anchors).T).argmax(dim=1), len(anchors))
    use = {
        "active": usage.active,
        "anchors": usage.anchors,
        "entropy_percent": usage.entropy,
        "gini": usage.gini,
        "collapse": reasons(usage.active, usage.anchors, usage.entropy, similar),
    }
    return found | use


class Scanner(Observer):
    """Writes a line into scan.jsonl after each validation that is due."""

    def __init__(self, run):
        self.run = run
        kept = run.start.observers["scan"] if run.start is not None else None
        self.file = Log(run.ctx, Path.cwd() / FILE, kept)
        if self.file.kept is not None:
            self.file.go_on()

    def position(self):
        """Bytes of the file."""
        return self.file.position()

    def after_validation(self, step, facts, train_ms=None):
        """A line, when it is due: at the cadence, and at the end."""
        run, s = self.run, self.run.settings
        epoch = step // run.per_epoch
        if epoch % s.scan_every and epoch != s.epochs:
            return
        soup = run.data.soup
        anchors = None if soup is None else soup.anchors
        found = scan(run.data.seen, anchors, s.seed)
        found["cv_targets"], _ = cv_metric(
            run.data.val_targets, torch.Generator().manual_seed(s.seed), SAMPLES
        )
        self.file(json.dumps({"step": step, "epoch": epoch, **found}), console=False)
        if epoch == s.epochs:  # what a study may ask of the run
            run.results.update({name: found[name] for name in RESULTS if name in found})


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
