"""pytest tests/train_gpt_style/credit/test_credit_published.py — published numbers, judged."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

from goldenseal.errors import UsageError
from train_gpt_style.credit import SYSTEM
from train_gpt_style.credit.protocol import claims, published
from train_gpt_style.credit.protocol.claims import Claim, Source, judged
from train_gpt_style.kit import entry

ROOT = Path(__file__).parents[3]
THREE = Source("x", "x", 30, {"1": ".5851", "2": ".5845", "3": ".5863"})


def kinds(claim):
    return [finding.kind for finding in judged(claim)]


def said(kind, *sources, **more):
    return Claim("", kind, sources, **more)


def test_all_incidents_but_one_are_found_and_what_is_right_holds():
    """The one: a mechanism, that LayerNorm has statistics of training, is no number."""
    table = published.read()
    found = {claim.incident for claim in table if judged(claim)}
    assert found == set(range(1, 27)) - {18}
    assert all(judged(claim) for claim in table if claim.incident)
    assert not any(judged(claim) for claim in table if not claim.incident)


def test_the_checker_knows_no_claim_by_name():
    tree = ast.parse(Path(claims.__file__).read_text())
    table = published.TABLE.read_text()
    names = set(re.findall(r"\[source\.(\w+)\]", table)) | set(re.findall(r'says = "(.*)"', table))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert not names & texts


@pytest.mark.parametrize(
    ("printed", "kind"),
    [
        (".5853", None),
        (".585", None),
        (".5845", "single-seed"),
        (".5852", "rounding"),
        (".609", "no-evidence"),
        (".05851", "unit"),
    ],
)
def test_a_mean_is_that_of_its_seeds(printed, kind):
    claim = said("statistic", THREE, printed=printed, seeds=3)
    assert kinds(claim) == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("sd", "kind"), [(".0009", None), (".0007", "population-sd"), (".004", "deviation")]
)
def test_a_deviation_is_that_of_the_sample(sd, kind):
    claim = said("statistic", THREE, printed=".5853", deviation=sd, seeds=3)
    assert kinds(claim) == ([kind] if kind else [])


def test_a_deviation_over_pooled_cells_is_none_over_seeds():
    cells = {"1": [".1", ".2"], "2": [".3", ".4"], "3": [".2", ".3"]}
    source = Source("x", "x", 30, cells=cells)
    assert kinds(said("statistic", source, printed=".25", deviation=".105")) == ["pooled"]
    assert kinds(said("statistic", source, printed=".25", deviation=".100")) == []


def test_sides_that_differ_in_what_is_not_said_are_unmatched():
    longer = replace(THREE, epochs=100)
    assert kinds(said("comparison", THREE, longer)) == ["unmatched"]
    assert kinds(said("comparison", THREE, THREE)) == []
    deep = replace(THREE, setting={"depth": 12})
    shallow = replace(THREE, setting={"depth": 4})
    assert kinds(said("comparison", deep, shallow)) == ["unmatched"]


def test_a_number_of_seeds_is_counted():
    two = Source("x", "x", 30, {"1": ".5", "2": ".7"})
    assert kinds(said("statistic", two, printed=".6", seeds=3)) == ["seeds"]
    assert kinds(said("statistic", two, printed=".6", seeds=2)) == []


def test_a_difference_may_be_that_of_the_printed_or_of_the_exact_numbers():
    a = Source("a", "a", 30, {"1": ".5320", "2": ".5324"})
    b = Source("b", "b", 30, mean=".453", of=3)
    for right in ("7.9", "7.92"):
        assert kinds(said("difference", a, b, printed=right, times="100")) == []
    assert kinds(said("difference", a, b, printed="7.7", times="100")) == ["margin"]


def test_one_quantity_has_one_value_as_far_as_it_is_printed():
    near = replace(THREE, seeds={"1": ".5850"})
    assert kinds(said("same", replace(near, mean=".5853"), near)) == ["two-values"]
    assert kinds(said("same", replace(THREE, mean=".585"), THREE)) == []
    with pytest.raises(UsageError, match="are not one quantity"):
        judged(said("same", THREE, replace(THREE, label="y")))


def test_files_that_nobody_can_look_at_are_named():
    assert kinds(said("sourced", replace(THREE, tracked=["1"]))) == ["unauditable"]
    assert kinds(said("sourced", replace(THREE, tracked=["1", "2", "3"]))) == []


def test_a_table_that_is_wrong_is_one_line(tmp_path):
    place = tmp_path / "t.toml"
    place.write_text(
        '[source.a]\nlabel="a"\nepochs=1\n[[claim]]\nsays="x"\nkind="same"\nfrom=["b"]\n'
    )
    with pytest.raises(UsageError, match="there is no source b"):
        published.read(place)
    place.write_text(place.read_text().replace('["b"]', '["a"]').replace('"same"', '"so"'))
    with pytest.raises(UsageError, match="so is none of"):
        published.read(place)


def test_the_command_prints_the_table_of_the_document(capsys):
    assert entry.cli(SYSTEM, None, ["published"]) == 1
    printed = capsys.readouterr().out
    assert "25 incidents found among 32 claims" in printed
    table = printed.partition("\n\n")[0]
    assert table in (ROOT / "docs/credit.md").read_text(encoding="utf-8")
    assert entry.cli(SYSTEM, None, ["published", "more"]) == 2
