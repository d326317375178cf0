"""Mutants of the proofs: each must be caught by the theorem gate.

What can be read is given to the gate's reading checks. What has to be compiled is proved by Coq,
all at once, beside the theorem that it would replace; its statement as printed goes to the pins.
"""

import hashlib
import math
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from goldenseal.coq import build, generate, pins, settings, toolchain
from goldenseal.coq.actions import FOLDER
from goldenseal.coq.constants import Constant
from goldenseal.coq.project import Declaration, Project, load
from goldenseal.coq.reading import readable_findings
from goldenseal.coq.session import Failure, answers
from goldenseal.errors import CannotCheckError

# (what is done, the statement in place of T, its proof; X is the theorem itself)
WEAKER = (
    ("statement replaced by True", "True", "exact I"),
    ("`\\/ True` appended to a statement", "T \\/ True", "right; exact I"),
    ("impossible premise added to a statement", "False -> T", "intros []"),
    ("idle premise added to a statement", "True -> T", "intros _; exact X"),
    ("statement doubly negated", "~ ~ T", "intro absurd; apply absurd; exact X"),
)
UNCHANGED = ("the statement itself", "T", "exact X")  # the control: it must not be noticed
ASSUMED = ("Axiom", "Parameter", "Conjecture", "Hypothesis", "Variable")
_PROOF = re.compile(r"\bProof\..*?\bQed\.", re.DOTALL)
_MANTISSA = re.compile(r"(?<=Float radix2 )\(?(-?\d+)\)?")


@dataclass(frozen=True)
class ProofMutant:
    """A family, what is mutated, and the question whether the gate finds anything."""

    family: str
    name: str
    findings: Callable[[], list[str]]


