"""pytest tests/verify/reproduce/test_reproduce.py

Each cause of a failed re-run gets its own verdict.
"""

import hashlib
import json
import subprocess

import pytest

from goldenseal.config import system
from goldenseal.errors import CannotCheckError, ContradictedError, UsageError
from goldenseal.launch.make_record import make_record
from goldenseal.launch.process import THREADS
from goldenseal.records.check import resolve
from goldenseal.records.history import restore_source
from goldenseal.records.seal import seal
from goldenseal.records.source import read_source
from goldenseal.reproduce.rerun import class_note, reproduce, sealed_variables


def quiet(line):
    """Shows nothing."""


def refuse_to_run(line):
    """Fails when the system prints, that is when it was started at all."""
    raise RuntimeError(f"started: {line}")


@pytest.fixture
def sealed(toy):
    """A sealed record of the toy system, and its prefix."""
    folder = toy.root / "records" / "toy" / "2026-01-02_Toy"
    make_record(toy.root, system(toy.root, "toy"), folder, {"TOY_FACTOR": "0.5"}, quiet)
    (folder / "README.md").write_text("A toy.\n")
    toy.prefix = seal(folder).identity[:8]
    toy.folder = folder
    return toy


def reseal(toy, **change):
    """Seal the record anew, with other facts: what a stranger could send us."""
    for name in ("SHA512SUMS", "seal.json"):
        (toy.folder / name).unlink()
    path = toy.folder / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    toy.prefix = seal(toy.folder).identity[:8]


def test_an_equal_run_is_bitwise(sealed):
    outcome = reproduce(sealed.root, sealed.prefix, quiet)
    assert (outcome.verdict, outcome.exit_code) == ("bitwise", 0)
    assert outcome.compared == "4 steps, 6 log lines, 1 files"
    assert outcome.notes == [
        "the source is the sealed one",
        "the numeric class is the sealed one",
    ]


def test_a_record_holds_no_link_and_no_path_of_this_machine(sealed):
    names = sorted(p.name for p in sealed.folder.iterdir())
    assert names == [
        "README.md", "SHA512SUMS", "check_seal.py", "record.json", "seal.json", "train.jsonl",
        "weights.bin",
    ]  # fmt: skip
    for path in sealed.folder.iterdir():
        assert str(sealed.root).encode() not in path.read_bytes()


def test_a_divergence_names_step_key_and_both_values(sealed):
    sealed.write_system(bias="{3: 1e-9}")
    outcome = reproduce(sealed.root, sealed.prefix, quiet)
    assert (outcome.verdict, outcome.exit_code) == ("diverged", 1)
    assert outcome.reason == (
        f"step 3: loss is {(0.5 + 1e-9).hex()} (0.500000001), sealed {(0.5).hex()} (0.5); "
        "relative difference 2e-09, 9007199 ulp of float64"
    )
    assert "toysystem/__main__.py changed" in outcome.notes[0]


def commit(root):
    """Everything there is, in one commit."""
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    for arguments in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "all"]):
        subprocess.run(["git", *arguments], cwd=root, check=True)


def test_a_changed_source_is_taken_from_the_history_and_leaves_the_tree_alone(sealed):
    commit(sealed.root)
    sealed.write_system(bias="{3: 1e-9}")
    changed = (sealed.root / "toysystem" / "__main__.py").read_bytes()
    outcome = reproduce(sealed.root, sealed.prefix, quiet)
    assert outcome.verdict == "bitwise"
    assert outcome.notes[0] == "the sealed source was run, from this repository's history"
    assert (sealed.root / "toysystem" / "__main__.py").read_bytes() == changed
    assert reproduce(sealed.root, sealed.prefix, quiet, present=True).verdict == "diverged"


def test_a_source_that_the_history_lacks_in_part_is_not_run_in_part(sealed, tmp_path):
    commit(sealed.root)
    reseal(sealed, source={**read_source(sealed.root).files, "toysystem/more.py": "0" * 128})
    outcome = reproduce(sealed.root, sealed.prefix, quiet)
    assert outcome.verdict == "bitwise"
    assert "the source differs from the sealed one: toysystem/more.py is gone" in outcome.notes


