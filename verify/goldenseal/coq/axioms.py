"""Which axioms a theorem may rest on, and how to read the two tools that list them."""

import re

# What the real numbers of Coq's standard library are built on. All four are theorems of classical
# set theory; none speaks about our code.
MATHEMATICAL = {
    "ClassicalDedekindReals.sig_forall_dec": "a property of naturals that is decidable at each "
    "number is decidable for all of them: compares two reals",
    "ClassicalDedekindReals.sig_not_dec": "a negation is decidable: places a real in a cut",
    "FunctionalExtensionality.functional_extensionality_dep": "functions with equal values are "
    "equal: two cuts with the same rationals are one real",
    "Classical_Prop.classic": "excluded middle: used by Flocq's rounding functions",
}
# Stand-ins for machine integers, floats and arrays, as the `interval` tactic needs by the dozen.
# Our proofs compute on Coq's own integers, so none is allowed.
INTERFACE: dict[str, str] = {}

ALLOWED = frozenset(MATHEMATICAL) | frozenset(INTERFACE)

_CLOSED = "Closed under the global context"


def is_allowed(axiom: str) -> bool:
    """Whether a possibly qualified name is one of the allow-list's."""
    return any(axiom == name or axiom.endswith("." + name) for name in ALLOWED)


def assumptions(printed: str) -> list[str]:
    """Names in the output of one `Print Assumptions`, sorted.

    Anything that is not a name with its type is returned whole, so that it cannot pass unseen
    (Coq reports a switched-off check in words).
    """
    lines = [line for line in printed.splitlines() if line.strip()]
    if not lines or lines == [_CLOSED]:
        return [] if lines else ["(Print Assumptions printed nothing)"]
    names = []
    for line in lines:
        if line == "Axioms:" or line[0].isspace():
            continue
        name = re.match(r"([\w.']+)\s*(?::|$)", line)
        names.append(name[1] if name else line.strip())
    return sorted(names)


def context(printed: str) -> dict[str, list[str]]:
    """The sections of coqchk's context summary: title without trailing text -> entries.

    A title may come twice: Coq 8.20 says two things of the theory.
    """
    sections: dict[str, list[str]] = {}
    title = ""
    for line in printed.partition("CONTEXT SUMMARY")[2].splitlines():
        if line.startswith("* "):
            title, _, rest = line[2:].partition(":")
            entries = sections.setdefault(title, [])
            entries += [] if rest.strip() in ("", "<none>") else [rest.strip()]
        elif line.strip() and title:
            sections[title].append(line.strip())
    return sections
