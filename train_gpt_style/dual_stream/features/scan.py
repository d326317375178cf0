"""SCAN_EVERY: the eight scans of what a validation computes, at a cadence, as lines of scan.jsonl.

Idea: the published analysis while the model trains, with what makes its marks mean something
(dual_stream/scans.py): uniform values beside every CV, collapse, parameters that had
no gradient since the last scan, loss terms that were 0 on every step so far; a line on the console
for any of these. Without a cadence nobody looks.
It observes only: it computes nothing with the model that the validation did not.
Off (0): nothing is looked at.
"""

import json
from pathlib import Path

from goldenseal.knobs import Feature, Knob
from train_gpt_style.dual_stream.gallery import Gallery
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
        kept = run.start.observers["scan"] if run.start is not None else NOTHING
        self.watched = Watched(run.model, kept["watched"])
        self.file = Log(run.ctx, Path.cwd() / FILE, kept["file"])
        if self.file.kept is not None:
            self.file.go_on()
        self.gallery = self.fresh()
        run.model.lookers.append(lambda labels: self.gallery.add(run.model, labels))

    def fresh(self):
        """A gallery of the next validation."""
        return Gallery(self.run.settings.scan_images, len(self.run.val_split))

    def position(self):
        """The file so far, and what had a gradient."""
        return {"file": self.file.position(), "watched": self.watched.position()}

    def after_step(self, step):
        """Look at gradients and terms."""
        self.watched.after_step(step.terms)

    def after_validation(self, step, facts, train_ms=None):
        """One line, when it is time; then other images."""
        gallery, self.gallery = self.gallery, self.fresh()
        run, epoch = self.run, facts["epoch"]
        if epoch % run.settings.scan_every and step != run.steps:
            return
        found = scan(run.model, gallery, self.watched.found())
        line = json.dumps({"step": step, **found}, separators=(",", ":"))
        self.file(line, console=False)
        self.watched.begin()
        if step == run.steps:
            run.results.update(results_of(found["scans"]))
        for reason in found["diagnosis"]["verdict"]["reasons"]:
            run.log(f"scan of step {step}: {reason}")


def results_of(scans):
    """What a study may ask of the last scan, beside the accuracy; nothing of one that is broken.

    uniform_cv: of uniform points at the embedding's effective dimension, where there are any.
    """
    health = scans["1 embedding health"]
    if not health["finite"]:
        return {}
    anchors = scans["2 pooled anchor usage"]
    found = {
        "active_anchors": anchors["active"],
        "anchor_cosine": anchors["cosine"],
        "cv": health["cv"],
        "effective_dimension": health["effective_dimension"],
        "self_similarity": health["self_similarity"],
        "uniform_cv": health["uniform_effective"],
    }
    return {name: value for name, value in found.items() if value is not None}


class ScanFeature(GatedFeature):
    """Fills one seam: an observer of the loop."""

    declaration = Feature(
        name="scan",
        summary="scan the model at a cadence, and at the end",
        master=Knob("SCAN_EVERY", int, 0, "at this cadence; 0: never", 0, unit="epochs", on="1"),
        knobs=(Knob("SCAN_IMAGES", int, 512, "validation images", 2, unit="images", on="4"),),
        example={"SCAN_EVERY": "2"},
        kind="observes",
    )

    def observer(self, run):
        """The scanner of this run."""
        return Scanner(run)


SCAN = ScanFeature()
