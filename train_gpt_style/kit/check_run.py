"""Run a program under watch in the lane that NUMERICS names; nothing else of the run is changed.

    NUMERICS=portable python -m train_gpt_style.kit.check_run PROGRAM
        ends, with its name, at the first operation that the portable lane does not cover
    python -m train_gpt_style.kit.check_run --trace FILE PROGRAM
        refuses nothing, and writes each operation with the digest of its result

PROGRAM is a module such as train_gpt_style.gpt or a .py file, with its own arguments after it.

Watching costs some ten microseconds an operation: a few steps at the shapes of the real run are
enough, such as ITERATIONS=2, since the operations do not depend on the number of steps.
"""

import argparse
import os
import runpy
import sys
from contextlib import nullcontext
from pathlib import Path

from goldenseal.errors import GoldensealError
from train_gpt_style.kit import numerics


def main(arguments: list[str]) -> int:
    """The program's exit code; 2 when it meets an uncovered operation."""
    parser = argparse.ArgumentParser(prog="python -m train_gpt_style.kit.check_run")
    parser.add_argument("--trace", type=Path, help="write one line an operation into this file")
    parser.add_argument("program", help="a module such as train_gpt_style.gpt, or a .py file")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="the program's own arguments")
    options = parser.parse_args(arguments)
    try:
        lane = numerics.enter_lane(os.environ, guarded=False)
        from train_gpt_style.kit.covered import Guard, tracing

        if options.trace:
            watch = tracing(options.trace)
        else:
            watch = Guard() if lane == "portable" else nullcontext()
        sys.argv = [options.program, *options.arguments]
        with watch:
            if options.program.endswith(".py"):
                runpy.run_path(options.program, run_name="__main__")
            else:
                runpy.run_module(options.program, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, str):  # a program's last words, as Python itself takes them
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    except GoldensealError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
