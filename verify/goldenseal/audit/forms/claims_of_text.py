"""What the README of a folder of runs claims, held against the metrics that the runs logged."""

import re
from decimal import Decimal

from goldenseal.audit.checks.readme_spread import candidates, spreads_in
from goldenseal.audit.forms import moments
from goldenseal.audit.forms.metric_runs import (
    Meant,
    MetricRun,
    fit,
    means,
    meant,
    normal,
    values,
)
from goldenseal.audit.match import Value, best
from goldenseal.audit.model import Certainty, Notes, Readme, Table
from goldenseal.audit.numbers import Agreement, Number, parse, plain
from goldenseal.audit.numbers import mean as mean_of
from goldenseal.audit.readme_tables import row_kind

MISMATCH, AMBIGUOUS, NOTE = Certainty.MISMATCH, Certainty.AMBIGUOUS, Certainty.NOTE
CELL = re.compile(r"^[~≈]?\s*(\d[\d,]*(?:\.\d+)?|\.\d+)\s*(%?)")
OTHERS = re.compile(
    r"baseline|previous|prior|paper|reported|sota\b|et al|reference|published|original|random|"
    r"chance|human|ablat|vs\.?\b|compar|expected|target|than\b|→|->",
    re.IGNORECASE,
)
BULLET = re.compile(r"^\s*[-*]\s*`?\**([A-Za-z][\w .-]{0,40}?)`?\**\s*[:=]\s*`?([^\s`,;]+)`?\s*$")
SPELT = {"acc": "accuracy", "ppl": "perplexity", "err": "error"}
KIND = re.compile(r"(?:^|[^\w@-])([A-Za-z][\w@-]*(?:[- ]\d+)?)[\s_/-]*$")
PLAIN = frozenset(
    """the an and or an its our with has had have of in at for gives gave got reached reaches
    achieves achieved obtained obtains shows showed is was model run network it""".split()
)
OWN = re.compile(r"\b(?:ours|this (?:run|work|model)|our (?:run|model))\b", re.IGNORECASE)
COUNTED = r"(?:over|across|of|from) (?:the )?\d{1,3} (?:random )?(?:seeds|runs|trials)"
WHICH = r"(?:final|last|best|max|min|peak|mean|average|test|val(?:idation)?|eval|train(?:ing)?)\s+"
MAX_LINES = 1500
HEAD = 40


def check(readme: Readme, runs: list[MetricRun], notes: Notes) -> None:
    """Tables, then sentences, then settings."""
    for table in readme.tables:
        if moments.check_table(readme.name, table, runs, notes):
            continue
        rows = [(line, cells, runs_of(table, cells, runs)) for line, cells in table.rows]
        for at in range(len(table.header)):
            wanted = meant(table.header[at])
            if any(run.named(wanted) for run in runs):
                column(readme, table, at, wanted, rows, runs, notes)
    sentences(readme, runs, notes)
    settings(readme, runs, notes)


def flat(text: str) -> str:
    """A name in letters and digits only."""
    return re.sub(r"[^a-z0-9]+", "", text.lower())


def runs_of(table: Table, cells: list[str], runs: list[MetricRun]) -> list[MetricRun]:
    """The runs that a row is about: by seed, by name, or by the beginning of their names; of a
    table by method and seed, by both.
    """
    named, seeds = list(runs), set()
    found = False
    for header, cell in zip(table.header, cells, strict=False):
        if re.fullmatch(r"(?:random )?seeds?", header.strip(), re.IGNORECASE) and cell.isdigit():
            seeds.add(int(cell))
            continue
        name = flat(cell)
        if len(name) < 2 or re.fullmatch(r"[\d.]+%?", cell.strip()):
            continue
        exact = [run for run in named if flat(run.name.rsplit("/", 1)[-1].split(".")[0]) == name]
        begins = [
            run for run in named if flat(run.name).startswith(name) or name in parts(run.name)
        ]
        if exact or begins:
            named, found = exact or begins, True
    if seeds:
        named = [run for run in named if run.seed in seeds]
    if not found and len(runs) == 1 and cells and OWN.search(cells[0]):
        return runs
    if not found and not seeds and cells and row_kind(cells[0])[0] == "seed":
        _, seed = row_kind(cells[0])
        named, found = [run for run in runs if run.seed == seed], True
    return named if found or seeds else []


def parts(name: str) -> set[str]:
    """The names of the folders and of the file in a run's path, flat."""
    pieces = re.split(r"[/]", name)
    stems = {
        re.sub(r"[-_ ]?(?:seed|s|run)[-_ ]?\d+$", "", p.split(".")[0], flags=re.I) for p in pieces
    }
    return {flat(piece) for piece in (*pieces, *stems)} - {""}


def column(
    readme: Readme,
    table: Table,
    at: int,
    wanted: Meant,
    rows: list[tuple[int, list[str], list[MetricRun]]],
    runs: list[MetricRun],
    notes: Notes,
) -> None:
    """One column of a metric."""
    above: list[Number] = []
    for line, cells, own in rows:
        if at >= len(cells) or not (match := CELL.match(cells[at].strip("* "))):
            continue
        number, percent = parse(match[1]), bool(match[2]) or wanted.percent
        if number is None:
            continue
        place = f"{readme.name}:{line}"
        kind, _ = row_kind(cells[0])
        shown = f"{table.header[at]} {cells[at].strip('* ')}"
        if own and kind not in ("mean", "std"):
            above.append(number)
            whose = own[0].name if len(own) == 1 else f"{len(own)} runs"
            judge(number, percent, wanted, own, f"{shown} of {whose}", place, notes)
            for spread, label in spreads_in(cells[at]):
                judge_spread(spread, label, wanted, own, place, notes)
        elif kind == "mean" and len(above) > 1:
            judge_mean(number, percent, wanted, above, runs, shown, place, notes)
            for spread, label in spreads_in(cells[at], cells[0]):
                judge_spread(spread, label, wanted, runs, place, notes)
        elif kind == "std" and len(above) > 1:
            judge_spread(number, "std", wanted, runs, place, notes)


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


