"""pytest tests/verify/audit/test_audit_forms.py — the schemas, log lines and files that occur."""

import json
from decimal import Decimal

import pytest

from goldenseal.audit.auditor import audit, audit_folder
from goldenseal.audit.logs import read_log
from goldenseal.audit.model import Certainty, Outcome, Stage
from goldenseal.audit.words import meaning, words
from goldenseal.errors import UsageError
from tests.verify.audit.conftest import RATIO, SCRIPT, OneRun, kinds


def seeds(facts):
    return facts["seed_results"]


@pytest.mark.parametrize(
    "changed",
    [
        lambda f: f | {"seeds": f["seed_results"]},
        lambda f: (
            f | {"seed_results": [{"seed": int(s), **v} for s, v in f["seed_results"].items()]}
        ),
        lambda f: f | {"seed_scores": [1.14597, 1.14656, 1.14492]},
        lambda f: f | {"seed_results": {f"seed_{s}": v for s, v in f["seed_results"].items()}},
        lambda f: f | {"per_seed": {s: v["val_bpb"] for s, v in f["seed_results"].items()}},
        lambda f: (
            f | {"val_loss_per_seed": {s: v["val_loss"] for s, v in f["seed_results"].items()}}
        ),
        lambda f: f | {"mean_val_bpb": f["val_bpb"], "mean_val_loss": f["val_loss"]},
        lambda f: f | {"val_bpb": {"mean": f["val_bpb"], "std": 0.00083}},
        lambda f: f | {"val_bpb": "1.1458", "bytes_total": "15,862,650 bytes"},
        lambda f: f | {"artifact_bytes_mean": 15908287, "artifact_bytes_max": 15944907},
        lambda f: f | {"int8_zlib_val_bpb": 1.145817, "val_var_bpb": 1.1458},
        lambda f: f | {"p_value": "<0.001", "t_statistic": None, "welch_df": "TBD"},
        lambda f: f | {"base_val_bpb": 1.2244, "delta_bpb": -0.07, "ttt_gain_bpb": 0.9},
        lambda f: f | {"comparison_baseline_bpb": 1.1748, "target_bpb": 1.17},
        lambda f: f | {"wallclock_seconds": 600.008, "train_time_ms": 600008},
        lambda f: f | {"wallclock_seconds": 600, "num_params": "17.06M"},
        lambda f: f | {"hyperparameters": {"val_bpb": 3.3, "steps": 5}, "seeds": 3},
        lambda f: f | {"compliance_rerun": {"seed_results": {"42": {"val_bpb": 1.0001}}}},
        lambda f: f | {"date": "2026-03-20T05:30:00Z", "val_loss": None, "notes": [None, [1]]},
    ],
)
def test_a_consistent_record_stays_so_in_every_schema(golf, changed):
    golf.facts = changed(golf.facts)
    verdict = golf.audit()
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings


@pytest.mark.parametrize(
    "changed",
    [
        lambda f: f | {"seeds": {"1337": {"val_bpb": 1.1449}}},
        lambda f: (
            f | {"seed_results": [{"seed": 42, "val_bpb": 1.1466}, {"seed": 7, "val_bpb": 1.1348}]}
        ),
        lambda f: f | {"seed_scores": [1.14597, 1.14656, 1.14592]},
        lambda f: f | {"val_bpb_seed42": 1.1464},
        lambda f: f | {"per_seed": {"1337": 1.14598}},
        lambda f: f | {"mean_val_bpb": 1.1459},
        lambda f: f | {"val_bpb": {"mean": 1.1459, "std": 0.00083}},
        lambda f: f | {"val_bpb": "1.1459"},
        lambda f: f | {"artifact_bytes_mean": 15908387},
        lambda f: f | {"bytes_model_int6_zstd": 15_000_123},
        lambda f: f | {"int6_zstd_val_bpb": 1.1469},
        lambda f: f | {"val_bpb_std": 0.00099},
        lambda f: f | {"train_time_ms": 599_100},
        lambda f: f | {"model_params": "22.4M"},
    ],
)
def test_a_contradiction_is_found_in_every_schema(golf, changed):
    golf.facts = changed(golf.facts)
    assert golf.audit().outcome is Outcome.MISMATCH


