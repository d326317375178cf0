"""What the README of a speed-run says in words: means, counts, significance, steps and times."""

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from goldenseal.audit.forms.race import OTHERS, Race
from goldenseal.audit.forms.race_lists import is_losses, is_times, target_of
from goldenseal.audit.match import Value, best
from goldenseal.audit.model import Certainty, Notes, Readme
from goldenseal.audit.numbers import Number, mean, parse, plain

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
MEAN = re.compile(
    r"\b(?:mean|average|avg)(?:\s+(?:final\s+)?(?:val(?:idation)?[_ ]?(?:ema_)?loss|loss"
    r"|`?val_\w+`?))?"
    r"\s*(?:of|is|=|:|was|over[^\d\n]{0,20})?\s*`?\**(\d\.\d{4,10})(?!\d)",
    re.IGNORECASE,
)
ROOT = re.compile(
    r"\(\s*(?P<target>\d\.\d+)\s*[-\u2212–]\s*(?P<mean>mean|mu|μ|avg|m|x̄|\d\.\d{3,10})"
    r"[^()\n]{0,12}\)\s*"
    r"(?:[·*×x]|\\cdot)?\s*(?:√|sqrt)\s*[({]?\s*(?P<n>n|N|\d{1,4})\s*[)}]?\s*"
    r"(?P<over>/\s*(?:sigma|σ|0\.\d+)\s*)?[=≈]\s*(?P<value>\d*\.\d+)"
)
Z = re.compile(r"(?<![A-Za-z])z\s*[=≈]\s*(\d+\.\d+)")
SIGMA = re.compile(r"\b(?:sigma|σ)\s*[=≈]\s*(0?\.\d+)|σ\s*[=≈]\s*(0?\.\d+)", re.IGNORECASE)
TAIL = re.compile(
    r"\bp\s*[=≈]\s*(\d*\.\d+(?:[eE][-\u2212]?\d+)?(?:\s*[×x]\s*10\^?[{]?[-\u2212]\d+)?)"
)
COUNT = re.compile(
    r"\bn\s*=\s*(\d{1,3})\b(?!\s*[.\d])|\b(?:over|across|from|in)\s+(\d{1,3})\s+"
    r"(?:independent\s+|full\s+)?(?:runs|seeds|logs|trials)\b",
    re.IGNORECASE,
)
SMALLEST = re.compile(
    r"\b(?:smallest|first|earliest|lowest)\b[^.\n]{0,20}?\bstep\b[^.\n\d]{0,60}?(\d[\d,]{2,6})\b",
    re.IGNORECASE,
)
SECONDS = re.compile(
    r"(?<![\d.])(\d{2,4}\.\d{1,4}|\d{1,3}\.\d{1,3}(?=\s*min)|\d{4,8}(?=\s*ms))\s*"
    r"(s|sec|secs|seconds|min|mins|minutes|ms)\b"
)
UNITS = {"ms": Decimal("0.001"), "mi": Decimal(60)}  # in seconds, by their first letters
RECORD = re.compile(
    r"\bnew (?:wr|record|sota)\b|\bworld record\b|\bon average\b|\bmean (?:time|runtime)\b|"
    r"\bnew\b[^.\n]{0,40}\brecord\b|\bspeed record\b",
    re.IGNORECASE,
)
FAR = Decimal("0.03")  # by which a time is off that another machine, or other runs, do not explain
STEP_OF = re.compile(r"at step (\d+)$")
ENOUGH = Decimal("0.004")  # of (target - mean) x sqrt(n), by the rules of the third track
GOAL = re.compile(r"\b(?:target|goal|must|should|need|require|aim|rule)", re.IGNORECASE)
MEANT = re.compile(rf"{GOAL.pattern}|\b(?:mean|average|avg)\b", re.IGNORECASE)
HEADLINES = 30
COLLECTION = 6  # groups; a README above more of them is about none alone
BELOW = Decimal("0.1")
MAX_LINES = 1500


