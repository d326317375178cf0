#!/bin/sh
# MLflow's file store gives the step 0 for every value of a metric that was logged for a data set.
#
# With mlflow-skinny 3.17.2, `log_metric(..., step=7, dataset_name=..., dataset_digest=...)` writes the step into the
# metric's file, as the third of five words, and `get_metric_history` of the same client reads it back as 0: a step
# is taken from lines of three words only. A curve of such a metric falls onto one step; the file itself is right. A
# metric without a data set keeps its step.
# Exits 1 when the step comes back, or is not in the file.
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check mlflow-skinny==3.17.2
cat > "$work/log.py" <<'PY'
import os, pathlib, sys

os.environ.update(MLFLOW_ALLOW_FILE_STORE="true", GIT_PYTHON_REFRESH="quiet")
import mlflow

store = pathlib.Path(sys.argv[1]) / "mlruns"
client = mlflow.MlflowClient(store.as_uri())
run = client.create_run("0").info.run_id
client.log_metric(run, "plain", 0.5, step=7)
client.log_metric(run, "ours", 0.5, step=7, dataset_name="d", dataset_digest="1")
steps = {}
for name in ("plain", "ours"):
    (point,) = client.get_metric_history(run, name)
    (path,) = store.glob(f"*/{run}/metrics/{name}")
    steps[name] = point.step, int(path.read_text().split()[2])
    print(f"{name}: step {steps[name][1]} in the file, read back as {steps[name][0]}")
if steps["plain"] != (7, 7) or steps["ours"][1] != 7:
    sys.exit("CHANGED: the step is not where it was")
if steps["ours"][0] == 7:
    sys.exit("CHANGED: the step comes back")
PY
"$work/venv/bin/python" "$work/log.py" "$work"
