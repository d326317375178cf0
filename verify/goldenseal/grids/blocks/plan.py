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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from goldenseal.disk import canonical
from goldenseal.records.kinds.schema import (
    Knobs,
    Names,
    Schema,
    Seeds,
    Share,
    Table,
    Text,
    checked,
    read_toml,
    refuse_odd_names,
)

ROLES = ("baseline", "null", "control")


class WindowTable(Table):
    """[window]."""

    steps: int
    chunks: int
    target: Text

    @model_validator(mode="after")
    def _agrees(self) -> "WindowTable":
        if self.chunks < 1 or self.steps % self.chunks or self.steps < 1:
            raise ValueError("`chunks` must divide `steps`, and both be positive")
        try:
            target = float(self.target)
        except ValueError:
            target = math.nan
        if not 0 < target < math.inf:
            raise ValueError("`target` must be the text of a positive number")
        return self


class AnalysisTable(Table):
    """[analysis]."""

    alpha: Share
    confidence: Share
    margin: Share
    loss_margin: Share
    presumed: Share
    identical: Names
    correction: Literal["holm"]
    counts: Text


class StoppingTable(Table):
    """[stopping]."""

    blocks: int
    rule: Text


def _arms(arms: dict[str, Any]) -> dict[str, Any]:
    refuse_odd_names(arms, "an arm")
    return arms


class BlockTable(Table):
    """A plan.toml of blocks."""

    schema_: Schema = Field(alias="schema")
    name: Text
    question: Text
    system: Text
    seeds: Seeds
    baseline: Text
    null: Text
    control: Text
    common: Knobs
    arms: Annotated[dict[str, Knobs], AfterValidator(_arms)]
    window: WindowTable
    analysis: AnalysisTable
    stopping: StoppingTable

    @model_validator(mode="after")
    def _agrees(self) -> "BlockTable":
        roles = {role: getattr(self, role) for role in ROLES}
        for role, name in roles.items():
            if name not in self.arms:
                raise ValueError(f"the {role} {name!r} is no arm")
        if len(set(roles.values())) != len(roles):
            raise ValueError("baseline, null and control must be three arms")
        if self.arms[self.null] != self.arms[self.baseline]:
            raise ValueError("the null must set exactly what the baseline sets")
        if len(self.arms) == len(roles):
            raise ValueError("nothing is tested: give a fourth arm")
        if odd := [name for name in self.analysis.identical if name not in self.arms]:
            raise ValueError(f"`identical` names {odd[0]!r}, which is no arm")
        if self.null not in self.analysis.identical:
            raise ValueError(f"`identical` must name the null, {self.null!r}")
        if not 2 <= self.stopping.blocks <= len(self.seeds):
            seeds = len(self.seeds)
            raise ValueError(f"`blocks` must be from 2 to the number of seeds, {seeds}")
        return self


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
    facts = read_toml(path)
    checked(BlockTable, facts, path.name)
    return BlockPlan(facts)
