#!/bin/sh
# The hparams.yaml that Lightning writes cannot be read by yaml.safe_load once a hyperparameter is a tuple.
#
# One would guess that a file of settings is plain YAML. With lightning 2.6.6, `save_hyperparameters()` or a logger's
# `log_hyperparams` with `betas=(0.9, 0.99)` writes the tag `!!python/tuple`, which safe_load refuses: whoever
# collects runs by a safe reader loses all settings of that run, its seed as well, for the sake of one tuple. Lightning
# reads the file back by a loader that makes Python objects, which nobody should do with a stranger's file. What
# helps: lists in place of tuples; or to read the plain lines `name: value` alone.
# Exits 1 when safe_load reads the file.
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check lightning==2.6.6 pyyaml==6.0.3 || exit 3
cat > "$work/run.py" <<'PY'
import pathlib
import sys
import lightning
import yaml
from lightning.pytorch.core.saving import load_hparams_from_yaml
from lightning.pytorch.loggers import CSVLogger


def read_safely(path):
    try:
        return yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        return type(error).__name__


seen = []
for betas in ([0.9, 0.99], (0.9, 0.99)):
    logger = CSVLogger(sys.argv[1], name=type(betas).__name__, version=0)
    logger.log_hyperparams({"lr": 0.1, "seed": 7, "betas": betas})
    logger.save()
    path = pathlib.Path(logger.log_dir) / "hparams.yaml"
    seen.append((read_safely(path), load_hparams_from_yaml(path)))
print("lightning", lightning.__version__)
for kind, (safely, own) in zip(("list", "tuple"), seen):
    print(f"betas as a {kind}: safe_load gives {safely}, Lightning {own}")
if seen[0][0] != seen[0][1] or seen[1][0] != "ConstructorError":
    sys.exit("CHANGED: the file is plain YAML")
PY
"$work/venv/bin/python" "$work/run.py" "$work/logs" 2>"$work/log" || { tail -n 3 "$work/log"; exit 1; }
# Seen:
#   lightning 2.6.6
#   betas as a list: safe_load gives {'betas': [0.9, 0.99], 'lr': 0.1, 'seed': 7}, Lightning {'betas': [0.9, 0.99], 'lr': 0.1, 'seed': 7}
#   betas as a tuple: safe_load gives ConstructorError, Lightning {'betas': (0.9, 0.99), 'lr': 0.1, 'seed': 7}
