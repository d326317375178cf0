"""pytest tests/verify/records/test_record.py

What record.json may say; how a prefix names a record.
"""

import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.errors import UsageError
from goldenseal.records.check import check, resolve
from goldenseal.records.record import OPTIONAL, REQUIRED, read_record, record_folders
from goldenseal.records.seal import seal
from tests.verify.conftest import RECORD, seal_blindly, write_log
from tests.verify.disk.test_canonical import json_values

DIGEST = "0" * 128


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "great"}, "expected one of"),
        ({"schema": 2}, "only schema 1 is known"),
        ({"seeds": "7"}, "`seeds` must be a list"),
        ({"seeds": [7, 8]}, "seed 8 is listed, but `logs` names no log of it"),
        ({"seeds": [7, 7]}, "listed twice"),
        ({"seeds": []}, "a measured record lists its seeds"),
        ({"logs": {"7": "absent.jsonl"}}, "seed 7 is listed"),
        ({"status": "proposal"}, "a proposal record holds no `results`"),
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"name": None}, "`name` must be a str"),
        ({"date": "yesterday"}, "`date` must be a date"),
        ({"date": "20260102"}, "`date` must be a date"),
        ({"seeds": [[7]]}, "`seeds` must be a list of integers"),
        ({"seeds": [True]}, "`seeds` must be a list of integers"),
        ({"seeds": ["7"]}, "`seeds` must be a list of integers"),
        ({"knobs": {"A": 1}}, "`knobs` must be texts by knob"),
        ({"source": {"a.py": "0"}}, "`source` must be SHA-512 digests"),
        ({"data": {"a.bin": 0}}, "`data` must be SHA-512 digests"),
        ({"logs": {"7": ["train.jsonl"]}}, "`logs` must be files of the record"),
        ({"logs": {"7": "../train.jsonl"}}, "`logs` must be files of the record"),
        ({"outputs": ["/etc/hostname"]}, "`outputs` must be a list of files"),
        ({"outputs": [1]}, "`outputs` must be a list of files"),
        ({"envelope": {"loss": -1}}, "`envelope` must be positive numbers"),
        ({"envelope": {"loss": True}}, "`envelope` must be positive numbers"),
        ({"corrects": "the other one"}, "`corrects` must be the identity of a record"),
        ({"verdict": DIGEST.upper() + "0"}, "`verdict` must be a SHA-512 digest"),
    ],
)
def test_a_record_that_claims_too_much_is_refused(record, change, words):
    facts = RECORD | {"logs": {"7": "train.jsonl"}, "results": {}} | change
    (record / "record.json").write_text(json.dumps(facts))
    with pytest.raises(UsageError, match=r"record\.json") as caught:
        read_record(record)
    assert words in str(caught.value)


@given(key=st.sampled_from([*REQUIRED, *OPTIONAL]), value=json_values)
def test_any_value_under_any_key_is_read_or_refused_in_one_line(tmp_path_factory, key, value):
    folder = tmp_path_factory.mktemp("record")
    write_log(folder / "train.jsonl")
    facts = RECORD | {"logs": {"7": "train.jsonl"}, "results": {}} | {key: value}
    (folder / "record.json").write_text(json.dumps(facts))
    try:
        sealed = seal(folder)
    except UsageError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert check(folder).identity == sealed.identity


def test_one_log_does_not_stand_for_two_seeds(record):
    facts = RECORD | {"seeds": [7, 8], "logs": {"7": "train.jsonl", "8": "train.jsonl"}}
    (record / "record.json").write_text(json.dumps(facts))
    with pytest.raises(UsageError, match=r"its header says seed '7', record\.json says '8'"):
        seal(record)


def test_a_log_of_another_seed_does_not_stand_for_the_one_listed(record):
    write_log(record / "train.jsonl", seed=8)
    with pytest.raises(UsageError, match=r"its header says seed '8'"):
        seal(record)


def test_a_prefix_names_a_record_or_says_which_there_are(record, tmp_path):
    identity = seal(record).identity
    assert resolve(tmp_path, identity[:6])[1] == identity
    for prefix, words in (
        ("", "expected lower-case hex"),
        ("XYZ", "expected lower-case hex"),
        ("0" * 20, identity[:12]),
    ):
        with pytest.raises(UsageError, match=words):
            resolve(tmp_path, prefix)


def test_an_ambiguous_prefix_lists_the_candidates(tmp_path):
    firsts = {}
    for number in range(17):  # one of 16 first digits is taken twice at the latest
        folder = tmp_path / "records" / "toy" / f"2026-01-02_Toy{number}"
        folder.mkdir(parents=True)
        facts = RECORD | {"status": "baseline", "name": f"Toy{number}"}
        (folder / "record.json").write_text(json.dumps(facts))
        firsts.setdefault(seal(folder).identity[0], []).append(folder.name)
    digit, names = next((d, names) for d, names in sorted(firsts.items()) if len(names) > 1)
    with pytest.raises(UsageError, match="is ambiguous") as caught:
        resolve(tmp_path, digit)
    assert all(name in str(caught.value) for name in names)


def test_records_are_the_folders_of_tracks_in_order(record, tmp_path):
    shutil.copytree(record, tmp_path / "records" / "another" / "2026-01-01_A")
    (tmp_path / "records" / "toy" / "README.md").write_text("x")
    assert [p.name for p in record_folders(tmp_path)] == ["2026-01-01_A", "2026-01-02_Toy"]


def test_a_forged_record_is_named_though_every_digest_fits(record):
    facts = json.loads((record / "record.json").read_text()) | {"results": {"loss": 0.1}}
    (record / "record.json").write_text(json.dumps(facts | {"seeds": [7, 8]}))
    seal_blindly(record)
    assert check(record).reasons() == [
        "2026-01-02_Toy/record.json: seed 8 is listed, but `logs` names no log of it"
    ]