def test_several_submission_files_are_each_read(golf):
    golf.write()
    other = {"val_bpb": 1.3, "seeds": [42]}
    (golf.folder / "submission_ternary.json").write_text(json.dumps(other))
    (golf.folder / "submission.json~").write_text("{")
    verdict = audit_folder(golf.folder)
    assert any(f.place == "submission_ternary.json/val_bpb" for f in verdict.findings)
    assert "back-up-file" in kinds(verdict, Certainty.NOTE)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b'{"val_bpb": 1.1 "x": 2}', "line 1 column 17"),
        (b'{"val_bpb": 1.1}{"val_bpb": 1.2}', "Extra data at line 1 column 17"),
        (b'{"val_bpb": 1.1', "line 1"),
        (b"[1, 2]", "not an object but a list"),
        (b"null", "not an object but null"),
        (b"7", "not an object but a number"),
        (b"[" * 100_000, "invalid JSON"),
    ],
)
def test_a_broken_submission_file_is_not_checkable_and_says_where(golf, data, said):
    golf.readme = ""
    golf.write()
    (golf.folder / "submission.json").write_bytes(data)
    verdict = audit_folder(golf.folder)
    assert verdict.outcome is Outcome.NOT_CHECKABLE
    assert any(said in f.evidence for f in verdict.findings), verdict.findings


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_noted_and_read_over(golf, encoding):
    folder = golf.write()
    (folder / "submission.json").write_text(json.dumps(golf.facts), encoding=encoding)
    verdict = audit_folder(folder)
    assert verdict.outcome is Outcome.CONSISTENT
    assert any("byte order mark" in f.evidence for f in verdict.findings)


def test_a_broken_submission_file_beside_a_good_table_is_still_not_checkable(golf):
    golf.write()
    (golf.folder / "submission.json").write_text('{"val_bpb": 1.1 "x": 2}')
    verdict = audit_folder(golf.folder)
    assert verdict.outcome is Outcome.NOT_CHECKABLE
    assert "line 1 column 17" in verdict.reason


def test_a_record_without_a_stated_score_is_not_checkable(single):
    for value in (None, "TBD"):
        single.facts["val_bpb"] = single.facts["val_loss"] = value
        verdict = single.audit()
        assert verdict.outcome is Outcome.NOT_CHECKABLE
        assert verdict.reason == "no score is stated"


def test_odd_values_never_crash(golf):
    for value in ("TBD", None, [], {}, [[]], True, "1.2.3", "9" * 5000, -1, 1e308, "NaN"):
        golf.facts = dict.fromkeys(["val_bpb", "val_loss", "bytes_total", "seeds", "t"], value)
        assert golf.audit().outcome in Outcome
    golf.write()
    (golf.folder / "submission.json").write_text('{"val_bpb": NaN, "seeds": [Infinity, 1e999]}')
    assert "failed" not in audit_folder(golf.folder).reason


def test_odd_folder_names_and_logs_in_subfolders_are_read(golf):
    golf.folder = golf.folder.parent / "2026 03+20 a=b v1.0"
    for run in golf.runs:
        run.name = f"logs/seed {run.seed}/train_seed{run.seed}.txt"
    assert golf.audit().outcome is Outcome.CONSISTENT


def test_a_script_may_have_any_name_and_be_empty(golf):
    golf.write()
    (golf.folder / "train_gpt.py").rename(golf.folder / "my script.py")
    (golf.folder / "empty.py").write_bytes(b"")
    verdict = audit_folder(golf.folder)
    assert verdict.outcome is Outcome.CONSISTENT
    assert "empty-script" in kinds(verdict, Certainty.NOTE)


