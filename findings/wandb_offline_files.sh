#!/bin/sh
# An offline run of W&B leaves no summary file, no configuration file and no history that can be read as text.
#
# A synced run has wandb-summary.json and config.yaml, and scripts that collect results look for them in
# wandb/*/files. With wandb 0.31.0 and WANDB_MODE=offline neither is written: what was logged is only in
# run-ID.wandb, a binary log that wandb's own code reads; 0.19.11 wrote neither too. So a folder of offline runs
# looks like one of runs that logged nothing, and a record that ships its `files` ships no number that a reader can
# check. What helps: write the summary beside it yourself, and ship a log.
# Exits 1 when one of the two files is written, or when the binary log is not.
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check wandb==0.31.0 || exit 3
cat > "$work/run.py" <<'PY'
import pathlib
import sys
import wandb

run = wandb.init(project="finding", config={"lr": 0.001}, dir=sys.argv[1])
for step in range(3):
    run.log({"loss": 3.0 - step})
run.summary["best"] = 1.0
run.finish()
(folder,) = pathlib.Path(sys.argv[1]).glob("wandb/offline-run-*")
files = sorted(path.name for path in (folder / "files").iterdir())
binary = [path for path in folder.glob("*.wandb")]
print("wandb", wandb.__version__)
print("wandb-summary.json:", "wandb-summary.json" in files, "config.yaml:", "config.yaml" in files)
print("binary logs:", len(binary))
if {"wandb-summary.json", "config.yaml"} & set(files):
    sys.exit("CHANGED: an offline run writes them")
if len(binary) != 1:
    sys.exit("CHANGED: another form of log")
PY
mkdir "$work/run"
WANDB_MODE=offline WANDB_SILENT=true "$work/venv/bin/python" "$work/run.py" "$work/run" 2>"$work/log" ||
  { tail -n 3 "$work/log"; exit 1; }
# Seen:
#   wandb 0.31.0
#   wandb-summary.json: False config.yaml: False
#   binary logs: 1
