"""pytest tests/verify/claims/test_claims_kinds.py — each fault is caught, by its name."""

import re
import sys

import pytest

from goldenseal.claims.findings import KINDS, ClaimError

SEEDS = "seeds = [1, 2, 3]"


def test_numbers_that_hold_are_green(repository, three):
    report = repository.judge(
        "Over three seeds the mean is 1.417<!--=m--> with a deviation of 0.520<!--=s-->, "
        "the best of three 1.00<!--=b-->; seed 2<!-- exempt: a seed --> gives 1.25<!--=v-->.",
        f"m = {{ {three}, {SEEDS}, stat = 'mean' }}\n"
        f"s = {{ {three}, {SEEDS}, stat = 'sd', ddof = 1 }}\n"
        f"b = {{ {three}, {SEEDS}, stat = 'min' }}\n"
        f"v = {{ {three}, seeds = [2] }}",
    )
    # The value of one seed, in a text that speaks of three, may be taken for a mean.
    assert [finding.claim for finding in report.findings] == ["v"]
    assert report.bound == 4


def test_a_hard_coded_number_that_no_sealed_file_holds(repository, three):
    assert repository.kinds("1.3333<!--=v-->", f"v = {{ {three}, seeds = [2] }}") == ["hard-coded"]


def test_a_hard_coded_number_without_evidence(repository, three):
    assert repository.kinds("Theirs: 1.19<!--=v-->", "v = { pointer = '/x' }") == ["no-evidence"]
    assert repository.kinds("# Results\n\nTheirs: 1.19, ours 1.25") == ["unbound", "unbound"]


def test_a_number_that_another_place_holds_is_misplaced(repository, three):
    report = repository.judge("2.000<!--=v-->", f"v = {{ {three}, seeds = [2] }}")
    assert [finding.kind for finding in report.findings] == ["misplaced"]
    assert "records/toy/three/1.jsonl:2#/loss holds it" in report.findings[0].message


def test_one_seed_called_three_by_its_definition(repository):
    identity = repository.make("one", {1337: 1.25})
    body = f'record = "{identity}", pointer = "/val_bpb", stat = "mean"'
    assert repository.kinds("1.25<!--=m-->", f"m = {{ {body}, {SEEDS} }}") == ["single-seed"]
    several = "seeds = [1337, 42, 7]"
    assert repository.kinds("1.25<!--=m-->", f"m = {{ {body}, {several} }}") == ["single-seed"]
    assert repository.kinds("1.25<!--=m-->", f"m = {{ {body}, seeds = [1337] }}") == ["single-seed"]


@pytest.mark.parametrize("label", ["three-seed", "3-seed", "multi-seed", "several random seeds"])
def test_one_seed_called_several_by_the_text(repository, label):
    identity = repository.make("one", {1337: 1.25})
    definition = (
        f'v = {{ record = "{identity}", file = "record.json", pointer = "/results/val_bpb" }}'
    )
    assert repository.kinds(f"The {label} mean is 1.25<!--=v-->.", definition) == ["single-seed"]
    assert repository.kinds("With a single seed, 1.25<!--=v-->.", definition) == []


def test_one_seed_called_several_in_the_head_of_a_table(repository):
    identity = repository.make("one", {1337: 1.25})
    definition = f'v = {{ record = "{identity}", seeds = [1337], pointer = "/val_bpb" }}'
    table = "| mean of three seeds |\n|---|\n| 1.25<!--=v--> |"
    assert repository.kinds(table, definition) == ["single-seed"]


@pytest.mark.parametrize(
    "around",
    ["Means of three seeds:\n\n| bpb |\n|---|\n| {} |", "## Mean of 3 seeds\n\nIt takes {}."],
    ids=["caption", "heading"],
)
def test_one_seed_called_several_around_it(repository, around):
    identity = repository.make("one", {1337: 1.25})
    definition = f'v = {{ record = "{identity}", seeds = [1337], pointer = "/val_bpb" }}'
    assert repository.kinds(around.format("1.25<!--=v-->"), definition) == ["single-seed"]
    nearer = around.format("a single seed, 1.25<!--=v-->")
    assert repository.kinds(nearer, definition) == []


