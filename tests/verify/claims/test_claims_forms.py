"""pytest tests/verify/claims/test_claims_forms.py — captions, alternative texts, HTML, LaTeX."""

import pytest

from goldenseal.claims.document import parse
from goldenseal.claims.judgement import judge_documents

RESULTS = "# Results\n\n"
DEFINED = "a = { record = 'toy/one', seeds = [1], pointer = '/val_bpb' }"


def unbound(text, name="d.md"):
    return [f.message.split()[0] for f in parse(name, text).findings if f.kind == "unbound"]


def bad(text, name="d.md"):
    return [f.message for f in parse(name, text).findings if f.kind == "bad-claim"]


def claims(text, name="d.md"):
    return [(b.claim, b.printed.text) for b in parse(name, text).bound]


@pytest.fixture
def one(repository):
    repository.make("one", {1: 1.25})
    return repository


def judged(repository, name, text, fix=False):
    path = repository.root / name
    path.write_text(text)
    report = judge_documents(repository.root, [path], fix)
    return [finding.kind for finding in report.findings]


# -- pictures and captions ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "![falls to 1.25](a.png)",
        'Here ![curve](a.png "falls to 1.25") it is.',
        '<img src="a.png" alt="falls to 1.25">',
        'Here <img alt="falls to 1.25" src="a.png"/> it is.',
        '<p align="center"><img src="a.png" title="falls to 1.25"></p>',
        "Figure 2: the loss falls to 1.25.",
        "**Table 1.** The loss falls to 1.25.",
        "<figure><img src='a.png'><figcaption>falls to 1.25</figcaption></figure>",
    ],
)
def test_what_is_said_of_a_picture_or_a_table_is_closed_wherever_it_stands(text):
    assert unbound(f"# Guide\n\n{text}\n") == ["1.25"]
    assert unbound(f"# Guide\n\n{text.replace('1.25', 'one')}\n") == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("![from 4.54 to 1.25](a.png)<!--=b, a-->", 2),
        ('![to 1.25](a.png "from 4.54")<!--=a,b-->', 2),
        ('<img alt="from 4.54 to 1.25"><!--=b,a-->', 2),
        ("Text ![1.25](a.png)<!--=a--> and 7", 1),
    ],
)
def test_a_marker_after_a_picture_names_the_numbers_of_its_text_in_turn(text, count):
    document = parse("d.md", f"# Guide\n\n{text}\n")
    found = {b.claim: b.printed.text for b in document.bound}
    assert found == dict(list({"a": "1.25", "b": "4.54"}.items())[:count])
    assert document.findings == []
    for b in document.bound:
        assert document.source[: b.offset].endswith(b.printed.text)


def test_a_marker_after_a_picture_names_each_number():
    assert "names 1, and the text has 2 numerals" in bad("![4.54, 1.25](a.png)<!--=a-->")[0]
    assert parse("d", "![4.54, 1.25](a.png)<!-- exempt: theirs -->").findings == []


@pytest.mark.parametrize("text", ["![to {}](a.png)<!--=a-->", "Figure 1: to {}<!--=a-->."])
def test_a_number_in_an_alternative_text_or_caption_is_judged_and_rewritten(one, text):
    source = text.format("1.25") + f"\n\n<!-- claims\n{DEFINED}\n-->\n"
    assert judged(one, "d.md", source) == []
    wrong = source.replace("to 1.25", "to 1.31")
    assert judged(one, "d.md", wrong) == ["hard-coded"]
    assert judged(one, "d.md", wrong, fix=True) == []
    assert "to 1.25" in (one.root / "d.md").read_text()


# -- HTML -----------------------------------------------------------------------------------------

TABLE = """<table>
<caption>Three seeds</caption>
<tr><th>run</th><th>sd</th></tr>
<tr><td>ours</td><td><b>1.25</b><!--=a--></td></tr>
</table>
"""


def test_a_table_in_html_is_a_table():
    document = parse("d.md", f"# Guide\n\n{TABLE}")
    (bound,) = document.bound
    assert (bound.heading, bound.row, bound.line, bound.lead) == ("sd", "ours", 6, "Three seeds")
    assert bound.contexts[1] == "Three seeds"
    assert document.findings == []
    assert unbound(TABLE.replace("<!--=a-->", "")) == ["1.25"]
    assert unbound(TABLE.replace("ours", "ours 9")) == ["9"]


def test_a_number_in_a_table_in_html_is_judged_with_its_words_and_rewritten(one):
    source = f"{TABLE}\n<!-- claims\n{DEFINED}\n-->\n".replace("Three seeds", "One run")
    assert judged(one, "d.md", source) == []
    wrong = source.replace("<b>1.25</b>", "<b>1.31</b>")
    assert judged(one, "d.md", wrong) == ["hard-coded"]
    assert judged(one, "d.md", wrong, fix=True) == []
    assert judged(one, "d.md", source.replace("One run", "Mean of three seeds")) == ["single-seed"]


def test_an_exemption_before_a_table_in_html_covers_it_and_nothing_else():
    text = f"<!-- exempt: theirs -->\n\n{TABLE.replace('<!--=a-->', '')}\n{RESULTS}And 7.\n"
    assert unbound(text) == ["7"]
    together = text.replace("-->\n\n<table>", "-->\n<table>")
    assert unbound(together) == ["7"]


