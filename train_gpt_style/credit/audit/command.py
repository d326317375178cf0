"""The command line: what is audited, against what, and how the answer is told.

Exit codes: 0 trustworthy, 1 walked back, 2 bad usage or input, 3 nothing fired and something could
not be evaluated.
"""

import argparse
import json
import sys
from pathlib import Path

import torch

from goldenseal.disk.files import atomic_write
from goldenseal.errors import UsageError
from train_gpt_style.credit.audit.function import of_function
from train_gpt_style.credit.audit.judge import MISSING, report
from train_gpt_style.credit.audit.log import log_of
from train_gpt_style.credit.audit.subject import of_checkpoint
from train_gpt_style.credit.protocol.diagnostics import LEAST_BATCHES, LEAST_SIZE, Thresholds

EPILOG = """\
The four diagnostics:
  (a) scale growth: the largest ratio of median norms of h_{l+1} and h_l is above 50
  (b) the gradient at h_L, of a mean loss over --n-ref examples, is below 1e-7. The floor was
      printed for a batch's mean; the network has one verdict only when that batch is named
  (c) batch gradients at layer L/2 agree by more than 0.30. It counts, and where it alone fired
      a note says so: it fires on healthy networks early in training too
  (d) accuracy is less than 2 points above that of frozen blocks, at the same setting: --baseline
What is not evaluated is said, and is never a pass.

examples:
  CHECKPOINT_EVERY=300 STEPS=900 CREDIT_METHOD=dfa python -m train_gpt_style.credit
  python -m train_gpt_style.credit audit checkpoints
  python -m train_gpt_style.credit audit dfa/ --baseline frozen/ --html audit.html
  python -m train_gpt_style.credit audit my_networks:trained --json
where `trained` returns {"model": ..., "x": ..., "y": ..., "layers": ["embed", "blocks.0", ...]}.
"""


