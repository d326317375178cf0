"""How long `goldenseal verify` takes when everything is set up and nothing has changed.

    .venv/bin/python -m benchmarks.verify_time

The yardstick is the public proposal that this generalises: nine checks in 4.5 s on two cores, as
measured by others. The goal is at most four times that, with every rung of the ladder.
"""

import statistics
import subprocess
import sys
import time

YARDSTICK_SECONDS = 4.5
GOAL_RATIO = 4.0
RUNS = 3


def main() -> None:
    command = [sys.executable, "-m", "goldenseal", "verify"]
    subprocess.run(command, check=False, capture_output=True)  # warms the theorem cache
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        done = subprocess.run(command, check=False, capture_output=True)
        seconds.append(time.perf_counter() - start)
        print(f"exit {done.returncode}, {seconds[-1]:.1f} s")
    median = statistics.median(seconds)
    print(
        f"median of {RUNS}: {median:.1f} s, {median / YARDSTICK_SECONDS:.2f} times "
        f"the yardstick's {YARDSTICK_SECONDS} s (goal: at most {GOAL_RATIO})"
    )


if __name__ == "__main__":
    main()
