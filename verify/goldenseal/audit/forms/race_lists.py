"""Lists of losses and times in the README of a speed-run, and what is printed of them."""

import math
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from goldenseal.audit.checks.spread import deviation
from goldenseal.audit.forms.race import OTHERS, Race
from goldenseal.audit.lists import Listed
from goldenseal.audit.match import matched
from goldenseal.audit.model import Certainty, Notes, Readme
from goldenseal.audit.numbers import Number, mean, parse, plain
from goldenseal.stats.student import one_sample

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
NUM = r"(\d+\.\d+(?:[eE][-+]?\d+)?)"
WRAP = r"(?:\w+(?:\.\w+)?\()?"
PAIR = re.compile(
    rf"\((?:std\s*=\s*)?{WRAP}{NUM}\)?\s*,\s*(?:mean\s*=\s*)?{WRAP}{NUM}\)?\s*\)", re.IGNORECASE
)
MEAN = re.compile(
    rf"\b(?:mean|avg|average)\b[^\d\n=:(]{{0,24}}[=:(]\s*(?:statistic=)?{WRAP}{NUM}", re.IGNORECASE
)
BOUNDS = re.compile(r"\b(?:minmax|ci|interval)\s*=\s*\([^\n]*")
COMMENT = re.compile(rf"^\s*#\s*{NUM}\s*s?\s*$")
PRINTS_MEAN = re.compile(r"print\(.*\bmean\(")
STD = re.compile(
    rf"\b(?:std|stdev|sd|standard deviation)\b[^\d\n=:(]{{0,12}}[=:]\s*{WRAP}{NUM}", re.I
)
P = re.compile(
    r"(?<![A-Za-z])p(?:[-_ ]?val(?:ue)?)?\s*(?P<sign>[=≈<≤:])\s*"
    r"(?P<p>\d*\.\d+(?:[eE][-+]?\d+)?)(?!\d*f)"
)
TARGET = re.compile(
    r"ttest_1samp\(\s*\w+\s*,\s*(\d\.\d+)|(?:<=?|≤|target[^\d\n]{0,20})\s*(\d\.\d{1,3})\b"
)
NEAR = Decimal("0.2")  # a target lies this near to the losses that reach for it
REACH = 16  # lines behind a list in which its summary is printed
SCORES = (Decimal("0.3"), Decimal(12))


def check(readme: Readme, race: Race, notes: Notes) -> None:
    """Each list against the logs, and every summary against the lists."""
    lists = [listed for listed in readme.lists if is_losses(listed) or is_times(listed)]
    verdicts = [judge(readme, listed, race, notes) for listed in lists]
    losses = [own for one, own in zip(lists, verdicts, strict=True) if is_losses(one)]
    if losses and not any(losses):
        unlogged(readme, lists, race, notes)
    text = readme.text.split("\n")
    for number, line in summaries(lists, text):
        before = [one for one in lists if one.end < number]
        summary(readme, number, line, before, notes)
        chance(readme, number, line, before, lists, race, notes)


def is_losses(listed: Listed) -> bool:
    """Whether a list may be of losses: all of some size, with three digits at least somewhere."""
    low, high = SCORES
    inside = all(low < value < high for value in listed.values)
    return inside and max(n.digits for n in listed.numbers) >= 3 and spread(listed) < Decimal("0.2")


def is_times(listed: Listed) -> bool:
    """Whether a list may be of times in seconds or minutes: all alike, and not small."""
    named = re.search(r"time|second|runtime", listed.name, re.IGNORECASE) is not None
    alike = min(listed.values) > 5 and spread(listed) * 4 < max(listed.values)
    return alike and (named or max(n.digits for n in listed.numbers) >= 2)


def spread(listed: Listed) -> Decimal:
    """The largest less the smallest."""
    return max(listed.values) - min(listed.values)


