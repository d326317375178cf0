"""pytest tests/verify/audit/test_audit_incidents.py — every kind of incident, and its twin."""

import base64
import lzma
from decimal import Decimal

import pytest

from goldenseal.audit.auditor import audit_folder
from goldenseal.audit.model import Certainty, Outcome
from tests.verify.audit.conftest import SCRIPT, OneRun, git, kinds, mean, seed_table

NOTE, AMBIGUOUS = Certainty.NOTE, Certainty.AMBIGUOUS


def test_a_consistent_record_of_three_seeds_gives_no_finding(golf):
    verdict = golf.audit()
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    assert not verdict.findings
    assert len(verdict.confirmed) > 20


def test_a_consistent_record_of_one_seed_gives_no_finding(single):
    verdict = single.audit()
    assert verdict.outcome is Outcome.CONSISTENT
    assert not verdict.findings


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("val_bpb", 1.1399, "score-not-in-log"),
        ("val_loss", 1.9011, "score-not-in-log"),
        ("model_params", 17_060_000, "params"),
        ("step_stop", 8000, "steps"),
        ("bytes_total", 15_862_651, "bytes"),
        ("bytes_code", 48_917, "bytes"),
        ("bytes_model_int8_zlib", 15_000_001, "bytes"),
    ],
)
def test_a_claim_that_was_updated_without_its_log_is_found(golf, key, value, kind):
    golf.facts[key] = value
    verdict = golf.audit()
    assert verdict.outcome is Outcome.MISMATCH
    found = [f for f in verdict.findings if f.certainty is Certainty.MISMATCH]
    assert kind in {f.kind for f in found}
    assert any(f"submission.json/{key}" == f.place for f in found)
    assert any(str(value) in f.claim.replace(",", "") for f in found)


def test_a_seed_without_a_log_is_found(golf):
    golf.runs.pop()
    golf.readme = ""
    assert "seed-without-log" in kinds(golf.audit())


def test_one_log_under_two_names_is_found(golf):
    golf.runs[1] = OneRun(**{**vars(golf.runs[0]), "name": "train_seed42.log"})
    assert {"duplicate-log", "seed-in-name"} <= kinds(golf.audit())


def test_scores_of_one_run_in_the_log_of_another_seed_are_found(golf):
    first = golf.runs[0]
    golf.runs[1] = OneRun(42, first.bpb, total=first.total, steps=first.steps)
    assert "duplicate-log" in kinds(golf.audit())


def test_a_copy_of_a_log_as_train_log_is_only_a_note(golf):
    golf.runs.append(OneRun(**{**vars(golf.runs[0]), "name": "train.log"}))
    verdict = golf.audit()
    assert verdict.outcome is Outcome.CONSISTENT
    assert "duplicate-log" in kinds(verdict, NOTE)


def test_a_seed_inside_the_log_other_than_in_its_name_is_found(golf):
    golf.runs[2].inside = 8
    assert "seed-in-name" in kinds(golf.audit())


def test_a_seed_listed_twice_is_found(golf):
    golf.facts["seeds"] = [1337, 42, 42]
    assert "seed-twice" in kinds(golf.audit())


def test_values_of_seeds_in_the_wrong_order_are_found(golf):
    golf.facts.pop("seed_results")
    golf.facts["seed_scores"] = [1.14656, 1.14597, 1.14492]
    assert "seed-swapped" in kinds(golf.audit())
    golf.facts["seed_scores"] = [1.14597, 1.14656, 1.14492]
    assert golf.audit().outcome is Outcome.CONSISTENT


def test_the_best_seed_as_headline_of_several_is_named_with_the_mean(golf):
    golf.facts["val_bpb"], golf.facts["val_loss"] = 1.14491770, float(golf.runs[2].nats)
    verdict = golf.audit()
    found = [f for f in verdict.findings if f.kind == "best-of-n"]
    assert [f.certainty for f in found] == [Certainty.MISMATCH, AMBIGUOUS]
    assert "1.1458169" in found[0].evidence


