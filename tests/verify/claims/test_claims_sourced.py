"""pytest tests/verify/claims/test_claims_sourced.py — numbers that others printed."""

import re
from dataclasses import replace

import pytest

from goldenseal.claims.findings import OF_OTHERS
from goldenseal.claims.judgement import judge_documents
from goldenseal.claims.sourced.claim import Claim
from goldenseal.claims.sourced.numbers import Source
from goldenseal.claims.sourced.table import KINDS, judged, parsed
from goldenseal.claims.sourced.tables import Rows
from goldenseal.errors import UsageError

THREE = Source("x", seeds={"1": ".5851", "2": ".5845", "3": ".5863"}, epochs=30)
TABLE = Rows("t", "E loss acc\n1 3.0 .50\n2 2.0 .70\n3 1.5 .60\n")


def kinds(claim):
    found = [fault.kind for fault in judged(claim)]
    assert set(found) <= set(OF_OTHERS)
    return found


def said(kind, *sources, **more):
    return Claim("", kind, sources=sources, **more)


def one(value, **more):
    return Source("y", mean=value, of=1, **more)


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
    ("sd", "ddof", "kind"),
    [
        (".0009", 1, None),
        (".0007", 1, "population-sd"),
        (".0007", 0, None),
        (".0009", 0, "sample-sd"),
        (".0010", 1, "rounding"),
        (".004", 1, "deviation"),
    ],
)
def test_a_deviation_is_that_of_the_sample_or_as_said_of_the_population(sd, ddof, kind):
    claim = said("statistic", THREE, printed=".5853", deviation=sd, ddof=ddof, seeds=3)
    assert kinds(claim) == ([kind] if kind else [])


def test_a_deviation_that_is_only_printed_is_converted():
    printed = Source("x", mean=".5", of=5, sd=".0112", ddof=1)
    for sd, ddof, found in ((".0112", 1, []), (".0100", 0, []), (".0100", 1, ["population-sd"])):
        claim = said("statistic", printed, printed=".5", deviation=sd, ddof=ddof)
        assert kinds(claim) == found


def test_a_deviation_over_pooled_cells_is_none_over_seeds():
    cells = {"1": [".1", ".2"], "2": [".3", ".4"], "3": [".2", ".3"]}
    source = Source("x", cells=cells)
    assert kinds(said("statistic", source, printed=".25", deviation=".105")) == ["pooled"]
    assert kinds(said("statistic", source, printed=".25", deviation=".100")) == []


def test_sides_that_differ_in_what_is_not_said_are_unmatched():
    assert kinds(said("comparison", THREE, THREE)) == []
    for other in (
        replace(THREE, epochs=100),
        replace(THREE, setting={"depth": 12}),
    ):
        base = replace(THREE, setting={"depth": 4})
        assert kinds(said("comparison", base, other)) == ["unmatched"]
        assert kinds(said("comparison", base, other, values=("depth", "epochs"))) == []
    small, large = one("1.4", examples=1024), one("1.4", examples=2048)
    assert kinds(said("comparison", small, large)) == ["unmatched"]


def test_a_range_over_seeds_that_are_not_there_does_not_hold():
    cells = Source("x", cells={"42": [".01", "-.05"]})
    assert kinds(said("range", cells, low="-.06", high=".02", seeds=3)) == ["seeds"]
    assert kinds(said("range", cells, low="-.06", high=".02", seeds=1)) == []
    assert kinds(said("range", cells, low="-.04", high=".02")) == ["range"]
    assert kinds(said("count", cells, low="-.04", high=".02", printed="1")) == []
    assert kinds(said("count", cells, low="-.06", high=".02", printed="1")) == ["count"]


def test_a_number_of_seeds_is_counted():
    two = Source("x", seeds={"1": ".5", "2": ".7"})
    assert kinds(said("statistic", two, printed=".6", seeds=3)) == ["seeds"]
    assert kinds(said("statistic", two, printed=".6", seeds=2)) == []
    assert kinds(said("list", two, values=(".5", ".7"))) == []
    assert kinds(said("list", two, values=(".5",))) == ["list"]
    assert kinds(said("list", two, values=(".7", ".5"))) == ["list"]


