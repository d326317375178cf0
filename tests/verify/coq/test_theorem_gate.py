"""The gate on a small repository, sound and with each planted defect."""

import itertools
import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from goldenseal.cli import app
from goldenseal.coq import actions, build, toolchain
from goldenseal.coq.gate import check_theorems
from goldenseal.errors import CannotCheckError, ContradictedError
from goldenseal.records.verdict import gate_entry
from goldenseal.result import Verdict

ROOT = Path(__file__).parents[3]
NUMBER = itertools.count()
CODE = """from fractions import Fraction
from goldenseal.coq.constants import PHI, Constant, decimal
GOLDEN = 1.618033988749895
RATE = 0.04
CONSTANTS = [
    Constant("GOLDEN", GOLDEN, PHI, "phi"),
    Constant("RATE", RATE, decimal("0.04"), "a rate"),
]
"""
THEOREM = """(** In words: one is one.
    Does not say: anything else.
    Used by: nobody. *)
Theorem one : 1 = 1.
Proof. reflexivity. Qed.
"""
README = "# Theorems\n<!-- index: generated -->\n<!-- index: end -->\n"


class Repository:
    """A repository with constants; its module has a new name each time, as imports are kept."""

    def __init__(self, root):
        self.root, self.module = root, f"planted_constants_{next(NUMBER)}"
        (root / "theorems").mkdir()
        self.write("pyproject.toml", self.settings())
        self.write(f"{self.module}.py", CODE)
        self.use("GOLDEN", "RATE")
        self.write("theorems/README.md", README)
        self.write("theorems/One.v", THEOREM)
        rounding = (ROOT / "theorems/Rounding.v").read_text("utf-8")
        self.write("theorems/Rounding.v", rounding)
        self.list("Rounding.v", "Constants.v", "One.v")
        actions.regenerate_constants(root)
        actions.renew_index(root)

    def settings(self, more=""):
        return (
            f'[tool.goldenseal]\nconstants = ["{self.module}:CONSTANTS"{more}]\nscan = ["code"]\n'
        )

    def write(self, name, text):
        (self.root / name).parent.mkdir(exist_ok=True)
        (self.root / name).write_text(text, "utf-8")

    def edit(self, name, old, new):
        text = (self.root / name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def list(self, *files):
        self.write("theorems/_CoqProject", "\n".join(["-Q . Goldenseal", *files]) + "\n")

    def use(self, *names):
        """Training code that reads these constants."""
        lines = [f"from {self.module} import {name}\nprint({name})\n" for name in names]
        self.write("code/a.py", "".join(lines))

    def change_constants(self, old, new, use=("GOLDEN", "RATE")):
        """What the code says now, in a module of another name."""
        text = (self.root / f"{self.module}.py").read_text("utf-8")
        assert old in text
        (self.root / f"{self.module}.py").unlink()
        self.module = f"planted_constants_{next(NUMBER)}"
        self.write(f"{self.module}.py", text.replace(old, new))
        self.write("pyproject.toml", self.settings())
        self.use(*use)


@pytest.fixture
def repository(tmp_path):
    yield Repository(tmp_path)
    for name in [name for name in sys.modules if name.startswith("planted_constants_")]:
        del sys.modules[name]


@pytest.fixture
def no_coq(monkeypatch):
    """What can be read is judged before Coq is looked for; without findings it is missed."""

    def absent():
        raise CannotCheckError(f"Coq is not installed; type: {toolchain.INSTALL}")

    monkeypatch.setattr(toolchain, "find", absent)


@pytest.fixture
def findings(repository, no_coq):
    """What the gate finds, after it has read the sound repository and kept that."""
    check_theorems(repository.root)
    assert (build.store_of(repository.root) / "reading.json").is_file()

    def run():
        result = check_theorems(repository.root)
        if result.verdict is Verdict.NOT_RUN:
            return []
        assert result.verdict is Verdict.FAIL
        return list(result.findings)

    return run


def test_without_coq_the_gate_does_not_run_and_prints_the_line_to_type(repository, no_coq):
    result = check_theorems(repository.root)
    assert result.verdict is Verdict.NOT_RUN
    assert "apt-get install -y coq libcoq-flocq libcoq-interval" in result.findings[0]


def test_a_repository_without_theorems_is_not_run(tmp_path):
    assert check_theorems(tmp_path).verdict is Verdict.NOT_RUN


def test_a_sound_repository_has_no_finding_before_compiling(findings):
    assert findings() == []


def test_a_constant_without_a_theorem_is_named(repository, findings):
    new = 'NEW = 0.3\nCONSTANTS = [\n    Constant("NEW", NEW, decimal("0.3"), "new"),\n'
    repository.change_constants("CONSTANTS = [\n", new, use=("GOLDEN", "RATE", "NEW"))
    (finding,) = findings()
    assert finding.startswith("theorems/Constants.v: NEW has no theorem")


def test_a_theorem_for_a_constant_that_is_gone_is_named(repository, findings):
    repository.change_constants('Constant("GOLDEN", GOLDEN, PHI, "phi"),', "", use=["RATE"])
    (finding,) = findings()
    assert "the float GOLDEN is declared by no Constant" in finding
    repository.change_constants("GOLDEN = 1.618033988749895\n", "", use=["RATE"])
    (finding,) = findings()
    assert finding.startswith(
        "theorems/Constants.v: has a theorem for GOLDEN, which the code has no"
    )


def test_a_constant_off_in_its_last_bit_is_named_with_the_right_one(repository, findings):
    repository.change_constants("GOLDEN = 1.618033988749895", "GOLDEN = 1.6180339887498951")
    found = findings()
    assert any(each.startswith("GOLDEN: 1.6180339887498951 is +1 ulp from") for each in found)
    assert any("theorems/Constants.v:" in each and "differs" in each for each in found)


def test_a_generated_file_edited_by_hand_is_named_with_its_line(repository, findings):
    repository.edit("theorems/Constants.v", "7286977268806824", "7286977268806825")
    (finding,) = findings()
    line = (repository.root / "theorems/Constants.v").read_text().splitlines()
    assert "7286977268806825" in line[int(finding.split(":")[1]) - 1]


def test_a_generated_file_that_is_not_listed_leaves_every_constant_without_a_theorem(
    repository, findings
):
    repository.list("Rounding.v", "One.v")
    found = findings()
    assert "theorems/Constants.v: is not listed, so GOLDEN has no theorem" in found
    assert any("Constants.v: is not listed in _CoqProject" in each for each in found)


def test_a_literal_without_a_theorem_is_named_with_its_line(repository, findings):
    repository.write("code/b.py", "x = 1.0\ny = 0.3\n")
    (finding,) = findings()
    assert finding.startswith("code/b.py:2: 0.3 has no theorem; declare it")


def test_a_number_that_equals_a_proved_constant_of_another_name_is_no_such_constant(
    repository, findings
):
    repository.write("code/b.py", "initialise(std=0.04)\n")
    (finding,) = findings()
    assert finding.startswith("code/b.py:1: 0.04 has no theorem")


def test_a_constant_that_no_code_reads_is_named_with_its_module(repository, findings):
    repository.use("GOLDEN")
    repository.write("code/b.py", f"from {repository.module} import RATE\n")
    (finding,) = findings()
    assert finding.startswith(f"{repository.module}.py: RATE is read by no code")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("RATE = 0.04\n", "", "no variable of that name to import: write RATE = 0.04"),
        ("RATE = 0.04\n", "RATE = 0.05\n", "RATE is 0.05, but is declared as 0.04"),
        (
            "RATE = 0.04\n",
            "RATE, TWICE = 0.04, 0.5\n",
            "the float TWICE is declared by no Constant",
        ),
        ('"RATE", RATE,', '"RATE", 0.04,', "0.04 has no theorem; declare it here"),
    ],
)
def test_what_is_proved_is_what_the_code_imports(repository, findings, old, new, said):
    if "TWICE" not in new:  # the Constant must not follow the variable
        repository.change_constants('"RATE", RATE,', '"RATE", 0.04,')
    if old in (repository.root / f"{repository.module}.py").read_text():
        repository.change_constants(old, new)
    assert any(said in each for each in findings())


