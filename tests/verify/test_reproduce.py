"""pytest tests/verify/test_reproduce.py — each cause of a failed re-run gets its own verdict."""

import pytest

from verify.check import resolve
from verify.config import system
from verify.errors import CannotCheckError, ContradictedError
from verify.make_record import make_record
from verify.reproduce import reproduce
from verify.seal import seal


def quiet(line):
    """Shows nothing."""


@pytest.fixture
def sealed(toy):
    """A sealed record of the toy system, and its prefix."""
    folder = toy.root / "records" / "toy" / "2026-01-02_Toy"
    make_record(toy.root, system(toy.root, "toy"), folder, {"TOY_FACTOR": "0.5"}, quiet)
    (folder / "README.md").write_text("A toy.\n")
    toy.prefix = seal(folder).identity[:8]
    toy.folder = folder
    return toy


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
        "README.md", "SHA512SUMS", "record.json", "seal.json", "train.jsonl", "weights.bin",
    ]  # fmt: skip
    for path in sealed.folder.iterdir():
        assert str(sealed.root).encode() not in path.read_bytes()


def test_a_divergence_names_step_key_and_both_values(sealed):
    sealed.write_system(bias="{3: 1e-9}")
    outcome = reproduce(sealed.root, sealed.prefix, quiet)
    assert (outcome.verdict, outcome.exit_code) == ("diverged", 1)
    assert outcome.reason == (
        f"step 3: loss is {(0.5 + 1e-9).hex()} (0.500000001), sealed {(0.5).hex()} (0.5); "
        "relative difference 2e-09"
    )
    assert "toysystem/__main__.py changed" in outcome.notes[0]


def test_other_bytes_on_another_numeric_class_contradict_nothing(sealed):
    sealed.write_system(bias="{3: 1e-9}", cpu="'y'")
    outcome = reproduce(sealed.root, sealed.prefix, quiet)
    assert (outcome.verdict, outcome.exit_code) == ("other-class", 3)


def test_equal_bytes_on_another_numeric_class_are_bitwise(sealed):
    sealed.write_system(cpu="'y'")
    outcome = reproduce(sealed.root, sealed.prefix, quiet)
    assert outcome.verdict == "bitwise"
    assert "the numeric class is another one" in outcome.notes


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
    assert "make data" in outcome.reason


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
    assert "fewer steps" in reproduce(sealed.root, sealed.prefix, quiet, steps=9).reason


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