def test_a_difference_may_be_that_of_the_printed_or_of_the_exact_numbers():
    a = Source("a", seeds={"1": ".5320", "2": ".5324"})
    b = Source("b", mean=".453", of=3)
    for right in ("7.9", "7.92"):
        assert kinds(said("difference", a, b, printed=right, times="100")) == []
    assert kinds(said("difference", a, b, printed="7.7", times="100")) == ["margin"]


def test_a_ratio_is_of_the_numbers_that_it_names():
    """48 times: of .0937 and .0020 it is 47, and 48 only where the rounding of both helps."""
    rho, noise, control = one(".0937"), one(".0020"), one(".0056")
    (fault,) = judged(said("ratio", rho, noise, printed="48"))
    assert fault.words == "it is 46.9; by the rounding of its parts it may be 45.7 to 48.1"
    assert kinds(said("ratio", rho, noise, printed="47")) == []
    assert judged(said("ratio", rho, control, printed="48"))[0].words == "it is 16.7"
    assert kinds(said("ratio", rho, one("0"), printed="48")) == ["ratio"]


@pytest.mark.parametrize(
    ("kind", "right", "wrong", "more"),
    [
        ("change", "25", "20", {"times": "100"}),
        ("sum", "0.9", "0.8", {}),
        ("shifted", "0.52", "0.53", {"by": ".02"}),
        ("boundary", "0.5", "0.6", {}),
        ("clears", "", "", {"by": ".1"}),
        ("alike", "", "", {}),
    ],
)
def test_arithmetic_between_two_numbers(kind, right, wrong, more):
    a, b = one("0.5"), one("0.4")
    sources = (a,) if kind in ("shifted", "boundary") else (a, b)
    assert kinds(said(kind, *sources, printed=right, **more)) == []
    if wrong:
        assert len(kinds(said(kind, *sources, printed=wrong, **more))) == 1
    elif kind == "clears":
        assert kinds(said(kind, a, b, by=".11")) == ["margin"]
    else:
        assert kinds(said(kind, a, one("0.1"))) == ["unlike"]


def test_an_order_holds_in_every_group_and_two_that_print_alike_have_none():
    high, mid, low = one("3"), one("2"), one("1")
    assert kinds(said("order", high, mid, low)) == []
    assert kinds(said("order", low, mid, high, which="rising")) == []
    assert kinds(said("order", high, low, mid)) == ["order"]
    assert kinds(said("order", high, one("3.0"))) == ["order"]
    assert kinds(said("order", groups=((high, mid), (mid, low)))) == []
    assert kinds(said("order", groups=((high, mid), (low, mid)))) == ["order"]


def test_one_quantity_has_one_value_as_far_as_it_is_printed():
    near = replace(THREE, seeds={"1": ".5850"})
    assert kinds(said("same", replace(near, mean=".5853", of=3), near)) == ["two-values"]
    assert kinds(said("same", replace(THREE, mean=".585", of=3), THREE)) == []
    assert kinds(said("same", one("87.2"), one("87.1"))) == ["two-values"]
    with pytest.raises(UsageError, match="are not one quantity"):
        judged(said("same", THREE, replace(THREE, label="y")))


def test_files_that_nobody_can_look_at_are_named():
    assert kinds(said("sourced", replace(THREE, tracked=("1",)))) == ["unauditable"]
    assert kinds(said("sourced", replace(THREE, tracked=()))) == ["unauditable"]
    assert kinds(said("sourced", replace(THREE, tracked=("1", "2", "3")))) == []