def check(readme: Readme, race: Race, notes: Notes) -> None:
    """Every sentence that states one of these."""
    target = target_of(readme.text, race) or Decimal("3.28")
    lines = [re.sub(r"[*`$]", "", raw[:1500]) for raw in readme.text.splitlines()[:MAX_LINES]]
    columns = [Value(v.value, v.digits, v.what) for v in (*race.means(), *of_tables(readme))]
    said = counts_in(" ".join(lines))
    for number, line in enumerate(lines, start=1):
        place = f"{readme.name}:{number}"
        if line.lstrip().startswith("|"):
            continue
        around = " ".join(lines[max(0, number - 5) : number + 2])
        means(line, place, columns, race, notes)
        roots(line, place, around, target, columns, race, notes)
        normal(line, place, around, target, columns, race, notes)
        smallest(line, place, target, said, race, notes)
        seconds(readme, line, number, race, notes)
    counts(readme, lines, race, notes)
    reached(readme, target, race, notes)


def of_tables(readme: Readme) -> Iterator[Value]:
    """The means of the README's own lists and columns of losses."""
    for listed in readme.lists:
        if is_losses(listed):
            digits = max(n.digits for n in listed.numbers) + 3
            yield Value(mean(listed.values), digits, f"mean of {listed.shown}")
    for table in readme.tables:
        for at, name in enumerate(table.header):
            cells = [parse(row[at].strip("*` ")) for _, row in table.rows if at < len(row)]
            numbers = [n for n in cells if n and 0.3 < n.value < 12 and n.digits >= 3]
            for held in (numbers, numbers[:-1]):  # the last row may be their mean
                if len(held) > 1:
                    digits = min(n.digits for n in held) + 3
                    yield Value(mean(n.value for n in held), digits, f"mean of column {name}")


def means(line: str, place: str, columns: list[Value], race: Race, notes: Notes) -> None:
    """A mean loss in prose: of the runs at some step, or of a list or column of the README."""
    for text in MEAN.findall(line):
        number = parse(text)
        if number is None or not columns:
            continue
        nearest = best(number, columns)
        if nearest.holds:
            say = notes.score if " runs" in nearest.how else notes.confirm
            say(f"mean {number}", place, nearest.how)
        elif number.digits >= 5 and len(race.curves) > 1 and not OTHERS.search(line):
            notes.add("mean-not-in-log", MISMATCH, f"mean {number}", place, nearest.how)
        else:
            notes.add("mean-not-in-log", NOTE, f"mean {number}", place, nearest.how)


def stated_means(text: str) -> list[Number]:
    """Means that a text states."""
    return [n for t in MEAN.findall(text) if (n := parse(t)) is not None]


def counts_in(text: str) -> list[int]:
    """Numbers of runs that a text states."""
    return [int(a or b) for a, b in COUNT.findall(text)]


def roots(
    line: str,
    place: str,
    around: str,
    target: Decimal,
    columns: list[Value],
    race: Race,
    notes: Notes,
) -> None:
    """(target - mean) x sqrt(n) = value, from the mean and the n beside it."""
    for match in ROOT.finditer(line):
        value, base = parse(match["value"]), Decimal(match["target"])
        if value is None or match["over"]:
            continue
        n_stated = [int(match["n"])] if match["n"].isdigit() else counts_in(around)
        sizes = n_stated or [len(race.curves)]
        own = parse(match["mean"]) if match["mean"][0].isdigit() else None
        near = [own] if own else stated_means(around)
        exact = [Value(m.value, m.digits, f"stated mean {m}") for m in near]
        for centre in (*exact, *columns):
            for n in sizes:
                made = (base - centre.value) * Decimal(n).sqrt()
                half = Decimal("0.5").scaleb(-(centre.digits or 9)) * Decimal(n).sqrt()
                if abs(made - value.value) <= half + Decimal("0.5").scaleb(-value.digits):
                    what = f"({base} - {plain(centre.value)}) x sqrt({n}), {centre.what}"
                    notes.confirm(f"significance {value}", place, what)
                    break
            else:
                continue
            break
        else:
            if exact and len(exact) == 1 and len(sizes) == 1 and "fail" not in line:
                made = (base - exact[0].value) * Decimal(sizes[0]).sqrt()
                evidence = f"({base} - {near[0]}) x sqrt({sizes[0]}) = {plain(made, 6)}"
                notes.add("significance", MISMATCH, match[0], place, evidence)
            else:
                notes.add("significance", NOTE, match[0], place, "no mean beside it gives it")