def test_two_sides_of_other_seeds_are_three_seeds_each(repository):
    repository.make("a", {1: 1.0, 2: 1.25, 3: 2.0})
    repository.make("b", {4: 1.0, 5: 1.0, 6: 1.0}, knobs={"WIDTH": "9"})
    definition = (
        "d = { record = 'toy/a', pointer = '/val_bpb', seeds = [1, 2, 3], stat = 'difference', "
        "against = { record = 'toy/b', seeds = [4, 5, 6] }, varied = ['WIDTH'] }"
    )
    assert repository.kinds("Over three seeds each, 0.417<!--=d-->.", definition) == []
    assert repository.kinds("Over two seeds each, 0.417<!--=d-->.", definition) == [
        "incomplete-grid"
    ]
    paired = definition.replace("'difference'", "'paired difference'")
    assert repository.kinds("0.417<!--=d-->", paired) == ["incomplete-grid"]


def test_a_stale_mean(repository, three):
    old = repository.judge("1.417<!--=m-->", f"m = {{ {three}, {SEEDS}, stat = 'mean' }}")
    identity = old.documents[0][1][0].outcome.left[0].sealed.identity
    repository.make("rerun", {1: 1.5, 2: 1.75, 3: 2.5}, corrects=identity)
    again = f"m = {{ record = 'toy/rerun', pointer = '/val_bpb', {SEEDS}, stat = 'mean' }}"
    assert repository.kinds("1.417<!--=m-->", again) == ["stale"]
    assert repository.kinds("1.427<!--=m-->", again) == ["hard-coded"]


def test_four_runs_of_one_seed_are_not_four_seeds(repository):
    names = [repository.make(f"run{i}", {1337: 1.0 + i / 8})[:12] for i in range(4)]
    body = f"record = {names}, pointer = '/val_bpb'"
    assert repository.kinds(
        "4<!--=n--> seeds", f"n = {{ {body}, stat = 'count', count = 'seeds' }}"
    ) == ["single-seed"]
    assert (
        repository.kinds("4<!--=n--> runs", f"n = {{ {body}, stat = 'count', count = 'runs' }}")
        == []
    )
    definition = f"m = {{ {body}, seeds = [1337], stat = 'mean' }}"
    assert repository.kinds("1.1875<!--=m-->", definition) == ["single-seed"]


def test_a_population_deviation_for_a_sample_one_and_the_reverse(repository, three):
    sd = f"{three}, {SEEDS}, stat = 'sd'"
    assert repository.kinds("0.4249<!--=s-->", f"s = {{ {sd}, ddof = 1 }}") == ["population-sd"]
    assert repository.kinds("0.5204<!--=s-->", f"s = {{ {sd}, ddof = 1 }}") == []
    assert repository.kinds("population sd 0.4249<!--=s-->", f"s = {{ {sd}, ddof = 0 }}") == []
    assert repository.kinds("sd 0.4249<!--=s-->", f"s = {{ {sd}, ddof = 0 }}") == ["population-sd"]
    assert repository.kinds("population sd 0.5204<!--=s-->", f"s = {{ {sd}, ddof = 0 }}") == [
        "population-sd"
    ]
    assert repository.kinds("0.5204<!--=s-->", f"s = {{ {sd} }}") == ["bad-claim"]


@pytest.fixture
def two(repository):
    """Two records that differ in WIDTH, and a third that was also trained for 30 epochs."""
    values = {1: 1.0, 2: 1.25, 3: 2.0}
    better = {1: 0.5, 2: 1.0, 3: 1.25}
    return (
        repository.make("narrow", values)[:12],
        repository.make("wide", better, knobs={"WIDTH": "128", "DATA_PATH": "/elsewhere"})[:12],
        repository.make("short", better, knobs={"WIDTH": "128", "EPOCHS": "30"})[:12],
    )


