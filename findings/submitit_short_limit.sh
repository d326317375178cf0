#!/bin/sh
# submitit takes every stop of a job with a limit of ten minutes or less for a time-out.
#
# A job that is preempted may be requeued without end, one that runs into its limit only max_num_timeout times.
# submitit 1.5.4 tells them apart by the clock: a job that ran for less than min(0.8 limit, limit - 10 minutes) was
# preempted. With a limit of ten minutes or less that is zero or less, so each preemption, also in the first
# second, uses up a time-out, and a job without a `checkpoint` method, which would be requeued after a
# preemption, is given up as "timed-out and not checkpointable". Short jobs in a scavenger queue end so for good.
# What helps: a limit of more than ten minutes, or a max_num_timeout that allows for preemptions.
# Here jobs of the local executor get the signal that a preemption sends; no Slurm is needed.
# Exits 1 when a job with ten minutes is said to be preempted, or one with twelve to have timed out.
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check submitit==1.5.4 cloudpickle==3.1.2 \
  typing_extensions==4.15.0 || exit 3
cat > "$work/jobs.py" <<'PY'
import re
import sys
import time
import submitit


def stopped():
    """Gets the signal that a preemption sends, in its first second."""
    import os
    import time

    import submitit

    os.kill(os.getpid(), submitit.JobEnvironment()._usr_sig())
    time.sleep(5)


def told(folder, minutes):
    executor = submitit.LocalExecutor(folder=folder)
    executor.update_parameters(timeout_min=minutes)
    job = executor.submit(stopped)
    for _ in range(600):
        log = job.paths.stdout.read_text() if job.paths.stdout.exists() else ""
        if "this job is" in log and re.search("requeued|Requeued|Exiting", log):
            break
        time.sleep(0.1)
    job.cancel(check=False)
    case, end = re.search(r"this job is ([\w-]+)", log), re.search(r"not requeued because: ([^.]*)\.", log)
    return case[1] if case else "nothing", f"given up: {end[1]}" if end else "requeued"


print("submitit", submitit.__version__)
seen = {minutes: told(sys.argv[1], minutes) for minutes in (10, 12)}
for minutes, (case, end) in seen.items():
    print(f"limit of {minutes} minutes, stopped in the first second: {case}; {end}")
if seen != {10: ("timed-out", "given up: timed-out and not checkpointable"), 12: ("preempted", "requeued")}:
    sys.exit("CHANGED: what counts as a time-out")
PY
"$work/venv/bin/python" "$work/jobs.py" "$work/jobs" 2>"$work/log" || { tail -n 3 "$work/log"; exit 1; }
# Seen:
#   submitit 1.5.4
#   limit of 10 minutes, stopped in the first second: timed-out; given up: timed-out and not checkpointable
#   limit of 12 minutes, stopped in the first second: preempted; requeued