def normal(
    line: str,
    place: str,
    around: str,
    target: Decimal,
    columns: list[Value],
    race: Race,
    notes: Notes,
) -> None:
    """z = (target - mean) x sqrt(n) / sigma, and the one-sided p of the normal distribution."""
    match, spread = Z.search(line), SIGMA.search(around)
    if match is None or (z := parse(match[1])) is None:
        return
    if spread is not None:
        sigma = Decimal(spread[1] or spread[2])
        sizes = counts_in(around) or [len(race.curves)]
        near = [Value(m.value, m.digits, f"stated mean {m}") for m in stated_means(around)]
        made = [
            (abs((target - c.value) * Decimal(n).sqrt() / sigma - z.value), c, n)
            for c in (*near, *columns)
            for n in {*sizes, len(race.curves)}
        ]
        off, centre, n = min(made, key=lambda m: m[0]) if made else (Decimal(9), None, 0)
        half = Decimal("0.5").scaleb(-z.digits)
        if centre is not None:
            known = (centre.digits or 9) - (3 if centre.what.startswith("mean ") else 0)
            half += Decimal("0.5").scaleb(-known) * Decimal(n).sqrt() / sigma
            exact = (target - centre.value) * Decimal(n).sqrt() / sigma
            shown = f"({target} - {plain(centre.value)}) x sqrt({n}) / {sigma} = {plain(exact, 5)}"
            if off <= half:
                notes.confirm(f"z {z}", place, f"{shown}, {centre.what}")
            else:
                notes.add("significance", MISMATCH, f"z {z}", place, f"nearest: {shown}")
    tail = TAIL.search(line[match.end() :])
    p = parse(re.sub(r"\s*[×x]\s*10\^?[{]?[-\u2212]", "e-", tail[1])) if tail else None
    if p is not None:
        low, high = (
            0.5 * math.erfc(float(z.value + s * Decimal("0.5").scaleb(-z.digits)) / math.sqrt(2))
            for s in (1, -1)
        )
        exponent = p.value.as_tuple().exponent
        slack = 0.5 * 10.0**exponent if isinstance(exponent, int) else 0.0
        shown = f"the one-sided p of z = {z} is {(low + high) / 2:.3g}"
        if low - slack <= float(p.value) <= high + slack:
            notes.confirm(f"p {p}", place, shown)
        elif 2 * low - slack <= float(p.value) <= 2 * high + slack:
            notes.add("two-sided-p", NOTE, f"p {p}", place, shown)
        else:
            notes.add("p-of-z", MISMATCH, f"p {p}", place, shown)


def smallest(
    line: str, place: str, target: Decimal, stated_counts: list[int], race: Race, notes: Notes
) -> None:
    """The smallest step at which the mean clears the bar, recomputed from the logs."""
    match = SMALLEST.search(line)
    if match is None or len(race.curves) < 2 or OTHERS.search(line):
        return
    stated = int(match[1].replace(",", ""))
    steps = sorted(race.shared_steps())
    if stated not in steps:
        return
    root = Decimal(len(race.curves)).sqrt()
    clears: dict[str, list[int]] = defaultdict(list)
    for value in race.means():
        step = STEP_OF.search(value.what)
        if step is None or f"the {len(race.curves)} runs at" not in value.what:
            continue
        name, gap = value.what.split(" of ")[0], target - value.value
        if gap >= 0:
            clears[f"{name} at or below the target"].append(int(step[1]))
        if gap * root >= ENOUGH:
            clears[f"{name} below it by enough"].append(int(step[1]))
    firsts = {name: min(held) for name, held in clears.items()}
    if stated in firsts.values():
        return notes.confirm(f"smallest step {stated}", place, "recomputed from the logs")
    shown = ", ".join(f"{name} first at {step}" for name, step in firsts.items()) or "it never is"
    alone = len(race.groups()) == 1 and len(race.curves) in stated_counts
    evidence = f"of the {len(race.curves)} runs: {shown}"
    certainty = MISMATCH if alone and len(firsts) < 3 else AMBIGUOUS
    return notes.add("smallest-step", certainty, f"smallest step {stated}", place, evidence)


