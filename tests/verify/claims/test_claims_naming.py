"""pytest tests/verify/claims/test_claims_naming.py — each number by its own name."""

import pytest

from goldenseal.claims.labels import NAMES, mentions

SEEDS = "seeds = [1, 2, 3]"
MEAN, SD, MIN, MAX = "1.417<!--=m-->", "0.520<!--=s-->", "1.00<!--=b-->", "2.00<!--=w-->"


@pytest.fixture
def judged(repository, three):
    """The kinds of what is found in a text with a mean {m}, sd {s}, minimum {b}, maximum {w}."""
    stats = {"m": "'mean'", "s": "'sd', ddof = 1", "b": "'min'", "w": "'max'"}

    def judge(text):
        text = text.format(m=MEAN, s=SD, b=MIN, w=MAX)
        used = [name for name in stats if f"<!--={name}-->" in text]
        lines = [f"{n} = {{ {three}, {SEEDS}, stat = {stats[n]} }}" for n in used]
        found = repository.kinds(text, "\n".join(lines))
        return [kind for kind in found if kind != "unbound"]  # the 95 of a head is no result

    return judge


OTHER_SPREADS = [
    "standard error", "Standard errors", "std. err.", "std err", "stderr", "SEM", "sem", "s.e.m.",
    "s.e.", "SE", "standard error of the mean", "standard deviation of the mean",
    "95 % confidence interval", "95% CI", "CI", "90 % interval", "credible interval", "half-width",
    "range", "min–max", "variance", "IQR", "interquartile range", "mean absolute deviation",
    "median absolute deviation", "coefficient of variation", "relative standard deviation",
    "two standard deviations", "`val_bpb_sem`", "**SEM**", "*standard\nerror*", "Standard-error",
]  # fmt: skip


@pytest.mark.parametrize("words", OTHER_SPREADS)
@pytest.mark.parametrize(
    "text",
    [
        "The {} is 0.520<!--=s--> here.",
        "It is 0.520<!--=s--> ({}) over three seeds.",
        "Mean 1.417<!--=m-->, {} 0.520<!--=s-->.",
        "- {}: 0.520<!--=s-->",
    ],
)
def test_a_deviation_under_the_name_of_another_spread(judged, text, words):
    assert judged(text.replace("{}", words)) == ["mislabelled"]


@pytest.mark.parametrize("words", [each for each in OTHER_SPREADS if "\n" not in each])
@pytest.mark.parametrize(
    "text",
    [
        "| seeds | {} |\n|---|---|\n| three | 0.520<!--=s--> |",
        "| statistic | all |\n|---|---|\n| {} | 0.520<!--=s--> |",
        "| mean ± {} |\n|---|\n| 1.417<!--=m--> ± 0.520<!--=s--> |",
    ],
)
def test_a_deviation_under_another_name_in_a_table(judged, text, words):
    assert judged(text.replace("{}", words)) == ["mislabelled"]


@pytest.mark.parametrize(
    "text",
    [
        "Mean ± standard error over three seeds:\n\n| loss |\n|---|\n| {m} ± {s} |",
        "| loss |\n|---|\n| {m} ± {s} |\n\nTable 1: means ± SEM over three seeds.",
        "| loss |\n|---|\n| {m} ± {s} |\n\n± is the 95 % confidence interval.",
        "Means and standard errors:\n\n- all: {m} ± {s}\n",
        "We report means ± standard errors. The loss is {m} ± {s}.",
        "The loss is {m} ± {s}. Errors are given as standard errors.",
        "## Means and standard errors\n\nThe loss is {m} ± {s}.",
        "The loss ± standard error is as follows:\n\nIt is {m} ± {s}.",
        "The loss is {m} ± {s} (mean ± standard error).",
        "The mean and the standard error are {m} and {s}, respectively.",
        "The mean (standard error) is {m} ({s}).",
        "Of the mean loss {m} the standard error is {s}.",
        "The standard error of the loss {m} is {s}.",
        "{m} ± {s}, the standard error, not the standard deviation",
        "The {s} is not the standard deviation but the standard error.",
        "{m} ± {s} (1.96 standard errors)",
        "[standard error](x.md): {s}",
        "<b>standard error</b> {s}",
        "> the standard&nbsp;error, {s}",
    ],
)
def test_a_deviation_whose_surroundings_speak_of_another_spread(judged, text):
    assert judged(text) == ["mislabelled"]


