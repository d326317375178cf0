"""A submission file as a list of claims, whatever its schema."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from goldenseal.audit.model import Claim, Submission, unique
from goldenseal.audit.numbers import Number, parse
from goldenseal.audit.words import (
    ELSEWHERE,
    MEANS,
    MEGA,
    SPREAD,
    Meaning,
    meaning,
    seed_of_key,
    words,
)

MAX_CLAIMS = 1000
MAX_SEEDS = 200
MAX_DEPTH = 20
SMALLEST = Decimal("0.3")  # bits a byte; no score of these models is below
SECOND = frozenset(
    """rerun reruns compliance disclosure supplementary supplemental secondary extra other
    alternative all diagnostics diagnostic legacy superseded""".split()
)
# An object under a key of other words than these is a second account: of variants, of phases, …
OWN = frozenset(
    """metrics metric results result final scores score summary eval evaluation aggregate aggregated
    performance submission val bpb bpbs loss losses main primary headline seeds seed runs run per
    individual mean average by artifact bytes size sizes timing times model training train
    validation statistic stats validated official details values score values""".split()
)
# Under these a number belongs to other records, or to settings.
SKIPPED = ELSEWHERE | frozenset(
    """config configuration hyperparameters hyperparams settings env environment knobs args
    significance statistics statistical test tests welch ttest""".split()
)
SPREADS = ("std", "standard error")
TESTS = frozenset("significance statistics statistical test tests welch ttest t".split())
SCORES = frozenset("score scores values value result results".split())
SEED_HOLDERS = frozenset("seed seeds seeded runs results result scores per individual".split())
WITH_UNIT = re.compile(r"[~≈<]?\s*([\d.,]+)\s*([A-Za-z]+)?(?:\s*\(.*)?", re.DOTALL)
T_KEYS = frozenset({("t",), ("t", "statistic"), ("t", "stat"), ("welch", "t"), ("t", "value")})


def read_submission(name: str, facts: dict[str, Any]) -> Submission:
    """All claims of the object, with the seeds that it lists."""
    made = Submission(name, facts, [], [])
    seeds = _listed_seeds(facts)
    claims: list[Claim] = []
    for claim in _claims(name, facts, "", None, False, 0):
        claims.append(claim)
        if len(claims) >= MAX_CLAIMS:
            break
    made.claims = list(dict.fromkeys(claims))
    by_key = [c.seed for c in made.claims if c.seed is not None and not c.nested]
    made.seeds = unique([*seeds, *by_key])
    made.repeated_seeds = sorted({seed for seed in seeds if seeds.count(seed) > 1})
    return made


def _listed_seeds(facts: dict[str, Any]) -> list[int]:
    for key in ("seeds", "seed", "seed_list", "seeds_run", "all_seeds"):
        held = facts.get(key)
        values = held[:MAX_SEEDS] if isinstance(held, list) else [held]
        seeds = [s for value in values if (s := as_seed(value)) is not None]
        if isinstance(held, Number) and key == "seeds" and len(seeds) == 1 and seeds[0] < 10:
            continue  # the number of seeds, not a seed
        if seeds:
            return seeds
    return []


def as_seed(value: object) -> int | None:
    """The seed that a JSON value states, itself or as the `seed` of an object."""
    if isinstance(value, dict):
        value = value.get("seed")
    number = value if isinstance(value, Number) else parse(value)
    if number is None or not number.is_integer or not 0 <= number.value < 10**10:
        return None
    return int(number.value)


def _claims(
    place: str, facts: dict[str, Any], path: str, seed: int | None, nested: bool, depth: int
) -> Iterator[Claim]:
    if depth > MAX_DEPTH:
        return
    seeds = _listed_seeds(facts)
    for key, value in facts.items():
        known = words(key)
        pointer = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
        named = seed_of_key(key, bool(set(words(path)) & SEED_HOLDERS))
        here = named if named is not None else seed
        values = value if isinstance(value, list) else [value]
        held = here is None and known and any(isinstance(v, dict) for v in values)
        second = nested or bool(held and (set(known) & SECOND or not set(known) <= OWN))
        if set(known) & SKIPPED and not _test(key):
            if isinstance(value, dict) and set(known) & TESTS:
                inner = _claims(place, value, pointer, None, nested, depth + 1)
                yield from (claim for claim in inner if claim.role in ("t", "df", "p", "p<"))
            continue
        if isinstance(value, dict):
            own = as_seed(value) if here is None else here
            yield from _claims(place, value, pointer, own, second, depth + 1)
        elif isinstance(value, list):
            yield from _of_list(place, value, pointer, key, here, seeds, second, depth)
        else:
            yield from _of_value(place, pointer, qualified(path, key, named), value, here, nested)


def qualified(path: str, key: str, seed: int | None) -> str:
    """A key that says only which seed or statistic, after the key that says of what."""
    above = path.rsplit("/", 1)[-1]
    bare = seed is not None or set(words(key)) <= SPREAD | MEANS | {"min", "max", "best", "value"}
    return f"{above}_{key}" if bare and meaning(above).role and not meaning(key).role else key


def _of_list(
    place: str,
    values: list[Any],
    pointer: str,
    key: str,
    seed: int | None,
    seeds: list[int],
    nested: bool,
    depth: int,
) -> Iterator[Claim]:
    """A list of objects with a seed each, or values parallel to the list of seeds."""
    parallel = len(values) == len(seeds) and seed is None and key not in ("seeds", "seed")
    for i, value in enumerate(values):
        here = f"{pointer}/{i}"
        if isinstance(value, dict):
            own = as_seed(value) if seed is None else seed
            yield from _claims(place, value, here, own, nested, depth + 1)
        elif parallel and not isinstance(value, list):
            yield from _of_value(place, here, key, value, seeds[i], nested)


def _of_value(
    place: str, pointer: str, key: str, value: Any, seed: int | None, nested: bool
) -> Iterator[Claim]:
    if test := _test(key):
        if isinstance(value, Number):
            yield Claim(f"{place}{pointer}", test, value, seed)
        elif isinstance(value, str) and (bound := parse(value.strip().lstrip("<≤≈~= "))):
            below = value.strip()[:1] in ("<", "≤")
            yield Claim(f"{place}{pointer}", f"{test}<" if below else test, bound, seed)
        return
    read = meaning(key)
    number = value if isinstance(value, Number) else None
    if isinstance(value, str):
        number, read = _of_text(value, read)
    if number is None:
        return
    if not read.role and seed is not None and looks_like_bpb(number):
        known = set(words(key))
        if seed_of_key(key, True) is not None or known & SCORES:
            read = Meaning("bpb")
    if read.role == "bpb" and number.value < SMALLEST and read.statistic not in SPREADS:
        return  # a difference or a rate, whatever its name
    if read.role:
        yield Claim(
            f"{place}{pointer}",
            read.role,
            number,
            seed,
            read.statistic,
            read.before,
            nested,
            read.scale,
        )


def _of_text(value: str, read: Meaning) -> tuple[Number | None, Meaning]:
    """A number that was written as a string, perhaps with a unit."""
    match = WITH_UNIT.fullmatch(value.strip()) if len(value) < 200 else None
    if not match or not read.role:
        return None, read
    number, unit = parse(match[1].rstrip(".,")), (match[2] or "").lower()
    if read.role in ("total", "model", "code") and unit in MEGA:
        return number, Meaning(read.role, read.statistic, read.before, MEGA[unit])
    if read.role == "params" and unit == "m" and number:
        return number, Meaning("params", read.statistic, False, MEGA["mb"])
    return (number, read) if unit in ("", "bytes", "b", "bpb", "nats") else (None, read)


def _test(key: str) -> str:
    """Whether the key names the result of a significance test."""
    known = words(key)
    if tuple(known) in T_KEYS:
        return "t"
    if "df" in known:
        return "df"
    if (known[:1] == ["p"] and known[1:2] in ([], ["value"])) or known[-2:] == ["p", "value"]:
        return "p"
    return ""


def looks_like_bpb(number: Number) -> bool:
    """Whether a value with a fraction lies where bits a byte of such models lie."""
    return number.digits >= 3 and 0 < number.value < 4