@pytest.mark.parametrize(
    "line",
    [
        "Lemma no : 1 = 2.\nProof.\nAdmitted.",
        "Axiom no : 1 = 2.",
        "Parameter no : 1 = 2.",
        "Hypothesis no : 1 = 2.",
        "Variable no : 1 = 2.",
        "Conjecture no : 1 = 2.",
        "Unset Guard Checking.",
        "From Goldenseal Require Import Hidden.",
        "Fixpoint f (n : nat) := match n with O => 0 | S k => f (pred (S k)) end.",
    ],
)
def test_what_is_banned_is_named_with_file_and_line_and_never_compiled(repository, findings, line):
    repository.edit("theorems/One.v", THEOREM, f"{THEOREM}(* fine: Admitted *)\n{line}\n")
    (finding,) = findings()
    assert finding.startswith(f"theorems/One.v:{7 + line.count(chr(10))}: ")


def test_a_file_outside_the_project_file_is_named(repository, findings):
    repository.write("theorems/Stray.v", "Axiom no : 1 = 2.\n")
    (finding,) = findings()
    assert finding.startswith("theorems/Stray.v: is not listed in _CoqProject")


def test_a_stale_index_and_a_silent_theorem_are_named(repository, findings):
    repository.edit("theorems/One.v", "Used by: nobody.", "")
    assert [each.split(" ")[0] for each in findings()] == [
        "theorems/One.v:4:",
        "theorems/README.md:",
    ]


