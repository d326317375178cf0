"""What is publicly known of the kernels that this gate trusts, to be said with every verdict.

Numbers are of the tracker of rocq-prover/rocq. All concern the guard checker, which decides that a
recursion ends; `coqc` and `coqchk` share it, and `Print Assumptions` shows nothing of it. So the
gate admits one plain shape of recursion, which is outside all of these reports.
"""

from collections.abc import Mapping
from typing import Any

GUARD_REPORTS = {
    "#20413": "recursive calls inside other arguments are not looked at; 8.16 to 9.0.0",
    "#20455": "a match on a match is taken for a smaller argument; 8.16 to 9.0.0",
    "#20555": "a recursion inside a recursion is reduced wrongly; reported in 2025",
    "#21683": "a function handed to another recursion escapes the check; reported in 2026",
    "#21701": "a function named without arguments escapes the check; reported in 2026",
}


def trusted(version: str, flocq: str) -> Mapping[str, Any]:
    """The kernel that was trusted: `version` is that of both coqc and coqchk."""
    return {
        "coqc": version,
        "coqchk": version,
        "flocq": flocq,
        "known": [f"rocq-prover/rocq {number}: {what}" for number, what in GUARD_REPORTS.items()],
        "answer": "every recursion of the theories is of the admitted shape",
    }
