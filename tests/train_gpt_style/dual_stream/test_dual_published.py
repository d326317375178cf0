"""pytest tests/train_gpt_style/dual_stream/test_dual_published.py — published figures as claims.

The general claims checker, which knows nothing of this system, is given the published text: of two
figures that contradict each other one is the evidence, sealed, and the other the sentence.
"""

import json

import pytest

from goldenseal.records.seal import seal
from tests.verify.claims.conftest import Repository
from train_gpt_style.dual_stream.constants import BAND_HIGH, BAND_LOW
from train_gpt_style.geometry.sphere import uniform_dimension

# Of Run 4: each class's CV, and whether it was marked as in the band.
CLASSES = {
    **{"airplane": ("0.2421", True), "automobile": ("0.1793", False), "bird": ("0.2069", True)},
    **{"cat": ("0.1539", False), "deer": ("0.1997", True), "dog": ("0.1731", False)},
    **{"frog": ("0.1985", True), "horse": ("0.2266", True), "ship": ("0.2024", True)},
    "truck": ("0.2309", True),
}
IN_BAND = [cv for cv, _ in CLASSES.values() if BAND_LOW <= float(cv) <= BAND_HIGH]

PUBLISHED = {
    "v1": {"cv": "0.1085", "class_cv_high": "0.1621", "self_similarity": "0.0027"},
    "v3": {"cv": "0.1922"},
    "run4": {
        "accuracy": "83.5",
        "accuracy_listed": "85.7",
        "effective_dimension": "92.1",
        "uniform_dimension_of_cv": str(round(uniform_dimension(0.1149), 1)),
        "class_in_strict_band": IN_BAND,
        "class_marked": [cv for cv, marked in CLASSES.values() if marked],
    },
    "run5": {"accuracy": "87.2", "parameters": 6321542},
    "v5": {"parameters": 7869574},
    "rule_a": {"grow": "9.0"},
    "parts": {
        **{"all": 6296582, "geo": 1281340, "std": 1261248, "fused": 3159552, "anchors": 84480},
    },
    "sums": [[6, 4], [9, 6], [768, 512], [2560, 2048]],
    "v6": {"geo_named": 5496954, "parameters": 16876740},
    "mastery": [
        {"neg": "0.466", "pos": "-0.216"},
        {"neg": "0.549", "pos": "-0.028"},
        {"neg": "0.540", "pos": "0.019"},
        {"neg": "0.531", "pos": "0.054"},
        {"neg": "0.525", "pos": "0.061"},
    ],
    "binding": "0.29154",
    "complement": "0.70846",
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with the published figures as a sealed record."""
    found = Repository(tmp_path_factory.mktemp("published"))
    folder = found.draft("Published", {1: 1.0})
    (folder / "published.json").write_text(json.dumps(PUBLISHED))
    seal(folder)
    return found


def bound(name, pointer, more=""):
    """The definition of a claim on one published figure."""
    where = 'record = "toy/Published", file = "published.json"'
    return f'{name} = {{ {where}, pointer = "{pointer}"{more} }}'


# By contradiction: the other figure as a sentence, and what it is bound to.
CONTRADICTED = {
    "two values of one CV": (
        "The global CV of v1 is 0.1061<!--=a-->.",
        bound("a", "/v1/cv"),
    ),
    "two ranges of class CVs": (
        "The largest class CV of v1 is 0.15<!--=a-->.",
        bound("a", "/v1/class_cv_high"),
    ),
    "a mark that is not in its band": (
        "The CV of v3 is in band, so it is at least 0.20<!--=a-->.",
        bound("a", "/v3/cv", ', is = ">="'),
    ),
    "seven classes that are three": (
        "In the band of Run 4 are 7<!--=a--> classes.",
        bound("a", "/run4/class_in_strict_band", ', stat = "count", count = "items"'),
    ),
    "two sizes of the fifth model": (
        "v5 has 12,200,000<!--=a--> parameters.",
        bound("a", "/v5/parameters"),
    ),
    "two triggers of one queue": (
        "The queue grows when the gap exceeds 3.0<!--=a--> points.",
        bound("a", "/rule_a/grow"),
    ),
    "a last accuracy that is not the last": (
        "The last accuracy was 87.1<!--=a--> %.",
        bound("a", "/run5/accuracy", ', unit = "%"'),
    ),
    "two accuracies of one run": (
        "From scratch, 100 epochs: 85.7<!--=a--> %.",
        bound("a", "/run4/accuracy", ', unit = "%"'),
    ),
    "two sizes of one run": (
        "Run 5 has 12,200,000<!--=a--> parameters.",
        bound("a", "/run5/parameters"),
    ),
    "a share that its parts do not give": (
        "Of 16,876,740<!--=all--> parameters 5,496,954<!--=geo--> are on the route, "
        "a share of 0.25<!--=share-->.",
        "\n".join(
            (
                bound("all", "/v6/parameters"),
                bound("geo", "/v6/geo_named"),
                'share = { stat = "ratio", from = ["geo", "all"] }',
            )
        ),
    ),
    "one dimension under the name of another": (
        "By its CV the cloud of Run 4 is uniform in 92.1<!--=a--> dimensions.",
        bound("a", "/run4/uniform_dimension_of_cv"),
    ),
}


@pytest.mark.parametrize(("text", "definitions"), CONTRADICTED.values(), ids=CONTRADICTED)
def test_each_contradiction_in_numbers_is_named(repository, text, definitions):
    kinds = set(repository.kinds(text, definitions))
    assert kinds & {"rounding", "hard-coded", "misplaced", "relation", "margin"}, kinds
    assert not kinds & {"bad-claim", "no-evidence", "unsealed"}


def test_a_contradiction_in_words_is_not_seen(repository):
    text = "The correction pushes away from the nearest anchor; its sign is 0.1085<!--=a-->."
    assert repository.kinds(text, bound("a", "/v1/cv")) == []


CONSISTENT = [
    (epoch, row, gap)
    for epoch, row, gap in zip(
        (1, 5, 10, 15, 20),
        PUBLISHED["mastery"],
        ("0.682", "0.577", "0.521", "0.477", "0.464"),
        strict=True,
    )
]


@pytest.mark.parametrize(("epoch", "row", "gap"), CONSISTENT)
def test_the_gaps_of_the_mastery_table_follow_from_their_rows(repository, epoch, row, gap):
    place = PUBLISHED["mastery"].index(row)
    text = f"{row['neg']}<!--=n--> less {row['pos']}<!--=p--> is a gap of {gap}<!--=g-->."
    definitions = "\n".join(
        (
            bound("n", f"/mastery/{place}/neg"),
            bound("p", f"/mastery/{place}/pos"),
            'g = { stat = "margin", from = ["n", "p"] }',
        )
    )
    assert repository.kinds(text, definitions) == []
    wrong = text.replace(gap, "0.683")
    assert "margin" in repository.kinds(wrong, definitions)


@pytest.mark.parametrize(
    ("part", "share"), [("geo", "20.3"), ("std", "20.0"), ("fused", "50.2"), ("anchors", "1.3")]
)
def test_the_shares_of_run_1_follow_from_its_parts(repository, part, share):
    count, whole = PUBLISHED["parts"][part], PUBLISHED["parts"]["all"]
    text = f"Of {whole:,}<!--=all--> are {count:,}<!--=part-->, a share of {share}<!--=s--> %."
    definitions = "\n".join(
        (
            bound("all", "/parts/all"),
            bound("part", f"/parts/{part}"),
            's = { stat = "ratio", from = ["part", "all"], times = 100, unit = "%" }',
        )
    )
    assert repository.kinds(text, definitions) == []
    assert "margin" in repository.kinds(text.replace(share, "20.4"), definitions)


@pytest.mark.parametrize("place", range(4))
def test_depths_and_widths_add_up(repository, place):
    whole, part = PUBLISHED["sums"][place]
    text = f"{whole}<!--=a--> less {part}<!--=b--> are {whole - part}<!--=c-->."
    definitions = "\n".join(
        (
            bound("a", f"/sums/{place}/0"),
            bound("b", f"/sums/{place}/1"),
            'c = { stat = "margin", from = ["a", "b"] }',
        )
    )
    assert repository.kinds(text, definitions) == []


def test_seven_classes_are_marked_and_a_band_that_holds_them_is_wider(repository):
    text = "In Run 4 are marked 7<!--=a--> classes."
    definition = bound("a", "/run4/class_marked", ', stat = "count", count = "items"')
    assert repository.kinds(text, definition) == []
    assert IN_BAND == ["0.2069", "0.2266", "0.2024"]
    for cv, marked in CLASSES.values():
        assert marked == (0.18 <= float(cv) <= 0.25)


def test_binding_and_complement_add_up(repository):
    text = (
        "Of one, 0.29154<!--=b--> leaves 0.70846<!--=c-->; "
        "the complement is larger by 0.41692<!--=m-->."
    )
    definitions = "\n".join(
        (
            bound("b", "/binding"),
            bound("c", "/complement"),
            'm = { stat = "margin", from = ["c", "b"] }',
        )
    )
    assert repository.kinds(text, definitions) == []
    assert 29154 + 70846 == 100_000