def test_where_a_table_is_kept_the_gate_names_the_theorem_whose_code_is_gone(repository, findings):
    rounding = (repository.root / "theorems/Rounding.v").read_text("utf-8")
    rounding = re.sub(r"(Code|Test): \S+", r"\1: none", rounding)  # it speaks of this repository
    repository.write("theorems/Rounding.v", rounding)
    tie = "nobody.\n    Code: code/a.py:work\n    Test: code/test_a.py:test_work"
    repository.edit("theorems/One.v", "nobody.", tie)
    repository.write(
        "code/a.py", "def work(): pass\n" + (repository.root / "code/a.py").read_text()
    )
    repository.write("code/test_a.py", "def test_work(): work()\n")
    repository.write("docs/theorem-table.md", "")
    assert [each.split(":")[0] for each in findings()] == ["docs/theorem-table.md"]
    assert actions.renew_table(repository.root)
    assert findings() == []
    repository.edit("code/a.py", "def work", "def rest")
    (finding,) = findings()
    assert finding.startswith("theorems/One.v:6: One.one speaks of code/a.py:work, but code/a.py")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("no_such_module:X", "cannot be loaded"),
        ("json:dumps_", "cannot be loaded"),
        ("json:__all__", "not from the repository"),
        ("json", "not of the form module:object"),
    ],
)
def test_constants_that_cannot_be_read_are_a_finding(repository, findings, place, said):
    repository.write("pyproject.toml", repository.settings(f', "{place}"'))
    (finding,) = findings()
    assert said in finding


def test_constants_may_come_from_a_callable_and_must_be_unique(repository, findings):
    text = "from {} import CONSTANTS\ndef some():\n    return CONSTANTS[:1]\nnone = 3\nbad = [1]\n"
    repository.write(f"{repository.module}_more.py", text.format(repository.module))
    for name, said in [("some", "GOLDEN a second time"), ("none", "not an it"), ("bad", "not a C")]:
        more = f', "{repository.module}_more:{name}"'
        repository.write("pyproject.toml", repository.settings(more))
        assert said in findings()[0]


@pytest.mark.parametrize(
    "text", ["[tool", "[tool.goldenseal]\nscan = 3", "tool.goldenseal.scan=[1]"]
)
def test_settings_of_another_shape_are_a_finding(repository, findings, text):
    repository.write("pyproject.toml", text)
    assert findings()[0].startswith("pyproject.toml: ")


