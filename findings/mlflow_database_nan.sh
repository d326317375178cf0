#!/bin/sh
# In MLflow's database a NaN is stored as 0, and an infinite value as the largest double.
#
# One would guess that the table `metrics` of mlflow.db, where MLflow 3.17.2 writes when nobody names a store, holds
# what was logged. A NaN stands there as 0 beside the flag is_nan, so that `SELECT min(value)` finds a loss of 0 in a
# run that diverged, and a mean over it is too low. The client reads the flag and tells NaN, but an infinity comes
# back as 1.797e+308, also from the client: `math.isinf` does not see it, and a plot has another scale. A file store
# keeps both. What helps: `WHERE is_nan = 0`, and to take abs(value) = 1.797e+308 for infinite.
# Exits 1 when the table holds NaN otherwise, or when an infinity comes back.
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check mlflow-skinny==3.17.2 sqlalchemy==2.1.9 alembic==1.20.1 || exit 3
cat > "$work/run.py" <<'PY'
import math
import sqlite3
import sys
import mlflow
from mlflow.tracking import MlflowClient

path = sys.argv[1] + "/mlflow.db"
mlflow.set_tracking_uri("sqlite:///" + path)
with mlflow.start_run() as run:
    for step, value in enumerate((3.0, 2.0, math.nan, math.inf)):
        mlflow.log_metric("loss", value, step=step)
told = [point.value for point in MlflowClient().get_metric_history(run.info.run_id, "loss")]
database = sqlite3.connect(path)
held = database.execute("SELECT value, is_nan FROM metrics ORDER BY step").fetchall()
(least,) = database.execute("SELECT min(value) FROM metrics WHERE key = 'loss'").fetchone()
print("mlflow", mlflow.__version__)
print("logged [3.0, 2.0, nan, inf]; the client tells", told)
print("the table holds (value, is_nan)", held)
print("so its least loss is", least)
if held[2] != (0.0, 1) or least != 0.0 or not math.isnan(told[2]) or told[3] != sys.float_info.max:
    sys.exit("CHANGED: what is not finite is stored otherwise")
PY
"$work/venv/bin/python" "$work/run.py" "$work" 2>"$work/log" || { tail -n 3 "$work/log"; exit 1; }
# Seen:
#   mlflow 3.17.2
#   logged [3.0, 2.0, nan, inf]; the client tells [3.0, 2.0, nan, 1.7976931348623157e+308]
#   the table holds (value, is_nan) [(3.0, 0), (2.0, 0), (0.0, 1), (1.7976931348623157e+308, 0)]
#   so its least loss is 0.0