def sentences(readme: Readme, runs: list[MetricRun], notes: Notes) -> None:
    """Sentences and list items that name a metric and give a number."""
    names = {name for run in runs for name in run.series}
    phrases = {" ".join(p) for n in names if (p := phrase(n))}
    phrases |= {each for n in names if len(q := meant(n).quantity) == 1 for each in q if each[1:]}
    for short, long in SPELT.items():  # a log says `acc` where prose says accuracy, or the reverse
        phrases |= {re.sub(rf"\b{short}\b", long, p, flags=re.IGNORECASE) for p in phrases}
        phrases |= {re.sub(rf"\b{long}\b", short, p, flags=re.IGNORECASE) for p in phrases}
    if not phrases:
        return
    listed = sorted(phrases, key=lambda p: (-len(p), p))[:200]
    spelt = "|".join(p.replace(" ", r"[\s_/-]*") for p in listed)
    after = re.compile(
        rf"\b(?:{WHICH}){{0,3}}(?:{spelt})\b(?:\s{COUNTED})?[^\d\n.|]{{0,24}}?(?P<value>\d+\.\d+|\.\d+)\s*(?P<unit>%?)",
        re.IGNORECASE,
    )
    before = re.compile(  # 89.55 % validation accuracy
        rf"(?<![\d.])(?P<value>\d+\.\d+)\s*(?P<unit>%)\s+(?P<said>(?:{WHICH}){{0,3}}(?:{spelt}))\b",
        re.IGNORECASE,
    )
    for number, raw in enumerate(readme.text.splitlines()[:MAX_LINES], start=1):
        line = re.sub(r"[*`$]", "", raw[:1000])
        if "|" in line or OTHERS.search(line):
            continue
        for match in (*before.finditer(line), *after.finditer(line)):
            value = parse(match["value"])
            if value is None:
                continue
            behind = match.re is before
            said = match["said"] if behind else match[0][: match.start("value") - match.start()]
            said = re.sub(COUNTED, " ", said)
            wanted, alone = meant(said), True
            # `balanced accuracy` is no accuracy
            if not behind and (more := kind_of(line[: match.start()])):
                whole = meant(f"{more} {said}")
                alone = whole.quantity == wanted.quantity
                wanted = whole if any(run.named(whole) for run in runs) else wanted
                alone = alone or wanted is whole
            known = [run for run in runs if run.named(wanted)]
            if not known:
                continue
            spoken = re.search(r"\b(?:mean|average|avg)\b", line, re.IGNORECASE)
            place, shown = f"{readme.name}:{number}", match[0].strip()
            moment = moments.named_in(line, match.start(), match.end())
            if moment and len(known) == 1 and (held := moments.at(known, wanted, moment)):
                moments.judge(value, bool(match["unit"]), held, shown, place, notes)
                continue
            if len(known) > 1 and not spoken:
                single(value, bool(match["unit"]), wanted, known, shown, place, notes)
            else:
                sure = number <= HEAD and alone
                judge(value, bool(match["unit"]), wanted, known, shown, place, notes, sure)


def kind_of(before: str) -> str:
    """The word before a metric's name that may say which kind of it is meant; "" without one."""
    match = KIND.search(before[-80:])
    return match[1] if match and match[1].lower() not in PLAIN else ""


def phrase(name: str) -> list[str]:
    """The words by which prose may call a metric; none where it is only a letter or a count."""
    known = [w for w in re.split(r"[^A-Za-z0-9]+", name.rsplit("/", 1)[-1]) if w]
    kept = [
        w for w in known if w.lower() not in ("val", "valid", "validation", "eval", "test", "train")
    ]
    return kept if kept and len("".join(kept)) > 1 and normal(" ".join(kept)) else []


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


def settings(readme: Readme, runs: list[MetricRun], notes: Notes) -> None:
    """List items that name a setting which every run logged, and with one value."""
    logged = [{flat(k.rsplit("/", 1)[-1]): v for k, v in run.settings.items()} for run in runs]
    for number, line in enumerate(readme.text.splitlines()[:MAX_LINES], start=1):
        match = BULLET.match(line[:300])
        key = flat(match[1]) if match else ""
        key = {"learningrate": "lr"}.get(key, key) if not any(key in one for one in logged) else key
        held = {one[key] for one in logged if key in one}
        if match is None or len(held) != 1 or not all(key in one for one in logged):
            continue
        (value,) = held
        stated, exact = parse(match[2]), parse(value)
        same = (
            stated.value == exact.value if stated and exact else match[2].lower() == value.lower()
        )
        place, shown = f"{readme.name}:{number}", f"{match[1]} {match[2]}"
        if same:
            notes.confirm(
                shown, place, f"every run was set so: {plain(exact.value) if exact else value}"
            )
        elif bool(stated) == bool(exact):
            notes.add("setting", MISMATCH, shown, place, f"the runs were set to {value[:60]}")