# -- tables of rows -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "right", "wrong", "found"),
    [
        ("row", {"row": {"loss": "2.0", "acc": ".70"}}, {"row": {"loss": "1.5", "acc": ".70"}},
         "rows"),
        ("row", {"row": {"acc": ".70"}, "at": "best acc"}, {"row": {"acc": ".70"}, "at": "last"},
         "rows"),
        ("extreme", {"column": "acc", "which": "max", "printed": ".70"},
         {"column": "acc", "which": "last", "printed": ".70"}, "extreme"),
        ("extreme", {"column": "acc", "which": "mean", "printed": ".60"},
         {"column": "acc", "which": "mean", "printed": ".65"}, "extreme"),
        ("trend", {"column": "loss", "which": "falls"}, {"column": "loss", "which": "rises"},
         "trend"),
        ("trend", {"column": "loss", "which": "nears", "printed": "1"},
         {"column": "loss", "which": "nears", "printed": "4"}, "trend"),
        ("reaches", {"column": "loss", "printed": "1.4", "by": ".1"},
         {"column": "loss", "printed": "1.3", "by": ".1"}, "target"),
        ("rows", {"column": "acc", "low": ".55", "high": ".80", "printed": "2"},
         {"column": "acc", "low": ".55", "high": ".65", "printed": "2"}, "count"),
    ],
)  # fmt: skip
def test_claims_about_a_table(kind, right, wrong, found):
    assert kinds(Claim("", kind, table=TABLE, **right)) == []
    assert kinds(Claim("", kind, table=TABLE, **wrong)) == [found]


def test_a_cause_is_shown_by_two_runs_that_differ_in_it_alone():
    confounded = Rows("r", "run a b dead\n1 no no yes\n2 yes yes no\n")
    claim = Claim("", "isolates", table=confounded, column="a", which="dead")
    assert kinds(claim) == ["confounded"]
    assert kinds(replace(claim, table=Rows("r", confounded.text + "3 yes no no\n"))) == []
    assert kinds(replace(claim, table=Rows("r", confounded.text + "3 yes no yes\n"))) == [
        "confounded"
    ]


def test_what_goes_back_to_a_thing_is_not_free_of_it():
    lineage = {"student": ("teacher",), "teacher": ("CLIP", "student")}
    claim = Claim("", "lineage", what="student", free_of=("CLIP",), lineage=lineage)
    assert kinds(claim) == ["lineage"]
    assert kinds(replace(claim, free_of=("DINO",))) == []


# -- the file -------------------------------------------------------------------------------------

FILE = """
[source.a]
label = "ours, accuracy"
origin = "table 2"
seeds = { 1 = ".50", 2 = ".52", 3 = ".60" }
epochs = 30
[source.b]
label = "theirs, accuracy"
mean = ".45"
of = 3
sd = ".02"
epochs = 30

[[claim]]
says = "ours .54 +- .05"
kind = "statistic"
printed = ".54"
deviation = ".05"
from = ["a"]
[[claim]]
says = "ours is 12 points above theirs"
kind = "difference"
printed = "12"
times = "100"
from = ["a", "b"]
"""


def test_a_table_is_a_document_with_findings_at_lines(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.goldenseal]\n")
    place = tmp_path / "published.toml"
    place.write_text(FILE)
    report = judge_documents(tmp_path, [place])
    assert [str(f) for f in report.findings] == [
        "published.toml:20: margin: ours is 12 points above theirs: it is 9"
    ]
    assert (report.exit_code, report.findings[0].right) == (1, "9")
    assert report.coverage.to_json() == {"bound": 1, "exempt": 0, "red": 1, "share": 0.5}
    facts = report.to_json()["documents"][0]["claims"][0]
    assert facts["sources"][0]["values"] == {"1": "0.5", "2": "0.52", "3": "0.6"}
    place.write_text(FILE.replace('"12"', '"9"'))
    assert judge_documents(tmp_path, [place]).exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('from = ["a"]', 'from = ["c"]', "there is no source c"),
        ('kind = "statistic"', 'kind = "median"', "median is none of statistic,"),
        ('printed = ".54"', 'printed = "half"', "'half' is not a number"),
        ('printed = ".54"\n', "", "kind 'statistic' needs `printed`"),
        ('printed = ".54"', "printed = 0.54", "printed must be a str"),
        ('mean = ".45"\nof = 3', "", "source b: it needs `seeds`, `cells` or `mean`"),
        ("of = 3", "", "source b: `mean` of how many seeds?"),
        ('label = "ours, accuracy"', 'lable = "x"', "source.a"),
        ("[source.a]", "[sauce.a]", "unknown table [sauce]"),
        ("[[claim]]", "[[claim]", "not TOML"),
        ('seeds = { 1 = ".50"', 'seeds = { 1 = "1e999999999"', "source a: '1e999999999' is not"),
    ],
)
def test_a_table_that_is_wrong_is_one_line(old, new, message):
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        parsed(FILE.replace(old, new, 1), "t.toml")
    assert "\n" not in str(caught.value)


