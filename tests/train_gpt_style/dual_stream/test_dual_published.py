"""pytest tests/train_gpt_style/dual_stream/test_dual_published.py — published figures as claims.

The general claims checker, which knows nothing of this system, is given the published text: of two
figures that contradict each other one is the evidence, sealed, and the other the sentence.
"""

import json

import pytest

from goldenseal.records.seal import seal
from tests.verify.claims.conftest import Repository
from train_gpt_style.geometry.sphere import uniform_dimension

PUBLISHED = {
    "v1": {"cv": "0.1085", "class_cv_high": "0.1621", "self_similarity": "0.0027"},
    "v3": {"cv": "0.1922"},
    "run4": {
        "accuracy": "83.5",
        "accuracy_listed": "85.7",
        "effective_dimension": "92.1",
        "uniform_dimension_of_cv": str(round(uniform_dimension(0.1149), 1)),
        "class_in_strict_band": 3,
    },
    "run5": {"accuracy": "87.2", "parameters": 6321542},
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
        bound("a", "/run4/class_in_strict_band"),
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
