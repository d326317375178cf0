#!/bin/sh
# TensorBoard's reader keeps 10,000 points of a curve, and the best one may not be among them.
#
# `EventAccumulator(folder)` is how scripts read event files. With tensorboard 2.21.0 its default keeps a random
# sample of 10,000 scalars a tag (and always the last). Of 30,000 steps whose best is at 12,345 that step is gone:
# "best validation loss" by min() over `Scalars(tag)` is another number, and nothing says that points were
# dropped. With size_guidance={"scalars": 0} all are there. And what is there is float32: 16777217 tokens come
# back as 16777216.
# Exits 1 when all points are kept, or when the count comes back whole.
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check tensorboard==2.21.0 tensorboardX==2.6.5 || exit 3
cat > "$work/run.py" <<'PY'
import sys
import tensorboard
import tensorboardX
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

folder = sys.argv[1]
writer = tensorboardX.SummaryWriter(folder)
for step in range(30_000):
    writer.add_scalar("loss", 1.0 if step == 12_345 else 2.0, step)
writer.add_scalar("tokens", 16_777_217, 0)
writer.close()
print("tensorboard", tensorboard.__version__, "tensorboardX", tensorboardX.__version__)


def read(**guidance):
    accumulator = EventAccumulator(folder, **guidance)
    accumulator.Reload()
    points = accumulator.Scalars("loss")
    return len(points), min(point.value for point in points), accumulator.Scalars("tokens")[0].value


some, every = read(), read(size_guidance={"scalars": 0})
print(f"by default {some[0]} points, best {some[1]}; with 0 {every[0]} points, best {every[1]}")
print(f"16777217 is read as {some[2]:.0f}")
if some[:2] != (10_000, 2.0) or every[:2] != (30_000, 1.0):
    sys.exit("CHANGED: another sample")
if some[2] != 16_777_216:
    sys.exit("CHANGED: scalars are more than float32")
PY
"$work/venv/bin/python" "$work/run.py" "$work/events" 2>"$work/log" || { tail -n 3 "$work/log"; exit 1; }
# Seen:
#   tensorboard 2.21.0 tensorboardX 2.6.5
#   by default 10000 points, best 2.0; with 0 30000 points, best 1.0
#   16777217 is read as 16777216
