#!/bin/sh
# Of two values of a metric that were logged in one millisecond MLflow reports the larger, not the later.
#
# `run.data.metrics["loss"]` is called the latest value. With MLflow 3.17.2 and a folder as the store it is the
# largest by (step, timestamp, value). Who logs without `step` logs at step 0, and two calls may fall into one
# millisecond, or into one batch with one time: then a loss that went down is reported as it was before, and a
# NaN is replaced by whatever else was logged, or not, by how it compares. The file itself has the values in
# their order. What helps: log with step, and read the last line or get_metric_history.
# Exits 1 when the later value is reported.
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check mlflow-skinny==3.17.2 || exit 3
cat > "$work/run.py" <<'PY'
import pathlib
import sys
import mlflow
from mlflow.entities import Metric

store = pathlib.Path(sys.argv[1])
mlflow.set_tracking_uri(store.as_uri())
with mlflow.start_run() as run:
    moment = 1_700_000_000_000
    for value in (5.0, 4.0):
        mlflow.MlflowClient().log_batch(run.info.run_id, metrics=[Metric("loss", value, moment, 0)])
    for step, value in ((10, 1.0), (20, 2.0), (15, 3.0)):
        mlflow.log_metric("stepped", value, step=step)
shown = mlflow.get_run(run.info.run_id).data.metrics
(file,) = store.glob("*/*/metrics/loss")
lines = [float(line.split()[1]) for line in file.read_text().splitlines()]
print("mlflow", mlflow.__version__)
print(f"loss was logged as {lines}, the latest is said to be {shown['loss']}")
print(f"logged at steps 10, 20, 15 the latest is that of step 20: {shown['stepped']}")
if lines != [5.0, 4.0] or shown["loss"] != 5.0 or shown["stepped"] != 2.0:
    sys.exit("CHANGED: another value is the latest")
PY
MLFLOW_ALLOW_FILE_STORE=true "$work/venv/bin/python" "$work/run.py" "$work/store" 2>"$work/log" ||
  { tail -n 3 "$work/log"; exit 1; }
# Seen:
#   mlflow 3.17.2
#   loss was logged as [5.0, 4.0], the latest is said to be 5.0
#   logged at steps 10, 20, 15 the latest is that of step 20: 2.0
