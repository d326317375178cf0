"""pytest tests/train_gpt_style/vit_rft/test_vit_parity.py — the command that compares two runs."""

import json
import subprocess
import sys

import pytest

from goldenseal.errors import UsageError
from tests.train_gpt_style.cases import ROOT
from train_gpt_style.vit_rft import parity

SHARED = {"steps": 4, "flags": {"eps": "0x1p-3", "betas": [1, 2]}, "batch": 2}


@pytest.fixture
def written(tmp_path):
    """written(name, mode, changes of `shared`): the path of a manifest."""

    def write(name, mode="baseline", **changes):
        path = tmp_path / name
        facts = {"schema": parity.SCHEMA, "mode": mode, "shared": {**SHARED, **changes}}
        path.write_text(json.dumps(facts))
        return str(path)

    return write


def test_equal_facts_are_counted_in_one_line(written, capsys):
    assert parity.main([written("a"), written("b", "rft")]) == 0
    assert capsys.readouterr() == ("baseline and rft may be compared: 4 facts are equal\n", "")


def test_one_difference_is_named_alone_and_of_several_the_first_with_their_number(written, capsys):
    assert parity.main([written("a"), written("b", steps=5)]) == 1
    words = "error: the runs may not be compared: "
    assert capsys.readouterr() == ("", f"{words}steps: 4 and 5\n")
    flags = {"eps": "0x1p-4", "more": 1}
    assert parity.main([written("a"), written("b", steps=5, flags=flags)]) == 1
    assert capsys.readouterr() == ("", f"{words}flags.betas: [1, 2] and absent (and 3 more)\n")


def test_a_fact_that_is_null_is_not_one_that_is_absent(written):
    a, b = map(parity.read_manifest, (written("a", batch=None), written("b")))
    del b["shared"]["batch"]
    assert parity.compare_manifests(a, b) == ["batch: None and absent"]


@pytest.mark.parametrize(
    "facts",
    [
        [],
        {"schema": parity.SCHEMA},
        {"schema": parity.SCHEMA + 1, "shared": {}},
        {"shared": {}},
    ],
    ids=str,
)
def test_what_is_no_manifest_is_refused(facts, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(facts))
    with pytest.raises(UsageError, match=r"a\.json: not a manifest of schema 1$"):
        parity.read_manifest(tmp_path / "a.json")


@pytest.mark.parametrize("arguments", [[], ["a"], ["a", "b", "c"]])
def test_two_manifests_are_wanted(arguments, capsys):
    assert parity.main(arguments) == 2
    assert "give two manifests" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_one_line(tmp_path, capsys):
    assert parity.main([str(tmp_path / "a"), str(tmp_path / "b")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_process_takes_its_arguments_and_gives_its_exit_code(written):
    a, b, c = written("a"), written("b", "rft"), written("c", steps=9)
    command = [sys.executable, "-m", "train_gpt_style.vit_rft.parity"]
    codes = [
        subprocess.run([*command, *pair], cwd=ROOT, capture_output=True, check=False).returncode
        for pair in ((a, b), (a, c), (a,))
    ]
    assert codes == [0, 1, 2]
