"""pytest tests/verify/report/test_markdown.py — a README without its comments, and without tags."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenseal.claims.documents.safe_html import to_html


@pytest.mark.parametrize(
    "text",
    [
        "a <!-- hidden --> b",
        "<!-- claims\nhidden = 1\n\nhidden = 2\n-->\n\nb",
        "1.5<!--=hidden--> b",
        "| a<!--=hidden--> | b |\n|---|---|\n| 1<!-- hidden --> | 2 |",
        "- b <!-- hidden -->\n\n  <!-- hidden\n  hidden -->",
        "> b\n<!-- hidden -->",
        "<!-- hidden --> b",
        "# b <!-- hidden -->",
        "b\n<!-- hidden -->\nb",
    ],
)
def test_a_comment_of_the_readme_is_not_shown(text):
    html = to_html(text)
    assert "hidden" not in html
    assert "--" not in html
    assert "b" in html


@pytest.mark.parametrize(
    "text", ["```\n<!-- shown -->\n```", "`<!-- shown -->`", "    <!-- shown -->", "<!-- shown"]
)
def test_a_comment_that_is_code_or_has_no_end_is_shown(text):
    assert "&lt;!-- shown" in to_html(text)


HOSTILE = st.lists(
    st.sampled_from(
        ["<!--", "-->", "--", ">", "<", "<script>", "</script>", "<img src=x onerror=y>", "`",
         "```", "\n", "\n\n", "    ", "- ", "> ", "| a |\n|---|\n", "&lt;", "[x](javascript:y)",
         "<!-->", "<b", " onclick=z>", "text", '"', "]]>", "<![CDATA[", "<?"]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(HOSTILE)
def test_no_readme_gets_a_tag_of_its_own(text):
    tags = {tag.lower() for tag in re.findall(r"</?([a-zA-Z!?][^\s>/]*)", to_html(text))}
    assert tags <= {
        "p", "br", "hr", "code", "pre", "em", "strong", "ul", "ol", "li", "blockquote", "table",
        "thead", "tbody", "tr", "th", "td", "a", "h1", "h2", "h3", "h4", "h5", "h6",
    }  # fmt: skip
    assert not re.search(r"href=.javascript", to_html(text))
