"""pytest tests/train_gpt_style/gpt/test_gpt_submission.py — what ships is measured and fits.

Two real runs of the GPT in small are made into measured records; then each thing that could be
wrong with a submission is made wrong.
"""

import contextlib
import hashlib
import io
import json
import os
import shutil
import statistics
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from goldenseal.bundle.make import make_bundle
from goldenseal.config import find_root, system
from goldenseal.disk import canonical
from goldenseal.errors import ContradictedError
from goldenseal.launch.process import data_digests
from goldenseal.records.source import read_source
from goldenseal.runlog import RunLog, read_run_log
from train_gpt_style.gpt import SYSTEM, export, run, submission
from train_gpt_style.kit.numerics import NUMERIC_VARIABLES, numeric_class

ABOUT = ["--author", "A. Name", "--github-id", "aname", "--blurb", "Nothing new."]


@pytest.fixture(scope="module")
def made(tmp_path_factory, tiny):
    """A folder of two measured records, of seeds 5 and 7, each with the code that ships."""
    root = find_root(Path(__file__))
    gpt = system(root, "gpt")
    code = make_bundle(root, gpt).plain()
    source = read_source(root).files
    top = tmp_path_factory.mktemp("made")
    for seed in (5, 7):
        folder = top / f"2026-01-02_Seed{seed}"
        folder.mkdir()
        environ = {**tiny, "SEED": str(seed), "RUN_LOG": "1"}
        kept = {n: os.environ[n] for n in ("PATH", *NUMERIC_VARIABLES) if n in os.environ}
        with (
            contextlib.chdir(folder),
            contextlib.redirect_stdout(io.StringIO()),
            mock.patch.dict(os.environ, {**kept, **environ}, clear=True),
        ):
            run.main(environ)
        knobs = SYSTEM.read(environ).as_environment()
        facts = {
            "schema": 1,
            "name": f"Seed{seed}",
            "date": "2026-01-02",
            "status": "measured",
            "system": "gpt",
            "seeds": [seed],
            "knobs": knobs,
            "data": data_digests(root, gpt, knobs),
            "source": source,
            "numeric_class": numeric_class(),
            "logs": {str(seed): "train.jsonl"},
        }
        (folder / "record.json").write_bytes(canonical.dumps(facts))
        (folder / "train_gpt.py").write_bytes(code)
    return top


@pytest.fixture
def records(made, tmp_path, root, monkeypatch):
    """The two records' folders, to be spoilt."""
    shutil.copytree(made, tmp_path / "records")
    monkeypatch.chdir(root)
    return [tmp_path / "records" / f"2026-01-02_Seed{seed}" for seed in (5, 7)]


@pytest.fixture
def root():
    return find_root(Path(__file__))


def edit_record(folder, **changes):
    facts = json.loads((folder / "record.json").read_text())
    facts.update(changes)
    (folder / "record.json").write_bytes(canonical.dumps(facts))


def submit(capsys, *arguments):
    """(exit code, standard output, standard error, without a traceback)."""
    code = submission.cli([*map(str, arguments), *ABOUT])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def figures_in_the_printed_log(folder):
    text = (folder / "logs" / "train_gpt.txt").read_text()
    line = next(x for x in text.splitlines() if x.startswith("final_int8_zlib_roundtrip_exact val"))
    return {k: float(v) for k, v in (part.split(":") for part in line.split()[1:])}


def test_one_record_becomes_a_submission_in_the_challenges_own_form(records, capsys):
    code, out, err = submit(capsys, records[0])
    assert (code, err) == (0, "")
    written = json.loads((records[0] / "submission.json").read_text())
    assert json.loads(out) == written
    shipped = {name: (records[0] / name).stat().st_size for name in ("train_gpt.py",)}
    model = (records[0] / submission.ARTIFACT).stat().st_size
    assert written == {
        "author": "A. Name",
        "github_id": "aname",
        "name": "Seed5",
        "blurb": "Nothing new.",
        "date": "2026-01-02",
        **figures_in_the_printed_log(records[0]),
        "bytes_total": shipped["train_gpt.py"] + model,
        "bytes_model_int8_zlib": model,
        "bytes_code": shipped["train_gpt.py"],
    }