def comparison(a, b, stat="difference", varied="['WIDTH']", more=""):
    return (
        f"d = {{ record = '{a}', pointer = '/val_bpb', {SEEDS}, stat = '{stat}', "
        f"against = {{ record = '{b}' }}, varied = {varied}{more} }}"
    )


@pytest.mark.parametrize("stat", ["difference", "paired difference"])
def test_a_matched_comparison_holds(repository, two, stat):
    assert repository.kinds("0.500<!--=d-->", comparison(two[0], two[1], stat)) == []


def test_thirty_epochs_against_a_hundred_are_not_matched(repository, two):
    report = repository.judge("0.500<!--=d-->", comparison(two[0], two[2]))
    assert [finding.kind for finding in report.findings] == ["unmatched"]
    assert "EPOCHS 100 against 30" in report.findings[0].message


def test_a_factor_that_does_not_vary_is_no_comparison(repository, two):
    varied = "['WIDTH', 'EPOCHS']"
    report = repository.judge("0.500<!--=d-->", comparison(two[0], two[1], varied=varied))
    assert [finding.kind for finding in report.findings] == ["unmatched"]
    assert "EPOCHS is said to vary" in report.findings[0].message


def test_other_data_is_not_matched(repository, two):
    other = repository.make(
        "other", {1: 0.5, 2: 1.0, 3: 1.25}, knobs={"WIDTH": "128"}, data={"a.bin": "0" * 128}
    )
    report = repository.judge("0.500<!--=d-->", comparison(two[0], other[:12]))
    assert [finding.kind for finding in report.findings] == ["unmatched"]
    assert "data (a.bin)" in report.findings[0].message


def margin_of(a, b, more=""):
    one = f"a = {{ record = '{a}', pointer = '/val_bpb', {SEEDS}, stat = 'mean' }}\n"
    other = f"b = {{ record = '{b}', pointer = '/val_bpb', {SEEDS}, stat = 'mean' }}\n"
    return one + other + f"d = {{ stat = 'margin', from = ['a', 'b']{more} }}"


def test_a_margin_follows_from_its_two_printed_numbers(repository, two):
    definitions = margin_of(two[0], two[1], ", varied = ['WIDTH']")
    text = "1.42<!--=a--> less 0.92<!--=b--> is {}<!--=d-->"
    assert repository.kinds(text.format("0.50"), definitions) == []
    assert repository.kinds(text.format("0.51"), definitions) == ["margin"]
    assert repository.kinds(text.format("-0.50"), definitions) == ["sign-lost"]


def test_a_margin_is_a_comparison_too(repository, two):
    text = "1.42<!--=a-->, 0.92<!--=b-->, 0.50<!--=d-->"
    assert repository.kinds(text, margin_of(two[0], two[1])) == ["unmatched"]
    assert repository.kinds(text, margin_of(two[0], two[2], ", varied = ['WIDTH']")) == [
        "unmatched"
    ]


def test_a_ratio_and_a_change(repository, two):
    definitions = margin_of(two[0], two[1], ", varied = ['WIDTH'], times = 100, unit = '%'")
    ratio = definitions.replace("'margin'", "'ratio'")
    assert repository.kinds("1.42<!--=a-->, 0.92<!--=b-->: 154.3<!--=d--> %", ratio) == []
    change = definitions.replace("'margin'", "'change'")
    assert repository.kinds("1.42<!--=a-->, 0.92<!--=b-->: 54.3<!--=d--> %", change) == []
    assert repository.kinds("1.42<!--=a-->, 0.92<!--=b-->: 54.8<!--=d--> %", change) == ["margin"]


def test_a_margin_between_one_seed_and_a_mean(repository, two):
    definitions = (
        f"a = {{ record = '{two[0]}', pointer = '/val_bpb', {SEEDS}, stat = 'mean' }}\n"
        f"b = {{ record = '{two[1]}', pointer = '/val_bpb', seeds = [1] }}\n"
        "d = { stat = 'margin', from = ['a', 'b'], varied = ['WIDTH'] }"
    )
    text = "1.42<!--=a-->, 0.50<!--=b-->, 0.92<!--=d-->"
    assert repository.kinds(text, definitions) == ["single-seed"]