@pytest.mark.parametrize(
    "words",
    ["median", "Median loss", "geometric mean", "harmonic mean", "trimmed mean", "weighted average",
     "best", "best of three", "best run", "lowest", "maximum", "max", "min", "last", "last seed",
     "90th percentile", "standard deviation", "sum", "`loss_median`"],
)  # fmt: skip
@pytest.mark.parametrize(
    "text",
    [
        "The {} is 1.417<!--=m-->.",
        "It reaches 1.417<!--=m--> ({}).",
        "| seeds | {} |\n|---|---|\n| three | 1.417<!--=m--> |",
        "| statistic | all |\n|---|---|\n| {} | 1.417<!--=m--> |",
        "- **{}**: 1.417<!--=m-->",
    ],
)
def test_a_mean_under_the_name_of_another_place(judged, text, words):
    assert judged(text.replace("{}", words)) == ["mislabelled"]


@pytest.mark.parametrize(
    "text",
    [
        "Of three seeds the mean is {m}, the standard deviation {s}.",
        "mean {m} ± {s} (sample standard deviation, n = 3)",
        "{m} ± {s}",
        "The loss is {m} with a deviation of {s}; a standard error would be smaller.",
        "{m} ± {s} (standard deviation, not the standard error)",
        "The sd is {s}; the median was not computed, and the mean is {m}.",
        "The mean, {m}, is less than the median; its σ is {s}.",
        "The standard error is 0.30; the loss falls to {m} ± {s}.",
        "The average is {m} and the best of three {b}, the worst of three {w}.",
        "Our best configuration comes to {m}, at the last step.",
        "The best of three is {b}, the mean {m}, the sd {s}.",
        "sd {s} and mean {m}",
        "Mean and standard deviation are {m} and {s}.",
        "After 3 min the mean of three seeds is {m}, which means little.",
        "| configuration | mean ± sd |\n|---|---|\n| best learning rate | {m} ± {s} |",
        "| mean | sd | best of three |\n|---|---|---|\n| {m} | {s} | {b} |",
        "| loss | `val_bpb_sd` |\n|---|---|\n| {m} | {s} |",
        "Mean ± standard deviation. The median run took long.\n\n| loss |\n|---|\n| {m} ± {s} |",
        "Standard errors are in the appendix.\n\n| mean | sd |\n|---|---|\n| {m} | {s} |",
        "| mean ± sd |\n|---|\n| {m} ± {s} |\n\nThe standard error of the other study is unknown.",
        "The mean squared error is {m} on average.",
        "At its best setting it is {m}, the lowest of all configurations.",
        "It reaches {m} at the highest learning rate.",
        "We do not give standard errors: {m} ± {s}, mean and sample standard deviation.",
        "The mean {m}, averaged over the full range of seeds; {s} is its deviation.",
        "The sd {s} (the 95 % interval would be three times as wide).",
    ],
)
def test_numbers_under_their_own_names_are_green(judged, text):
    assert judged(text) == []


def test_names_and_numbers_that_were_swapped(judged):
    swapped = "| mean ± sd |\n|---|\n| {s} ± {m} |"
    assert judged(swapped) == ["mislabelled"] * 2
    assert judged("Mean and standard deviation are {s} and {m}.") == ["mislabelled"] * 2


def test_a_minimum_is_no_maximum_and_no_mean(judged):
    assert judged("Of three the maximum of three is {b}.") == ["mislabelled"]
    assert judged("The best of three, the mean, is {b}.") == ["mislabelled"]
    assert judged("The minimum of three is {b}, the maximum of three {w}.") == []


def test_every_number_under_a_wrong_name_is_red(judged):
    text = "{m} ± {s}, {m} ± {s} and {m} ± {s} (mean ± standard error)"
    assert judged(text) == ["mislabelled"] * 3


def test_the_finding_says_what_it_is(repository, three):
    definition = f"s = {{ {three}, {SEEDS}, stat = 'sd', ddof = 1 }}"
    (finding,) = repository.judge("a standard error of 0.520<!--=s-->", definition).findings
    assert "the text calls it 'standard error'" in finding.message
    assert "write 'sample standard deviation'" in finding.message


def test_a_sample_deviation_called_that_of_a_population_and_the_reverse(repository, three):
    sample = f"s = {{ {three}, {SEEDS}, stat = 'sd', ddof = 1 }}"
    population = f"s = {{ {three}, {SEEDS}, stat = 'sd', ddof = 0 }}"
    words = "the {} standard deviation is {}<!--=s-->"
    assert repository.kinds(words.format("population", "0.520"), sample) == ["population-sd"]
    assert repository.kinds(words.format("sample", "0.520"), sample) == []
    assert repository.kinds(words.format("population", "0.425"), population) == []
    both = f"{words.format('sample', '0.425')}, no population one"
    assert repository.kinds(both, population) == ["population-sd"]


