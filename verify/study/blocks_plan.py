"""Plans of blocks: arms measured side by side, again and again, by a rule that was fixed before.

plan.toml of a block study, schema 1:

name, question, system                texts
seeds = [1, 2, …]                     one block each; it seeds weights and data of every arm in it
baseline = "base"                     what the arms are held against
null = "again"                        the baseline under another name: its interval must cover 0
control = "extra"                     known to cost more: its interval must lie above 0
[common]                              knobs of every arm, as texts
[arms.NAME]                           what this arm sets beside them
[window]
steps = 300                           of each window, the same in every arm
chunks = 10                           the meter is read, and the model validated, after each
target = "0.8"                        validation loss; a text, so that it is exact
[analysis]
alpha, confidence                     such as 0.05 and 0.95
margin                                of the ratio's logarithm: what counts as the same
loss_margin                           the same, for the loss at the end
presumed                              a larger effect is an artefact, until a profile explains it
identical = ["again", …]              arms whose weights must be the baseline's, bit for bit
correction = "holm"                   over all tested arms and both endpoints
counts                                the rule, in words
[stopping]
blocks = 12                           fewer valid ones carry no verdict
rule                                  when the study ends, in words

A block runs every arm once, in an order drawn for it, and then again in the mirrored order: any two
arms stand in it as ABBA or BAAB, so that a drift which is steady within a block cancels.
"""

import hashlib
import math
import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify import canonical
from verify.errors import UsageError
from verify.files import problem_with_name, read_small
from verify.plan import MAX_BYTES, NAME, refuse_odd_keys

SCHEMA = 1
TABLES: dict[str, dict[str, type]] = {
    "": {
        "schema": int,
        "name": str,
        "question": str,
        "system": str,
        "seeds": list,
        "baseline": str,
        "null": str,
        "control": str,
        "common": dict,
        "arms": dict,
        "window": dict,
        "analysis": dict,
        "stopping": dict,
    },
    "window": {"steps": int, "chunks": int, "target": str},
    "analysis": {
        "alpha": float,
        "confidence": float,
        "margin": float,
        "loss_margin": float,
        "presumed": float,
        "identical": list,
        "correction": str,
        "counts": str,
    },
    "stopping": {"blocks": int, "rule": str},
}


@dataclass(frozen=True)
class BlockPlan:
    """What a plan of blocks says; `facts` is all of it."""

    facts: Mapping[str, Any]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of the blocks, in the order in which they run."""
        return tuple(self.facts["seeds"])

    @property
    def arms(self) -> dict[str, dict[str, str]]:
        """What each arm sets beside the common knobs."""
        return dict(self.facts["arms"])

    @property
    def baseline(self) -> str:
        """What the arms are held against."""
        return str(self.facts["baseline"])

    @property
    def tested(self) -> list[str]:
        """The arms that get a verdict: all but the baseline, its double and the control."""
        apart = {self.baseline, self.facts["null"], self.facts["control"]}
        return [arm for arm in self.arms if arm not in apart]

    @property
    def target(self) -> float:
        """The validation loss."""
        return float(self.facts["window"]["target"])

    @property
    def analysis(self) -> dict[str, Any]:
        """The rule's numbers."""
        return dict(self.facts["analysis"])

    @property
    def digest(self) -> str:
        """SHA-512 of what the plan says, whatever its comments and its layout."""
        return hashlib.sha512(canonical.dumps(self.facts)).hexdigest()

    def order(self, seed: int) -> list[str]:
        """The arms of a block, in the order of its windows; a mirrored one, drawn for the block."""
        arms = list(self.arms)
        random.Random(f"{self.digest}/{seed}").shuffle(arms)
        return [*arms, *reversed(arms)]


def read_block_plan(path: Path) -> BlockPlan:
    """Read and validate a plan of blocks.

    Raises UsageError, one line, naming the key that is missing, unknown, ill-typed or at odds.
    """
    where = path.name
    try:
        facts = tomllib.loads(read_small(path, MAX_BYTES).decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{where}: {str(error).splitlines()[0]}") from None
    refuse_odd_keys(facts, TABLES[""], where)
    if facts["schema"] != SCHEMA:
        raise UsageError(f"{where}: schema {facts['schema']}, only schema {SCHEMA} is known")
    for table in ("window", "analysis", "stopping"):
        refuse_odd_keys(facts[table], TABLES[table], f"{where}: [{table}]")
    _check_arms(facts, where)
    _check_numbers(facts, where)
    return BlockPlan(facts)


def _check_arms(facts: Mapping[str, Any], where: str) -> None:
    arms = facts["arms"]
    for name, knobs in arms.items():
        if not NAME.fullmatch(name) or problem_with_name(name):
            raise UsageError(f"{where}: {name!r} cannot name an arm: use a-z, 0-9, _, . and -")
        if not isinstance(knobs, dict):
            raise UsageError(f"{where}: [arms.{name}] must be a table of knobs")
    for table in (facts["common"], *arms.values()):
        for knob, value in sorted(table.items()):
            if not isinstance(value, str):
                raise UsageError(f'{where}: {knob} must be a text: {knob} = "{value}"')
    roles = [facts[role] for role in ("baseline", "null", "control")]
    for role, name in zip(("baseline", "null", "control"), roles, strict=True):
        if name not in arms:
            raise UsageError(f"{where}: the {role} {name!r} is no arm")
    if len(set(roles)) != len(roles):
        raise UsageError(f"{where}: baseline, null and control must be three arms")
    if arms[facts["null"]] != arms[facts["baseline"]]:
        raise UsageError(f"{where}: the null must set exactly what the baseline sets")
    if len(arms) == len(roles):
        raise UsageError(f"{where}: nothing is tested: give a fourth arm")
    identical = facts["analysis"]["identical"]
    if odd := [name for name in identical if name not in arms]:
        raise UsageError(f"{where}: `identical` names {odd[0]!r}, which is no arm")
    if facts["null"] not in identical:
        raise UsageError(f"{where}: `identical` must name the null, {facts['null']!r}")


def _check_numbers(facts: Mapping[str, Any], where: str) -> None:
    seeds, window, analysis = facts["seeds"], facts["window"], facts["analysis"]
    if not all(type(seed) is int and 0 <= seed <= canonical.MAX_INTEGER for seed in seeds):
        raise UsageError(f"{where}: `seeds` must be a list of integers, none negative")
    if len(set(seeds)) != len(seeds):
        raise UsageError(f"{where}: a seed is listed twice")
    if not 2 <= facts["stopping"]["blocks"] <= len(seeds):
        raise UsageError(f"{where}: `blocks` must be from 2 to the number of seeds, {len(seeds)}")
    if window["chunks"] < 1 or window["steps"] % window["chunks"] or window["steps"] < 1:
        raise UsageError(f"{where}: `chunks` must divide `steps`, and both be positive")
    try:
        target = float(window["target"])
    except ValueError:
        target = math.nan
    if not 0 < target < math.inf:
        raise UsageError(f"{where}: `target` must be the text of a positive number")
    for name in ("alpha", "confidence", "margin", "loss_margin", "presumed"):
        if not 0 < analysis[name] < 1:
            raise UsageError(f"{where}: `{name}` is {analysis[name]}, expected one in (0, 1)")
    if analysis["correction"] != "holm":
        raise UsageError(f"{where}: `correction` is {analysis['correction']!r}, expected 'holm'")