def test_several_seeds_give_means_sample_deviations_and_each_seeds_own(records, tmp_path, capsys):
    out = tmp_path / "submission.json"
    code, _, err = submit(capsys, *reversed(records), "--out", out)
    assert (code, err) == (0, "")
    written = json.loads(out.read_text())
    each = [figures_in_the_printed_log(folder) for folder in records]
    sizes = [(folder / submission.ARTIFACT).stat().st_size for folder in records]
    for name in ("val_loss", "val_bpb"):
        values = [figures[name] for figures in each]
        assert written[name] == pytest.approx(statistics.mean(values), abs=1.1e-8)
        assert written[f"{name}_std"] == pytest.approx(statistics.stdev(values), abs=1.1e-8)
    assert written["seeds"] == [5, 7]
    assert written["bytes_total"] == written["bytes_code"] + max(sizes)
    for seed, figures, size in zip((5, 7), each, sizes, strict=True):
        result = {**figures, "bytes_total": written["bytes_code"] + size}
        assert written["seed_results"][str(seed)] == result


def test_only_a_measured_record_is_submitted(records, capsys):
    edit_record(records[0], status="superseded")
    code, _, err = submit(capsys, records[0])
    assert code == 2
    assert err == (
        "error: 2026-01-02_Seed5 is a superseded record: only a measured one is submitted\n"
    )
    assert not (records[0] / "submission.json").exists()


def spoil_source(folder):
    source = json.loads((folder / "record.json").read_text())["source"]
    source["train_gpt_style/gpt/model.py"] = hashlib.sha512(b"another").hexdigest()
    edit_record(folder, source=source)


def spoil_data(folder):
    data = json.loads((folder / "record.json").read_text())["data"]
    edit_record(folder, data={name: hashlib.sha512(b"x").hexdigest() for name in data})


def spoil_log(folder):
    log = folder / "train.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"step":2', b'"step":9', 1))


def replace_model(folder):
    """Another model's artifact, whole and of the right size."""
    path = folder / submission.ARTIFACT
    state = export.import_model(path.read_bytes())
    state["tok_emb.weight"][7, 3] += 1
    blob = export.export_model(state)
    path.write_bytes(blob)

    def change(header, end):
        end["clock"]["artifact_bytes"] = len(blob)

    rewrite_log(folder / "train.jsonl", change)


def rewrite_log(path, change):
    """As somebody would who knows how the chain is made."""
    header, *middle, end = read_run_log(path)
    change(header, end)
    del header["kind"], end["kind"]
    log = RunLog(path, header)
    for line in middle:
        log.write(line.pop("kind"), line, line.pop("clock", None))
    log.end(end, end.pop("clock"))


