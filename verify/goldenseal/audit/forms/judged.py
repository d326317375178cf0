"""One number of a README against the runs that it is about."""

import statistics
from decimal import Decimal

from goldenseal.audit.checks.readme_spread import candidates
from goldenseal.audit.forms.metric_runs import Meant, MetricRun, fit, means, values
from goldenseal.audit.forms.named_runs import groups_of
from goldenseal.audit.match import Value, best
from goldenseal.audit.model import Certainty, Notes
from goldenseal.audit.numbers import Agreement, Number
from goldenseal.audit.numbers import mean as mean_of

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
NEAR = 0.05  # relative; by which a number is off that is still meant for a value


def judge(
    number: Number,
    percent: bool,
    wanted: Meant,
    own: list[MetricRun],
    shown: str,
    place: str,
    notes: Notes,
    sure: bool = True,
) -> None:
    """One number against its run: the last value or the best, as its heading says; or, of several
    runs, their mean.
    """
    several = len(own) > 1
    held = {
        which: means(own, wanted, which) if several else values(own, wanted, which)
        for which in ("last", "best")
    }
    if not held["last"]:
        return
    last, top = (fit(number, held[which], percent) for which in ("last", "best"))
    if last.holds and wanted.which != "best":
        return notes.score(shown, place, last.how)
    if top.holds and wanted.which != "last":
        notes.score(shown, place, top.how)
        if not wanted.which and not last.holds:
            notes.add("best-value", NOTE, shown, place, f"it is {top.how}; {near(held['last'])}")
        return
    if top.holds or last.holds:
        said, evidence = ("last", top.how) if top.holds else ("best", last.how)
        evidence = f"said to be the {said}: it is the {evidence}; {near(held[said])}"
        return notes.add("best-for-last", MISMATCH, shown, place, evidence)
    anywhere = fit(number, values(own, wanted, ""), percent)
    if several and anywhere.holds:
        singles = [*values(own, wanted, "last"), *values(own, wanted, "best")]
        one = fit(number, singles, percent)
        evidence = f"of {len(own)} runs it is one's: {(one if one.holds else anywhere).how}; "
        return notes.add("best-of-n", MISMATCH, shown, place, evidence + near(held["last"]))
    if anywhere.holds:
        evidence = f"it is {anywhere.how}: neither the last nor the best; {near(held['last'])}"
        return notes.add("some-step", AMBIGUOUS if sure else NOTE, shown, place, evidence)
    if Agreement.TRUNCATED in (last.agreement, top.agreement):
        cut = last if last.agreement else top
        notes.scored.add(place)
        return notes.add("truncated", AMBIGUOUS, shown, place, cut.how)
    evidence = f"nearest: {near(held['last'])}"
    certainty = MISMATCH if sure else NOTE
    if sure and not any(wanted.same_split(name) for run in own for name, _ in run.named(wanted)):
        certainty, evidence = AMBIGUOUS, f"of the {wanted.split} split nothing says it; {evidence}"
    return notes.add("not-in-log", certainty, shown, place, evidence)


def near(held: list[Value]) -> str:
    """The first of some values, in words."""
    return str(held[0]) if held else "nothing of the kind is logged"


def judge_mean(
    number: Number,
    percent: bool,
    wanted: Meant,
    above: list[Number],
    runs: list[MetricRun],
    shown: str,
    place: str,
    notes: Notes,
) -> None:
    """The mean of a column: of the cells above, or of the runs."""
    exact = mean_of(n.value for n in above)
    cells = Value(exact, min(n.digits for n in above) + 2, f"mean of the {len(above)} cells above")
    nearest = best(number, [cells])
    slack = Decimal(1).scaleb(-number.digits)
    if nearest.holds or abs(exact - number.value) <= slack:
        return notes.confirm(shown, place, str(cells))
    held = [*means(runs, wanted, "last"), *means(runs, wanted, "best")]
    if fit(number, held, percent).holds:
        return notes.score(shown, place, fit(number, held, percent).how)
    return notes.add("readme-mean", MISMATCH, shown, place, nearest.how)