def test_regenerating_refuses_a_false_constant_and_is_idempotent(repository):
    assert actions.regenerate_constants(repository.root) is False
    repository.change_constants("GOLDEN = 1.618033988749895", "GOLDEN = 1.6180339887498951")
    with pytest.raises(ContradictedError, match=r"\+1 ulp"):
        actions.regenerate_constants(repository.root)


def test_pinning_refuses_what_is_banned(repository):
    repository.edit("theorems/One.v", "Proof. reflexivity. Qed.", "Admitted.")
    with pytest.raises(ContradictedError, match=r"One\.v:5: `Admitted`"):
        actions.pin_statements(repository.root)


@pytest.fixture
def small(repository, tools):
    """Without constants the repository needs no real numbers, and builds in a second."""
    repository.change_constants(CODE, "CONSTANTS = []\n")
    repository.write("code/a.py", "x = 0.5\n")
    for name in ("Rounding.v", "Constants.v"):
        (repository.root / "theorems" / name).unlink()
    repository.list("One.v")
    actions.renew_index(repository.root)
    actions.pin_statements(repository.root)
    return repository


def test_a_sound_repository_passes_and_says_the_same_each_time(small):
    first, second = check_theorems(small.root), check_theorems(small.root)
    assert first == second
    assert first.verdict is Verdict.PASS
    assert first.summary.startswith("1 theorems from allowed axioms, 0 computed facts")
    assert first.evidence["statements"] == {"One.one": "One.one : 1 = 1"}


def command(repository, action):
    return CliRunner().invoke(app, ["theorems", action, "--root", str(repository.root)])


def test_the_verdict_says_which_kernel_was_trusted_and_what_is_known_of_it(small, tools):
    result = check_theorems(small.root)
    trusted = gate_entry(result)["trusted"]
    assert trusted["coqc"] == trusted["coqchk"] == tools.version
    assert any("#20455" in each for each in trusted["known"])
    shown = command(small, "check")
    assert shown.exit_code == 0
    assert f"trusted: coqc and coqchk {tools.version}" in shown.stdout


def test_a_weakened_theorem_fails_until_somebody_pins_it(small):
    small.edit("theorems/One.v", "Theorem one : 1 = 1.", "Theorem one : 1 = 1 \\/ 1 = 2.")
    small.edit("theorems/One.v", "Proof. reflexivity.", "Proof. left; reflexivity.")
    result = check_theorems(small.root)
    assert result.verdict is Verdict.FAIL
    (finding,) = result.findings
    assert (
        "One.one has changed: pinned `One.one : 1 = 1`, now `One.one : 1 = 1 \\/ 1 = 2`" in finding
    )
    assert command(small, "check").exit_code == 1
    assert "theorems/statements.json: changed" in command(small, "refresh").stdout
    assert "theorems/statements.json: unchanged" in command(small, "refresh").stdout
    passed = command(small, "check")
    assert passed.exit_code == 0
    assert "theorems: pass" in passed.stdout


def test_a_stale_object_between_the_sources_fails(small):
    (small.root / "theorems/One.vo").write_bytes(b"old")
    (finding,) = check_theorems(small.root).findings
    assert finding.startswith("theorems/One.vo: is stale")


def test_a_proof_that_does_not_compile_is_named_with_its_line(small):
    small.edit("theorems/One.v", "1 = 1", "1 = 2")
    (finding,) = check_theorems(small.root).findings
    assert finding.startswith("theorems/One.v:5: does not compile")


def test_a_tool_that_does_not_end_is_not_a_pass(small, monkeypatch):
    def late(*arguments, **options):
        raise CannotCheckError("coqc One.v did not end within 120 s")

    monkeypatch.setattr(toolchain.Toolchain, "run", late)
    small.edit("theorems/One.v", "nobody", "somebody")
    actions.renew_index(small.root)
    assert check_theorems(small.root).verdict is Verdict.NOT_RUN