SPOILT = {
    "no code": (lambda f: (f / "train_gpt.py").unlink(), 2, "goldenseal bundle gpt -o"),
    "other code": (lambda f: (f / "train_gpt.py").write_text("print(1)\n"), 2, "bundle them again"),
    "other source": (spoil_source, 1, "model.py in it is not the one that the record ran"),
    "other data": (spoil_data, 3, "the data is not that of the record"),
    "edited log": (spoil_log, 1, "the chain breaks here"),
    "other model": (replace_model, 1, "of the artifact is"),
    "no artifact": (lambda f: (f / submission.ARTIFACT).unlink(), 2, "No such file"),
    "short artifact": (lambda f: os.truncate(f / submission.ARTIFACT, 99), 1, "99 bytes, but"),
    "sealed": (lambda f: (f / "SHA512SUMS").write_text(""), 2, "is sealed and never changes"),
    "link": (lambda f: (f / "out").symlink_to("/etc"), 2, "a link"),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_what_is_not_shown_is_refused_in_one_line(spoilt, records, capsys):
    spoil, expected, message = SPOILT[spoilt]
    spoil(records[0])
    code, out, err = submit(capsys, records[0])
    assert code == expected, err
    assert message in err
    assert len(err.splitlines()) == 1
    assert out == ""
    assert not (records[0] / "submission.json").exists()


def test_seeds_of_one_submission_ran_the_same_configuration_once_each(records, capsys):
    code, _, err = submit(capsys, records[0], records[0])
    assert (code, err) == (2, "error: seed 5 is there twice\n")
    source = {"train_gpt_style/gpt/model.py": hashlib.sha512(b"another").hexdigest()}
    edit_record(records[1], source=source)
    code, _, err = submit(capsys, *records)
    assert (code, err) == (2, "error: seeds 5 and 7 ran with different source\n")


def test_seeds_that_ran_with_different_knobs_are_no_one_submission(records, capsys):
    def change(header, end):
        header["knobs"]["MATRIX_LR"] = "0.05"

    rewrite_log(records[1] / "train.jsonl", change)
    code, _, err = submit(capsys, *records)
    assert (code, err) == (2, "error: seed 5 ran with MATRIX_LR=0.04, 7 with 0.05\n")


def test_a_log_without_knobs_or_figures_is_refused_in_one_line(records, capsys):
    for spoil in (
        lambda header, end: header.update(knobs=None),
        lambda header, end: header.update(knobs={"SEED": 5}),
        lambda header, end: end.pop("roundtrip_val_loss"),
        lambda header, end: end.update(roundtrip_val_loss="0x1p99999"),
        lambda header, end: end.update(clock={}),
        lambda header, end: header.update(seed="6"),
    ):
        path = records[0] / "train.jsonl"
        kept = path.read_bytes()
        rewrite_log(path, spoil)
        code, out, err = submit(capsys, records[0])
        assert code in (1, 2)
        assert (out, len(err.splitlines())) == ("", 1)
        path.write_bytes(kept)


def test_only_where_the_data_lies_can_be_given(records, capsys):
    code, _, err = submit(capsys, records[0], "--set", "SEED=6")
    assert code == 2
    assert err.startswith("error: --set SEED: only DATA_PATH")
    assert submit(capsys, records[0], "--set", "SEED")[0] == 2


# ---- the cap ---------------------------------------------------------------------------------


@examples(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(0, 20_000_000), st.integers(0, 20_000_000))
def test_the_cap_is_sixteen_million_decimal_bytes_and_the_excess_is_named(code, model):
    if code + model <= 16_000_000:
        assert submission.check_cap(code, model) == code + model
    else:
        with pytest.raises(ContradictedError, match=f"by {code + model - 16_000_000:,}$"):
            submission.check_cap(code, model)


@pytest.mark.parametrize(("model", "fits"), [(15_000_000, True), (15_000_001, False)])
def test_the_last_byte_under_the_cap_fits(model, fits):
    about, figures = {}, {1: {"val_loss": 1.0, "val_bpb": 0.5}}
    if fits:
        written = submission.submission(about, figures, {1: model}, 1_000_000)
        assert written["bytes_total"] == 16_000_000
    else:
        with pytest.raises(ContradictedError, match=r"exceed the cap of 16,000,000 by 1$"):
            submission.submission(about, figures, {1: model}, 1_000_000)


def test_a_submission_over_the_cap_is_refused_with_the_amount(records, capsys, monkeypatch):
    sizes = [(records[0] / n).stat().st_size for n in ("train_gpt.py", submission.ARTIFACT)]
    monkeypatch.setattr(submission, "CAP_BYTES", sum(sizes) - 3)
    code, _, err = submit(capsys, records[0])
    assert code == 1
    assert err.endswith("by 3\n")
    monkeypatch.setattr(submission, "CAP_BYTES", sum(sizes))
    assert submit(capsys, records[0])[0] == 0
