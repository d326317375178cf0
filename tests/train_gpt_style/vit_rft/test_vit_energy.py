"""pytest tests/train_gpt_style/vit_rft/test_vit_energy.py — ENERGY in whole runs of the ViT."""

import pytest

from goldenseal.errors import CannotCheckError, UsageError
from goldenseal.runlog import deterministic_digest, read_run_log
from train_gpt_style.vit_rft import parity
from train_gpt_style.vit_rft.features import telemetry

LOGGED = {"RUN_LOG": "1", "TELEMETRY": "1"}


def test_off_leaves_no_trace_in_log_or_manifest(perform):
    run = perform(**LOGGED)
    assert all("energy" not in line.get("clock", {}) for line in read_run_log(run.log))
    manifest = parity.read_manifest(run.folder / telemetry.MANIFEST)
    assert manifest["energy"] == {"source": "none", "windows": []}


def test_the_model_runs_through_log_and_telemetry_and_is_called_a_model(perform):
    run = perform(**LOGGED, ENERGY="model", ENERGY_WATTS="50", TELEMETRY_WINDOW="2")
    trained, end = read_run_log(run.log)[-2:]
    for line in (trained, end):
        found = line["clock"]["energy"]
        assert found["joules"] == pytest.approx(50 * found["seconds"], rel=0.01)
        assert (found["source"], found["flags"]) == ("model", ["model"])
    per_step = [line["J_step"] for line in run.lines(telemetry.LOG)]
    assert [value is None for value in per_step] == [True, False, True, False]
    energy = parity.read_manifest(run.folder / telemetry.MANIFEST)["energy"]
    assert energy["source"] == "model"


def test_a_meter_that_measures_nothing_writes_null_and_changes_no_weight(perform, monkeypatch):
    from train_gpt_style.kit.energy import choose, rapl

    def none(root):
        raise CannotCheckError("no zone")

    monkeypatch.setattr(rapl, "zones", none)
    without, run = perform("without", **LOGGED), perform("auto", **LOGGED, ENERGY="auto")
    assert run.weights == without.weights
    assert read_run_log(run.log)[-1]["clock"]["energy"]["joules"] is None
    assert {line["J_step"] for line in run.lines(telemetry.LOG)} == {None}
    assert choose.open_meter("auto").reasons == ["rapl: no zone"]


def test_joules_are_no_part_of_what_an_equal_run_repeats(perform):
    logs = []
    for watts in ("50", "60"):
        run = perform(watts, RUN_LOG="1", ENERGY="model", ENERGY_WATTS=watts)
        logs.append(read_run_log(run.log)[1:])
    assert logs[0] != logs[1]
    assert deterministic_digest(logs[0]) == deterministic_digest(logs[1])


def test_a_source_that_cannot_be_had_stops_the_run_before_it_starts(perform):
    with pytest.raises(CannotCheckError, match="no GPU is used"):
        perform(ENERGY="nvml", RUN_LOG="1")


def test_watts_without_the_model_are_refused(perform):
    with pytest.raises(UsageError, match="ENERGY_WATTS=50"):
        perform(ENERGY="auto", ENERGY_WATTS="50")


def test_joules_that_nobody_would_write_are_refused(perform):
    with pytest.raises(UsageError, match="needs RUN_LOG=1 or TELEMETRY=1"):
        perform(ENERGY="auto")