def test_a_rounding_error(repository, three):
    mean = f"m = {{ {three}, {SEEDS}, stat = 'mean' }}"
    assert repository.kinds("1.416<!--=m-->", mean) == ["rounding"]
    assert repository.kinds("1.41<!--=m-->", mean) == ["rounding"]


def test_a_stale_number_after_a_re_run(repository, three):
    old = repository.judge("1.25<!--=v-->", f"v = {{ {three}, seeds = [2] }}")
    assert not old.findings
    identity = old.documents[0][1][0].outcome.left[0].sealed.identity
    new = repository.make("rerun", {1: 1.0, 2: 1.75, 3: 2.5}, corrects=identity)
    definition = f"v = {{ record = '{new}', pointer = '/val_bpb', seeds = [2] }}"
    report = repository.judge("1.25<!--=v-->", definition)
    assert [finding.kind for finding in report.findings] == ["stale"]
    assert "records/toy/three/2.jsonl" in report.findings[0].message
    assert repository.kinds("1.75<!--=v-->", definition) == []
    assert repository.kinds("1.25<!--=v-->", f"v = {{ {three}, seeds = [2] }}") == ["superseded"]


def test_a_record_that_was_sealed_anew_under_its_name_is_stale(repository, three):
    definition = "v = {{ record = 'toy/three{}', pointer = '/val_bpb', seeds = [2] }}"
    assert repository.kinds("1.25<!--=v-->", definition.format("")) == []
    assert repository.kinds("1.25<!--=v-->", definition.format("@0123")) == ["stale"]


def test_an_unsealed_record_and_one_that_changed_since(repository):
    repository.draft("draft", {1: 1.25})
    by_path = "v = {{ record = 'records/toy/{}', pointer = '/val_bpb', seeds = [1] }}"
    assert repository.kinds("1.25<!--=v-->", by_path.format("draft")) == ["unsealed"]
    identity = repository.make("sealed", {1: 1.25})
    log = repository.folder("sealed") / "1.jsonl"
    log.write_bytes(log.read_bytes().replace(b"made up", b"made so"))
    assert repository.kinds("1.25<!--=v-->", by_path.format("sealed")) == ["unsealed"]
    unknown = f"v = {{ record = '{identity[::-1]}', pointer = '/val_bpb', seeds = [1] }}"
    assert repository.kinds("1.25<!--=v-->", unknown) == ["unsealed"]


def test_evidence_behind_a_link_is_not_read(repository, tmp_path):
    repository.make("sealed", {1: 1.25})
    log = repository.folder("sealed") / "1.jsonl"
    log.rename(tmp_path / "outside.jsonl")
    log.symlink_to(tmp_path / "outside.jsonl")
    definition = "v = { record = 'toy/sealed', pointer = '/val_bpb', seeds = [1] }"
    assert repository.kinds("1.25<!--=v-->", definition) == ["unsealed"]


def test_a_refuted_record(repository):
    first = repository.make("first", {1: 1.25})
    repository.make("doubt", {}, status="refuted", corrects=first)
    definition = f"v = {{ record = '{first}', pointer = '/val_bpb', seeds = [1] }}"
    assert repository.kinds("1.25<!--=v-->", definition) == ["refuted"]
    own = "v = { record = 'toy/doubt', file = 'record.json', pointer = '/knobs/EPOCHS' }"
    assert repository.kinds("100<!--=v-->", own) == ["refuted"]


def test_a_proposal_holds_no_results(repository):
    repository.make("idea", {}, status="proposal")
    definition = "v = { record = 'toy/idea', file = 'record.json', pointer = '/knobs/EPOCHS' }"
    assert repository.kinds("100<!--=v-->", definition) == ["unmeasured"]