def test_every_kind_of_the_guide_is_a_kind_of_the_code(root):
    guide = (root / "docs/claims-of-others.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", guide, re.MULTILINE))
    assert {kind: rows.get(kind) for kind in OF_OTHERS} == OF_OTHERS
    assert set(KINDS) <= set(re.findall(r"`(\w+)`", guide))


# -- prose that is bound to a source --------------------------------------------------------------


@pytest.fixture
def with_table(repository):
    (repository.root / "published.toml").write_text(FILE)
    return repository


BOUND = (
    "a = { table = 'published.toml', source = 'a', stat = 'mean' }\n"
    "s = { table = 'published.toml', source = 'a', stat = 'sd', ddof = 1 }\n"
    "b = { table = 'published.toml', source = 'b', stat = 'mean', times = 100, unit = '%' }\n"
)


def text(mean="0.540", sd="0.053", other="45"):
    return f"Mean {mean}<!--=a--> ± {sd}<!--=s-->, theirs a mean of {other}<!--=b--> %."


def test_prose_on_numbers_of_others_follows_from_their_table(with_table):
    assert with_table.kinds(text(), BOUND) == []
    assert with_table.kinds(text(mean="0.52"), BOUND) == ["single-seed"]
    assert with_table.kinds(text(mean="0.55"), BOUND) == ["no-evidence"]
    assert with_table.kinds(text(sd="0.043"), BOUND) == ["population-sd"]
    assert with_table.kinds(text(other="46"), BOUND) == ["no-evidence"]
    assert with_table.kinds(text(sd="0.053").replace("±", "with standard error"), BOUND) == [
        "mislabelled"
    ]
    assert with_table.kinds("Over five seeds, " + text(), BOUND)[:1] == ["incomplete-grid"]


def test_a_margin_of_others_is_matched_by_their_table(with_table):
    definitions = (
        "a = { table = 'published.toml', source = 'a', stat = 'mean' }\n"
        "b = { table = 'published.toml', source = 'b', stat = 'mean' }\n"
        "m = { stat = 'margin', from = ['a', 'b'] }\n"
    )
    body = "From 0.54<!--=a--> to 0.45<!--=b-->, 0.09<!--=m--> less."
    assert with_table.kinds(body, definitions) == []
    longer = FILE.replace('sd = ".02"\nepochs = 30', "epochs = 100")
    (with_table.root / "published.toml").write_text(longer)
    assert with_table.kinds(body, definitions) == ["unmatched"]
    said_so = definitions.replace("'b'] }", "'b'], varied = ['epochs'] }")
    assert with_table.kinds(body, said_so) == []


@pytest.mark.parametrize(
    ("definition", "kind"),
    [
        ("{ table = 'published.toml' }", "bad-claim"),
        ("{ table = 'published.toml', source = 'c' }", "no-evidence"),
        ("{ table = 'nowhere.toml', source = 'a' }", "no-evidence"),
        ("{ table = '../published.toml', source = 'a' }", "bad-claim"),
        ("{ table = 'published.toml', source = 'a' }", "bad-claim"),
        ("{ table = 'published.toml', source = 'a', stat = 'p' }", "bad-claim"),
        ("{ table = 'published.toml', source = 'a', record = 'x' }", "bad-claim"),
    ],
)
def test_a_definition_on_a_table_that_leads_nowhere(with_table, definition, kind):
    assert with_table.kinds("0.54<!--=a-->", f"a = {definition}") == [kind]


def test_a_sealed_number_beside_one_of_others_says_so(with_table):
    with_table.make("one", {1: 0.5})
    definitions = (
        "a = { record = 'toy/one', seeds = [1], pointer = '/val_bpb' }\n"
        "b = { table = 'published.toml', source = 'b', stat = 'mean' }\n"
        "m = { stat = 'margin', from = ['a', 'b'] }\n"
    )
    body = "Ours 0.50<!--=a-->, their mean 0.45<!--=b-->: 0.05<!--=m--> more."
    assert with_table.kinds(body, definitions) == ["unmatched"]
    said_so = definitions.replace("'b'] }", "'b'], varied = ['sealed'] }")
    assert with_table.kinds(body, said_so) == []
