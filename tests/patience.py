"""How long a test waits before it calls a hang a hang.

A deadline ends a test that would wait for ever; it times nothing. It is given in seconds of the
machine that it was chosen on, several times what the work takes there, and is stretched here by how
much slower this machine is: two processes at once do a piece of work of known length. What limits a
machine, be it an old processor, a quota or other people's work, slows that down too.

    subprocess.run(command, timeout=patience(120))
    wait_until(path.exists, 20, f"{path} does not come")
"""

import functools
import subprocess
import sys
import time

WORK = "sum(i * i % 7 for i in range(6_000_000))"
REFERENCE_S = 0.35  # what WORK takes, twice at once, on two quiet cores of a Xeon of 2.1 GHz


def slowness():
    """How many times slower than the reference this machine is now; 1 for a faster one."""
    begin = time.monotonic()
    both = [subprocess.Popen([sys.executable, "-I", "-c", WORK]) for _ in range(2)]
    for process in both:
        process.wait()
    return max(1.0, (time.monotonic() - begin) / REFERENCE_S)


@functools.cache
def _measured_once():
    return slowness()


def patience(seconds):
    """So many seconds of the reference machine, on this one."""
    return seconds * _measured_once()


def wait_until(condition, seconds, otherwise, pause=0.1):
    """Wait for a condition; RuntimeError with `otherwise` when it does not come true in time.

    When the time is up the machine is measured again: it may have got busier since.
    """
    begin, allowed = time.monotonic(), patience(seconds)
    while not condition():
        waited = time.monotonic() - begin
        if waited > allowed:
            allowed = seconds * slowness()
            if waited > allowed:
                raise RuntimeError(f"{otherwise} ({waited:.0f} s)")
        time.sleep(pause)
