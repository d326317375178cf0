"""pytest tests/train_gpt_style/credit/test_credit_published.py — published numbers, judged."""

import ast
import re
from pathlib import Path

import pytest

from goldenseal.claims import sourced
from goldenseal.claims.sourced.table import judged, read
from goldenseal.errors import UsageError
from train_gpt_style.credit import SYSTEM
from train_gpt_style.credit.protocol import published
from train_gpt_style.kit import entry

ROOT = Path(__file__).parents[3]


def test_all_incidents_but_one_are_found_and_what_is_right_holds():
    """The one: a mechanism, that LayerNorm has statistics of training, is no number."""
    table = published.read()
    found = {claim.incident for claim in table if judged(claim)}
    assert found == set(range(1, 27)) - {18}
    assert all(judged(claim) for claim in table if claim.incident)
    assert not any(judged(claim) for claim in table if not claim.incident)


def test_the_checker_knows_no_claim_by_name():
    table = published.TABLE.read_text()
    names = set(re.findall(r"\[source\.(\w+)\]", table)) | set(re.findall(r'says = "(.*)"', table))
    for path in Path(sourced.__file__).parent.glob("*.py"):
        tree = ast.parse(path.read_text())
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        assert not names & texts, path


def test_no_seed_is_named_that_no_account_names():
    """A number without a seed is a mean of one."""
    sources = read(published.TABLE).sources
    for name in ("ep_random_5", "ep_random_100", "dfa_penalty_100"):
        assert (sources[name].seeds, sources[name].of) == ({}, 1)


def test_a_table_that_is_wrong_is_one_line(tmp_path):
    place = tmp_path / "t.toml"
    place.write_text(
        '[source.a]\nlabel="a"\nmean="1"\nof=1\n[[claim]]\nsays="x"\nkind="same"\nfrom=["b", "a"]\n'
    )
    with pytest.raises(UsageError, match="there is no source b"):
        published.read(place)
    place.write_text(place.read_text().replace('"b", ', '"a", ').replace('"same"', '"so"'))
    with pytest.raises(UsageError, match="so is none of"):
        published.read(place)


def test_the_command_prints_the_table_of_the_document(capsys):
    assert entry.cli(SYSTEM, None, ["published"]) == 1
    printed = capsys.readouterr().out
    assert "25 incidents found among 39 claims" in printed
    table = printed.partition("\n\n")[0]
    assert table in (ROOT / "docs/credit.md").read_text(encoding="utf-8")
    assert entry.cli(SYSTEM, None, ["published", "more"]) == 2
