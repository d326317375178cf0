"""A README as HTML that is safe to show: comments are left out, other HTML is shown as text.

Only what the parser takes for a comment is one: in a code block `<!-- -->` is an example, and an
opening without an end hides nothing.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from goldenseal.errors import CannotCheckError

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

OPEN, CLOSE = "<!--", "-->"
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def to_html(text: str) -> str:
    """Markdown as HTML. Nothing is loaded from elsewhere, and no tag of the text is a tag.

    Raises CannotCheckError without markdown-it-py.
    """
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        need = "a page needs markdown-it-py: pip install 'goldenseal[report]'"
        raise CannotCheckError(need) from None
    # `html` lets comments reach the two rules below, which take nothing else.
    parser = MarkdownIt("commonmark", {"html": True}).enable("table").disable("image")
    interrupted = ["paragraph", "reference", "blockquote"]
    parser.block.ruler.at("html_block", _block, {"alt": interrupted})
    parser.inline.ruler.at("html_inline", _inline)
    parser.add_render_rule("html_block", _rest)
    parser.add_render_rule("html_inline", _rest)
    return str(parser.render(text))


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    from markdown_it.rules_block import html_block

    place = state.bMarks[start] + state.tShift[start]
    if (
        not state.src.startswith(OPEN, place)
        or CLOSE not in state.src[place : state.eMarks[end - 1]]
    ):
        return False
    return html_block(state, start, end, silent)


def _inline(state: StateInline, silent: bool) -> bool:
    from markdown_it.rules_inline import html_inline

    return state.src.startswith(OPEN, state.pos) and html_inline(state, silent)


def _rest(self: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    """What stands beside comments on their lines."""
    rest = COMMENT.sub("", tokens[index].content)
    return f"<p>{escape(rest)}</p>\n" if rest.strip() else ""
