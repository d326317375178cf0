"""pytest tests/verify/audit/test_audit_command.py — the command, its page, and t-tests."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from goldenseal.audit import form
from goldenseal.audit.auditor import audit
from goldenseal.audit.golf import GolfForm
from goldenseal.audit.model import Certainty, Outcome, Record
from goldenseal.audit.written import add_claims
from goldenseal.errors import UsageError
from tests.verify.audit.conftest import OneRun, git, kinds

NOTE = Certainty.NOTE


def run(*arguments, block=""):
    lines = [f"import sys; sys.modules.update(dict.fromkeys({block.split()!r}))"]
    lines.append("from goldenseal import cli; sys.argv = ['goldenseal', *sys.argv[1:]]; cli.main()")
    return subprocess.run(
        [sys.executable, "-c", "\n".join(lines), "audit", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_exit_codes_are_0_for_no_contradiction_1_for_one_and_2_for_bad_usage(golf, tmp_path):
    folder = golf.write()
    assert run(folder).returncode == 0
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty").returncode == 0
    golf.facts["val_bpb"] = 1.0
    golf.write()
    done = run(folder)
    assert done.returncode == 1
    assert "score-not-in-log" in done.stdout
    done = run(tmp_path / "nowhere")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_the_base_install_audits(golf):
    folder = golf.write()
    done = run(folder, "--json", block="torch numpy scipy jinja2")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["counts"] == {"consistent": 1, "mismatch": 0, "not checkable": 0}
    assert document["records"][0]["confirmed"]


def test_a_t_test_without_scipy_ends_with_one_line_that_names_the_extra(golf):
    golf.readme += "\nOne-sided t-test against 1.1593: t=28.05, df=2, p=0.00063.\n"
    done = run(golf.write(), block="scipy")
    assert done.returncode == 3
    assert done.stderr == "goldenseal: a t-test needs scipy: pip install 'goldenseal[audit]'\n"


def test_the_json_names_claim_place_and_evidence(golf):
    golf.facts["bytes_code"] = 999
    found, *_ = json.loads(run(golf.write(), "--json").stdout)["records"][0]["findings"]
    assert found["certainty"] == "mismatch"
    assert found["place"] == "submission.json/bytes_code"
    assert "999" in found["claim"]
    assert "train_gpt.py as shipped = 122" in found["evidence"] or ".log" in found["evidence"]


def test_the_page_is_self_contained_and_escapes_what_strangers_wrote(golf, tmp_path):
    golf.folder = golf.folder.parent / "<script>alert(1)"
    golf.facts["val_bpb"] = 1.0
    page = tmp_path / "audit.html"
    done = run(golf.write(), "--html", page)
    assert done.returncode == 1, done.stderr
    text = page.read_text()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
    assert text.count("<script>") == 1
    assert "://" not in text
    assert "score-not-in-log" in text
    assert "reproduce" in text


def commit(folder, message):
    git(folder, "init", "-q")
    git(folder, "add", "--", ".")
    git(folder, "commit", "-qm", message)


def test_nothing_of_a_record_is_executed(golf, tmp_path):
    mark = tmp_path / "ran"
    golf.script = f"open({str(mark)!r}, 'w')\n"
    folder = golf.write()
    commit(folder, "one")
    golf.facts["val_bpb"] = 1.0
    golf.write()
    commit(folder, "two")
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "gpg.program", "diff.external", "core.editor"):
        git(folder, "config", key, str(program))
    git(folder, "config", "log.showSignature", "true")
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        (folder / ".git" / "hooks" / hook).symlink_to(program)
    mark.unlink(missing_ok=True)
    (verdict,) = audit([folder])
    assert "stale-log" in kinds(verdict)
    assert not mark.exists()


def test_many_records_are_audited_in_several_processes_with_the_same_result(golf, tmp_path):
    for i in range(5):
        golf.folder = tmp_path / "many" / f"record {i}"
        golf.facts["bytes_code"] += i > 2
        golf.write()
    one, two = audit([tmp_path / "many"], 1), audit([tmp_path / "many"], 2)
    assert one == two
    outcomes = [v.outcome for v in one]
    assert outcomes == [Outcome.CONSISTENT] * 3 + [Outcome.MISMATCH] * 2


class OtherForm:
    name = "other"

    def matches(self, folder):
        return (folder / "other.txt").exists()

    def read(self, folder):
        return Record(folder, folder.name)

    def check(self, record, notes):
        notes.add("other", Certainty.MISMATCH, "a claim", "other.txt", "no evidence")


class Entry:
    value = name = "other"

    def __init__(self, made):
        self.load = lambda: made


def test_a_package_adds_a_form_and_a_broken_one_is_bad_usage(tmp_path, monkeypatch):
    (tmp_path / "other.txt").write_text("")
    monkeypatch.setattr(form, "entry_points", lambda group: [Entry(OtherForm)])
    (verdict,) = audit([tmp_path])
    assert (verdict.form, verdict.outcome) == ("other", Outcome.MISMATCH)
    monkeypatch.setattr(form, "entry_points", lambda group: [Entry(None)])
    with pytest.raises(UsageError, match="audit form 'other'"):
        audit([tmp_path])


def test_a_form_that_fails_on_one_record_costs_only_that_verdict(golf, monkeypatch):
    def fail(self, folder):
        raise RuntimeError("odd")

    monkeypatch.setattr(GolfForm, "read", fail)
    (verdict,) = audit([golf.write()])
    assert verdict.outcome is Outcome.NOT_CHECKABLE
    assert "RuntimeError: odd" in verdict.reason


# Means 1.14581692 and 1.15581692: t = -14.71, df = 4, one-sided p = 6.2e-05.
def rival(golf, tmp_path):
    values = ["1.15597222", "1.15656085", "1.15491770"]
    other = type(golf)(
        tmp_path / "other", [OneRun(s, v) for s, v in zip((1, 2, 3), values, strict=True)]
    )
    other.facts = {"val_bpb": 1.15581692}
    return other.write()


def test_welch_is_recomputed_from_the_logs_of_both_records(golf, tmp_path):
    other = rival(golf, tmp_path)
    golf.readme += "\nWelch: t = -14.71, df = 4.0, p < 0.001.\n"
    (verdict,) = audit([golf.write()], 1, other)
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    assert any("against 3 of other" in f.evidence for f in verdict.findings)
    assert any("t = -14.7" in text and "df = 4" in text for text in verdict.confirmed)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("One-sided Welch: t = -14.71, df = 4.0, p = 0.000062.", None),
        ("One-sided Welch: t = -14.71, df = 4.0, p = 0.000125.", "two-sided-p"),
        ("Welch: t = -14.71, df = 4.0, p = 0.031.", "test"),
    ],
)
def test_a_stated_p_is_held_against_both_sides(golf, tmp_path, line, kind):
    other = rival(golf, tmp_path)
    golf.readme += f"\n{line}\n"
    (verdict,) = audit([golf.write()], 1, other)
    assert kinds(verdict) - {"p-of-t"} == ({kind} if kind else set())


def test_a_p_that_needs_other_runs_is_said_to_be_not_verifiable(golf):
    golf.facts |= {"p_value": 0.0003, "t_statistic": -9.9}
    verdict = golf.audit()
    assert verdict.outcome is Outcome.CONSISTENT
    assert any("not verifiable from the files" in f.evidence for f in verdict.findings)


def test_a_t_of_runs_that_do_not_vary_is_said_to_be_none(golf):
    golf.runs = [replace(run, bpb="1.14597222", loss="1.9349") for run in golf.runs]
    golf.facts |= {"p_value": 1e-15, "t_statistic": -1e15}
    (finding,) = [f for f in golf.audit().findings if f.kind == "test"]
    assert finding.evidence.startswith("no spread: cannot test")


def test_a_one_sample_test_is_recomputed_against_the_value_that_it_names(golf):
    # mean 1.14581692, sample deviation 0.00083255: t = 28.05 against 1.1593, 60.3 against 1.1748
    golf.readme += "\nOne-sided t-test against 1.1593: t=28.05, df=2, p=0.00063.\n"
    verdict = golf.audit()
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    assert any("one-sample" in text for text in verdict.confirmed)
    golf.readme = golf.readme.replace("t=28.05", "t=31.99")
    assert "test" in kinds(golf.audit())
    golf.readme = golf.readme.replace("t=31.99", "t=60.29") + "\nThe record before: 1.1748.\n"
    assert "test-reference" in kinds(golf.audit())


def test_a_test_against_runs_that_the_file_lists_is_recomputed(golf):
    golf.facts["baseline_seed_scores"] = [1.15597222, 1.15656085, 1.15491770]
    golf.facts |= {"welch_df": 4.0, "t_statistic": -14.71, "p_value": "<0.001"}
    verdict = golf.audit()
    assert verdict.outcome is Outcome.CONSISTENT
    assert any(
        "baseline seed scores" in c or "baseline_seed_scores" in c for c in verdict.confirmed
    )
    golf.facts["p_value"] = 0.25
    assert "test" in kinds(golf.audit())


ASKED = ({"scores": "bpb"}, {r"^final score is (\d\.\d+)$": "bpb"}, (1337, 42, 7))


class WrittenForm(GolfForm):
    """What a package writes that has records with claims in lists and blocks of code."""

    name = "written"

    def read(self, folder):
        record = super().read(folder)
        add_claims(record, *ASKED)
        return record


WRITTEN = """# A record

