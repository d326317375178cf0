"""pytest tests/train_gpt_style/dual_stream/test_dual_tools.py — scans of a run, and tools."""

import json
import shutil

import pytest

from goldenseal.errors import UsageError
from tests.train_gpt_style.cases import inside
from tests.train_gpt_style.dual_stream.conftest import SMALL
from train_gpt_style.dual_stream import SYSTEM
from train_gpt_style.dual_stream.presets import PRESETS
from train_gpt_style.dual_stream.probe_data import write
from train_gpt_style.dual_stream.run import main
from train_gpt_style.dual_stream.tools import scalars
from train_gpt_style.kit import entry


def test_a_run_with_scans_writes_one_line_a_validation_and_names_the_dead_term(trained):
    lines = [json.loads(line) for line in (trained / "scan.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    assert lines[-1]["scans"]["7 classifier and gradients"]["vacuous"] == ["cm"]
    assert lines[-1]["scans"]["7 classifier and gradients"]["no_gradient"] == []


def tool(monkeypatch, capsys, *arguments, **environ):
    """(exit code, standard output, standard error) of the command with a tool."""
    monkeypatch.delenv("DATA_DIR", raising=False)
    code = entry.cli(SYSTEM, main, list(arguments))
    return (code, *capsys.readouterr())


def test_the_scan_of_a_checkpoint_prints_and_draws(trained, monkeypatch, capsys, tmp_path):
    page = tmp_path / "scan.html"
    path = str(trained / "checkpoints")
    code, out, _ = tool(monkeypatch, capsys, "scan", path, "--html", str(page))
    assert code == 0
    assert "SCAN 1 EMBEDDING HEALTH" in out
    assert "SCAN 8 ARCHITECTURE SUMMARY" in out
    assert "DIAGNOSIS SUMMARY" in out
    assert "cm was 0 on every step" in out
    text = page.read_text(encoding="utf-8")
    assert text.count("<svg") == 6
    assert "14 to 16 dimensions" in text
    code, out, _ = tool(monkeypatch, capsys, "scan", path, "--json")
    assert json.loads(out)["step"] == 4


def test_a_run_that_had_images_is_not_scanned_on_noise(tmp_path, monkeypatch, capsys):
    environ = {**SMALL, **write(tmp_path / "images"), "CHECKPOINT_EVERY": "2", "EPOCHS": "1"}
    with inside(tmp_path):
        main(environ)
        capsys.readouterr()
        code, _, error = tool(monkeypatch, capsys, "scan", "checkpoints")
        assert (code, error.count("\n")) == (2, 1)
        assert "set DATA_DIR" in error
        monkeypatch.setenv("DATA_DIR", environ["DATA_DIR"])
        assert entry.cli(SYSTEM, main, ["scan", "checkpoints", "--html"]) == 0
        assert (tmp_path / "scan.html").is_file()


def test_a_scan_of_what_is_no_checkpoint_is_one_line(trained, monkeypatch, capsys, tmp_path):
    code, _, error = tool(monkeypatch, capsys, "scan", str(tmp_path))
    assert (code, error.count("\n")) == (2, 1)
    assert "no checkpoint" in error
    copy = tmp_path / "copy"
    shutil.copytree(trained / "checkpoints", copy)
    for path in copy.glob("step-*/model.safetensors"):
        path.write_bytes(b"x")
    code, _, error = tool(monkeypatch, capsys, "scan", str(copy))
    assert code == 2
    assert "its manifest says otherwise" in error
    code, _, error = tool(monkeypatch, capsys, "scan", str(copy), "--images", "1")
    assert code == 2


def test_the_presets_are_listed_and_an_unknown_one_is_refused(monkeypatch, capsys):
    code, out, _ = tool(monkeypatch, capsys, "presets", "v2")
    assert code == 0
    assert out.splitlines()[0] == "GEO_HEAD=1"
    code, out, _ = tool(monkeypatch, capsys, "presets", "v1", "--json")
    assert json.loads(out)["v1"]["parameters"] == 6_296_582
    code, _, error = tool(monkeypatch, capsys, "presets", "v9")
    assert code == 2
    assert "no preset; one of v1, v2" in error


def test_a_preset_with_a_word_that_is_no_variable_is_refused(monkeypatch, capsys):
    monkeypatch.setitem(PRESETS, "v1", {"USE_MASTERY": "1"})
    code, _, error = tool(monkeypatch, capsys, "presets", "v1")
    assert code == 2
    assert "preset v1: no variable is called USE_MASTERY" in error


def test_another_word_is_refused_and_help_lists_the_tools(monkeypatch, capsys):
    code, _, error = tool(monkeypatch, capsys, "scam")
    assert code == 2
    assert "scam" in error
    code, out, _ = tool(monkeypatch, capsys, "--help")
    assert code == 0
    assert all(f"dual_stream {name} --help" in out for name in ("presets", "scan", "scalars"))


def test_a_run_log_becomes_scalars_of_losses_and_scans(trained, tmp_path):
    found = list(scalars.scalars(trained / "train.jsonl"))
    tags = {tag for tag, _, _ in found}
    assert {"train/loss", "train/bce", "train/val_acc", "scan/effective_dimension"} <= tags
    assert "train/nce_acc" in tags
    assert "scan/pentachoron_CV_uniform" in tags
    assert max(step for _, _, step in found) == 4
    with pytest.raises(UsageError, match="RUN_LOG=1 writes"):
        list(scalars.scalars(tmp_path / "train.jsonl"))


def test_no_run_holds_the_tools(trained):
    from train_gpt_style.kit.source import files_of

    names = [path.as_posix() for path in files_of("train_gpt_style.dual_stream")]
    assert not [name for name in names if "/tools/" in name or "presets" in name]
