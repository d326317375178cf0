"""The runs of one CPU and one lane, for benchmarks/portable.py: torch is imported once for all.

    NUMERICS=portable python -m benchmarks.portable_runs PLAN.json

PLAN.json is a list of runs: a folder, an environment over this process's own, and the arguments of
`kit/check_run.py`. Each is a fork of this process, in its folder, one after the other; what it says
is in `printed.txt` and `errors.txt` there, and its exit code in `exit.txt`. Emulated, importing
torch takes longer than a short run.
"""

import json
import os
import sys
import traceback
from pathlib import Path

from train_gpt_style.kit import check_run, numerics


def one(folder: Path, environment: dict[str, str], arguments: list[str]) -> int:
    """Run in a fork; the exit code, negative where a signal ended it."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 70
    try:
        os.chdir(folder)
        for stream, name in ((1, "printed.txt"), (2, "errors.txt")):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
        os.environ.update(environment)
        code = check_run.main(arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Every run of the plan."""
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    numerics.enter_lane(os.environ, guarded=False)
    # For the forks, once the lane is entered; the first optimizer would import torch._dynamo.
    import torch._dynamo  # noqa: F401

    import train_gpt_style.kit.covered  # noqa: F401

    for folder, environment, arguments in plan:
        code = one(Path(folder), environment, arguments)
        Path(folder, "exit.txt").write_text(f"{code}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
