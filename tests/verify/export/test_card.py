"""pytest tests/verify/export/test_card.py

A Hugging Face card of a record: each number in it is the record's, and a wrong one is red.
"""

import json
import re
import statistics

import pytest

from goldenseal.audit.auditor import audit
from goldenseal.audit.model import Outcome
from goldenseal.claims import command
from goldenseal.disk import canonical
from goldenseal.errors import UsageError
from goldenseal.export.card import digits, write_card
from goldenseal.records.seal import seal

huggingface_hub = pytest.importorskip("huggingface_hub")

RUN = "records/track_cpu_small/2026-11-23_SmallGPT"
STUDY = "records/track_cpu_small/2026-11-23_FeatureStudy"


@pytest.fixture
def card(root, tmp_path, request, monkeypatch):
    """The folder of a record's card, in a repository that holds the record."""
    monkeypatch.chdir(root)
    write_card(root / request.param, tmp_path / "card")
    return tmp_path / "card"


def facts_of(root, record):
    return json.loads((root / record / "record.json").read_text())


@pytest.mark.parametrize("card", [RUN, STUDY], indirect=True)
def test_the_numbers_of_a_card_are_bound_and_hold_and_a_changed_one_is_red(card):
    path = card / "README.md"
    judged = command.claims([path], fix=False)
    assert judged.exit_code == 0
    text = path.read_text()
    number = re.search(r"(\d\.\d+)<!--=c\d+-->", text)
    wrong = number[0].replace(number[1], digits(float(number[1]) + 0.001))
    path.write_text(text.replace(number[0], wrong))
    assert command.claims([path], fix=False).exit_code == 1
    command.claims([path], fix=True)
    assert path.read_text() == text


@pytest.mark.parametrize("card", [RUN], indirect=True)
def test_the_hubs_own_library_reads_the_results_of_a_run(card, root):
    read = huggingface_hub.ModelCard.load(card / "README.md")
    facts = facts_of(root, RUN)
    assert {each.metric_type: each.metric_value for each in read.data.eval_results} == (
        facts["results"]
    )
    for each in read.data.eval_results:
        assert (each.metric_args["n"], each.metric_args["seeds"]) == (1, [1597])
    assert json.loads((card / "all_results.json").read_text()) == facts["results"]


@pytest.mark.parametrize("card", [STUDY], indirect=True)
def test_means_n_and_seeds_of_a_study_follow_from_the_runs_beside_the_card(card):
    read = huggingface_hub.ModelCard.load(card / "README.md")
    paths = sorted((card / "runs").rglob("metrics.jsonl"))
    runs = {path.parent.relative_to(card / "runs").as_posix(): path for path in paths}
    assert len(runs) == 15
    assert len(read.data.eval_results) == 5 * 6
    for each in read.data.eval_results:
        told = each.metric_args
        chosen = [runs[f"{told['configuration']}/{seed}"] for seed in told["seeds"]]
        values = [json.loads(path.read_text())[each.metric_type] for path in chosen]
        assert each.metric_value == statistics.fmean(values)
        assert told["sd"] == statistics.stdev(values)
        assert (told["n"], told["statistic"]) == (len(values), "mean")
        assert told["seeds"] == [1597, 2584, 4181]


@pytest.mark.parametrize("card", [RUN, STUDY], indirect=True)
def test_the_audit_finds_it_consistent_and_a_changed_number_not(card):
    (verdict,) = audit([card])
    assert verdict.outcome is not Outcome.MISMATCH, verdict
    if verdict.form == "none":
        pytest.skip("no form of the audit reads such folders")
    assert verdict.outcome is Outcome.CONSISTENT, verdict
    path = card / "README.md"
    text = path.read_text()
    cell = re.search(r"\| (\d\.\d{5})<!--=c\d+-->", text)
    path.write_text(text.replace(cell[0], cell[0].replace(cell[1], digits(float(cell[1]) + 0.5))))
    assert audit([card])[0].outcome is Outcome.MISMATCH


def test_a_card_alone_is_one_file(root, tmp_path):
    write_card(root / RUN, tmp_path / "README.md")
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    with pytest.raises(UsageError, match="exists"):
        write_card(root / RUN, tmp_path / "README.md")
    with pytest.raises(UsageError, match="which is sealed"):
        write_card(root / RUN, root / RUN / "CARD.md")


@pytest.mark.parametrize(
    "record",
    [
        "records/track_non_record_16mb/2026-11-23_GoldenSunflowers_Proposal",
        "records/track_10min_16mb/2026-03-17_LoRA_TTT",
        "tests/fixtures/sealed/incomplete-v0.2",
    ],
)
def test_a_record_without_results_has_no_card(root, tmp_path, record):
    with pytest.raises(UsageError, match="holds no results"):
        write_card(root / record, tmp_path / "card")
    assert list(tmp_path.iterdir()) == []


def test_names_of_strangers_are_only_text(tmp_path, record):
    odd = 'loss --> | <script>"x"</script>\n---\n- a: `b` ]'
    facts = json.loads((record / "record.json").read_text())
    facts |= {"results": {odd: 0.5, "nan": None, "deep": {"x": 1}}, "name": odd}
    (record / "record.json").write_bytes(canonical.dumps(facts))
    seal(record)
    write_card(record, tmp_path / "card")
    read = huggingface_hub.ModelCard.load(tmp_path / "card" / "README.md")
    assert [each.metric_type for each in read.data.eval_results] == [odd]
    assert "<script>" not in read.text
    assert "\n---\n" not in read.text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (0.5, "0.5"),
        (1e-9 / 3, "0.000000000333333"),
        (123456789.0, "123457000"),
        (0.0, "0"),
    ],
)
def test_numbers_are_plain_decimals(value, text):
    assert digits(value) == text
