"""Work on the theorems: `python -m verify.coq generate | pin | index | check`.

generate   write theorems/Constants.v from the constants of the running code
pin        write theorems/statements.json; look at the difference before you commit it
index      write the table of theorems into theorems/README.md
check      what the theorem gate says
"""

import argparse
import sys
from pathlib import Path

from verify.coq.actions import pin_statements, regenerate_constants, renew_index
from verify.errors import EXIT_CANNOT_CHECK, EXIT_CONTRADICTED, EXIT_HOLDS, GoldensealError
from verify.gates.theorems import check_theorems
from verify.result import Verdict

_EXITS = {
    Verdict.PASS: EXIT_HOLDS,
    Verdict.FAIL: EXIT_CONTRADICTED,
    Verdict.NOT_RUN: EXIT_CANNOT_CHECK,
}


def main(arguments: list[str] | None = None) -> int:
    """Run one action and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m verify.coq",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=["generate", "pin", "index", "check"])
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the repository")
    options = parser.parse_args(arguments)
    try:
        if options.action == "check":
            result = check_theorems(options.root, progress=_say)
            print(f"theorems: {result.verdict.value}: {result.summary}")
            for finding in result.findings:
                print(f"  {finding}")
            if kernel := result.evidence.get("trusted"):
                print(f"  trusted: coqc and coqchk {kernel['coqc']}, Flocq {kernel['flocq']}")
                for report in kernel["known"]:
                    print(f"  known of that kernel, or reported later: {report}")
            return _EXITS[result.verdict]
        changed = {
            "generate": lambda: regenerate_constants(options.root),
            "pin": lambda: pin_statements(options.root, _say),
            "index": lambda: renew_index(options.root),
        }[options.action]()
    except GoldensealError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print("changed" if changed else "unchanged")
    return EXIT_HOLDS


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
