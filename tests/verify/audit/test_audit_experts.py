"""pytest tests/verify/audit/test_audit_experts.py — what an expert recomputes in a README."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.audit.checks.impossible import Share
from goldenseal.audit.model import Certainty, Outcome
from goldenseal.audit.numbers import parse
from tests.verify.audit.conftest import SCRIPT, kinds, mean

NOTE = Certainty.NOTE
# The three runs of `golf`: mean 1.14581692, sample deviation 0.00083255, population 0.00067977,
# standard error 0.00048067; 2 degrees of freedom, so half a 95 % interval is 0.00206817.


def table(golf, header, cells, last=()):
    """A table by seed with one more column; `cells` in the order of the runs."""
    pairs = zip(golf.runs, cells, strict=True)
    rows = [f"| {run.seed} | {Decimal(run.bpb):.5f} | {c} |" for run, c in pairs]
    head = [f"| Seed | val_bpb | {header} |", "|---|---|---|"]
    golf.readme = "\n".join(["# A record", "", *head, *rows, *last, ""])
    return golf.audit()


def holds(verdict):
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    assert not kinds(verdict, Certainty.AMBIGUOUS)


@pytest.mark.parametrize("header", ["ms/step", "step_avg", "Step time (ms)", "ms per step"])
def test_the_time_of_a_step_is_held_against_the_log(golf, header):
    holds(table(golf, header, ["43.82", "43.8", "43.82 ms"]))
    holds(table(golf, header, ["81.31", "43.82", "43.82"]))  # 600,008 ms over 7,379 steps
    assert kinds(table(golf, header, ["43.82", "41.2", "43.82"])) == {"readme-step-time"}


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("1.1458 (std 0.00083)", True),
        ("1.1458 (sd 0.0008)", True),
        ("1.1458 ± 0.00068", True),
        ("1.1458 ± 0.00048 (SE)", True),
        ("1.1458 ± 0.0021 (95% CI)", True),
        ("1.1458 (std 0.00075)", False),
        ("1.1458 (std 0.00048)", False),
        ("1.1458 ± 0.00083 (SE)", False),
        ("1.1458 ± 0.0008 (95% CI)", False),
        ("1.1458 (std. err. 0.00083)", False),
    ],
)
def test_a_spread_in_a_row_of_means_or_a_headline_is_what_its_label_says(golf, text, right):
    golf.readme = golf.readme.replace("**1.14582**", text)
    if right:
        holds(golf.audit())
    else:
        assert kinds(golf.audit()) == {"deviation"}
    golf.readme = f"# A record\n\nval_bpb {text}, mean of 3 seeds\n"
    assert golf.audit().outcome is (Outcome.CONSISTENT if right else Outcome.MISMATCH)


def test_the_model_alone_under_artifact_is_named(golf):
    totals = [run.total for run in golf.runs]
    holds(table(golf, "Artifact", [f"{t:,}" for t in totals]))
    holds(table(golf, "Model size", [f"{t - len(SCRIPT):,}" for t in totals]))
    verdict = table(golf, "Artifact", [f"{t - len(SCRIPT):,}" for t in totals])
    assert kinds(verdict) == {"bytes-without-code"}


def test_a_seed_that_counts_twice_in_a_mean_is_found(golf):
    texts = [run.bpb for run in golf.runs]
    row = f"| 7 | {Decimal(texts[2]):.5f} | |"
    four = mean([*texts, texts[2]], 5)
    verdict = table(golf, "x", ["", "", ""], [row, f"| **Mean** | {four} | |"])
    assert "seed-twice" in kinds(verdict)
    three = mean(texts, 5)
    verdict = table(golf, "x", ["", "", ""], [row, f"| **Mean** | {three} | |"])
    assert "seed-twice" not in kinds(verdict)


@pytest.mark.parametrize(
    ("said", "right"), [("3-seed", True), ("three-seed", True), ("4-seed", False)]
)
def test_a_mean_of_more_seeds_than_there_are_is_found(golf, said, right):
    golf.readme = f"# A record\n\nval_bpb 1.1458 ({said} mean)\n"
    assert kinds(golf.audit()) == (set() if right else {"seeds-counted"})


# 1.14581692 - 1.1579 = -0.01208308 bits a byte; x 1.68845852 = 0.02040 nats a token; x ln 2 =
# 0.00837543 nats a byte.
@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"delta_vs_previous": -0.0121}, ""),
        ({"improvement_bpb": 0.01208}, ""),
        ({"improvement_nats": 0.0204}, ""),
        ({"improvement_nats_per_byte": 0.00838}, ""),
        ({"delta_vs_previous": -0.0112}, "difference"),
        ({"improvement_nats": 0.0121}, "improvement-unit"),
        ({"improvement_bpb": 0.0204}, "improvement-unit"),
        ({"delta_vs_baseline": -0.0112}, ""),  # to another value than the one that is here
    ],
)
def test_a_difference_beside_both_values_is_recomputed_in_its_unit(golf, facts, kind):
    golf.facts |= {"previous_bpb": 1.1579, **facts}
    assert kinds(golf.audit()) == ({kind} if kind else set())


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("This beats 1.1579 by 0.0121 bpb.", ""),
        ("This beats 1.1579 by 0.0204 nats.", ""),
        ("This beats 1.1579 by 0.0121 nats.", "improvement-unit"),
        ("This beats 1.1579 by 0.0204 bpb (1.1458).", "improvement-unit"),
    ],
)
def test_the_unit_of_an_improvement_in_the_readme(golf, line, kind):
    golf.readme += f"\n{line}\n"
    assert kinds(golf.audit()) == ({kind} if kind else set())


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("One-sided one-sample t-test against 1.1593: p = 0.00063.", True),
        ("p-value < 1.1593: 0.00063432", True),
        ("One-sample t-test against 1.1593 gives p=0.00127.", True),  # on both sides
        ("One-sided one-sample t-test against 1.1593: p = 0.0021.", False),
        ("p-value < 1.1593: 0.0021", False),
    ],
)
def test_a_p_without_its_t_is_recomputed(golf, line, right):
    golf.readme += f"\n{line}\n"
    verdict = golf.audit()
    assert verdict.outcome is (Outcome.CONSISTENT if right else Outcome.MISMATCH), verdict.findings
    assert not any("not verifiable" in f.evidence for f in verdict.findings)


BOTH = "| Seed | This | PR 1 |\n|---|---|---|\n"


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("Paired t-test: t = -22.8, df = 2, p = 0.00096.", True),
        ("Paired t-test, p = 0.00096.", True),
        ("A paired t-test gives t(2) = -22.8, p < 0.01.", True),
        ("Paired t-test: t = -9.1, df = 2, p = 0.006.", False),
        ("Paired t-test, p = 0.03.", False),
    ],
)
def test_a_paired_test_of_two_columns_is_recomputed(golf, line, right):
    others = ["1.15640", "1.15612", "1.15470"]  # gains 0.01043, 0.00956, 0.00978
    rows = [
        f"| {run.seed} | {Decimal(run.bpb):.5f} | {other} |\n"
        for run, other in zip(golf.runs, others, strict=True)
    ]
    golf.readme = f"# A record\n\n{BOTH}{''.join(rows)}\n{line.replace('22.8', '37.9')}\n"
    golf.readme = golf.readme.replace("0.00096", "0.00035")
    verdict = golf.audit()
    assert verdict.outcome is (Outcome.CONSISTENT if right else Outcome.MISMATCH), verdict.findings
    assert not any("not verifiable" in f.evidence for f in verdict.findings)


def test_a_test_of_values_that_its_line_lists_is_recomputed(golf):
    lists = "(1.15597222, 1.15656085, 1.15491770) and these (1.14597222, 1.14656085, 1.14491770)"
    line = f"\nWelch's test of {lists} gives t = 14.71, df = 4.0, p = 0.000062.\n"
    golf.readme += line
    holds(golf.audit())
    golf.readme = golf.readme.replace("t = 14.71", "t = 11.83")
    assert "test" in kinds(golf.audit())


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("We solved 143 / 164 (87.20 %).", ""),
        ("We solved 143 / 164 (87.2 %).", ""),
        ("We solved 143 / 164 (87.8 %).", "impossible-share"),
        ("Accuracy of 87.20 % on 164 problems.", ""),
        ("Accuracy of 87.35 % on 164 problems.", "impossible-share"),
        ("accuracy: 0.8720 (n = 164)", ""),
        ("accuracy: 0.8735 (n = 164)", "impossible-share"),
        ("Mean accuracy over five runs 87.35 % on 164 problems.", ""),
        ("Balanced accuracy 87.35 % on 164 problems.", ""),
        ("Accuracy of 87.35 % on 16400 problems.", ""),
        ("| set | accuracy | n |\n|---|---|---|\n| a | 87.20% | 164 |", ""),
        ("| set | accuracy | n |\n|---|---|---|\n| a | 87.35% | 164 |", "impossible-share"),
        ("Some test: t = 2.10, df = 10, p = 0.031.", ""),
        ("Some test: t(10) = 2.10, p = 0.06.", ""),
        ("Some test: t = 2.10, df = 10, p = 0.013.", "p-of-t"),
        ("Some test: t = 2.10, df = 10, p < 0.01.", "p-of-t"),
    ],
)
def test_numbers_that_cannot_be_need_no_log(golf, line, kind):
    golf.readme += f"\n{line}\n"
    assert kinds(golf.audit()) == ({kind} if kind else set())


def test_a_p_that_is_right_only_by_rounding_is_a_note(golf):
    golf.readme += "\nSome test: t = 2.1, df = 10, p = 0.029.\n"
    verdict = golf.audit()
    assert not kinds(verdict)
    assert any("only by the rounding" in f.evidence for f in verdict.findings)


@given(st.integers(1, 5000), st.data(), st.integers(0, 4), st.booleans())
def test_every_share_that_was_counted_is_possible(n, data, digits, percent):
    k = data.draw(st.integers(0, n))
    value = Decimal(k * (100 if percent else 1)) / n
    number = parse(f"{value:.{digits}f}")
    assert Share("", number, n, percent).possible


def test_most_shares_of_few_things_are_impossible():
    stated = [parse(f"{i / 100:.2f}") for i in range(10_000)]
    assert sum(Share("", number, 28, True).possible for number in stated) == 28


LIST = "bpb: [1.1460, 1.1466, 1.1449]\nmean: 1.1458\nstd: 0.0008\np-value < 1.1593: 0.00063"


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("1.1449", "1.1449", ""),
        ("1.1449", "1.1439", "list-not-in-log"),
        ("1.1449", "1.1466", "seed-twice"),
        ("mean: 1.1458", "mean: 1.1449", "list-mean"),
        ("std: 0.0008", "std: 0.0012", "deviation"),
        (": 0.00063", ": 0.0063", "test"),
    ],
)
def test_a_list_in_a_block_of_code_is_held_against_the_runs(golf, old, new, kind):
    golf.readme += f"\n```\n{LIST.replace(old, new)}\n```\n"
    found = kinds(golf.audit())
    assert kind in found if kind else not found
