"""pytest tests/verify/claims/test_claims_grid.py — records of several configurations and seeds."""

import json

import pytest

from tests.verify.claims.conftest import write_log
from tests.verify.conftest import seal_blindly

SEEDS = "seeds = [1, 2]"
PLAN = 'schema = 1\nseeds = [1, 2]\n[configurations.base]\n[configurations.wide]\nWIDTH = "128"\n'


def grid(repository, cells, plan=PLAN):
    """A sealed record with a run for each (configuration, seed): value.

    It is sealed as a forger would: an honest seal is refused where cells are missing.
    """
    runs = []
    for configuration, seed in sorted(cells):
        log = f"runs/{configuration}/{seed}/train.jsonl"
        knobs = {"WIDTH": "128" if configuration == "wide" else "64"}
        entry = {"configuration": configuration, "seed": seed, "log": log, "knobs": knobs}
        runs.append(entry | {"state": "", "results": {}})
    folder = repository.draft("grid", {}, seeds=[1, 2], plan="plan.toml", runs=runs)
    facts = json.loads((folder / "record.json").read_text())
    del facts["logs"]
    (folder / "record.json").write_text(json.dumps(facts))
    for entry in runs:
        (folder / entry["log"]).parent.mkdir(parents=True)
        value = cells[entry["configuration"], entry["seed"]]
        write_log(folder / entry["log"], entry["seed"], value)
    if plan:
        (folder / "plan.toml").write_text(plan)
    return seal_blindly(folder)[:12]


FULL = {("base", 1): 2.0, ("base", 2): 3.0, ("wide", 1): 1.5, ("wide", 2): 2.0}


def test_values_by_configuration_and_seed(repository):
    body = f"record = '{grid(repository, FULL)}', pointer = '/val_bpb'"
    report = repository.judge(
        "2.50<!--=b-->, 1.75<!--=w-->; 0.75<!--=d--> less, and 3.00<!--=v-->; 0.75<!--=m-->",
        f"b = {{ {body}, configuration = 'base', {SEEDS}, stat = 'mean' }}\n"
        f"w = {{ {body}, configuration = 'wide', {SEEDS}, stat = 'mean' }}\n"
        f"d = {{ {body}, configuration = 'base', {SEEDS}, stat = 'paired difference', "
        "against = { configuration = 'wide' }, varied = ['WIDTH'] }\n"
        f"v = {{ {body}, configuration = 'base', seeds = [2] }}\n"
        "m = { stat = 'margin', from = ['b', 'w'], varied = ['WIDTH'] }",
    )
    assert report.findings == []


@pytest.mark.parametrize("plan", [PLAN, ""], ids=["planned", "unplanned"])
@pytest.mark.parametrize("stat", ["mean", "sd", "min"])
def test_a_claim_from_an_incomplete_grid_is_refused(repository, plan, stat):
    cells = {cell: value for cell, value in FULL.items() if cell != ("wide", 2)}
    body = f"record = '{grid(repository, cells, plan)}', pointer = '/val_bpb'"
    more = ", ddof = 1" if stat == "sd" else ""
    report = repository.judge(
        "The best of two: 2.5<!--=b-->",
        f"b = {{ {body}, configuration = 'base', {SEEDS}, stat = '{stat}'{more} }}",
    )
    assert [finding.kind for finding in report.findings] == ["incomplete-grid"]
    assert "no finished run of wide 2" in report.findings[0].message


def test_a_configuration_that_never_ran_is_missing_by_the_plan(repository):
    cells = {("base", 1): 2.0, ("base", 2): 3.0}
    body = f"record = '{grid(repository, cells)}', pointer = '/val_bpb'"
    definition = f"b = {{ {body}, configuration = 'base', {SEEDS}, stat = 'mean' }}"
    report = repository.judge("2.50<!--=b-->", definition)
    assert "no finished run of wide 1, wide 2" in report.findings[0].message


def test_one_run_of_an_incomplete_grid_is_still_a_fact(repository):
    cells = {cell: value for cell, value in FULL.items() if cell != ("wide", 2)}
    body = f"record = '{grid(repository, cells)}', pointer = '/val_bpb'"
    definition = f"v = {{ {body}, configuration = 'base', seeds = [2] }}"
    assert repository.kinds("3.0<!--=v-->", definition) == []


def test_a_configuration_must_be_named_and_exist(repository):
    body = f"record = '{grid(repository, FULL)}', pointer = '/val_bpb', seeds = [1]"
    assert repository.kinds("2.0<!--=v-->", f"v = {{ {body} }}") == ["bad-claim"]
    assert repository.kinds("2.0<!--=v-->", f"v = {{ {body}, configuration = 'x' }}") == [
        "no-evidence"
    ]
