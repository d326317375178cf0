#!/bin/sh
# A run that is resumed into the same TensorBoard folder has its repeated steps twice in one curve.
#
# A run logs steps 0 to 90, is killed, goes on from a checkpoint at 50 and logs 50 to 70. With tensorboardX 2.6.5
# and tensorboard 2.21.0 the curve then holds 13 points, steps 50, 60 and 70 twice, in the order of their files;
# "the value at step 60" by the first match is that of the run that was thrown away, and the last step is 90,
# which the resumed run never reached. Only who opens the writer with purge_step=50 gets the curve of the run
# that counts.
# Exits 1 when the reader drops the repeated steps by itself, or keeps them in spite of purge_step.
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check tensorboard==2.21.0 tensorboardX==2.6.5 || exit 3
cat > "$work/run.py" <<'PY'
import sys
import time
import tensorboard
import tensorboardX
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def curve(folder, **resumed):
    for first, last, sign, options in ((0, 100, 1, {}), (50, 80, -1, resumed)):
        writer = tensorboardX.SummaryWriter(folder, **options)
        for step in range(first, last, 10):
            writer.add_scalar("loss", sign * step, step)
        writer.close()
        time.sleep(1.1)  # the names of event files count seconds
    accumulator = EventAccumulator(folder)
    accumulator.Reload()
    return [(point.step, point.value) for point in accumulator.Scalars("loss")]


print("tensorboard", tensorboard.__version__, "tensorboardX", tensorboardX.__version__)
plain, purged = curve(sys.argv[1] + "/plain"), curve(sys.argv[1] + "/purged", purge_step=50)
print("resumed:", [step for step, _ in plain], "at 60:", [value for step, value in plain if step == 60])
print("with purge_step:", [step for step, _ in purged], "at 60:", [value for step, value in purged if step == 60])
if [value for step, value in plain if step == 60] != [60.0, -60.0] or plain[9][0] != 90:
    sys.exit("CHANGED: repeated steps are dropped")
if [step for step, _ in purged] != [0, 10, 20, 30, 40, 50, 60, 70]:
    sys.exit("CHANGED: purge_step")
PY
"$work/venv/bin/python" "$work/run.py" "$work/events" 2>"$work/log" || { tail -n 3 "$work/log"; exit 1; }
# Seen:
#   tensorboard 2.21.0 tensorboardX 2.6.5
#   resumed: [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 50, 60, 70] at 60: [60.0, -60.0]
#   with purge_step: [0, 10, 20, 30, 40, 50, 60, 70] at 60: [-60.0]