def judge(readme: Readme, listed: Listed, race: Race, notes: Notes) -> bool:
    """One list against the last values of the runs; whether it is of these runs."""
    place, shown = f"{readme.name}:{listed.line}", listed.shown
    held = race.finals() if is_losses(listed) else race.seconds()
    stated = list(listed.numbers)
    taken, missing = matched(stated, held)
    if is_losses(listed) and missing:
        for step in race.shared_steps()[1:40]:
            other_taken, other_missing = matched(stated, race.at(step))
            if len(other_missing) < len(missing):
                taken, missing = other_taken, other_missing
    if not missing:
        notes.score(shown, place, f"each is the last value of a log, of {len(race.curves)} runs")
        return True
    if len(taken) * 2 < len(stated) or len(taken) < 2:
        return False
    names = ", ".join(number.text for number in missing[:4])
    logs = len(race.curves)
    twice = [n for n in missing if matched([n], held)[0]]
    if len(stated) > logs:
        evidence = f"{len(taken)} of them are in the {logs} logs that are here; {names} are not"
        notes.add("partly-logged", AMBIGUOUS, shown, place, evidence)
        if len(taken) == logs:
            notes.scored.add(place)
    elif twice and len(twice) == len(missing):
        evidence = f"{names} stands in it more often than in the logs: a run counts twice"
        notes.add("run-twice", MISMATCH, shown, place, evidence)
    else:
        certainty = AMBIGUOUS if is_about_others(readme, listed) else MISMATCH
        evidence = f"{names} is the last value of no log; {len(taken)} others are"
        notes.add("not-in-log", certainty, shown, place, evidence)
    return True


def is_about_others(readme: Readme, listed: Listed) -> bool:
    """Whether what a list is called, or the lines right above it, speak of other runs."""
    if listed.label:
        return bool(OTHERS.search(listed.label))
    lines = readme.text.split("\n")[max(0, listed.line - 4) : listed.line]
    return any(OTHERS.search(line) for line in lines)


def unlogged(readme: Readme, lists: list[Listed], race: Race, notes: Notes) -> None:
    """No list is of these logs. Where one has as many values as there are logs, it should be."""
    own = [one for one in lists if is_losses(one) and not is_about_others(readme, one)]
    same = [one for one in own if len(one.numbers) == len(race.curves)]
    if len(own) == 1 and same and len(race.curves) > 1:
        evidence = f"none, or hardly one, is the last value of one of the {len(race.curves)} logs"
        notes.add("not-in-log", MISMATCH, same[0].shown, f"{readme.name}:{same[0].line}", evidence)
        return
    for listed in own:
        evidence = "not verifiable from the files: the logs here are of other runs"
        notes.add("other-runs", NOTE, listed.shown, f"{readme.name}:{listed.line}", evidence)


def summaries(lists: list[Listed], text: list[str]) -> Iterator[tuple[int, str]]:
    """(number, line) of the lines in reach behind a list, and of those that print a chance."""
    inside = {n for one in lists for n in range(one.line, one.end + 1)}
    for number, line in enumerate(text, start=1):
        if number in inside or len(line) > 1000:
            continue
        if any(0 < number - one.end <= REACH for one in lists):
            # A bare number is a mean only where the line above prints one.
            bare = COMMENT.match(line) and not PRINTS_MEAN.search(text[number - 2])
            yield number, "" if bare else line


def summary(readme: Readme, number: int, line: str, before: Sequence[Listed], notes: Notes) -> None:
    """A printed mean, or a pair of deviation and mean, against the nearest list of that range."""
    line = BOUNDS.sub("", line)
    place = f"{readme.name}:{number}"
    pair = PAIR.search(line)
    centre = parse((pair[2] if pair else None) or first(MEAN, line) or first(COMMENT, line))
    near = [one for one in reversed(before) if centre and within(centre, one)]
    if centre is not None and near:
        means = [mean(one.values) for one in near]
        if any(close(centre, value) for value in means):
            notes.confirm(f"mean {centre}", place, f"mean of {near[0].shown}")
        elif not OTHERS.search(line):
            evidence = f"the mean of {near[0].shown} is {plain(means[0], centre.digits + 2)}"
            notes.add("list-mean", MISMATCH, f"mean {centre}", place, evidence)
    stated = parse((pair[1] if pair else None) or first(STD, line))
    meant = near or (list(before)[-1:] if not pair else [])
    if stated is not None and meant and len(meant[0].numbers) > 1:
        values = [deviation(one.values, ddof) for one in meant for ddof in (1, 0)]
        milli = [value * 1000 for value in values] if re.search(r"\bms\b", line) else []
        size = max(max(map(abs, one.values)) for one in meant)
        if any(close(stated, value, size) for value in (*values, *milli)):
            notes.confirm(f"deviation {stated}", place, f"of {meant[0].shown}")
        elif pair or near:
            exact = plain(values[0], stated.digits + 2)
            evidence = f"the sample deviation of {meant[0].shown} is {exact}"
            notes.add("deviation", MISMATCH, f"deviation {stated}", place, evidence)


