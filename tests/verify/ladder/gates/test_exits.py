"""pytest tests/verify/ladder/gates/test_exits.py

However a script ends, what was found is said.
"""

import os
import signal

import pytest

from goldenseal.errors import CannotCheckError
from tests.verify.scripts import ONE_FILE, edited, failed, findings, pair

ENDS = "    main()\n"
FASTER = ('"LR", 0.1', '"LR", 0.2')
IN_THE_END = '        print("final", model(torch.ones(2, 4)).sum().item())\n'
GATES = ("operations", "training", "evaluation and export")


def ending(words, *edits):
    """The toy script; the last line of its main is `words`."""
    return edited(ONE_FILE, (IN_THE_END, f"{IN_THE_END}    {words}\n"), *edits)


@pytest.mark.parametrize("words", ["sys.exit()", "sys.exit(0)", "raise SystemExit", "exit(None)"])
def test_a_script_that_exits_content_is_compared_like_any_other(tmp_path, words):
    gates = pair(tmp_path / "same", ending(words), ending(words)).gates(*GATES)
    assert not failed(gates), findings(gates)
    faster = pair(tmp_path / "faster", ending(words, FASTER), ending(words))
    found = faster.gates("training")
    assert failed(found) == {"training"}
    assert "lr of inner.weight, inner.bias (all that it steps) is 0.2" in findings(found)[0]


def test_exiting_and_returning_are_the_same_normal_end(tmp_path):
    gates = pair(tmp_path, ending("sys.exit(0)")).gates(*GATES)
    assert not failed(gates), findings(gates)


def test_the_command_line_prints_its_table_and_finds_a_doubled_learning_rate(tmp_path):
    done = pair(tmp_path, ending("sys.exit(0)", FASTER), ending("sys.exit(0)")).command(
        "--only", "training"
    )
    assert done.returncode == 1, done.stderr
    assert "FAIL" in done.stdout
    assert "0 of 1 gates pass" in done.stdout


def test_the_command_line_exits_0_only_after_a_table(tmp_path):
    done = pair(tmp_path, ending("sys.exit(0)"), ending("sys.exit(0)")).command(
        "--only", "training"
    )
    assert done.returncode == 0, done.stderr
    assert "1 of 1 gates pass" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("sys.exit(0.0)", "SystemExit: 0.0"),  # Python prints it, and ends with 1
        ("sys.exit(3)", "SystemExit: 3 (train.py:"),
        ("sys.exit('no steam')", "SystemExit: no steam (train.py:"),
        ("sys.exit(True)", "SystemExit: True (train.py:"),
        ("import argparse; argparse.ArgumentParser().parse_args(['--lr'])", "SystemExit: 2"),
    ],
    ids=["no integer", "a number", "a text", "a truth", "argparse"],
)
def test_any_other_exit_is_the_scripts_error_and_only_its_own(tmp_path, words, told):
    gates = pair(tmp_path, ending(words)).gates("training", "initial state")
    assert failed(gates) == {"training"}
    assert f"small: the candidate stopped: {told}" in findings(gates)[0]


def test_scripts_that_both_fail_at_their_end_are_no_pass(tmp_path):
    gates = pair(tmp_path, ending("sys.exit(3)"), ending("sys.exit(3)")).gates("training")
    assert [text.partition(" stopped")[0] for text in findings(gates)] == [
        "training: small: the baseline",
        "training: small: the candidate",
    ]


def test_an_exit_before_the_end_is_seen_by_what_is_missing(tmp_path):
    stop = "        if step == 1:\n            sys.exit(0)\n"
    early = edited(ONE_FILE, ("        loss.backward()\n", f"{stop}        loss.backward()\n"))
    gates = pair(tmp_path, early).gates("training")
    steps, call, line = findings(gates)
    assert steps == "training: small: 1 optimizer steps, expected 3"
    assert "forward (train) 2 (train.py:" in call
    assert "is missing (1 of `forward (train)`, expected 3)" in call
    assert line.startswith("training: small: printed line 1 ")
    assert "is missing" in line


@pytest.mark.parametrize(
    ("words", "code"),
    [("os._exit(0)", 0), ("os._exit(7)", 7), ("os.kill(os.getpid(), 9)", -signal.SIGKILL)],
)
def test_a_script_that_takes_its_process_with_it_cannot_be_checked(tmp_path, words, code):
    told = f"the candidate ended its process, with exit code {code}, before it was over"
    with pytest.raises(CannotCheckError, match=told):
        pair(tmp_path, ending(words)).gates("training")


def test_the_command_line_says_in_one_line_that_a_process_was_ended(tmp_path):
    done = pair(tmp_path, ending("os._exit(0)"), ending("os._exit(0)")).command()
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    assert "ended its process" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        "sys.exit(0)",
        "sys.exit('not today')",
        "import argparse; argparse.ArgumentParser().parse_args(['--lr'])",
        "main(); sys.exit()",
    ],
)
def test_a_script_that_exits_while_it_is_imported_is_named_once(tmp_path, words):
    at_import = edited(ONE_FILE, ('if __name__ == "__main__":\n    main()\n', f"{words}\n"))
    with pytest.raises(CannotCheckError, match="the candidate ends while it is imported") as caught:
        pair(tmp_path, at_import).gates()
    assert "\n" not in str(caught.value)


def test_arguments_of_goldenseal_do_not_reach_a_script_that_parses_its_own(tmp_path):
    parses = edited(
        ONE_FILE,
        ("def main():\n", "import argparse\nOPTIONS = argparse.ArgumentParser()\n"
         'OPTIONS.add_argument("--steps", type=int, default=3)\n'
         "ARGUMENTS = OPTIONS.parse_args()\n\n\ndef main():\n"),
        ("range(STEPS)", "range(ARGUMENTS.steps)"),
    )  # fmt: skip
    done = pair(tmp_path, parses, parses).command("--only", "training", "--jobs", "1")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_a_script_writes_past_python_leaves_the_document_whole(tmp_path):
    loud = ending("os.write(1, b'straight to the descriptor'); os.system('echo from a child')")
    code, document = pair(tmp_path, loud, loud).document("--only", "training")
    assert (code, document["verdict"]) == (0, "pass")


def test_the_process_that_runs_the_gates_is_never_left(tmp_path):
    before = os.getpid()
    pair(tmp_path, ending("sys.exit(0)")).gates("training")
    assert os.getpid() == before