def test_script_sizes_stand_for_scripts_that_were_left_out(golf):
    golf.script = ""
    golf.write()
    (golf.folder / "SCRIPT_SIZES").write_text(f"{len(SCRIPT)}  train_gpt.py\n")
    assert audit_folder(golf.folder).outcome is Outcome.CONSISTENT
    (golf.folder / "SCRIPT_SIZES").write_text(f"{len(SCRIPT) + 1}  train_gpt.py\n")
    assert "code-size" in kinds(audit_folder(golf.folder))


def test_links_are_not_followed(golf, tmp_path):
    golf.write()
    secret = tmp_path / "elsewhere.json"
    secret.write_text('{"val_bpb": 9.99}')
    (golf.folder / "submission_linked.json").symlink_to(secret)
    (golf.folder / "loop").symlink_to(golf.folder)
    verdict = audit_folder(golf.folder)
    assert verdict.outcome is Outcome.CONSISTENT
    assert not any("linked" in f.place for f in verdict.findings)


def test_a_folder_without_claims_or_logs_is_not_checkable(golf):
    golf.runs, golf.readme = [], ""
    assert "no log" in golf.audit().reason
    (golf.folder / "submission.json").unlink()
    assert audit_folder(golf.folder).outcome is Outcome.NOT_CHECKABLE


def test_records_are_found_below_a_folder_and_each_once(golf, tmp_path):
    golf.write()
    (tmp_path / "2026-03-21_Empty").mkdir()
    found = audit([tmp_path, golf.folder])
    assert [v.outcome for v in found] == [Outcome.CONSISTENT, Outcome.NOT_CHECKABLE]
    with pytest.raises(UsageError, match="is not a folder"):
        audit([tmp_path / "nowhere"])


LINES = """
final_int8_zlib_roundtrip_exact val_loss:{loss} val_bpb:{bpb}
final_int6_sliding_window_exact val_loss:{loss} val_bpb:{bpb}
final_sliding_window_eval_exact stride:64 val_loss:{loss} val_bpb:{bpb}
final_sliding (stride=64,T=1.00) val_loss:{loss} val_bpb:{bpb}
diagnostic quantized val_loss:{loss} val_bpb:{bpb} eval_time:1234ms
quantized_ttt_phased val_loss:{loss} val_bpb:{bpb} eval_time:1234ms
quantized_sliding_window val_loss:{loss} val_bpb:{bpb}
legal_ttt_exact val_loss:{loss} val_bpb:{bpb}
ttt_sliding:done val_loss={loss} val_bpb={bpb} elapsed=293.2s
final_xnor_roundtrip val_loss: {loss} val_bpb: {bpb}
ternary roundtrip val_loss = {loss} val_bpb = {bpb}
sliding val_loss:{loss} sliding val_bpb:{bpb}
final_temped val_loss:{loss} val_bpb:{bpb}
final_int8_ttt_lora val_loss:{loss} val_bpb:{bpb}
val_bpb:   {bpb}
1742345678.123 final_int6_ttt val_loss:{loss} val_bpb:{bpb}
[rank0]: final_int8_zlib_roundtrip val_loss:{loss} val_bpb:{bpb}
[2026-03-18 01:02:03] final_sliding_window val_loss:{loss} val_bpb:{bpb}
""".strip().splitlines()


@pytest.mark.parametrize("line", LINES)
def test_every_family_of_final_scores_is_read(line):
    text = "seed:1\nstep:5/5 train_loss:3\n" + line.format(loss="2.05945460", bpb="1.21972502")
    (run,) = read_log("train.log", text.encode()).runs
    (score,) = run.finals
    assert str(score.bpb) == "1.21972502"
    assert score.loss is None or str(score.loss) == "2.05945460"


