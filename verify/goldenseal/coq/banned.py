"""What a proof script may not say: unproved claims, checks switched off, ways out of the file."""

from collections.abc import Iterator
from dataclasses import dataclass

from goldenseal.coq.lexer import Sentence

# Each word is a command or tactic that no proof needs; the text says what is wrong with it.
_WORDS = {
    **dict.fromkeys(
        ("Admitted", "admit", "Admit", "give_up"), "leaves a proof open; prove it or remove it"
    ),
    **dict.fromkeys(
        ("Axiom", "Axioms", "Parameter", "Parameters", "Conjecture", "Conjectures"),
        "assumes what should be proved",
    ),
    **dict.fromkeys(("Primitive", "Symbol", "Symbols"), "adds a constant that has no definition"),
    "bypass_check": "switches a check of the kernel off",
    **dict.fromkeys(("Load", "Redirect", "Cd", "Drop", "Extraction"), "reaches outside the file"),
}
_IN_SECTION_ONLY = {"Variable", "Variables", "Hypothesis", "Hypotheses", "Context"}
_PHRASES = {
    ("Guard", "Checking"): "switches the termination check off",
    ("Positivity", "Checking"): "switches the positivity check off",
    ("Universe", "Checking"): "switches the universe check off",
    ("Definitional", "UIP"): "changes the logic",
    ("Declare", "ML"): "loads compiled code",
    ("Declare", "Module"): "assumes a module that nothing implements",
    ("Add", "LoadPath"): "reaches outside the file",
    ("Add", "Rec"): "reaches outside the file",
    ("Add", "ML"): "loads compiled code",
    ("Write", "State"): "reaches outside the file",
    ("Restore", "State"): "reaches outside the file",
    ("type", "-", "in", "-", "type"): "makes the logic inconsistent",
}
_BEGIN_PHRASES = {phrase[0] for phrase in _PHRASES}


@dataclass(frozen=True)
class Finding:
    """A banned thing and where it stands."""

    line: int
    text: str


def banned(source: list[Sentence]) -> Iterator[Finding]:
    """Every banned word or phrase, outside comments and strings, in source order."""
    open_sections: list[str] = []
    for sentence in source:
        words = sentence.words
        if words[0] == "Section":
            open_sections.append(words[-1])
        elif words[0] == "End" and open_sections and words[-1] == open_sections[-1]:
            open_sections.pop()
        for position, token in enumerate(sentence.tokens):
            word = words[position]
            if word in _WORDS:
                yield Finding(token.line, f"`{word}` {_WORDS[word]}")
            elif word in _IN_SECTION_ONLY and not open_sections:
                yield Finding(
                    token.line, f"`{word}` outside a Section assumes what should be proved"
                )
            if word in _BEGIN_PHRASES:
                for phrase, why in _PHRASES.items():
                    if words[position : position + len(phrase)] == phrase:
                        yield Finding(token.line, f"`{_spell(phrase)}` {why}")


def _spell(phrase: tuple[str, ...]) -> str:
    return " ".join(phrase).replace(" - ", "-")
