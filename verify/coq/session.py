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


def interrogate(
    project: Project, toolchain: Toolchain, compiled: Path
) -> tuple[dict[str, str], list[str]]:
    """(statements, findings) of a compiled project.

    Statements map each name to what its theorem states or its definition means. A finding is a
    theorem with an axiom that is not allowed, or a Fact with any axiom.

    All facts are asked about at once, and all other theorems, since walking through the real
    numbers takes Coq most of a second; single ones are asked only to name the culprit.
    """
    declared = project.declarations()
    theorems = [each for each in declared if each.is_theorem]
    facts = [each for each in theorems if each.kind == FACT]
    others = [each for each in theorems if each.kind != FACT]
    asked = [_assumptions(project, facts, "facts"), _assumptions(project, others, "others")]
    asked += [_statement(project, each) for each in declared]
    for_facts, for_others, *printed = _ask(project, toolchain, compiled, asked)
    statements = {
        each.name: " ".join(text.partition("\n\nArguments ")[0].split())
        for each, text in zip(declared, printed, strict=True)
    }
    suspects = facts if assumptions(for_facts) else []
    suspects += others if not all(map(is_allowed, assumptions(for_others))) else []
    return statements, _culprits(project, toolchain, compiled, suspects)


def _culprits(
    project: Project, toolchain: Toolchain, compiled: Path, suspects: list[Declaration]
) -> list[str]:
    """One line for each suspect that does rest on what it may not."""
    asked = [_assumptions(project, [each], f"_{n}") for n, each in enumerate(suspects)]
    findings = []
    for each, text in zip(suspects, _ask(project, toolchain, compiled, asked), strict=True):
        is_fact = each.kind == FACT
        bad = [name for name in assumptions(text) if is_fact or not is_allowed(name)]
        if bad:
            place, names = f"{each.file}:{each.line}", ", ".join(bad)
            why = "a Fact rests on no axiom" if is_fact else "not on the allow-list"
            findings.append(f"{place}: {each.name} rests on {names}: {why}")
    return findings


def _statement(project: Project, declaration: Declaration) -> str:
    name = _full(project, declaration)
    return f"Check @{name}." if declaration.is_theorem else f"Print {name}."


def _assumptions(project: Project, group: list[Declaration], label: str) -> str:
    """Asks for the axioms of all theorems of a group together."""
    uses = "".join(f"let _ := @{_full(project, each)} in " for each in group)
    return f"Definition group{label} : True := {uses}I.\nPrint Assumptions group{label}."


def _full(project: Project, declaration: Declaration) -> str:
    return f"{project.prefix}.{declaration.name}"


def _preamble(project: Project) -> list[str]:
    """Scopes to print numbers readably, and the project's modules, not imported."""
    libraries = library_modules(project)
    lines = []
    if ("Coq", "ZArith") in libraries:
        lines.append("From Coq Require Import ZArith.")
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