@pytest.mark.parametrize(
    ("line", "stage"),
    [
        ("step:100/200 val_loss:2.1 val_bpb:1.25 train_time:9ms", Stage.STEP),
        ("100/200 val_loss: 2.1 val_bpb: 1.25", Stage.STEP),
        ("[JEPA] step:100/200 val_loss:2.1 val_bpb:1.25", Stage.STEP),
        ("[BRIDGE 50%] step:100/200 val_loss:2.1 val_bpb:1.25", Stage.STEP),
        ("DIAGNOSTIC post_ema val_loss:2.1 val_bpb:1.25", Stage.BEFORE),
        ("pre-quantization post-ema val_loss:2.1 val_bpb:1.25", Stage.BEFORE),
        ("diagnostic pre-quantization post-ema val_loss:2.1 val_bpb:1.25", Stage.BEFORE),
    ],
)
def test_early_scores_are_told_from_final_ones(line, stage):
    (run,) = read_log("a.log", f"seed:1\nstep:1/9 train_loss:3\n{line}\n".encode()).runs
    assert [score.stage for score in run.scores] == [stage]


@pytest.mark.parametrize(
    "line",
    [
        "  sliding_eval [ 87.2%] 105632/121136 windows running_bpb=1.150486",
        "ttt_chunk [5/100] bpb=1.1935 time=3.2s",
        "val_bpb:enabled tokenizer_kind=sentencepiece",
        "improvement delta_bpb:0.0123 baseline_bpb:1.2244",
    ],
)
def test_progress_and_comparisons_are_no_scores(line):
    runs = read_log("a.log", f"seed:1\nstep:1/9 train_loss:3\n{line}\n".encode()).runs
    assert not runs[0].scores


@pytest.mark.parametrize(
    ("line", "where", "value"),
    [
        ("Total submission size int8+zlib: 15896222 bytes", "totals", 15896222),
        ("Total submission size mixed_int5_int6+brotli: 15962242 bytes", "totals", 15962242),
        ("Total submission size: 66093460 bytes", "totals", 66093460),
        ("budget:15990000/16000000 (99.9%) FITS", "totals", 15990000),
        ("artifact_bytes: 15,990,001", "totals", 15990001),
        ("artifact: 15.98 MB (15,981,234 bytes)", "totals", 15981234),
        ("Serialized model int6+zstd: 15810407 bytes (payload:1)", "models", 15810407),
        ("Code size: 48125 bytes", "codes", 48125),
        ("Code size (compressed): 21396 bytes", "codes", 21396),
    ],
)
def test_every_family_of_sizes_is_read(line, where, value):
    (run,) = read_log("a.log", f"seed:1\nstep:1/9 train_loss:3\n{line}\n".encode()).runs
    assert [size.value for size in getattr(run, where)] == [value]


def test_a_file_of_two_runs_is_split_and_the_embedded_source_is_kept_apart():
    one, two = (OneRun(seed, bpb).text() for seed, bpb in ((1, "1.2"), (2, "1.3")))
    source = SCRIPT + 'val_bpb = 9.99\nprint(f"seed:{seed}")\nseed = 5\n'
    log = read_log("both.log", f"{source}\n{'=' * 100}\n{one}{two}".encode())
    assert [run.seed for run in log.runs] == [1, 2]
    assert "def main" in log.sources[0]
    assert not any(s.bpb and s.bpb.text == "9.99" for run in log.runs for s in run.scores)


def test_rows_of_other_configurations_contradict_nothing(golf):
    golf.readme = (
        "# A record\n\n| Config | Seed | val_bpb |\n|---|---|---|\n| ours | 42 | 1.14656 |\n"
        "| without SWA | 42 | 1.1512 |\n| 9 layers | 42 | 1.1600 |\n"
    )
    verdict = golf.audit()
    assert verdict.outcome is Outcome.CONSISTENT
    assert "readme-bpb" in kinds(verdict, Certainty.AMBIGUOUS)


