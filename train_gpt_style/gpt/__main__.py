"""`python -m train_gpt_style.gpt`: train. Every setting is an environment variable."""

import os
import sys

from train_gpt_style.kit.numerics import enter_lane
from verify.errors import GoldensealError

HELP = """\
usage: [NAME=value ...] python -m train_gpt_style.gpt
       [NAME=value ...] torchrun --standalone --nproc_per_node=N -m train_gpt_style.gpt

Trains the GPT, writes logs/RUN_ID.txt, final_model.safetensors and final_model.int8.safetensors.z
into the current folder, and measures what it wrote. Every setting is an environment variable:
`goldenseal knobs` lists them with their defaults, ranges and effects. NUMERICS=portable takes the
slow code paths that give the same bytes on other CPUs.

example: ITERATIONS=200 MODEL_DIM=128 MAX_WALLCLOCK_SECONDS=0 python -m train_gpt_style.gpt
"""


def cli(arguments):
    """The exit code: 0 trained, 2 bad usage or input."""
    if arguments in (["--help"], ["-h"]):
        print(HELP, end="")
        return 0
    if arguments:
        print(
            f"error: no arguments are taken, settings are environment variables: {arguments[0]}",
            file=sys.stderr,
        )
        return 2
    try:
        enter_lane(os.environ)  # before torch is imported
        from train_gpt_style.gpt.run import main

        main(os.environ)
    except (GoldensealError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 2)
    return 0


if __name__ == "__main__":
    sys.exit(cli(sys.argv[1:]))
