"""A subject under the protocol: a report as plain JSON, schema 1."""

import math
from dataclasses import asdict

from train_gpt_style.credit.calibrate import can_be_drawn, fresh_cosines
from train_gpt_style.credit.metrics import (
    cosine,
    distances,
    gradient_norm,
    hidden_norm,
    nudged_loss,
    present,
    rho,
    stability,
)
from train_gpt_style.credit.protocol import (
    calibration,
    diagnostics,
    replay,
    sensitivity,
    strategies,
)
from train_gpt_style.credit.protocol.verdict import verdict

SCHEMA = 1
MISSING = "not evaluated"
NAMES = {"a": "scale growth", "b": "gradient at the top", "c": "stability", "d": "depth utility"}


def report(
    subject,
    thresholds,
    batches,
    size,
    baseline=None,
    draws=0,
    log=None,
    effects=False,
    reference=None,
    say=print,
    baseline_log=None,
):
    """The report of a `Subject`; `baseline`: another, trained with frozen blocks.

    batches, size: of (c). draws: of null calibration; 0: none. log, baseline_log: `log.Log`s of
    both runs, for the replay. effects: also rho and nudging. reference: another subject, for the
    distances of states.
    """
    seen = subject.seen
    say("norms and gradients")
    hidden = [hidden_norm(h) for h in seen.hidden]
    gradients = [gradient_norm(g) for g in seen.gradients]
    say("diagnostics")
    middle = seen.gradients[(len(seen.hidden) - 1) // 2]
    enough = len(middle) >= batches * size
    stable = stability(middle, batches, size) if enough else None
    findings = [
        diagnostics.growth(hidden, thresholds),
        diagnostics.floor(gradients[-1], thresholds),
        diagnostics.stability(stable, batches, size, thresholds),
        depth_of(subject, baseline, thresholds),
    ]
    judged = verdict(findings)
    cosines = None
    if seen.credits is not None:
        say("cosines")
        pairs = zip(seen.credits, seen.gradients, strict=True)
        cosines = [cosine(a, g) for a, g in pairs]
    found = {
        "schema": SCHEMA,
        "subject": subject.name,
        "facts": subject.facts,
        "examples": len(seen.losses),
        "accuracy": subject.accuracy,
        "chance": subject.chance,
        "thresholds": asdict(thresholds),
        "diagnostics": [told(finding) for finding in findings],
        "verdict": judged.words,
        "fired": judged.fired,
        "not_evaluated": judged.missing,
        "undercut": MISSING if judged.undercut is None else judged.undercut,
        "notes": [*judged.notes, *notes_of(subject.facts)],
        "layers": layers_of(hidden, gradients, cosines),
        "cosines": means_of(cosines, subject.missing),
        "present": present(seen.gradients, thresholds.n_ref),
        "calibration": f"{MISSING}: no feedback that could be drawn afresh",
        "replay": f"{MISSING}: no log",
        "loss_decrease": f"{MISSING}: no log",
    }
    gamma = found["cosines"].get("gamma")
    reported = strategies.Reported(
        subject.accuracy, subject.chance, gamma, judged.fired, judged.missing
    )
    named = {name: strategies.walks_back(name, reported) for name in strategies.STRATEGIES}
    found["strategies"] = {k: MISSING if v is None else v for k, v in named.items()}
    deep = found["cosines"].get("deep")
    if draws and cosines and can_be_drawn(subject.method):
        if deep is None:
            found["calibration"] = f"{MISSING}: the deep cosine is not defined"
        else:
            say(f"null calibration, {draws} draws")
            fresh = fresh_cosines(seen, subject.method, draws)[:, 1:].mean(dim=1).tolist()
            made = calibration.calibrated(deep, fresh)
            found["calibration"] = {**asdict(made), "z": made.z}
    if effects and cosines and hasattr(seen, "loss_from"):
        say("what the credit does to the loss")
        found["effects"] = effects_of(seen)
    if reference is not None:
        found["distances"] = distances(seen, reference.seen)
    if log is not None:
        found["trajectory"] = rows = log.rows(frozen_of(baseline, baseline_log))
        theirs = None if baseline is None else baseline.setting
        found["replay"] = replay.first_epochs(rows, thresholds, subject.setting, theirs)
        if not rows:
            found["replay"] = f"{MISSING}: no test of the log measured: CREDIT_MEASURE=1024"
        for row in rows:
            findings += replay.findings_at(row, thresholds, subject.setting, theirs)
        fell = log.decrease(subject.facts["steps_an_epoch"])
        found["loss_decrease"] = (
            f"{MISSING}: less than two epochs of finite losses" if fell is None else fell
        )
    found["sensitivity"] = sensitivity_of(findings)
    return found


def sensitivity_of(findings):
    """By letter, between which thresholds no verdict changes, of the network or of its log."""
    found = {}
    for letter in NAMES:
        known = [each for each in findings if each.letter == letter and each.fires is not None]
        if known:
            between = sensitivity.interval(letter, [e.value for e in known], known[0].threshold)
            found[letter] = {"low": between.low, "high": between.high}
        else:
            found[letter] = MISSING
    return found


def frozen_of(baseline, log):
    """Accuracies of the frozen baseline by step: from its log, and of what was audited."""
    found = {} if log is None else log.accuracies()
    return found if baseline is None else found | {baseline.facts.get("step"): baseline.accuracy}


def notes_of(facts):
    """What a reader must know of how the credit was made."""
    if facts.get("ep_settled") != 0:
        return []
    return [
        f"the relaxation had not settled after {facts['ep_steps']} steps (residual "
        f"{facts['ep_residual'] or 'not finite'}): the credit is not that of an equilibrium"
    ]


def depth_of(subject, baseline, thresholds):
    """(d), against another subject, or against what a function states."""
    if baseline is None:
        stated, setting = subject.facts.get("baseline"), subject.baseline_setting
    else:
        stated, setting = baseline.accuracy, baseline.setting
    return diagnostics.depth(subject.accuracy, stated, subject.setting, setting, thresholds)


def told(finding):
    """A finding as JSON."""
    value = finding.value if finding.fires is not None else MISSING
    fires = MISSING if finding.fires is None else finding.fires
    named = {"letter": finding.letter, "name": NAMES[finding.letter], "value": value}
    return {**named, "threshold": finding.threshold, "fires": fires, "reason": finding.reason}


def layers_of(hidden, gradients, cosines):
    """A row a layer; a cosine that is not there is N/A, one that is not defined None."""
    found = []
    for layer, (h, g) in enumerate(zip(hidden, gradients, strict=True)):
        c = "N/A" if cosines is None else cosines[layer]
        c = None if isinstance(c, float) and math.isnan(c) else c
        found.append({"layer": layer, "hidden": h, "gradient": g, "cosine": c})
    return found


def means_of(cosines, missing):
    """Gamma and the deep means, with and without the top layer."""
    if cosines is None:
        return {"N/A": missing}
    if any(math.isnan(c) for c in cosines):
        return {"N/A": "a norm is 0 or not finite, so its cosine is not defined"}
    found = calibration.layers(cosines)
    return {k: None if v != v else v for k, v in asdict(found).items()}


def effects_of(seen):
    """rho, and the mean change of the loss on a step against the credit, of layers 1..L."""
    deep = range(1, len(seen.credits))
    found = {
        "rho": [rho(seen, seen.credits, layer) for layer in deep],
        "nudge": [nudged_loss(seen, seen.credits, layer) for layer in deep],
    }
    return {k: [None if math.isnan(v) else v for v in values] for k, values in found.items()}