def test_one_run_as_headline_is_a_note_where_no_mean_is_stated(single):
    single.runs.append(OneRun(42, "1.22006458"))
    verdict = single.audit()
    assert verdict.outcome is Outcome.CONSISTENT
    assert "best-of-n" in kinds(verdict, NOTE)
    single.readme = "# Result\n\nMean val_bpb: 1.2197 over two seeds.\n"
    assert "best-of-n" in kinds(single.audit())


def test_the_mean_of_other_runs_than_listed_is_found(golf):
    golf.facts["val_bpb"] = float(mean(["1.14597222", "1.14491770"]))
    verdict = golf.audit()
    assert "mean-of-others" in kinds(verdict)
    found = next(f for f in verdict.findings if f.kind == "mean-of-others")
    assert "seed 1337, seed 7" in found.evidence


@pytest.mark.parametrize(("std", "fits"), [(0.00083, True), (0.00068, True), (0.00082, False)])
def test_a_deviation_is_the_sample_s_or_the_population_s(golf, std, fits):
    golf.facts["val_bpb_std"] = std
    verdict = golf.audit()
    assert ("deviation" in kinds(verdict)) is not fits
    word = {0.00083: "sample", 0.00068: "population"}.get(std, "nearest")
    texts = [*verdict.confirmed, *(f.evidence for f in verdict.findings)]
    assert any(word in text for text in texts)


@pytest.mark.parametrize("key", ["val_bpb_std_err", "val_bpb_sem", "standard_error_val_bpb"])
def test_a_deviation_under_the_name_of_a_standard_error_is_named(golf, key):
    del golf.facts["val_bpb_std"]
    golf.facts[key] = 0.00048
    assert "deviation" not in kinds(golf.audit())
    golf.facts[key] = 0.00083
    (finding,) = [f for f in golf.audit().findings if f.kind == "deviation"]
    assert finding.certainty == Certainty.MISMATCH
    assert "it is a standard deviation: sample deviation of 3 runs" in finding.evidence


def test_a_standard_error_under_the_name_of_a_deviation_is_named(golf):
    golf.facts["val_bpb_std"] = 0.00048
    (finding,) = [f for f in golf.audit().findings if f.kind == "deviation"]
    assert "it is a standard error: standard error of 3 runs" in finding.evidence


@pytest.mark.parametrize("key", ["median_val_bpb", "geometric_mean_val_bpb", "val_bpb_iqr"])
def test_a_median_is_not_looked_up_as_a_mean(golf, key):
    golf.facts[key] = golf.facts["val_bpb"]
    before = [*golf.audit().confirmed]
    del golf.facts[key]
    assert before == [*golf.audit().confirmed]


def test_bytes_without_the_code_are_named(single):
    single.facts["bytes_total"] -= len(SCRIPT)
    assert "bytes-without-code" in kinds(single.audit())


def test_the_raw_model_s_size_is_named(single):
    single.facts["bytes_total"] = 66_045_335
    assert "raw-model-size" in kinds(single.audit())


def test_round_bytes_are_named(single):
    single.facts["bytes_total"] = 15_900_000
    assert "round-bytes" in kinds(single.audit())


def test_a_mebibyte_printed_as_megabyte_is_named(single):
    single.facts["artifact_size_mb"] = 15.16
    del single.facts["bytes_total"]
    assert "mib-as-mb" in kinds(single.audit())
    single.facts["artifact_size_mb"] = 15.90
    assert single.audit().outcome is Outcome.CONSISTENT


def test_one_seed_s_bytes_for_all_seeds_are_found(golf):
    for result in golf.facts["seed_results"].values():
        result["bytes_total"] = 15_862_650
    assert {"bytes-copied", "bytes-of-another-seed"} <= kinds(golf.audit())


def test_the_cap_exceeded_by_415_bytes_is_found(single):
    single.runs[0].total = single.facts["bytes_total"] = 16_000_415
    verdict = single.audit()
    assert "over-the-cap" in kinds(verdict)
    assert any("415" in f.evidence for f in verdict.findings)
    single.runs[0].total = single.facts["bytes_total"] = 16_000_000
    assert single.audit().outcome is Outcome.CONSISTENT