def seconds(readme: Readme, line: str, number: int, race: Race, notes: Notes) -> None:
    """A time of the record itself, against the means of the lists of times and of the logs."""
    found = [(n, unit.lower()) for t, unit in SECONDS.findall(line) if (n := parse(t)) is not None]
    if len(found) != 1 or not RECORD.search(line) or OTHERS.search(line):
        return
    stated, unit = found[0]
    scale = UNITS.get(unit[:2], Decimal(1))
    times = [one for one in readme.lists if is_times(one) and not is_losses(one)]
    values = [Value(mean(one.values), None, f"mean of {one.shown}") for one in times]
    values += [Value(v, None, "one of the times listed") for one in times for v in one.values]
    logged = [n.value for held in race.seconds() for n in held]
    own = [Value(v, None, "the time of a log") for v in logged]
    if logged:
        own.insert(0, Value(mean(logged), None, f"mean time of {len(logged)} logs"))
    if not values and not own:
        return
    place, shown = f"{readme.name}:{number}", f"time {stated} {unit}"
    if own and best(stated, own, scale).agreement:
        return notes.score(shown, place, best(stated, own, scale).how)
    nearest = best(stated, [*values, *own], scale)
    if nearest.agreement:
        return notes.confirm(shown, place, nearest.how)
    only = len(race.curves) == 1 and not times and bool(logged)
    far = only and abs(stated.value * scale / logged[0] - 1) > FAR
    sure = far or (times and scale == 1)  # minutes are too coarse to tell one run from another
    return notes.add("time", MISMATCH if sure else AMBIGUOUS, shown, place, nearest.how)


def counts(readme: Readme, lines: list[str], race: Race, notes: Notes) -> None:
    """The number of runs in words against the longest list, the rows of a table and the logs."""
    known = {len(one.numbers) for one in readme.lists} | {len(race.curves), len(race.logs)}
    known |= {len(held) for held in race.groups().values()}
    known |= {len(t.rows) - extra for t in readme.tables for extra in (0, 1, 2, 3)}
    for number, line in enumerate(lines[:80], start=1):
        if OTHERS.search(line) or line.lstrip().startswith("|"):
            continue
        for count in counts_in(line):
            if count > max(known):
                evidence = f"there are {len(race.curves)} logs, and no list or table has so many"
                claim = f"{count} runs"
                notes.add("runs-counted", MISMATCH, claim, f"{readme.name}:{number}", evidence)
                return


def reached(readme: Readme, target: Decimal, race: Race, notes: Notes) -> None:
    """Whether the mean of the logs is at the target, where the README says that it is."""
    values = [v for v in race.means() if "the " in v.what]
    if target_of(readme.text, race) is None or not values or len(race.groups()) > COLLECTION:
        return
    lowest = min(values, key=lambda v: v.value)
    if target - lowest.value > BELOW:
        return  # of another task
    unproved = {f.kind for f in notes.findings} & {"other-runs", "partly-logged", "not-in-log"}
    if lowest.value <= target and not unproved and is_headline(readme, target, race):
        notes.score(f"a loss of at most {target}", readme.name, str(lowest))
    elif len(race.curves) < 2:
        return
    elif lowest.value > target and abs(lowest.value - target) < Decimal("0.05"):
        claim = f"a mean loss of at most {target}"
        notes.add("target-missed", AMBIGUOUS, claim, readme.name, f"lowest: {lowest}")


def is_headline(readme: Readme, target: Decimal, race: Race) -> bool:
    """Whether a line says that a loss is at most the target, and not only that it should be. One
    log alone supports no mean.
    """
    bound = re.escape(str(target))
    pattern = re.compile(
        rf"(?:<=?|≤|\b)\s*{bound}\d?\b[^\n]{{0,30}}\bloss\b|\bloss\b[^\n]{{0,12}}(?:<=?|≤)\s*{bound}",
        re.IGNORECASE,
    )
    lines = (line for line in readme.text.splitlines()[:HEADLINES] if not OTHERS.search(line))
    other = MEANT if len(race.curves) == 1 else GOAL
    return any(pattern.search(line) and not other.search(line) for line in lines)