def test_a_name_that_climbs_out_of_the_folder_is_never_written(sealed, tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    digest = hashlib.sha512((sealed.root / "pyproject.toml").read_bytes()).hexdigest()
    sealed_files = {"../pyproject.toml": digest, "pyproject.toml": digest}
    assert restore_source(sealed.root, sealed_files, inside) == ["../pyproject.toml"]
    assert sorted(p.name for p in inside.rglob("*")) == ["pyproject.toml"]
    assert not (tmp_path / "pyproject.toml").exists()


def test_other_bytes_on_another_numeric_class_contradict_nothing(sealed):
    sealed.write_system(bias="{3: 1e-9}", cpu="'y'")
    outcome = reproduce(sealed.root, sealed.prefix, quiet)
    assert (outcome.verdict, outcome.exit_code) == ("other-class", 3)


def test_equal_bytes_on_another_numeric_class_are_bitwise(sealed):
    sealed.write_system(cpu="'y'")
    outcome = reproduce(sealed.root, sealed.prefix, quiet)
    assert outcome.verdict == "bitwise"
    assert "another numeric class: numeric class.cpu is y, sealed x" in outcome.notes


@pytest.mark.parametrize(
    ("text", "words"), [("4 2 1 9", "is another one"), (None, "leads nowhere")]
)
def test_other_data_makes_the_run_unrunnable_and_is_named(sealed, text, words):
    path = sealed.root / "data" / "tokens.txt"
    path.unlink()
    if text:
        path.write_text(text)
    outcome = reproduce(sealed.root, sealed.prefix, quiet)
    assert (outcome.verdict, outcome.exit_code) == ("unrunnable", 3)
    assert words in outcome.reason
    assert "fetch the" in outcome.reason


def test_a_run_that_fails_is_unrunnable_with_its_last_line(sealed):
    (sealed.root / "toysystem" / "__main__.py").write_text("raise SystemExit('no steam')")
    outcome = reproduce(sealed.root, sealed.prefix, quiet)
    assert (outcome.verdict, outcome.reason) == (
        "unrunnable",
        "python -m toysystem ended with 1: no steam",
    )


def test_the_first_steps_can_be_compared_alone(sealed):
    sealed.write_system(bias="{4: 1.0}")
    assert reproduce(sealed.root, sealed.prefix, quiet, steps=3).verdict == "bitwise"
    assert reproduce(sealed.root, sealed.prefix, quiet, steps=4).verdict == "diverged"
    assert "fewer steps" in reproduce(sealed.root, sealed.prefix, refuse_to_run, steps=9).reason
    with pytest.raises(UsageError, match="at least one step"):
        reproduce(sealed.root, sealed.prefix, quiet, steps=0)


def test_a_broken_seal_is_not_re_run(sealed):
    (sealed.folder / "weights.bin").write_bytes(b"0")
    with pytest.raises(ContradictedError, match=r"weights\.bin changed"):
        reproduce(sealed.root, sealed.prefix, quiet)


def test_a_record_of_a_failed_run_is_not_made(toy):
    folder = toy.root / "records" / "toy" / "2026-01-02_Toy"
    with pytest.raises(CannotCheckError, match="no steam"):
        make_record(toy.root, system(toy.root, "toy"), folder, {"TOY_CRASH": "1"}, quiet)
    assert not (folder / "record.json").exists()


def test_the_record_says_knobs_data_source_and_results(sealed):
    record, _ = resolve(sealed.root, sealed.prefix)
    assert record.get("knobs")["TOY_FACTOR"] == "0.5"
    assert set(record.get("data")) == {"tokens.txt"}
    assert "toysystem/__main__.py" in record.get("source")
    assert record.get("results") == {"loss": 4.0, "steps": 4}


@pytest.mark.parametrize("variable", ["PYTHONPATH", "LD_PRELOAD", "PATH", "PYTHONSTARTUP", "HOME"])
def test_a_record_cannot_set_a_variable_that_is_no_knob(sealed, variable):
    evil = sealed.root / "records" / "toy" / "evil"
    evil.mkdir()
    (evil / "sitecustomize.py").write_text("open('started', 'w')")
    knobs = {"TOY_FACTOR": "0.5", "TOY_DATA": "./data/tokens.txt", variable: str(evil)}
    reseal(sealed, knobs=knobs)
    (evil / "sitecustomize.py").unlink()
    evil.rmdir()
    outcome = reproduce(sealed.root, sealed.prefix, refuse_to_run)
    assert outcome.verdict == "unrunnable"
    assert outcome.reason == f"the record sets {variable!r}, which is no knob of toy"


def test_no_module_comes_from_the_folder_of_the_run(sealed):
    main = sealed.root / "toysystem" / "__main__.py"
    guard = "import os, sys\nif '' in sys.path or os.getcwd() in sys.path: sys.exit('unsafe')\n"
    main.write_text(guard + main.read_text())
    assert reproduce(sealed.root, sealed.prefix, quiet).verdict == "bitwise"


@pytest.mark.parametrize("path", ["../tokens.txt", "data/../../tokens.txt", "/x/../tokens.txt", ""])
def test_a_path_that_climbs_is_not_followed_and_no_link_is_made(sealed, path):
    (sealed.root.parent / "tokens.txt").write_text("4 2 1 8")
    reseal(sealed, knobs={"TOY_FACTOR": "0.5", "TOY_DATA": path})
    outcome = reproduce(sealed.root, sealed.prefix, refuse_to_run)
    assert outcome.verdict == "unrunnable"
    assert "is no path inside the repository, nor absolute" in outcome.reason


def test_an_output_that_the_record_does_not_hold_cannot_be_compared(sealed):
    reseal(sealed, outputs=["weights.bin", "other.bin"])
    outcome = reproduce(sealed.root, sealed.prefix, quiet)
    assert outcome.verdict == "unrunnable"
    assert "lists the output other.bin, but does not hold it" in outcome.reason


def test_an_output_that_the_record_leaves_out_is_noted(sealed):
    reseal(sealed, outputs=[])
    outcome = reproduce(sealed.root, sealed.prefix, quiet)
    assert outcome.verdict == "bitwise"
    assert outcome.compared == "4 steps, 6 log lines, 0 files"
    assert "weights.bin is not among the record's outputs: not compared" in outcome.notes


def test_an_output_with_other_bytes_under_an_equal_log_is_a_divergence(sealed):
    main = sealed.root / "toysystem" / "__main__.py"
    main.write_text(main.read_text() + "\nPath('weights.bin').write_bytes(b'4.1')")
    outcome = reproduce(sealed.root, sealed.prefix, quiet)
    assert (outcome.verdict, outcome.reason) == (
        "diverged",
        "weights.bin: other bytes, from byte 2 on",
    )
    main.write_text(main.read_text() + "\nPath('weights.bin').unlink()")
    assert reproduce(sealed.root, sealed.prefix, quiet).reason == "weights.bin: was not written"


@pytest.mark.parametrize("text", ["pass", "open('train.jsonl', 'w').write('{}')"])
def test_a_run_without_a_whole_log_is_unrunnable(sealed, text):
    (sealed.root / "toysystem" / "__main__.py").write_text(text)
    outcome = reproduce(sealed.root, sealed.prefix, quiet)
    assert (outcome.verdict, outcome.exit_code) == ("unrunnable", 3)
    assert "the re-run left no whole log" in outcome.reason


@pytest.mark.parametrize(
    ("envelope", "cpu", "verdict", "code"),
    [
        ({"loss": 1e-3}, "'x'", "within-envelope", 0),
        ({"loss": 1e-9}, "'x'", "diverged", 1),
        ({"loss": 1e-3, "accuracy": 1.0}, "'x'", "diverged", 1),
        ({"loss": 1e-3}, "'y'", "other-class", 3),
    ],
)
def test_a_stated_envelope_is_the_only_excuse_and_only_in_the_same_class(
    sealed, envelope, cpu, verdict, code
):
    reseal(sealed, envelope=envelope)
    sealed.write_system(bias="{4: 4e-4}", cpu=cpu)
    outcome = reproduce(sealed.root, sealed.prefix, quiet)
    assert (outcome.verdict, outcome.exit_code) == (verdict, code)
    assert outcome.reason.startswith("step 4: loss is")
    assert "the final results differ by at most 0.0001, relative ('loss')" in outcome.notes


def test_the_data_may_lie_elsewhere_on_this_machine(sealed, tmp_path):
    (sealed.root / "data" / "tokens.txt").rename(tmp_path / "tokens.txt")
    assert reproduce(sealed.root, sealed.prefix, quiet).verdict == "unrunnable"
    local = {"TOY_DATA": str(tmp_path / "tokens.txt")}
    assert reproduce(sealed.root, sealed.prefix, quiet, local=local).verdict == "bitwise"
    with pytest.raises(UsageError, match="TOY_FACTOR is sealed"):
        reproduce(sealed.root, sealed.prefix, refuse_to_run, local={"TOY_FACTOR": "1"})


def test_data_that_was_not_sealed_is_noted_since_a_run_may_read_it(sealed):
    facts = json.loads((sealed.folder / "record.json").read_text())
    (sealed.root / "data" / "more.txt").write_text("1")
    reseal(sealed, knobs=facts["knobs"] | {"TOY_DATA": "data"})
    outcome = reproduce(sealed.root, sealed.prefix, quiet)
    assert "data that was not sealed lies beside it: more.txt" in outcome.notes


def test_two_different_data_files_of_one_name_are_not_told_apart(toy):
    from goldenseal.config import System
    from goldenseal.launch.process import data_digests

    (toy.root / "other").mkdir()
    (toy.root / "other" / "tokens.txt").write_text("another")
    entry = System("toy", "toysystem", "", local_knobs=("A", "B"))
    with pytest.raises(CannotCheckError, match=r"two different data files are called tokens\.txt"):
        data_digests(toy.root, entry, {"A": "data", "B": "other"})


def test_the_outcome_as_json_says_everything(sealed):
    document = json.loads(json.dumps(reproduce(sealed.root, sealed.prefix, quiet).to_json()))
    assert set(document) == {
        "record", "identity", "verdict", "reason", "compared", "step", "notes", "system", "cell",
        "steps", "from_step", "source", "sealed_source", "numeric_class", "same_class",
    }  # fmt: skip
    assert document["record"] == "records/toy/2026-01-02_Toy"


def test_results_that_are_no_numbers_are_null_and_texts_stay():
    from goldenseal.launch.make_record import results

    end = {
        "kind": "end",
        "clock": {},
        "a": "nan",
        "b": "-inf",
        "c": (0.5).hex(),
        "d": "text",
        "e": 3,
    }
    assert results(end) == {"a": None, "b": None, "c": 0.5, "d": "text", "e": 3}


@pytest.mark.parametrize(
    ("settings", "variables"),
    [
        ({"OMP_NUM_THREADS": "3"}, dict.fromkeys(THREADS, "3")),
        ({"CUDA_VISIBLE_DEVICES": ""}, {"CUDA_VISIBLE_DEVICES": ""}),
        ({"CUDA_VISIBLE_DEVICES": "2"}, {}),  # it may be another GPU here
        ({"CUDA_VISIBLE_DEVICES": None, "OMP_NUM_THREADS": None}, {}),
        ({"OMP_NUM_THREADS": "3;", "LD_PRELOAD": "x.so"}, {}),
        ("x", {}),
    ],
)
def test_of_a_sealed_environment_the_threads_and_hidden_gpus_are_taken(settings, variables):
    assert sealed_variables({"numeric_class": {"settings": settings}}) == variables
    assert sealed_variables({}) == sealed_variables({"numeric_class": None}) == {}


def test_a_variable_that_was_set_to_nothing_is_shown_as_such():
    hidden, unset = ({"numeric_class": {"settings": {"X": x}}} for x in ("", None))
    note = class_note(hidden, unset)
    assert note == 'another numeric class: numeric class.settings.X is null, sealed ""'