def test_a_script_other_than_the_one_in_the_log_is_found(single):
    single.runs[0].source = SCRIPT
    assert single.audit().outcome is Outcome.CONSISTENT
    single.script = SCRIPT.replace("environ", "environ, 2")
    assert {"script-differs", "code-size"} <= kinds(single.audit())


def test_a_packed_script_counts_as_shipped_and_is_compared_unpacked(single):
    inner = "import os\nimport sys\n" + "".join(
        f"def f{i}():\n    return {i * i}\n" for i in range(200)
    )
    packed = base64.b85encode(lzma.compress(inner.encode())).decode()
    single.script = (
        "import lzma as L,base64 as B\nexec(L.decompress(B.b85decode"
        f'("{packed}"),format=L.FORMAT_XZ,filters=[{{"id":L.FILTER_LZMA2}}]))\n'
    )
    single.runs[0].source = inner
    single.runs[0].code = single.facts["bytes_code"] = len(single.script)
    verdict = single.audit()
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings
    single.facts["bytes_code"] = len(inner)
    assert "bytes" in kinds(single.audit())
    single.facts["bytes_code"] = len(single.script)
    single.runs[0].source = inner.replace("return 4", "return 5")
    assert "script-differs" in kinds(single.audit(), AMBIGUOUS)


def test_a_stub_counts_with_what_it_executes(single):
    single.script = "exec(open('real_train.txt').read())\n"
    single.write()
    (single.folder / "real_train.txt").write_text(SCRIPT)
    both = len(SCRIPT) + len(single.script)
    single.runs[0].code = single.facts["bytes_code"] = both
    assert single.audit().outcome is Outcome.CONSISTENT
    single.facts["bytes_code"] = both + 1
    assert "bytes" in kinds(single.audit())


def test_code_that_is_imported_and_not_counted_is_named(single):
    single.script = SCRIPT = "import os\nimport helper\n" + 40 * "os.getcwd()\n"
    single.runs[0].code = single.facts["bytes_code"] = len(SCRIPT)
    single.write()
    assert not kinds(audit_folder(single.folder), AMBIGUOUS)
    (single.folder / "helper.py").write_text("x = 1\n")
    verdict = audit_folder(single.folder)
    assert "uncounted-code" in kinds(verdict, AMBIGUOUS)


def test_settings_and_code_that_differ_between_seeds_are_found(golf):
    golf.runs[1].lr = "0.06"
    assert "settings-differ" in kinds(golf.audit())
    golf.runs[1].lr = "0.04"
    golf.runs[1].code += 3
    assert "code-differs" in kinds(golf.audit())
    golf.runs[1].code -= 3
    golf.runs[1].params += 512
    assert "params-differ" in kinds(golf.audit())


def test_logs_that_the_readme_names_as_seeds_must_agree_and_others_need_not(single):
    single.runs.append(OneRun(42, "1.22006458", lr="0.06"))
    single.readme = "# Result\n\nNothing on logs.\n"
    verdict = single.audit()
    assert verdict.outcome is Outcome.CONSISTENT
    assert "settings-differ" in kinds(verdict, AMBIGUOUS)
    single.readme = "# Result\n\nLogs: `train_seed1337.log`, `train_seed42.log`.\n"
    assert "settings-differ" in kinds(single.audit())


def test_a_wrong_denominator_shows_in_the_implied_bytes(single):
    run = single.runs[0]
    run.loss = f"{Decimal(run.nats) * Decimal('1.02'):.8f}"
    single.facts["val_loss"] = float(run.loss)
    assert "implied-bytes" in kinds(single.audit())


def test_an_evaluation_on_a_part_of_the_split_shows_in_the_implied_bytes(single):
    single.runs[0].tokens //= 2
    assert "implied-bytes" in kinds(single.audit())


def test_a_split_cut_to_whole_sequences_is_no_finding(single):
    single.runs[0].tokens = 61_997_056
    assert single.audit().outcome is Outcome.CONSISTENT