def judge_spread(
    spread: Number, label: str, wanted: Meant, own: list[MetricRun], place: str, notes: Notes
) -> None:
    """A deviation over runs, in the unit of the log or in percent."""
    if len(own) < 2 or not spread.value:
        return
    held: list[Value] = []
    for which in ("last", "best"):
        for name in dict.fromkeys(n for run in own for n, _ in run.named(wanted)):
            points = [v.value for v in values(own, wanted, which) if f" {name} of " in v.what]
            if len(points) == len(own):
                for scale in (1, 100):
                    scaled = [p * scale for p in points]
                    held += candidates(scaled, f"{which} {name}", spread.digits, label)
    nearest = best(spread, held)
    shown = f"{label or '±'} {spread}"
    if nearest.holds:
        return notes.confirm(shown, place, nearest.how)
    if held:
        notes.add("deviation", MISMATCH, shown, place, nearest.how)
    return None


def of_group(
    number: Number,
    percent: bool,
    wanted: Meant,
    runs: list[MetricRun],
    shown: str,
    place: str,
    notes: Notes,
    sure: bool,
    median: bool = False,
    count: int = 0,
) -> None:
    """A mean, or a median, of runs that a sentence does not name: of all of them, or of those of
    one method, of which the nearest is meant.
    """
    groups = [runs, *(group for group in groups_of(runs) if len(group) < len(runs))]
    if median:
        held = [
            Value(
                statistics.median(v.value for v in own), None, f"median {which} of {len(own)} runs"
            )
            for group in groups
            for which in ("last", "best")
            if len(own := values(group, wanted, which)) == len(group)
        ]
        nearest = fit(number, held, percent)
        if nearest.holds:
            return notes.score(shown, place, nearest.how)
        certainty = MISMATCH if sure and held and is_within(number, held) else NOTE
        return notes.add("not-in-log", certainty, shown, place, nearest.how)
    group = min(groups, key=lambda g: distance(number, means(g, wanted, "last")))
    best_group = min(groups, key=lambda g: distance(number, means(g, wanted, "best")))
    if fit(number, means(best_group, wanted, "best"), percent).holds and wanted.which != "last":
        group = best_group
    held = [v for which in ("last", "best") for v in means(group, wanted, which)]
    if count > len(group) and count > len(runs) // 2 and fit(number, held, percent).holds:
        evidence = f"it is that of {len(group)} runs: {fit(number, held, percent).how}"
        return notes.add("runs-counted", MISMATCH, f"{shown}, of {count}", place, evidence)
    near_by = is_within(number, means(group, wanted, "last"))
    return judge(number, percent, wanted, group, shown, place, notes, sure and near_by)


def distance(number: Number, held: list[Value]) -> float:
    """How far the nearest of some values is, relative to it, in whichever of the two units."""
    sizes = [(float(v.value) * scale, float(number.value)) for v in held for scale in (1, 100)]
    return min((abs(a - b) / max(abs(a), 1e-12) for a, b in sizes), default=float("inf"))


def is_within(number: Number, held: list[Value]) -> bool:
    """Whether a number is near enough to be meant for one of some values."""
    return distance(number, held) <= NEAR


def single(
    value: Number,
    percent: bool,
    wanted: Meant,
    runs: list[MetricRun],
    shown: str,
    place: str,
    notes: Notes,
) -> None:
    """A number of one run of several, which the sentence does not name: any may be meant."""
    held = [v for which in ("last", "best") for v in values(runs, wanted, which)]
    held += [v for which in ("last", "best") for v in means(runs, wanted, which)]
    nearest = fit(value, held, percent)
    if nearest.holds:
        return notes.score(shown, place, nearest.how)
    return notes.add("not-in-log", AMBIGUOUS, shown, place, nearest.how)