def test_seeds_that_are_left_out_or_not_there(repository, three):
    mean = f"m = {{ {three}, stat = 'mean', seeds = "
    report = repository.judge("1.125<!--=m-->", mean + "[1, 2] }")
    assert [finding.kind for finding in report.findings] == ["incomplete-grid"]
    assert "has also seed 3" in report.findings[0].message
    assert repository.kinds("1.417<!--=m-->", mean + "[1, 2, 3, 4] }") == ["incomplete-grid"]


def test_a_minimum_without_best_of(repository, three):
    definition = f"b = {{ {three}, {SEEDS}, stat = 'min' }}"
    assert repository.kinds("It reaches 1.00<!--=b-->.", definition) == ["best-of"]
    assert repository.kinds("The best of two is 1.00<!--=b-->.", definition) == ["best-of"]
    assert repository.kinds("The best of three is 1.00<!--=b-->.", definition) == []
    worst = definition.replace("'min'", "'max'")
    assert repository.kinds("The worst of three is 2.00<!--=b-->.", worst) == []


def test_a_sign_lost(repository):
    repository.make("negative", {1: -0.5})
    definition = "v = { record = 'toy/negative', pointer = '/val_bpb', seeds = [1] }"
    assert repository.kinds("0.50<!--=v-->", definition) == ["sign-lost"]
    assert repository.kinds("−0.50<!--=v-->", definition) == []
    assert repository.kinds("+0.50<!--=v-->", definition) == ["sign-lost"]


def test_a_unit_lost(repository, three):
    value = f"{three}, seeds = [2]"
    percent = f"v = {{ {value}, times = 100, unit = '%' }}"
    assert repository.kinds("125<!--=v--> %", percent) == []
    assert repository.kinds("125<!--=v-->", percent) == ["unit-lost"]
    assert repository.kinds("| share in % |\n|---|\n| 125<!--=v--> |", percent) == []
    assert repository.kinds("1.25<!--=v--> %", percent) == ["unit-lost"]
    assert repository.kinds("1250<!--=v--> ms", f"v = {{ {value}, unit = 'ms' }}") == ["unit-lost"]
    assert repository.kinds("1.25<!--=v--> minutes", f"v = {{ {value}, unit = 'min' }}") == [
        "unit-lost"
    ]


def test_a_bound_that_is_said_and_holds(repository, three):
    value = f"v = {{ {three}, seeds = [2], is = '<' }}"
    assert repository.kinds("It is below 1.3<!--=v-->.", value) == []
    assert repository.kinds("p < 1.3<!--=v-->", value) == []
    assert repository.kinds("It is below 1.25<!--=v-->.", value) == ["relation"]
    assert repository.kinds("It is 1.3<!--=v-->.", value) == ["relation"]


def test_without_scipy_a_t_test_could_not_be_checked(repository, two, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    more = ", test = 'paired', tail = 'two-sided'"
    report = repository.judge("0.09<!--=d-->", comparison(two[0], two[1], "p", more=more))
    assert [finding.kind for finding in report.findings] == ["could-not-check"]
    assert report.exit_code == 3


@pytest.mark.parametrize(
    ("test", "tail", "p"),
    # By hand: paired, t = 0.5 / sqrt(0.0625 / 3) = sqrt(12) with 2 degrees of freedom, for which
    # p = 1 - t / sqrt(2 + t^2) = 0.0742; Welch by its formula.
    [
        ("paired", "two-sided", "0.0742"),
        ("paired", "greater", "0.0371"),
        ("paired", "less", "0.963"),
    ],
)
def test_p_of_a_t_test(repository, two, test, tail, p):
    pytest.importorskip("scipy")
    more = f", test = '{test}', tail = '{tail}'"
    assert repository.kinds(f"{p}<!--=d-->", comparison(two[0], two[1], "p", more=more)) == []


def test_every_kind_of_the_guide_is_a_kind_of_the_code(root):
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", (root / "docs/claims.md").read_text(), re.M)
    assert {kind: words for kind, words in rows if kind in KINDS} == KINDS
    assert ClaimError("stale", "x").kind in KINDS