@pytest.mark.parametrize(
    "title",
    [
        "-0.0290 BPB against the baseline",
        "Beats SOTA 1.2244 BPB",
        "1.1748 -> 1.1458 BPB",
        "A record",
    ],
)
def test_titles_that_compare_contradict_nothing(golf, title):
    golf.readme = f"# {title}\n"
    assert golf.audit().outcome is Outcome.CONSISTENT


def test_variants_and_phases_of_a_submission_file_are_second_accounts(golf):
    golf.facts["variants"] = {"no_swa": {"val_bpb": 1.1512, "bytes_total": 15_000_017}}
    golf.facts["phases"] = [{"name": "warm", "val_bpb": 1.31}]
    verdict = golf.audit()
    assert verdict.outcome is Outcome.CONSISTENT
    assert "second-account" in kinds(verdict, Certainty.AMBIGUOUS)


def test_an_empty_label_may_be_the_artifact_where_there_is_no_other(single):
    text = single.runs[0].text().replace(" int8+zlib", "")
    single.write()
    (single.folder / "train_seed1337.log").write_text(text)
    assert audit_folder(single.folder).outcome is Outcome.CONSISTENT


def test_a_log_without_parameters_and_seed_is_read(single):
    lines = [
        line
        for line in single.runs[0].text().splitlines()
        if not line.startswith(("seed:", "model_params", "Total", "Serialized", "val_loader"))
    ]
    lines.append("budget:15896222/16000000 (99.35%) FITS")
    single.write()
    (single.folder / "train_seed1337.log").unlink()
    (single.folder / "run.txt").write_text("\n".join(lines))
    verdict = audit_folder(single.folder)
    assert verdict.outcome is Outcome.CONSISTENT, verdict.findings


def test_words_of_keys_are_whole_words():
    assert words("bytes_model_int6_zstd") == ["bytes", "model", "int6", "zstd"]
    assert meaning("bytes_model_int6_zstd").role == "model"
    assert meaning("int6_zstd_val_bpb").role == "bpb"
    assert not meaning("int6_zstd_val_bpb").statistic
    assert meaning("val_bpb_std").statistic == "std"
    for other in ("base_val_bpb", "comparison_baseline_bpb", "delta_bpb", "ttt_gain_bpb"):
        assert not meaning(other).role
    for none in ("warmup_steps", "peak_memory_bytes", "bytes_per_token", "matrix_params"):
        assert not meaning(none).role


def test_a_mean_of_rounded_values_is_accepted_besides_that_of_raw_ones(golf):
    values = ["1.14597522", "1.14656555", "1.14491500"]
    for run, value in zip(golf.runs, values, strict=True):
        run.bpb = value
        run.loss = f"{Decimal(value) * RATIO:.8f}"
    golf.readme = ""
    raw = sum(map(Decimal, values)) / 3
    short = sum(round(Decimal(v), 4) for v in values) / 3
    assert f"{raw:.5f}" != f"{short:.5f}"
    for shown in (raw, short):
        golf.facts = {"val_bpb": float(f"{shown:.5f}"), "seeds": [1337, 42, 7]}
        assert golf.audit().outcome is Outcome.CONSISTENT


def test_digits_are_kept_as_written_and_truncation_is_only_ambiguous(single):
    single.write()
    for text, outcome in (
        ("1.2197250", Outcome.CONSISTENT),
        ("1.21972000", Outcome.MISMATCH),
        ("1.2197", Outcome.CONSISTENT),
        ("1.219725020", Outcome.CONSISTENT),
    ):
        (single.folder / "submission.json").write_text(f'{{"val_bpb": {text}}}')
        assert audit_folder(single.folder).outcome is outcome, text
    single.runs[0].bpb = "1.21979502"
    single.write()
    (single.folder / "submission.json").write_text('{"val_bpb": 1.2197, "bytes_total": 15896222}')
    verdict = audit_folder(single.folder)
    assert verdict.outcome is Outcome.CONSISTENT
    assert "truncated" in kinds(verdict, Certainty.AMBIGUOUS)
