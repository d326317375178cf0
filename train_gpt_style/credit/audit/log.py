"""What a run log tells the replay, and whether it is of the run that is audited."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldenseal.errors import UsageError
from goldenseal.runlog import read_run_log
from train_gpt_style.credit.features.measure import SIZE
from train_gpt_style.credit.protocol.numbers import mean

NAME = "train.jsonl"


@dataclass(frozen=True)
class Log:
    """The lines of a run log; the first is its header."""

    path: Path
    lines: list[dict[str, Any]]

    def apart(self, subject):
        """The first knob in which this run is not the subject's, in words; empty: it is that run.

        Knobs that a run may change when it goes on are no part of a checkpoint, nor of this.
        """
        ours = self.lines[0].get("knobs", {})
        for name, text in sorted(subject.facts.get("knobs", {}).items()):
            if ours.get(name, text) != text:
                return f"{self.path} is of another run: {name}={ours[name]}, not {text}"
        return ""

    def tests(self):
        """The validation lines."""
        return [line for line in self.lines if line.get("kind") == "validation"]

    def accuracies(self):
        """By step."""
        return {line["step"]: number(line, "val_acc") for line in self.tests()}

    def decrease(self, steps):
        """Mean training loss of the first epoch of `steps` less that of the last; None below two.

        Positive where the loss fell; both signs have been printed.
        """
        losses = [number(line, "loss") for line in self.lines if line.get("kind") == "step"]
        epochs = len(losses) // steps
        if epochs < 2 or None in losses:
            return None
        first, last = losses[:steps], losses[(epochs - 1) * steps : epochs * steps]
        return mean(first) - mean(last)

    def rows(self, frozen):
        """The tests that measured, as the replay takes them; `epoch` counts steps.

        frozen: accuracies of the frozen baseline by step: (d) compares equal steps alone.
        """
        measured = int(self.lines[0].get("knobs", {}).get("CREDIT_MEASURE", 0))
        found = []
        for line in self.tests():
            count = sum(name.startswith("hidden_") for name in line)
            if not count:
                continue
            row = {
                "epoch": line["step"],
                "hidden": [number(line, f"hidden_{layer}") for layer in range(count)],
                "gradient": number(line, f"gradient_{count - 1}"),
                "gamma": number(line, "gamma"),
                "accuracy": number(line, "val_acc"),
                "stability": number(line, "stability"),
                "batches": measured // SIZE,
                "size": SIZE,
                "baseline": frozen.get(line["step"]),
            }
            found.append(row)
        return found


def number(line, name):
    """A float of a line; None where it is not there, or not finite."""
    value = float.fromhex(line[name]) if name in line else math.nan
    return value if math.isfinite(value) else None


def log_of(subject, path, say):
    """The `Log` of a subject: `path`, or the one beside its folder of checkpoints, or None.

    One that was not named, and is of another run, is passed over, and that is said. Raises
    UsageError where a named one is.
    """
    beside = None if subject.folder is None else subject.folder.parent.parent / NAME
    if path is None and (beside is None or not beside.is_file()):
        return None
    log = Log(Path(path or beside), read_run_log(Path(path or beside), complete=False))
    if words := log.apart(subject):
        if path is not None:
            raise UsageError(words)
        say(f"passed over: {words}")
        return None
    return log