scores = [1.1460, 1.1466, {third}]

```
final score is {mean}
```
"""


@pytest.mark.parametrize(
    ("third", "mean", "kind"),
    [
        ("1.1449", "1.14582", None),
        ("1.1439", "1.14582", "score-not-in-log"),
        ("1.1449", "1.14612", "score-not-in-log"),
        ("1.1466", "1.14582", "seed-swapped"),
    ],
)
def test_a_form_adds_claims_of_lists_and_blocks(golf, monkeypatch, third, mean, kind):
    golf.facts, golf.readme = {}, WRITTEN.format(third=third, mean=mean)
    monkeypatch.setattr(form, "entry_points", lambda group: [Entry(WrittenForm)])
    (verdict,) = audit([golf.write()])
    assert verdict.form == "written"
    assert kinds(verdict) == ({kind} if kind else set())
    assert verdict.outcome is (Outcome.MISMATCH if kind else Outcome.CONSISTENT)


@pytest.mark.parametrize(
    "asked", [{"lists": {"a": "score"}}, {"blocks": {"(": "bpb"}}, {"blocks": {"a": "bpb"}}]
)
def test_a_role_or_pattern_that_is_none_is_bad_usage(golf, asked):
    with pytest.raises(UsageError, match=r"role|pattern"):
        add_claims(GolfForm().read(golf.write()), **asked)