def judge_proofs(root: Path, progress: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """Killed and sampled by family, and the names of the survivors.

    Raises CannotCheckError when the theorems do not pass as they are, or Coq is not there.
    """
    loaded = load(root / FOLDER)
    constants = settings.load_constants(root, settings.read(root).constants).constants
    if findings := readable_findings(loaded, constants):
        raise CannotCheckError(f"the unchanged theorems do not pass: {findings[0]}")
    families: dict[str, dict[str, int]] = {}
    survivors = []
    for mutant in (*readable(loaded, constants), *compiled(root, loaded, progress)):
        progress(mutant.family)
        entry = families.setdefault(mutant.family, {"killed": 0, "sampled": 0})
        entry["sampled"] += 1
        if mutant.findings():
            entry["killed"] += 1
        else:
            survivors.append(f"{mutant.name}: {mutant.family}")
    files = {s.file: hashlib.sha512(s.text.encode()).hexdigest() for s in loaded.sources}
    return {"families": families, "survivors": survivors, "files": files}


def readable(loaded: Project, constants: list[Constant]) -> Iterator[ProofMutant]:
    """Those that the gate sees without compiling."""

    def look(project: Project, values: list[Constant]) -> Callable[[], list[str]]:
        return lambda: readable_findings(project, values)

    for number, constant in enumerate(constants):
        for words, value in neighbours(constant.value):
            wrong = list(constants)
            wrong[number] = replace(constant, value=value)
            agreed = _with_text(
                loaded, generate.FILE, generate.constants_file(wrong, loaded.prefix)
            )
            alone = f"constant of the code {words}"
            yield ProofMutant(alone, constant.name, look(loaded, wrong))
            yield ProofMutant(
                f"{alone}, and its theorem with it", constant.name, look(agreed, wrong)
            )
    for source in loaded.sources:
        for match in _MANTISSA.finditer(source.text):
            for step in (1, -1):
                text = _spliced(source.text, match.span(1), str(int(match[1]) + step))
                changed = _with_text(loaded, source.file, text)
                place = f"{source.file}, mantissa {match[1]}"
                family = "exported double one ulp off"
                yield ProofMutant(family, place, look(changed, constants))
        for match in _PROOF.finditer(source.text):
            text = _spliced(source.text, match.span(), "Proof. Admitted.")
            line = source.text.count("\n", 0, match.start()) + 1
            changed = _with_text(loaded, source.file, text)
            yield ProofMutant("proof left open", f"{source.file}:{line}", look(changed, constants))
        for word in ASSUMED:
            text = f"{source.text}\n{word} anything : False.\n"
            changed = _with_text(loaded, source.file, text)
            yield ProofMutant(f"{word} added", source.file, look(changed, constants))


def compiled(root: Path, loaded: Project, progress: Callable[[str], None]) -> Iterator[ProofMutant]:
    """Those that only the pins see: another statement with a sound proof, or none at all."""
    tools, store = toolchain.find(), build.store_of(root)
    result = build.build(loaded, tools, store, progress)
    if result.findings or not result.statements:
        raise CannotCheckError(f"the unchanged theorems do not pass: {result.findings[:1]}")
    folder = loaded.folder

    def pinned(changed: dict[str, str]) -> Callable[[], list[str]]:
        return lambda: pins.pin_findings(folder, changed)

    if findings := pinned(result.statements)():
        raise CannotCheckError(f"the unchanged theorems do not pass: {findings[0]}")
    theorems = [each for each in loaded.declarations() if each.is_theorem]
    questions = [
        (family, theorem, _theorem(loaded, theorem, f"Weaker{f}_{n}", statement, proof))
        for f, (family, statement, proof) in enumerate((UNCHANGED, *WEAKER))
        for n, theorem in enumerate(theorems)
    ]
    progress("weaker theorems, by Coq")
    work = Path(tempfile.mkdtemp(prefix="mutants-", dir=store))
    try:
        shutil.copytree(store / result.key[:32], work, dirs_exist_ok=True)
        stated = answers(loaded, tools, work, [text for _, _, text in questions])
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for (family, theorem, _), answer in zip(questions, stated, strict=True):
        if isinstance(answer, Failure):
            raise CannotCheckError(f"Coq did not state the mutant of {theorem.name}: {answer.said}")
        statement = " ".join(answer.split()).partition(" : ")[2]
        changed = {**result.statements, theorem.name: f"{theorem.name} : {statement}"}
        if family == UNCHANGED[0]:
            if findings := pinned(changed)():
                raise CannotCheckError(f"an unchanged statement is not recognised: {findings[0]}")
            continue
        yield ProofMutant(family, theorem.name, pinned(changed))
    for name in result.statements:
        rest = {key: text for key, text in result.statements.items() if key != name}
        yield ProofMutant("pinned name removed", name, pinned(rest))


def neighbours(value: float | int) -> Iterator[tuple[str, float | int]]:
    """The nearest other values: doubles one unit in the last place away, integers one away."""
    if isinstance(value, int):
        yield from (("one more", value + 1), ("one less", value - 1))
    else:
        for words, towards in (("one ulp up", math.inf), ("one ulp down", -math.inf)):
            yield words, math.nextafter(value, towards)


def _theorem(loaded: Project, theorem: Declaration, module: str, statement: str, proof: str) -> str:
    """A module with a theorem of that statement, proved, and what Coq prints for it."""
    original = f"@{loaded.prefix}.{theorem.name}"
    name = theorem.name.rsplit(".", 1)[-1]
    return (
        f"Module {module}.\n"
        f"Theorem {name} : ltac:(let T := type of {original} in exact ({statement})).\n"
        f"Proof. {proof.replace('X', original)}. Qed.\n"
        f"Check @{name}.\n"
        f"End {module}."
    )


def _with_text(loaded: Project, file: str, text: str) -> Project:
    sources = tuple(
        replace(source, text=text) if source.file == file else source for source in loaded.sources
    )
    return replace(loaded, sources=sources)


def _spliced(text: str, span: tuple[int, int], new: str) -> str:
    return text[: span[0]] + new + text[span[1] :]
