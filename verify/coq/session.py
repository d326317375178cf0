"""Asks Coq what a compiled project states, and on which axioms each statement rests.

The project's modules are required but not imported, so no notation of theirs is in force: what is
printed means what it says.
"""

import re
from pathlib import Path

from verify.coq.axioms import assumptions, is_allowed
from verify.coq.project import FACT, Declaration, Project
from verify.coq.rules import library_modules
from verify.coq.toolchain import Toolchain
from verify.errors import CannotCheckError

_SECONDS = 300.0
_MARK = "@@goldenseal "


def statements(project: Project, toolchain: Toolchain, compiled: Path) -> dict[str, str]:
    """Name -> the statement of each theorem and the body of each definition, as Coq prints it."""
    declared = project.declarations()
    asked = [
        f"Check @{_full(project, each)}." if each.is_theorem else f"Print {_full(project, each)}."
        for each in declared
    ]
    printed = _ask(project, toolchain, compiled, asked)
    return {
        each.name: " ".join(text.partition("\n\nArguments ")[0].split())
        for each, text in zip(declared, printed, strict=True)
    }


def axiom_findings(project: Project, toolchain: Toolchain, compiled: Path) -> list[str]:
    """One line for each theorem with an axiom that is not allowed, or each Fact with any axiom.

    All facts are asked about at once, and all other theorems, since walking through the real
    numbers takes Coq most of a second; single ones are asked only to name the culprit.
    """
    theorems = [each for each in project.declarations() if each.is_theorem]
    facts = [each for each in theorems if each.kind == FACT]
    others = [each for each in theorems if each.kind != FACT]
    for_facts, for_others = _assumptions(project, toolchain, compiled, [facts, others])
    suspects = facts if for_facts else []
    suspects += others if not all(map(is_allowed, for_others)) else []
    findings = []
    answers = _assumptions(project, toolchain, compiled, [[each] for each in suspects])
    for each, names in zip(suspects, answers, strict=True):
        bad = [name for name in names if each.kind == FACT or not is_allowed(name)]
        if bad:
            why = "a Fact rests on no axiom" if each.kind == FACT else "not on the allow-list"
            findings.append(
                f"{each.file}:{each.line}: {each.name} rests on {', '.join(bad)}: {why}"
            )
    return findings


def _assumptions(
    project: Project, toolchain: Toolchain, compiled: Path, groups: list[list[Declaration]]
) -> list[list[str]]:
    """The axioms of each group of theorems together."""
    asked = []
    for number, group in enumerate(groups):
        uses = "".join(f"let _ := @{_full(project, each)} in " for each in group)
        asked.append(
            f"Definition group_{number} : True := {uses}I.\nPrint Assumptions group_{number}."
        )
    return [assumptions(text) for text in _ask(project, toolchain, compiled, asked)]


def _full(project: Project, declaration: Declaration) -> str:
    return f"{project.prefix}.{declaration.name}"


def _preamble(project: Project) -> list[str]:
    """Scopes to print numbers readably, and the project's modules, not imported."""
    libraries = library_modules(project)
    lines = ["From Coq Require Import ZArith."]
    if ("Flocq", "Core") in libraries:
        lines.append("From Flocq Require Import Core.")
    if ("Coq", "Reals") in libraries:
        lines += ["From Coq Require Import Reals.", "Open Scope R_scope."]
    names = " ".join(source.module for source in project.sources)
    return [
        *lines,
        f"From {project.prefix} Require {names}.",
        "Set Printing Width 1000000.",
        "Set Printing Depth 1000000.",
    ]


def _ask(project: Project, toolchain: Toolchain, compiled: Path, asked: list[str]) -> list[str]:
    """Coq's answer to each question. Raises CannotCheckError when it does not answer all."""
    if not asked:
        return []
    lines = _preamble(project)
    for number, question in enumerate(asked):
        lines += [f'Goal True. idtac "{_MARK}{number}". Abort.', question]
    folder = compiled / "session"
    folder.mkdir(exist_ok=True)
    (folder / "Session.v").write_text("\n".join(lines) + "\n", "utf-8")
    arguments = ["-q", "-noglob", "-w", "none", "-Q", ".", project.prefix, "session/Session.v"]
    done = toolchain.run(toolchain.coqc, arguments, cwd=compiled, seconds=_SECONDS)
    answers = re.split(rf"^{_MARK}\d+\n", done.stdout, flags=re.MULTILINE)[1:]
    if done.returncode or len(answers) != len(asked):
        said = " ".join(done.stdout[-400:].split())
        raise CannotCheckError(f"Coq did not answer all questions about {project.prefix}: {said}")
    return [answer.strip() for answer in answers]