def parser():
    """The command line."""
    found = argparse.ArgumentParser(
        prog="python -m train_gpt_style.credit audit",
        description="Judge a trained network by four diagnostics, and its credit layer by layer.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("subject", help="a checkpoint, a run's folder, or module:function")
    found.add_argument("--baseline", help="the same with CREDIT_METHOD=frozen, for (d)")
    found.add_argument("--data-dir", default="", help="what it was trained on; empty: the teacher")
    found.add_argument("--examples", type=int, default=1024, help="of the test split (1024)")
    found.add_argument("--batches", type=int, default=LEAST_BATCHES, help="of (c), disjoint (8)")
    found.add_argument("--n-ref", type=int, default=128, help="batch that the floor is of (128)")
    found.add_argument("--draws", type=int, default=20, help="of null calibration; 0: none (20)")
    found.add_argument("--effects", action="store_true", help="also what a credit does to the loss")
    found.add_argument("--reference", help="a checkpoint of backpropagation: distances of states")
    found.add_argument("--log", type=Path, help="train.jsonl of the run, for the replay")
    found.add_argument("--baseline-log", type=Path, help="that of the baseline: (d) in the replay")
    found.add_argument(
        "--ep-credit",
        choices=("displacement", "residual"),
        default="displacement",
        help="which credit of equilibrium propagation is measured",
    )
    found.add_argument("--json", action="store_true", help="the whole report as JSON")
    found.add_argument("--html", type=Path, metavar="FILE", help="a page with figures")
    return found


def main(arguments):
    """The exit code."""
    options = parser().parse_args(arguments)
    check(options)

    def say(words):
        print(f"audit: {words}", file=sys.stderr)

    say(f"reading {options.subject}")
    subject = subject_of(options.subject, options)
    baseline = None
    if options.baseline:
        say(f"reading {options.baseline}")
        baseline = subject_of(options.baseline, options)
        if baseline.facts["method"] != "frozen":
            raise UsageError(
                f"--baseline {options.baseline} was trained by {baseline.facts['method']}: "
                "train it by CREDIT_METHOD=frozen"
            )
        if subject.setting is None:
            raise UsageError(
                f"--baseline: {options.subject} states no setting that could be compared: let it "
                "return one"
            )
    reference = reference_of(subject, options) if options.reference else None
    baseline_log = None if baseline is None else log_of(baseline, options.baseline_log, say)
    found = report(
        subject,
        Thresholds(n_ref=options.n_ref),
        options.batches,
        LEAST_SIZE,
        baseline,
        options.draws,
        log_of(subject, options.log, say),
        options.effects,
        reference,
        say,
        baseline_log,
    )
    if options.html:
        from train_gpt_style.credit.audit.page import page

        atomic_write(options.html, page(found).encode("utf-8"))
        say(f"{options.html} written")
    print(json.dumps(found, indent=2, allow_nan=False) if options.json else in_words(found))
    return 1 if found["fired"] else 3 if found["not_evaluated"] else 0


def check(options):
    """Raises UsageError for numbers that make no sense, before anything is read."""
    if options.batches < LEAST_BATCHES:
        raise UsageError(f"--batches {options.batches}: (c) needs at least {LEAST_BATCHES}")
    for name, least in (("examples", 1), ("n_ref", 1), ("draws", 0)):
        value = getattr(options, name)
        if value < least:
            raise UsageError(f"--{name.replace('_', '-')} {value}: at least {least}")
    if options.draws == 1:
        raise UsageError("--draws 1: a spread needs at least 2 draws, 20 are usual")
    if options.baseline_log and not options.baseline:
        raise UsageError("--baseline-log is that of --baseline: name both")
    if options.html and not options.html.absolute().parent.is_dir():
        raise UsageError(f"--html {options.html}: there is no such folder")


def subject_of(text, options):
    """What a text names."""
    if ":" in text and not Path(text).exists():
        return of_function(text, options.examples)
    return of_checkpoint(text, options.examples, options.data_dir, options.ep_credit)


def reference_of(subject, options):
    """The network that states are compared with.

    Raises UsageError unless it was trained by backpropagation, and answers the same inputs with
    states of the same shapes.
    """
    found = subject_of(options.reference, options)
    where, method = f"--reference {options.reference}", found.facts["method"]
    if method != "bp":
        raise UsageError(f"{where} was trained by {method}: distances are from CREDIT_METHOD=bp")
    theirs, ours = ([tuple(h.shape) for h in each.seen.hidden] for each in (found, subject))
    if theirs != ours:
        raise UsageError(f"{where}: its states have the shapes {theirs}, the network's {ours}")
    if not torch.equal(found.inputs, subject.inputs):
        raise UsageError(f"{where} was tested on other inputs: train it on the same data")
    return found


def shown(value):
    """A number in four digits; anything else as it is."""
    if value is None:
        return "undefined"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def end(value):
    """One end of a span of thresholds."""
    return "any" if value is None else shown(value)


def in_words(found):
    """The report as text."""
    lines = [f"{found['subject']}: {found['verdict']}", ""]
    for each in found["diagnostics"]:
        state = {True: "FIRES", False: "quiet"}.get(each["fires"], MISSING)
        value = each["reason"] or f"{shown(each['value'])}, threshold {shown(each['threshold'])}"
        lines.append(f"  ({each['letter']}) {each['name']:<20} {state:<14} {value}")
    n_ref = found["thresholds"]["n_ref"]
    lines += [
        "",
        f"  accuracy {shown(found['accuracy'])}, N_ref {n_ref}, {found['examples']} examples",
    ]
    lines += ["", "  layer      ||h||   ||g|| of one   cosine"]
    for each in found["layers"]:
        h, g, c = (shown(each[name]) for name in ("hidden", "gradient", "cosine"))
        lines.append(f"  {each['layer']:>5} {h:>10} {g:>14} {c:>8}")
    means = found["cosines"]
    if "N/A" in means:
        lines.append(f"  cosines N/A: {means['N/A']}")
    else:
        named = {"gamma": "Gamma", "deep": "deep mean", "without_top": "without the top layer"}
        words = ", ".join(f"{text} {shown(means[key])}" for key, text in named.items())
        lines.append(f"  {words}")
        if means["warning"]:
            lines.append(f"  warning: {means['warning']}")
    null = found["calibration"]
    if isinstance(null, dict):
        lines.append(
            f"  against {null['n']} fresh draws: {shown(null['mean'])} +- {shown(null['sd'])}, "
            f"z {shown(null['z'])}, p {shown(null['p'])}"
        )
    for name, values in found.get("effects", {}).items():
        lines.append(f"  {name} of layers 1 to L: {' '.join(shown(v) for v in values)}")
    if "distances" in found:
        lines.append(f"  distance by layer: {' '.join(shown(v) for v in found['distances'])}")
    if isinstance(found["replay"], dict):
        first = ", ".join(f"({k}) {v}" for k, v in sorted(found["replay"].items()))
        lines.append(f"  first firing step: {first}")
    if isinstance(found["loss_decrease"], float):
        lines.append(f"  training loss, first epoch less last: {shown(found['loss_decrease'])}")
    spans = {k: v for k, v in found["sensitivity"].items() if v != MISSING}
    between = [f"({k}) {end(v['low'])} to {end(v['high'])}" for k, v in spans.items()]
    lines.append(f"  no verdict changes for thresholds of {', '.join(between) or 'nothing'}")
    passed = [name for name, back in found["strategies"].items() if back is False]
    lines.append(f"  reports that would pass it: {', '.join(passed) or 'none'}")
    lines += [f"  note: {note}" for note in found["notes"]]
    return "\n".join(lines)
