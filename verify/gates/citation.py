"""CITATION.cff is valid under its schema, by cffconvert's own judgement."""

import shutil
import subprocess
import sys
from pathlib import Path

from verify.result import GateResult, conclude, not_run

NAME = "citation"
# cffconvert 2.0 pins a jsonschema of 2020, so it lives in an environment of its own.
OWN_ENVIRONMENT = Path(sys.prefix) / "opt" / "cffconvert" / "bin" / "cffconvert"


def check_citation(root: Path) -> GateResult:
    """Validate the file at the top of the repository."""
    tool = str(OWN_ENVIRONMENT) if OWN_ENVIRONMENT.exists() else shutil.which("cffconvert")
    if tool is None:
        return not_run(NAME, "cffconvert is not installed: run `make setup`")
    path = root / "CITATION.cff"
    if not path.is_file():
        return conclude(NAME, "no citation file", ["CITATION.cff is missing"])
    done = subprocess.run(
        [tool, "--validate", "-i", str(path)], capture_output=True, text=True, check=False
    )
    lines = (done.stdout + done.stderr).strip().splitlines()
    findings = [f"CITATION.cff: {lines[-1] if lines else 'invalid'}"] if done.returncode else []
    return conclude(NAME, "CITATION.cff is valid", findings)