@pytest.mark.parametrize(
    "text",
    [
        "<table><tr><td><code>1.25</code></td></tr></table>",
        "<table><tr><td>v1.2</td></tr></table>",
        '<table width="80"><tr><td colspan="2">x</td></tr></table>',
        "<div>1.25</div>",
    ],
)
def test_html_is_exempt_by_the_same_rules(text):
    assert unbound(f"# Guide\n\n{text}\n") == []


def test_markdown_inside_html_is_markdown():
    inside = "<summary>All 5</summary>\n\nSeen: 1.25<!--=a--> and 6.\n\n"
    text = f"{RESULTS}<details>\n{inside}</details>\n"
    assert claims(text) == [("a", "1.25")]
    assert unbound(text) == ["5", "6"]


def test_entities_and_spans_keep_columns():
    text = (
        "<table><tr><th colspan=2>names</th><th>mean</th></tr>"
        "<tr><td>a</td><td>b</td><td>&minus;0.5<!--=a--></td></tr></table>"
    )
    (bound,) = parse("d.md", text).bound
    assert (bound.printed.text, bound.heading) == ("−0.5", "mean")


# -- LaTeX ----------------------------------------------------------------------------------------

PAPER = r"""\documentclass[11pt]{article}
\begin{document}
\section{Method} We use 64 channels and $10^{-3}$.
\section{Results}
The loss is $1.25$ bits a byte, %= a
see Table~\ref{tab:2} and \cite{x2020}. % a remark on 12

\begin{table}
\caption{One run.}
\begin{tabular}{lr@{}l}
\toprule
run & bpb \\ \midrule
ours & \textbf{1.25} \\ %= a
\end{tabular}
\end{table}

% claims
% a = { record = 'toy/one', seeds = [1], pointer = '/val_bpb' }
\end{document}
"""


def test_latex_binds_by_its_comments(one):
    document = parse("p.tex", PAPER)
    assert document.findings == []
    assert [(b.claim, b.line, b.heading, b.row) for b in document.bound] == [
        ("a", 5, "", ""),
        ("a", 13, "bpb", "ours"),
    ]
    assert judged(one, "p.tex", PAPER) == []


@pytest.mark.parametrize("wrong", [("$1.25$", "$1.31$"), (r"\textbf{1.25}", r"\textbf{1.31}")])
def test_a_wrong_number_in_latex_is_red_and_rewritten(one, wrong):
    text = PAPER.replace(*wrong)
    assert judged(one, "p.tex", text) == ["hard-coded"]
    assert judged(one, "p.tex", text, fix=True) == []
    assert (one.root / "p.tex").read_text() == PAPER


def test_words_in_latex_decide_too(one):
    labelled = PAPER.replace("One run.", "Mean of three seeds.")
    assert judged(one, "p.tex", labelled) == ["single-seed"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (r"\section{Results} We got 1.25.", ["1.25"]),
        (r"\section{Method} We got 1.25.", []),
        (r"\begin{tabular}{lp{3cm}} a & 1.25 \\ \end{tabular}", ["1.25"]),
        (r"\begin{figure}\includegraphics[width=0.5\textwidth]{a}\caption{It is 1.25.}\end{figure}",
         ["1.25"]),
        (r"\section{Results} In \verb|1.25| and \begin{verbatim}1.3\end{verbatim}", []),
        (r"\section{Results} $1.2\times 10^{-3}$ and 1{,}024", ["1.2e-3", "1,024"]),
        (r"\section{Results} $R^2$ of $x_{12}$ is $-0.5 \pm 0.1$", ["-0.5", "0.1"]),
        ("\\section{Results}\n% exempt: theirs\nThey got 1.19.\n\nWe 1.25.", ["1.25"]),
        ("\\section{Results}\n% exempt section: theirs\n1.19.\n\n\\section{Scores} 1.25", ["1.25"]),
        ("\\section{Results}\nThey got 1.19, % exempt: theirs\nwe 1.25.", ["1.25"]),
        ("\\section{More}\n% results\nWe got 1.25.", ["1.25"]),
        (r"\section{Results} 90\% of 5", ["90", "5"]),
        (r"\section{Results} $\eta = 10^{-3}$, $10^5$", ["1e-3", "1e5"]),
        (r"\begin{tabular}[t]{@{}l*{2}{c}p{3cm}@{}} a & \multicolumn{2}{c}{b} \\[2pt] x & 1.25 \\"
         r"\end{tabular}", ["1.25"]),
        (r"\begin{tabular*}{0.5\textwidth}{@{\extracolsep{2pt}}lr} x & 1.25 \end{tabular*}",
         ["1.25"]),
    ],
)  # fmt: skip
def test_the_closed_world_in_latex(body, found):
    assert unbound(body, "p.tex") == found
    assert bad(body, "p.tex") == []


def test_names_of_a_line_are_those_of_its_numbers():
    assert claims("\\section{Results}\nGPT & 12 & 4.5 & 1.2 \\\\ %= -, b, a\n", "p.tex") == [
        ("b", "4.5"),
        ("a", "1.2"),
    ]
    assert "names 1, and the line has 2 numerals" in bad("1.2 and 1.3 %= a\n", "p.tex")[0]
    assert "stands alone" in bad("%= a\n", "p.tex")[0]
    assert "is no marker" in bad("1.2 %= a b\n", "p.tex")[0]
