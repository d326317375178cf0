"""Scores: the headline and the value of each seed, against the logs."""

import re

from goldenseal.audit.match import (
    Match,
    Value,
    best,
    means,
    score_values,
    subset_means,
)
from goldenseal.audit.model import Certainty, Claim, Notes, Record, Run, Stage, Submission
from goldenseal.audit.numbers import Agreement, Number, agreement, mean, parse, plain

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
FINAL = (Stage.FINAL,)
EARLY = (Stage.BEFORE, Stage.STEP)
OTHER = {"bpb": "loss", "loss": "bpb"}
NUMERAL = re.compile(r"(?<![\d.])\d\.\d{3,10}(?!\d)")


def check(record: Record, notes: Notes) -> None:
    """Every score that a submission file states."""
    if not any(run.scores for run in record.runs):
        for submission in record.submissions:
            arithmetic(submission, notes)
        return
    for submission in record.submissions:
        for claim in submission.claims:
            spread = claim.statistic in ("std", "standard error")
            if claim.role in OTHER and not spread and claim.number.value > 0:
                if claim.statistic == "run" and claim.seed is None:
                    of_any(record, claim, notes)
                elif claim.seed is not None:
                    of_seed(record, claim, notes)
                else:
                    headline(record, submission, claim, notes)


def of_seed(record: Record, claim: Claim, notes: Notes) -> None:
    """A value that is stated for one seed: only that seed's log may support it."""
    runs = record.runs_of(claim.seed)
    if not runs:
        return of_unknown(record, claim, notes)
    early = score_values(runs, claim.role, EARLY)
    nearest = best(claim.number, score_values(runs, claim.role, FINAL))
    shown, place = f"{claim} of seed {claim.seed}", claim.place
    if nearest.holds or (claim.before and (nearest := best(claim.number, early)).holds):
        return notes.score(shown, place, nearest.how)
    if claim.nested:
        return notes.add("second-account", AMBIGUOUS, shown, place, "no log of these runs is here")
    if best(claim.number, early).holds:
        evidence = f"matches only {best(claim.number, early).how}"
        return notes.add("before-quantisation", MISMATCH, shown, place, evidence)
    if nearest.agreement is Agreement.TRUNCATED:
        return notes.add("truncated", AMBIGUOUS, shown, place, nearest.how)
    unsaid = best(
        claim.number, score_values([r for r in record.runs if r.seed is None], claim.role)
    )
    if unsaid.holds:
        return notes.score(shown, place, unsaid.how)
    others = [run for run in record.runs if run.seed != claim.seed]
    elsewhere = best(claim.number, score_values(others, claim.role, FINAL))
    if elsewhere.holds:
        evidence = f"it is the value of another seed: {elsewhere.how}"
        return notes.add("seed-swapped", MISMATCH, shown, place, evidence)
    swapped = under_other_name(claim, runs)
    if swapped:
        return notes.add(*swapped, shown, place, f"a logged {OTHER[claim.role]} has this value")
    certainty = MISMATCH if nearest.value is not None else AMBIGUOUS
    return notes.add("score-not-in-log", certainty, shown, place, nearest.how)


def of_any(record: Record, claim: Claim, notes: Notes) -> None:
    """A value that is stated for one of the runs, without saying which."""
    nearest = best(claim.number, score_values(record.runs, claim.role))
    if nearest.holds:
        return notes.score(claim, claim.place, nearest.how)
    return notes.add("score-not-in-log", MISMATCH, claim, claim.place, nearest.how)


def of_unknown(record: Record, claim: Claim, notes: Notes) -> None:
    """A seed without a log is a finding of its own; a log may also not state its seed."""
    unknown = [run for run in record.runs if run.seed is None]
    nearest = best(claim.number, score_values(unknown, claim.role))
    if nearest.holds:
        notes.score(f"{claim} of seed {claim.seed}", claim.place, nearest.how)


def under_other_name(claim: Claim, runs: list[Run]) -> tuple[str, Certainty] | None:
    """Whether a bpb was stored under the name of the loss, or the other way round."""
    other = OTHER[claim.role]
    nearest = best(claim.number, [*score_values(runs, other), *means(runs, other, FINAL, 4)])
    return (f"{other}-under-{claim.role}", MISMATCH) if nearest.holds else None


def headline(record: Record, submission: Submission, claim: Claim, notes: Notes) -> None:
    """A value stated for the whole record: a mean of the runs, or one run's."""
    runs, place, shown = record.used_runs, claim.place, str(claim)
    stages = tuple(Stage) if claim.before else FINAL
    digits = claim.number.digits
    averages = (
        best(claim.number, means(runs, claim.role, stages, digits)) if len(runs) > 1 else None
    )
    if averages and averages.holds:
        return notes.score(shown, place, averages.how)
    stated = best(claim.number, stated_means(submission, claim))
    single = best(claim.number, score_values(runs, claim.role, stages))
    anywhere = best(claim.number, score_values(record.runs, claim.role, stages))
    if single.holds:
        return one_of_several(record, submission, claim, single, averages, notes)
    if stated.holds and missing_logs(record, submission):
        evidence = f"{stated.how}; not all of these seeds have a log"
        return notes.add("partly-logged", AMBIGUOUS, shown, place, evidence)
    if anywhere.holds:
        return notes.score(shown, place, anywhere.how)
    if claim.before and (step := best(claim.number, means(runs, claim.role, EARLY, digits))).holds:
        return notes.score(shown, place, step.how)
    if claim.nested:
        return notes.add("second-account", AMBIGUOUS, shown, place, "no log of these runs is here")
    early = [
        *score_values(record.runs, claim.role, EARLY),
        *means(runs, claim.role, EARLY, digits),
    ]
    if best(claim.number, early).holds:
        evidence = f"matches only {best(claim.number, early).how}"
        certainty = MISMATCH if any(run.finals for run in runs) else AMBIGUOUS
        notes.scored.add(place)
        return notes.add("before-quantisation", certainty, shown, place, evidence)
    for value, chosen in subset_means(record.runs, claim.role, digits):
        if agreement(claim.number, value.value, value.digits) >= Agreement.FEWER:
            return subset(record, submission, claim, value, chosen, notes)
    # With few digits and several runs, one of them is cut off to any value by chance.
    alone = single if len(runs) < 2 or digits > 4 else None
    for closest in (averages, alone):
        if closest and closest.agreement is Agreement.TRUNCATED:
            notes.scored.add(place)
            return notes.add("truncated", AMBIGUOUS, shown, place, closest.how)
    if swapped := under_other_name(claim, runs):
        return notes.add(*swapped, shown, place, f"a logged {OTHER[claim.role]} has this value")
    if stated.holds and not submission.seeds:
        return notes.confirm(shown, place, stated.how)
    nearest = averages if averages and near(claim, averages) < near(claim, single) else single
    if nearest.value is None:  # nothing of the kind is logged, that could contradict
        return notes.add("score-not-in-log", AMBIGUOUS, shown, place, nearest.how)
    return notes.add("score-not-in-log", MISMATCH, shown, place, nearest.how)