def test_a_bpb_under_the_name_of_the_loss_is_found(single):
    single.facts["val_loss"] = single.facts["val_bpb"]
    assert "bpb-under-loss" in kinds(single.audit())


def test_a_value_before_quantisation_claimed_as_final_is_found(single):
    single.facts["val_bpb"] = 1.2104
    del single.facts["val_loss"]
    assert "before-quantisation" in kinds(single.audit())
    single.facts["val_bpb"] = 1.21972502
    single.facts["pre_quant_val_bpb"] = 1.2104
    assert single.audit().outcome is Outcome.CONSISTENT


def in_track(record, track):
    record.folder = record.folder.parent / track / "2026-03-20_A"
    return record


def test_training_and_evaluation_over_time_are_found_on_the_track_that_limits_them(single):
    in_track(single, "track_10min_16mb").runs[0].train_ms = 612_000
    assert "over-time" in kinds(single.audit())
    single.runs[0].train_ms, single.runs[0].eval_ms = 600_137, 601_900
    assert "over-time" in kinds(single.audit())
    single.runs[0].eval_ms = 599_000
    assert single.audit().outcome is Outcome.CONSISTENT
    in_track(single, "track_non_record_16mb").runs[0].train_ms = 14_400_000
    assert single.audit().outcome is Outcome.CONSISTENT


def test_another_world_size_than_claimed_is_found(single):
    single.runs[0].world = 1
    single.readme = "# Result\n\nRun on 8xH100 SXM.\n"
    assert "world-size" in kinds(single.audit())
    single.readme = "# Result\n\nRun on 1xH100, not yet on 8xH100.\n"
    assert single.audit().outcome is Outcome.CONSISTENT
    single.readme = "# Result\n\nRun on an RTX 4090, not on 8xH100.\n"
    assert single.audit().outcome is Outcome.CONSISTENT
    single.facts["world_size"] = 8
    single.readme = "# Result\n"
    assert "world-size" in kinds(single.audit())
    del single.facts["world_size"]
    assert "world-size" in kinds(in_track(single, "track_10min_16mb").audit())


def test_a_cell_of_a_readme_table_that_no_log_supports_is_found(golf):
    golf.readme = golf.readme.replace("7,385", "7,390")
    verdict = golf.audit()
    assert kinds(verdict) == {"readme-steps"}
    assert verdict.findings[0].place == "README.md:6"


def test_a_wrong_mean_in_a_readme_table_is_found(golf):
    golf.readme = golf.readme.replace("**1.14582**", "**1.14482**")
    assert "readme-mean" in kinds(golf.audit())
    golf.readme = seed_table(golf.runs).replace("**1.14582**", "**1.14492**")
    assert "best-of-n" in kinds(golf.audit())


def test_a_table_of_another_record_is_not_held_against_these_logs(golf):
    golf.readme += "\n## Results of PR #549\n\n| Seed | val_bpb |\n|---|---|\n| 42 | 1.1194 |\n"
    verdict = golf.audit()
    assert verdict.outcome is Outcome.CONSISTENT
    assert "readme-bpb" in kinds(verdict, AMBIGUOUS)


def test_a_headline_that_is_a_third_number_is_found(golf):
    golf.readme = golf.readme.replace("val_bpb 1.1458", "val_bpb 1.1448")
    assert "headline-not-in-log" in kinds(golf.audit())


def test_a_stale_log_shows_in_the_history(golf):
    folder = golf.write()
    git(folder.parent, "init", "-q")
    git(folder.parent, "add", ".")
    git(folder.parent, "commit", "-qm", "one")
    golf.facts["val_bpb"] = 1.1399
    golf.write()
    git(folder.parent, "commit", "-qam", "two")
    verdict = audit_folder(folder)
    assert {"stale-log", "score-not-in-log"} <= kinds(verdict)
    golf.facts["val_bpb"] = 1.145817  # corrected: it now says what the logs say
    golf.write()
    git(folder.parent, "commit", "-qam", "three")
    assert audit_folder(folder).outcome is Outcome.CONSISTENT
