"""python -m tests.foreign [IDIOM ...]: how many faults are caught, and how many are named."""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from goldenseal.result import Verdict
from tests.foreign.pairs import idioms, judge, say


def main(wanted):
    correct, pairs, caught, named, faults = 0, 0, 0, 0, 0
    for name, (table, missing) in idioms().items():
        if wanted and name not in wanted:
            continue
        if missing:
            say(f"{name}: needs {', '.join(missing)}")
            continue
        for fault in (None, *table["fault"]):
            started = time.monotonic()
            with TemporaryDirectory() as folder:
                judged = judge(name, table, Path(folder).resolve(), fault, workers=2)
            spent = f"{time.monotonic() - started:.0f} s"
            if fault is None:
                pairs += 1
                passed = judged.verdict is Verdict.PASS
                correct += passed
                say(f"{name}: correct: {'passes' if passed else 'does not pass'} ({spent})")
                for text in judged.findings if not passed else ():
                    say(f"    {text}")
                continue
            faults += 1
            is_caught = judged.verdict is Verdict.FAIL
            is_named = is_caught and judged.names(fault["named"])
            caught, named = caught + is_caught, named + is_named
            words = "named" if is_named else "caught" if is_caught else "MISSED"
            say(f"{name}: {fault['name']}: {words} ({spent})")
            for text in judged.findings if not is_named else ():
                say(f"    {text}")
    say(f"{correct} of {pairs} correct candidates pass")
    say(f"{caught} of {faults} faults are caught, {named} named")
    return 0 if (correct, caught, named) == (pairs, faults, faults) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
