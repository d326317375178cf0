"""SCAN_EVERY: the eight scans on validation images at a cadence, as lines of scan.jsonl.

Idea: the published analysis while the model trains, with what makes its marks mean something
(dual_stream/scans.py): uniform values beside every CV, collapse, parameters that never had a
gradient, loss terms that were 0 on every step so far.
It observes only: no draw, no gradient; a run with it has the same bytes.
Off (0): nothing is looked at.
"""

import json
from pathlib import Path

import torch

from goldenseal.knobs import Feature, Knob
from train_gpt_style.dual_stream.scans import scan
from train_gpt_style.dual_stream.seams import GatedFeature
from train_gpt_style.dual_stream.watch import Watched
from train_gpt_style.kit.seams import Observer
from train_gpt_style.kit.start import Log

FILE = "scan.jsonl"
NOTHING = {"file": None, "watched": None}


class Scanner(Observer):
    """Writes scan.jsonl into the current folder."""

    def __init__(self, run):
        self.run = run
        s, split = run.settings, run.val_split
        kept = run.start.observers["scan"] if run.start is not None else NOTHING
        count = min(len(split), s.scan_images)
        self.places = spread_places(split, count)
        self.watched = Watched(run.model, kept["watched"])
        self.file = Log(run.ctx, Path.cwd() / FILE, kept["file"])
        if self.file.kept is not None:
            self.file.go_on()

    def position(self):
        """The file so far, and what had a gradient."""
        return {"file": self.file.position(), "watched": self.watched.position()}

    def after_step(self, step):
        """One line, when it is time."""
        self.watched.after_step(step.terms)
        every = self.run.settings.scan_every
        if step.step % every and step.step != self.run.steps:
            return
        split = self.run.val_split
        images, labels = split.images(self.places), split.labels[self.places]
        found = scan(self.run.model, images, labels, self.run.ctx, self.watched.found())
        line = {"step": step.step, **found}
        self.file(json.dumps(line, separators=(",", ":")), console=False)


def spread_places(split, count):
    """`count` places spread evenly over a split."""
    return torch.arange(count) * len(split) // count


class ScanFeature(GatedFeature):
    """Fills one seam: an observer of the loop."""

    declaration = Feature(
        name="scan",
        summary="scan the model at a cadence, and at the end",
        master=Knob("SCAN_EVERY", int, 0, "at this cadence; 0: never", 0, unit="steps", on="2"),
        knobs=(Knob("SCAN_IMAGES", int, 512, "validation images", 2, unit="images", on="4"),),
        example={"SCAN_EVERY": "2"},
        kind="observes",
    )

    def observer(self, run):
        """The scanner of this run."""
        return Scanner(run)


SCAN = ScanFeature()
