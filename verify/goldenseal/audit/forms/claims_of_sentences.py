"""Sentences of a README that name a metric and give a number, and the settings that it lists."""

import re

from goldenseal.audit.checks.headline import WORDS
from goldenseal.audit.forms import moments
from goldenseal.audit.forms.judged import judge, of_group, single
from goldenseal.audit.forms.metric_runs import MetricRun, meant, normal
from goldenseal.audit.forms.named_runs import flat
from goldenseal.audit.model import Certainty, Notes, Readme
from goldenseal.audit.numbers import parse, plain

MISMATCH = Certainty.MISMATCH
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
COUNTED = (
    r"(?:over|across|of|from) (?:the |all )?(?:\d{1,3}|two|three|four|five|six|eight|ten) "
    r"(?:random |independent )?(?:seeds|runs|trials)"
)
WHICH = (
    r"(?:final|last|best|max(?:imum)?|min(?:imum)?|highest|lowest|peak|mean|average|test|"
    r"val(?:idation)?|eval|train(?:ing)?)\s+"
)
OF_WHOM = re.compile(r"\s(?:for|with|by|using|of|from)\s.*$", re.IGNORECASE | re.DOTALL)
SEAM = re.compile(r" |(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=\d)")  # ROUGE-L for rougeL
MAX_LINES = 1500
HEAD = 40


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
    spelt = "|".join(SEAM.sub(r"[\\s_/-]*", p) for p in listed)
    after = re.compile(
        rf"\b(?:{WHICH}){{0,3}}(?:{spelt})\b(?:\s{COUNTED})?(?:[^\d\n.|]|(?<=[A-Za-z])\d{{1,4}}){{0,24}}?(?<![A-Za-z\d.])(?P<value>\d+\.\d+|\.\d+)\s*(?P<unit>%?)",
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
            if not any(run.named(wanted) for run in runs):  # `accuracy for ResNet18 is`
                wanted, alone = meant(OF_WHOM.sub("", said)), False
            # `balanced accuracy` is no accuracy
            if not behind and (more := kind_of(line[: match.start()])):
                whole = meant(f"{more} {said}")
                alone = alone and whole.quantity == wanted.quantity
                wanted = whole if any(run.named(whole) for run in runs) else wanted
                alone = alone or wanted is whole
            known = [run for run in runs if run.named(wanted)]
            if not known:
                continue
            spoken = re.search(r"\b(?:mean|averaged?|avg|median)\b", line, re.IGNORECASE)
            place, shown = f"{readme.name}:{number}", match[0].strip()
            moment = moments.named_in(line, match.start(), match.end())
            if moment and len(known) == 1 and (held := moments.at(known, wanted, moment)):
                moments.judge(value, bool(match["unit"]), held, shown, place, notes)
                continue
            sure = number <= HEAD and alone
            if len(known) > 1 and not spoken:
                single(value, bool(match["unit"]), wanted, known, shown, place, notes)
            elif len(known) > 1:
                median = spoken is not None and spoken[0].lower() == "median"
                counted = re.search(COUNTED, line, re.IGNORECASE)
                count = number_in(counted[0]) if counted else 0
                of_group(
                    value,
                    bool(match["unit"]),
                    wanted,
                    known,
                    shown,
                    place,
                    notes,
                    sure,
                    median,
                    count,
                )
            else:
                judge(value, bool(match["unit"]), wanted, known, shown, place, notes, sure)


def number_in(text: str) -> int:
    """The count in a few words."""
    found = re.search(r"\d+", text)
    named = next((n for word, n in WORDS.items() if word in text.lower().split()), 0)
    return int(found[0]) if found else named


def kind_of(before: str) -> str:
    """The word before a metric's name that may say which kind of it is meant; "" without one."""
    match = KIND.search(before[-80:])
    return match[1] if match and match[1].lower() not in PLAIN | {"median"} else ""


def phrase(name: str) -> list[str]:
    """The words by which prose may call a metric; none where it is only a letter or a count."""
    known = [w for w in re.split(r"[^A-Za-z0-9]+", name.rsplit("/", 1)[-1]) if w]
    kept = [
        w for w in known if w.lower() not in ("val", "valid", "validation", "eval", "test", "train")
    ]
    return kept if kept and len("".join(kept)) > 1 and normal(" ".join(kept)) else []


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
