"""CITATION.cff is valid under its schema, by cffconvert's own judgement."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from goldenseal.result import GateResult, conclude, not_run

NAME = "citation"
# cffconvert 2.0 pins a jsonschema of 2020, so it lives in an environment of its own.
OWN_ENVIRONMENT = Path(sys.prefix) / "opt" / "cffconvert" / "bin" / "cffconvert"
# It ends in an exception. These are its judgement of the file, any other is a fault of its own.
RAISED = re.compile(r"((?:\w+\.)*\w+): (.*)")
JUDGEMENT = re.compile(r".*\.ValidationError|.*\.SchemaError|ruamel\..*|(Unicode\w+|Value)Error")
PLACE = re.compile(r'in "<unicode string>", (line \d+, column \d+)')
MAX_SHOWN = 300


def check_citation(root: Path) -> GateResult:
    """Validate the file at the top of the repository."""
    tool = str(OWN_ENVIRONMENT) if OWN_ENVIRONMENT.exists() else shutil.which("cffconvert")
    if tool is None:
        return not_run(NAME, "cffconvert is not installed: `pipx install cffconvert`")
    path = root / "CITATION.cff"
    if not path.is_file():
        return conclude(NAME, "", ["CITATION.cff is missing"], failed="there is no CITATION.cff")
    try:
        done = subprocess.run(
            [tool, "--validate", "-i", str(path)],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        return not_run(
            NAME, f"cffconvert does not start ({error.strerror}): `pipx reinstall cffconvert`"
        )
    if done.returncode == 0:
        return conclude(NAME, "CITATION.cff is valid", [])
    kind, sentence = last_error(done.stderr)
    if not JUDGEMENT.fullmatch(kind):
        words = f"{kind}: {sentence}" if kind else f"exit code {done.returncode}"
        return not_run(
            NAME, f"cffconvert failed, and judged nothing ({words}): `pipx reinstall cffconvert`"
        )
    finding = f"CITATION.cff: {sentence}"
    return conclude(NAME, "", [finding], failed="CITATION.cff is not valid")


def last_error(text: str) -> tuple[str, str]:
    """(type, message in one line) of the exception that a program ended in; empty without one.

    Of a message of several lines, those are left out that quote the file, which are indented.
    """
    lines = text.splitlines()
    raised = [n for n, line in enumerate(lines) if RAISED.fullmatch(line)]
    if not raised:
        return "", ""
    message = lines[raised[-1] :]
    paragraph = message[: message.index("")] if "" in message else message
    kind, _, first = paragraph[0].partition(": ")
    lines = [PLACE.sub(r"(\1)", line) for line in paragraph[1:] if not line.startswith("    ")]
    rest = [line.strip(" -:") for line in lines]
    places = [line[11:-1] for line in message if re.fullmatch(r"On instance\[.*\]:", line)]
    sentence = " ".join([first, *filter(None, rest), *(f"(at {place})" for place in places)])
    return kind, sentence if len(sentence) <= MAX_SHOWN else f"{sentence[:MAX_SHOWN]}…"
