"""Which runs of a speed-run a variant is of: by the names of folders and logs, and by counts."""

import re
from collections import defaultdict
from collections.abc import Sequence

from goldenseal.audit.forms.curve import Curve
from goldenseal.audit.forms.race import OTHERS, Race
from goldenseal.audit.numbers import Number

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
INDEX = re.compile(r"(?<=[a-z_])\d{1,2}(?=[-_.]|$)|[-_](?:run|seed|s)?[-_]?\d{1,2}(?=$|[-_.])")
PLAIN = frozenset("logs log runs run this pr results".split())
Told = tuple[str, Number | None, Number | None]  # a name, a number of runs, a number of steps


def groups_of(race: Race) -> dict[str, list[Curve]]:
    """The runs by folder; those of one folder by what their logs are called but for the run's own
    number, where they are called anything.
    """
    folders: dict[str, list[Curve]] = defaultdict(list)
    for curve in race.curves:
        folders[curve.file.rpartition("/")[0].rpartition("/")[2]].append(curve)
    if len(folders) > 1:
        return dict(folders)
    stems: dict[str, list[Curve]] = defaultdict(list)
    for curve in race.curves:
        stem = curve.file.rpartition("/")[2].rpartition(".")[0].lower()
        stems[INDEX.sub("", "" if UUID.fullmatch(stem) else stem)].append(curve)
    # Logs that are each called otherwise are named after runs, not after variants.
    return dict(stems) if len(stems) < len(race.curves) else {"": race.curves}


def assigned(rows: Sequence[Told], race: Race) -> list[list[Curve]]:
    """For each variant its runs, or none where that is not to be told.

    A name decides; else the number of runs and of steps, where they leave one group that no other
    variant is named after, and one variant for it that does not speak of others.
    """
    groups = groups_of(race)
    named = [by_name(name, groups) for name, _, _ in rows]
    left = {group: curves for group, curves in groups.items() if group not in named}
    counted = [
        None if own is not None else by_count(row, left)
        for row, own in zip(rows, named, strict=True)
    ]
    chosen = [
        own if own is not None else other if counted.count(other) == 1 else None
        for own, other in zip(named, counted, strict=True)
    ]
    return [groups[group] if group is not None else [] for group in chosen]


def by_name(name: str, groups: dict[str, list[Curve]]) -> str | None:
    """The one group that a variant is named after."""
    if exact := [group for group in groups if group and flat_of(group) == flat_of(name)]:
        return exact[0] if len(exact) == 1 else None
    flat = letters(name)
    found = [group for group in groups if letters(group) and flat.startswith(letters(group))]
    longest = max((len(letters(group)) for group in found), default=0)
    found = [group for group in found if len(letters(group)) == longest]
    if len(found) > 1:  # `baseline-1480` and `baseline-1490`
        numbers = set(re.findall(r"\d{2,}", name))
        found = [group for group in found if numbers & set(re.findall(r"\d{2,}", group))]
    return found[0] if len(found) == 1 else None


def flat_of(name: str) -> str:
    """A name without what is only written otherwise: `baseline-s1480` is `baseline 1480`."""
    return re.sub(r"[^a-z0-9]+", "", re.sub(r"(?<![a-z])s(?=\d)", "", name.lower()))


def letters(name: str) -> str:
    """A name without numbers and marks; "" of one that says nothing."""
    known = re.sub(r"(?<![a-z])s(?=\d)", "", name.lower())
    words = [re.sub(r"[^a-z]", "", word) for word in re.split(r"[^a-z0-9]+", known)]
    return "" if set(words) - {""} <= PLAIN - {"this", "pr"} else "".join(words)


def by_count(row: Told, groups: dict[str, list[Curve]]) -> str | None:
    """The one group that has the number of runs, and of steps, that a variant states."""
    name, runs, steps = row
    if runs is None or OTHERS.search(name):
        return None
    alike = [
        group
        for group, curves in groups.items()
        if len(curves) == runs.value
        and (steps is None or all(c.last.step == steps.value for c in curves))
    ]
    return alike[0] if len(alike) == 1 else None