def first(pattern: re.Pattern[str], line: str) -> str | None:
    """The number that a pattern finds in a line."""
    match = pattern.search(line)
    return match[1] if match else None


def within(number: Number, listed: Listed) -> bool:
    """Whether a mean may be of a list: it lies in its range, or hardly beside it."""
    margin = max(spread(listed), Decimal("0.001") * max(listed.values))
    return min(listed.values) - margin <= number.value <= max(listed.values) + margin


def close(stated: Number, value: Decimal, size: Decimal | None = None) -> bool:
    """Equal at the digits printed; single precision may cost another unit of the seventh, of a
    deviation in the digits of the values (`size`) that it is of.
    """
    slack = Decimal("0.5").scaleb(-stated.digits) + abs(size or value) * Decimal("2e-7")
    return abs(stated.value - value) <= slack


def target_of(text: str, race: Race) -> Decimal | None:
    """The value that the mean has to reach: the one most named of those near the logged losses."""
    ends = [numbers[0].value for numbers in race.finals() if numbers]
    centre = mean(ends)
    found = [m[1] or m[2] for m in TARGET.finditer(text)]
    found = [text for text in found if abs(Decimal(text) - centre) < NEAR]
    return Decimal(max(set(found), key=found.count)) if found else None


def chance(
    readme: Readme,
    number: int,
    line: str,
    before: Sequence[Listed],
    lists: Sequence[Listed],
    race: Race,
    notes: Notes,
) -> None:
    """A printed p of the one-sample test against the target, of any list or of the logs."""
    match = P.search(line)
    stated = parse(match["p"]) if match else None
    target = target_of(readme.text, race)
    if match is None or stated is None or target is None or stated.value > 1:
        return
    place = f"{readme.name}:{number}"
    losses = [one for one in (*reversed(before), *lists) if is_losses(one)]
    groups = [(one.shown, one.values) for one in losses]
    ends = [numbers[0].value for numbers in race.finals() if numbers]
    groups.append((f"the last losses of {len(ends)} logs", ends))
    results = []
    for what, values in groups:
        test = one_sample([float(v) for v in values], float(target)) if len(values) > 1 else None
        if test is not None:
            results.append((what, test.less, test.two_sided))
    if not results:
        return
    for what, less, two_sided in results:
        if p_is(stated, match["sign"], less):
            return notes.confirm(f"p {stated}", place, f"one-sided, of {what} against {target}")
        if p_is(stated, match["sign"], two_sided):
            evidence = f"two-sided, of {what} against {target}; one-sided {less:.3g}"
            return notes.add("two-sided-p", NOTE, f"p {stated}", place, evidence)
    what, less, _ = results[0]
    sure = bool(losses) and not OTHERS.search(line) and not re.search("welch|two-s", line, re.I)
    evidence = f"of {what} against {target} it is {less:.4g}"
    notes.add("test", MISMATCH if sure else NOTE, f"p {stated}", place, evidence)


def p_is(stated: Number, sign: str, p: float) -> bool:
    """Whether a printed chance is this one, or a bound above it."""
    if sign in "<≤":
        return p <= float(stated.value)
    exponent = stated.value.as_tuple().exponent
    unit = 10.0**exponent if isinstance(exponent, int) else 0.0
    return abs(p - float(stated.value)) <= 0.5001 * unit or math.isclose(p, float(stated.value))
