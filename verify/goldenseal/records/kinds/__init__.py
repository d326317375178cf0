"""Kinds of records: run, command, evidence, study, sweep, baseline, proposal, plan.

The kind answers what a record's cells and runs are, what its record.json must say, and what does
not hold. Who reads records (check, claims, reproduce, report) asks the kind, and nobody else looks
at the keys of record.json to find out what it is. Only `problems` and `groups` read a plan, and
import what that takes; nothing here imports anything of launching or of tests.
"""

from collections.abc import Mapping
from typing import Any

from goldenseal.records.kinds.cells import SEED, Cell, Listed
from goldenseal.records.kinds.kind import (
    Baseline,
    Command,
    Evidence,
    Kind,
    Planned,
    Proposal,
    Run,
    Study,
    Sweep,
)

__all__ = ["SEED", "Cell", "Kind", "Listed", "kind_of"]


def kind_of(facts: Mapping[str, Any]) -> Kind:
    """The kind of the record whose record.json says this."""
    if "cells" in facts:
        return Sweep()
    if "runs" in facts:
        return Study()
    if "evidence" in facts:
        return Evidence()
    if "command" in facts:
        return Command()
    if "plan" in facts:
        return Planned()
    return {"baseline": Baseline(), "proposal": Proposal()}.get(facts.get("status", ""), Run())
