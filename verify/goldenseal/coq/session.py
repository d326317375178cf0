"""Asks Coq what a compiled project states, and on which axioms each statement rests.

The project's modules are required but not imported, so no notation of theirs is in force: what is
printed means what it says.
"""

import re
import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from goldenseal.coq.axioms import ALLOWED, assumptions, is_allowed
from goldenseal.coq.project import FACT, Declaration, Project
from goldenseal.coq.rules import library_modules
from goldenseal.coq.toolchain import Toolchain
from goldenseal.errors import CannotCheckError

_SECONDS = 300.0
_MARK = "@@goldenseal "
_MOST_FAILURES = 6  # each costs another run of Coq
_NOT_ASKED = "not asked any more, after so many failures"


def interrogate(
    project: Project, toolchain: Toolchain, compiled: Path
) -> tuple[dict[str, str], list[str]]:
    """(statements, findings) of a compiled project.

    Statements map each name to what its theorem states or its definition means. A finding is a
    theorem with an axiom that is not allowed, a Fact with any axiom, or a name on which Coq itself
    fails (an anomaly, say): of that nothing is shown, so it does not hold.

    All facts are asked about at once, and all other theorems, since walking through the real
    numbers takes Coq most of a second; single ones are asked only to name the culprit.
    """
    declared = project.declarations()
    theorems = [each for each in declared if each.is_theorem]
    facts = [each for each in theorems if each.kind == FACT]
    others = [each for each in theorems if each.kind != FACT]
    asked = [_assumptions(project, facts, "facts"), _assumptions(project, others, "others")]
    asked += [_statement(project, each) for each in declared]
    for_facts, for_others, *printed = answers(project, toolchain, compiled, asked)
    statements, findings = {}, []
    for each, text in zip(declared, printed, strict=True):
        if isinstance(text, Failure):
            findings.append(_failed(each, text))
        else:
            statements[each.name] = " ".join(text.partition("\n\nArguments ")[0].split())
    suspects = facts if _bad(for_facts, ()) else []
    suspects += others if _bad(for_others, ALLOWED) else []
    return statements, findings + _culprits(project, toolchain, compiled, suspects)


@dataclass(frozen=True)
class Failure:
    """What Coq said instead of an answer."""

    said: str


def _bad(answer: str | Failure, allowed: Collection[str]) -> list[str]:
    """Axioms in an answer of `Print Assumptions` that are not allowed; a failure is one."""
    if isinstance(answer, Failure):
        return [answer.said]
    return [name for name in assumptions(answer) if not (allowed and is_allowed(name))]


def _failed(declaration: Declaration, failure: Failure) -> str:
    place = f"{declaration.file}:{declaration.line}"
    return f"{place}: {declaration.name}: Coq fails on it, so nothing is shown: {failure.said}"


def _culprits(
    project: Project, toolchain: Toolchain, compiled: Path, suspects: list[Declaration]
) -> list[str]:
    """One line for each suspect that does rest on what it may not."""
    asked = [_assumptions(project, [each], f"_{n}") for n, each in enumerate(suspects)]
    findings = []
    for each, text in zip(suspects, answers(project, toolchain, compiled, asked), strict=True):
        is_fact = each.kind == FACT
        bad = _bad(text, () if is_fact else ALLOWED)
        if isinstance(text, Failure):
            findings.append(_failed(each, text))
        elif bad:
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


def answers(
    project: Project, toolchain: Toolchain, compiled: Path, asked: list[str]
) -> list[str | Failure]:
    """Coq's answer to each question, or its failure.

    Coq stops at the first question that it fails on, so that one is noted and left out of another
    run. Raises CannotCheckError when Coq does not come as far as the first question.
    """
    answered: list[str | Failure] = [Failure(_NOT_ASKED)] * len(asked)
    open_ = list(range(len(asked)))
    for _ in range(_MOST_FAILURES):
        if not open_:
            break
        done = _run(project, toolchain, compiled, [asked[number] for number in open_])
        given = re.split(rf"^{_MARK}\d+\n", done.stdout, flags=re.MULTILINE)[1:]
        if done.returncode == 0 and len(given) == len(open_):
            for number, text in zip(open_, given, strict=True):
                answered[number] = text.strip()
            break
        said = " ".join((done.stdout.partition("Error:")[2] or done.stdout[-400:]).split())
        said = said.partition(" Please report at ")[0]
        if not given:
            raise CannotCheckError(f"Coq cannot be asked about {project.prefix}: {said[:400]}")
        answered[open_.pop(len(given) - 1)] = Failure(said[:300])
    return answered


def _run(
    project: Project, toolchain: Toolchain, compiled: Path, asked: list[str]
) -> subprocess.CompletedProcess[str]:
    lines = _preamble(project)
    for number, question in enumerate(asked):
        lines += [f'Goal True. idtac "{_MARK}{number}". Abort.', question]
    folder = compiled / "session"
    folder.mkdir(exist_ok=True)
    (folder / "Session.v").write_text("\n".join(lines) + "\n", "utf-8")
    arguments = ["-q", "-noglob", "-w", "none", "-Q", ".", project.prefix, "session/Session.v"]
    return toolchain.run(toolchain.coqc, arguments, cwd=compiled, seconds=_SECONDS)
