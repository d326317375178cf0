"""pytest tests/verify/claims/test_claims_pictures.py — a number that a command drew is a claim."""

import pytest

from goldenseal.claims.judgement import judge_documents
from goldenseal.records.seal import seal

DEFINED = "<!-- claims\na = { record = 'toy/one', seeds = [1], pointer = '/val_bpb' }\n-->"
SVG = """<svg xmlns="http://www.w3.org/2000/svg"><title>curve</title>{more}
<g id="tick"><text>9.75</text></g>
<g id="claim:a"><text x="1">to <tspan>{number}</tspan> bits</text></g></svg>"""


def drawn(number, fonttype="none"):
    """A picture as matplotlib draws it, with one number that names its claim."""
    import io

    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.fonttype": fonttype}):
        figure = Figure()
        FigureCanvasSVG(figure)
        axes = figure.subplots()
        axes.plot([0, 1], [2, 1])
        axes.text(0.5, 1.5, number, gid="claim:a")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg")
    return buffer.getvalue().decode()


@pytest.fixture
def judged(repository):
    """Judges a page that shows a picture; the picture lies beside it, or in the record."""
    repository.make("one", {1: 1.25})

    def judge(svg, text=f"![the curve](curve.svg)\n\n{DEFINED}\n", fix=False):
        (repository.root / "curve.svg").write_text(svg)
        page = repository.root / "doc.md"
        page.write_text(text)
        return judge_documents(repository.root, [page], fix)

    return judge


def kinds(report):
    return [finding.kind for finding in report.findings]


@pytest.mark.parametrize("fonttype", ["none", "path"])
def test_a_number_that_matplotlib_drew_is_judged(judged, fonttype):
    assert kinds(judged(drawn("1.25", fonttype))) == []
    report = judged(drawn("1.31", fonttype))
    assert kinds(report) == ["hard-coded"]
    assert (report.findings[0].document, report.findings[0].right) == ("curve.svg", "1.25")


@pytest.mark.parametrize(
    "spelt", ['id="claim:a"', 'data-claim="a"', 'class="x" data-claim="a"', "id='claim:a'"]
)
def test_an_element_names_its_claim(judged, spelt):
    svg = SVG.format(number="1.25", more="").replace('id="claim:a"', spelt)
    assert kinds(judged(svg)) == []
    assert kinds(judged(svg.replace("1.25", "1.26"))) == ["hard-coded"]


def test_definitions_may_stand_in_the_picture(judged, repository):
    svg = SVG.format(number="1.25", more=DEFINED)
    assert kinds(judged(svg, "![the curve](curve.svg)\n")) == []
    alone = judge_documents(repository.root, [repository.root / "curve.svg"])
    assert (kinds(alone), alone.bound) == ([], 1)
    (repository.root / "curve.svg").write_text(svg.replace("1.25", "1.26"))
    assert kinds(judge_documents(repository.root, [repository.root / "curve.svg"])) == [
        "hard-coded"
    ]


def test_what_is_drawn_is_not_rewritten_but_drawn_again(judged, repository):
    report = judged(SVG.format(number="1.26", more=""), fix=True)
    assert (kinds(report), report.rewritten, report.findings[0].command) == (["hard-coded"], [], "")
    assert "1.26" in (repository.root / "curve.svg").read_text()


def test_a_picture_in_a_sealed_record_is_as_it_was_sealed(repository):
    folder = repository.draft("one", {1: 1.25})
    (folder / "curve.svg").write_text(SVG.format(number="1.25", more=""))
    seal(folder)
    page = repository.root / "doc.md"
    page.write_text(f"![the curve](records/toy/one/curve.svg)\n\n{DEFINED}\n")
    assert kinds(judge_documents(repository.root, [page])) == []
    (folder / "curve.svg").write_text(SVG.format(number="1.25", more="<!-- x -->"))
    assert kinds(judge_documents(repository.root, [page])) == ["unsealed", "bad-claim"]


@pytest.mark.parametrize(
    ("svg", "kind"),
    [
        (SVG.format(number="none", more=""), "bad-claim"),
        (SVG.format(number="1.25 or 1.3", more=""), "bad-claim"),
        ("<svg", "bad-claim"),
        ('<!DOCTYPE s [<!ENTITY a "1">]><svg><g id="claim:a">&a;</g></svg>', "bad-claim"),
        (SVG.format(number="1.25", more="").replace("claim:a", "claim:b"), "bad-claim"),
    ],
)
def test_a_picture_that_cannot_be_read_is_named(judged, svg, kind):
    assert set(kinds(judged(svg))) == {kind}


def test_pictures_from_elsewhere_are_left_alone(judged, tmp_path):
    text = "![x](https://example.org/a.svg) ![y](../outside.svg) ![z](nowhere.svg)\n"
    assert kinds(judged(SVG.format(number="9", more=""), text)) == []