def test_a_value_is_what_its_pointer_names(repository):
    summary = {"sd": 0.5, "mean": 1.5, "ci95": [1.0, 2.0], "loss": 3.0, "p_holm": 0.25}
    repository.make("sum", {1: 1.0}, results=summary)
    define = "v = {{ record = 'toy/sum', file = 'record.json', pointer = '/results/{}' }}"
    for pointer, number, right, wrong in [
        ("sd", "0.5", "standard deviation", "standard error"),
        ("mean", "1.5", "mean", "median"),
        ("ci95/0", "1.0", "95 % interval", "standard deviation"),
        ("p_holm", "0.25", "corrected p", "p"),
    ]:
        definition = define.format(pointer)
        assert repository.kinds(f"the {right} {number}<!--=v-->", definition) == []
        assert repository.kinds(f"the {wrong} {number}<!--=v-->", definition) == ["mislabelled"]
    # One that names no statistic may be called what its author calls it.
    assert repository.kinds("the mean 3.0<!--=v-->", define.format("loss")) == []


@pytest.fixture
def compared(repository):
    """The kinds of what is found in a text with a comparison {} of two records."""
    repository.make("narrow", {1: 1.0, 2: 1.25, 3: 2.0})
    repository.make("wide", {1: 0.5, 2: 1.0, 3: 1.25}, knobs={"WIDTH": "128"})

    def judge(text, stat, more=""):
        number = "0.074" if stat == "p" else "0.500"
        definition = (
            f"d = {{ record = 'toy/narrow', pointer = '/val_bpb', {SEEDS}, stat = '{stat}', "
            f"against = {{ record = 'toy/wide' }}, varied = ['WIDTH']{more} }}"
        )
        return repository.kinds(text.format(f"{number}<!--=d-->"), definition)

    return judge


@pytest.mark.parametrize(
    ("stat", "right", "wrong"),
    [
        ("difference", "difference of the means", "mean paired difference"),
        ("paired difference", "mean paired difference", "difference of means"),
        ("paired difference", "mean gain", "median gain"),
        ("difference", "mean difference", "standard deviation of the gain is"),
    ],
)
def test_a_difference_is_paired_or_not(compared, stat, right, wrong):
    assert compared(f"A {right} of {{}}.", stat) == []
    assert compared(f"A {wrong} {{}}.", stat) == ["mislabelled"]
    assert compared("A gain of {} is two standard deviations.", stat) == []
    assert compared("It gains {}, more than the standard deviation.", stat) == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("p = {}", []),
        ("two-sided paired t-test, p = {}", []),
        ("corrected p = {}", ["mislabelled"]),
        ("p after Holm {}", ["mislabelled"]),
        ("| p, Holm |\n|---|\n| {} |", ["mislabelled"]),
        ("| p |\n|---|\n| {} |", []),
        ("one-sided p = {}", ["mislabelled"]),
        ("Welch's test: p = {}", ["mislabelled"]),
        ("a permutation test, p = {}", ["mislabelled"]),
        ("an effect size of {}", ["mislabelled"]),
    ],
)
def test_a_p_is_of_its_own_test(compared, words, found):
    more = ", test = 'paired', tail = 'two-sided'"
    assert compared(words, "p", more) == found


def test_a_count_of_seeds_is_none_of_runs(repository, three):
    definition = f"n = {{ {three}, stat = 'count', count = 'seeds' }}"
    assert repository.kinds("3<!--=n--> seeds", definition) == []
    assert repository.kinds("3<!--=n--> independent runs", definition) == ["mislabelled"]


@pytest.mark.parametrize("words", ["n = 5", "of five runs", "over 5 independent runs"])
def test_a_number_of_runs_that_are_not_there(judged, words):
    assert judged(f"The mean, {words}, is {{m}}.") == ["incomplete-grid"]
    assert judged(f"The mean, {words.replace('5', '3').replace('five', 'three')}, is {{m}}.") == []


def test_every_name_can_be_found():
    assert {name for name, *_ in NAMES} - {""} == {
        mention.name
        for text in [
            "median absolute deviation, mean absolute deviation, standard error, 95 % interval",
            "trimmed mean, IQR, coefficient of variation, two standard deviations, variance",
            "root mean square deviation, midrange",
            "population sd, sample sd, sd, range, difference of means, paired difference",
            "geometric mean, harmonic mean, weighted mean, median, percentile, mean, best, worst",
            "minimum, maximum, last, sum, corrected p; p, t = 1, effect size, degrees of freedom",
            "significance level",
        ]
        for mention in mentions(text)
    }