def near(claim: Claim, nearest: Match) -> float:
    """The distance of the nearest value, for choosing what to show."""
    return float(abs(nearest.value.value - claim.number.value)) if nearest.value else float("inf")


def missing_logs(record: Record, submission: Submission) -> bool:
    """Whether a listed seed has no run in the logs."""
    return any(not record.runs_of(seed) for seed in submission.seeds)


def subset(
    record: Record,
    submission: Submission,
    claim: Claim,
    value: Value,
    chosen: tuple[Run, ...],
    notes: Notes,
) -> None:
    """The mean of some of the runs: wrong when others were listed, open when none were."""
    names = ", ".join(run.file if run.seed is None else f"seed {run.seed}" for run in chosen)
    evidence = f"it is the {value} ({names}), not that of all {len(record.used_runs)}"
    listed = len(submission.seeds) > len(chosen)
    certainty = MISMATCH if listed else NOTE
    notes.add("mean-of-others", certainty, claim, claim.place, evidence)


def one_of_several(
    record: Record,
    submission: Submission,
    claim: Claim,
    single: Match,
    averages: Match | None,
    notes: Notes,
) -> None:
    """The value of one run. With several runs that is best-of-n, wrong where a mean is stated."""
    seeds = {run.seed for run in record.used_runs}
    if averages is None or averages.value is None or len(seeds) < 2 or claim.before:
        return notes.score(claim, claim.place, single.how)
    shown = plain(averages.value.value)
    evidence = f"single run, one of {len(seeds)}: {single.how}; the mean is {shown}"
    if claim.statistic == "min":
        return notes.score(claim, claim.place, single.how)
    disclosed = any(
        c.statistic == "mean" and c.role == claim.role and c is not claim for c in submission.claims
    )
    said_mean = claim.statistic == "mean" or calls_it_mean(record, submission, claim.number)
    several = len(submission.seeds) > 1 or any(c.statistic == "std" for c in submission.claims)
    if said_mean or (several and not disclosed):
        certainty = MISMATCH if claim.role == "bpb" else AMBIGUOUS
        return notes.add("best-of-n", certainty, claim, claim.place, evidence)
    notes.score(claim, claim.place, single.how)
    return notes.add("best-of-n", NOTE, claim, claim.place, evidence)


def calls_it_mean(record: Record, submission: Submission, number: Number) -> bool:
    """Whether the README or the blurb calls this very value a mean."""
    texts = [str(v) for v in submission.facts.values() if isinstance(v, str)]
    texts.append(record.readme.text if record.readme else "")
    for text in texts:
        for match in NUMERAL.finditer(text):
            written = parse(match[0])
            if written is None or agreement(written, number.value) is not Agreement.ROUNDED:
                continue
            before = text[max(0, match.start() - 40) : match.start()]
            after = text[match.end() : match.end() + 30]
            if re.search(r"\b(?:mean|average)\b[^\d\n]*$", before, re.IGNORECASE):
                return True
            if re.match(r"[^\d\n]{0,6}\(?(?:\d+-seed )?(?:mean|average)\b", after, re.IGNORECASE):
                return True
    return False


def stated_means(submission: Submission, claim: Claim) -> list[Value]:
    """The mean of the values that the submission file itself states for each seed."""
    own = [
        c.number.value
        for c in submission.claims
        if c.seed is not None and c.role == claim.role and not c.nested and not c.before
    ]
    if len(own) < 2:
        return []
    return [Value(mean(own), None, f"mean of the {len(own)} values stated for seeds")]


def arithmetic(submission: Submission, notes: Notes) -> None:
    """Without logs, a file can still contradict itself: its mean against its own values."""
    for claim in submission.claims:
        if claim.role in OTHER and claim.seed is None and claim.statistic in ("", "mean"):
            values = stated_means(submission, claim)
            if values and not claim.before and not claim.nested:
                nearest = best(claim.number, values)
                singles = [
                    Value(c.number.value, None, f"seed {c.seed}")
                    for c in submission.claims
                    if c.seed is not None and c.role == claim.role
                ]
                if nearest.holds:
                    notes.confirm(claim, claim.place, nearest.how)
                elif not best(claim.number, singles).holds:
                    notes.add("mean-of-others", AMBIGUOUS, claim, claim.place, nearest.how)
