"""pytest tests/verify/mutate/test_proofs.py"""

from pathlib import Path

import pytest

from goldenseal.coq import settings
from goldenseal.coq.project import load
from goldenseal.mutate.proofs import neighbours, readable

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def mutants():
    constants = settings.load_constants(ROOT, settings.read(ROOT).constants).constants
    return list(readable(load(ROOT / "theorems"), constants))


def test_every_constant_and_every_file_has_its_mutants(mutants):
    constants = settings.load_constants(ROOT, settings.read(ROOT).constants).constants
    alone = [m for m in mutants if m.family.startswith("constant") and "," not in m.family]
    assert len(alone) == 2 * len(constants)
    files = {path.name for path in (ROOT / "theorems").glob("*.v")}
    assert {m.name for m in mutants if m.family == "Axiom added"} == files


def test_the_gate_kills_one_of_each_family(mutants):
    families = {mutant.family: mutant for mutant in mutants}
    assert len(families) >= 10
    survivors = [family for family, mutant in families.items() if not mutant.findings()]
    assert survivors == []


def test_neighbours_are_one_unit_away():
    assert [value for _, value in neighbours(4)] == [5, 3]
    assert [value for _, value in neighbours(1.0)] == [1.0 + 2**-52, 1.0 - 2**-53]
