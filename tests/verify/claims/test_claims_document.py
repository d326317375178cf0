"""pytest tests/verify/claims/test_claims_document.py — the closed world, and its stated rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.claims.document import parse

RESULTS = "# Results\n\n"


def unbound(text):
    return [f.message.split()[0] for f in parse("d", text).findings if f.kind == "unbound"]


def bad(text):
    return [f for f in parse("d", text).findings if f.kind == "bad-claim"]


@pytest.mark.parametrize(
    "heading",
    [
        "Results",
        "2. Result",
        "What was measured",
        "Benchmarks",
        "An ablation",
        "Scores",
        "COMPARISON",
    ],
)
def test_these_headings_close_a_section(heading):
    assert unbound(
        f"# Guide\n\nWe saw 1.19.\n\n## {heading}\n\nWe saw 1.20.\n\n### Deep\n\n1.21"
    ) == [
        "1.20",
        "1.21",
    ]


@pytest.mark.parametrize("heading", ["Resulting files", "Use", "Scoreboardless", "Method"])
def test_other_headings_do_not(heading):
    assert unbound(f"# {heading}\n\nWe saw 1.19.") == []


def test_a_section_ends_at_the_next_heading_of_its_level():
    assert unbound("## Results\n\n1\n\n### More\n\n2\n\n## Method\n\n3\n\n# Top\n\n4") == ["1", "2"]


def test_a_heading_in_html_is_a_heading():
    assert unbound("<h2>Results</h2>\n\n5\n\n## Method\n\n6") == ["5"]


def test_a_marker_closes_the_rest_of_a_section():
    assert unbound("# Why\n\n1\n\n<!-- results -->\n\n2\n\n## Sub\n\n3\n\n# Next\n\n4") == [
        "2",
        "3",
    ]


def test_every_table_is_closed_wherever_it_stands():
    assert unbound("# Method\n\n| a 1 | b |\n|---|---:|\n| 2 | x |\n\n3") == ["1", "2"]


@pytest.mark.parametrize(
    "text",
    [
        "`1.19`",
        "```\n1.19\n```",
        "    1.19",
        "[here](https://example.org/1.19)",
        "<https://example.org/1.19>",
        "<!-- 1.19 -->",
        "on 2026-11-23 at 12:30",
        "v2, 1.2.3, version 3.11, format 0.2, schema 1",
        "RFC 8785, ISO 8601, PEP 8",
        "#4, § 2.1, section 3, figure 2, table 7",
        "int8, fp16, SHA-512, x86-64, AVX-512",
        "the 2nd and 3rd",
        "1. one\n2. two",
    ],
)
def test_exempt_by_rule(text):
    assert unbound(RESULTS + text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1.19", ["1.19"]),
        ("a 30-epoch run", ["30"]),
        ("13.7s", ["13.7"]),
        ("**1.19** and _2_", ["1.19", "2"]),
        ("[1.19](x.md)", ["1.19"]),
        ("&#49;.19 and &minus;3", ["1.19", "−3"]),
        ("n=3", ["3"]),
        ("p<0.05", ["0.05"]),
        ("from 4.5-5.5", ["4.5", "5.5"]),
        ("figure 1.19", ["1.19"]),
        ("± 0.02", ["0.02"]),
        ("half: ½, ４", ["½", "４"]),
        ("<b>1.19</b>", ["1.19"]),
        ("> quoted 1.19", ["1.19"]),
        ("- item 1.19", ["1.19"]),
        ("one\nand 1.19", ["1.19"]),
        ("<table><tr><td>1.19</td></tr></table>", ["1.19"]),
        ("1.19<!-- note -->", ["1.19"]),
    ],
)
def test_what_no_rule_exempts_is_red(text, found):
    assert unbound(RESULTS + text) == found


def test_the_number_of_a_heading_is_exempt_and_its_text_is_not():
    assert unbound("## 3.1 Results over 4 runs") == ["4"]


def test_a_finding_names_the_line():
    found = parse("d.md", "# Results\n\nNone here,\nbut 5 here.\n").findings
    assert str(found[0]) == "d.md:4: unbound: 5 is bound to no sealed evidence, nor exempt"


def test_exemptions_by_numeral_block_and_section():
    text = (
        "# Results\n\nfirst 1<!-- exempt: a label -->\n\n"
        "<!-- exempt: exit codes -->\n\n- 2\n- 3\n\nnot 4\n\n"
        "## A\n\n<!-- exempt section: timings -->\n\n5 and 6\n\n### B\n\n7\n\n## C\n\n8"
    )
    document = parse("d", text)
    assert unbound(text) == ["4", "8"]
    assert [(e.reason, e.scope, e.numerals) for e in document.exemptions] == [
        ("a label", "numeral", 1),
        ("exit codes", "block", 2),
        ("timings", "section", 3),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "<!-- exempt: nothing -->\n\nno numeral",
        "<!-- exempt -->\n\n4",
        "4<!-- exempt: -->",
        "word<!--=x-->",
        "4 <!--=x-->",
        "4<!--=x--><!--=y-->",
        "<!--=x-->",
        "<!-- claims\nx = [ -->",
        "<!-- claims\nx = 1\nx = 2\n-->",
        "<!-- claims\nx = 1 -->\n\n<!-- claims\nx = 1 -->",
        "<!-- claim\nx = 1 -->",
    ],
)
def test_markers_that_mean_nothing_are_errors(text):
    assert len(bad(RESULTS + text)) == 1


def test_a_marker_binds_the_numeral_before_it():
    document = parse("d", "so 1<!--=a-->, **2.50**<!--=b--> and `3<!--=c-->` −4<!-- = d -->%")
    assert [(b.claim, b.printed.text) for b in document.bound] == [
        ("a", "1"),
        ("b", "2.50"),
        ("d", "−4"),
    ]
    for bound in document.bound:
        assert document.source[bound.offset :].startswith("<!--")
    assert not document.findings


def test_in_a_table_the_head_of_the_column_is_known():
    document = parse("d", "| what | nats |\n|---|---|\n| `a|b` | 1 |\n| loss | 4.06<!--=a--> |")
    assert [(b.heading, b.contexts[0]) for b in document.bound] == [
        ("nats", "what | nats | loss | 4.06")
    ]


@given(st.text(alphabet="#|-\n <>!=ab19.*`[]()&;,", max_size=200))
def test_no_text_is_too_odd_to_be_read(text):
    document = parse("d", text)
    for bound in document.bound:
        assert document.source[bound.offset :].startswith("<!--")
