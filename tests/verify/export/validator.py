"""Runs the published RO-Crate validator, roc-validator, on a crate, without a network.

    VALIDATOR_PYTHON validator.py CONTEXT CRATE [SEVERITY]

It has an environment of its own, since it pins an older `rich`. It would fetch RO-Crate's JSON-LD
context; it is given the file CONTEXT instead, which the library `rocrate` brings along. Prints a
line of JSON for each check that does not hold: its severity, its identifier, what it says.
"""

import json
import sys
from pathlib import Path

import requests
from rocrate_validator import models, services
from rocrate_validator.utils import http

context, crate, severity = sys.argv[1], sys.argv[2], (sys.argv[3:] or ["REQUIRED"])[0]
CONTEXT = Path(context).read_bytes()


def get(self, url, **options):
    """Any RO-Crate context is the file; nothing else is there."""
    answer = requests.Response()
    answer.url, answer.status_code = url, 404
    if url.startswith("https://w3id.org/ro/crate/") and url.endswith("/context"):
        answer.status_code, answer._content = 200, CONTEXT
        answer.headers["Content-Type"] = "application/ld+json"
    return answer


for method in ("get", "head", "fetch_fresh"):
    setattr(http.HttpRequester, method, get)
settings = services.ValidationSettings(
    rocrate_uri=models.URI(crate) if hasattr(models, "URI") else crate,
    profile_identifier="process-run-crate",
    requirement_severity=getattr(models.Severity, severity),
)
result = services.validate(settings)
for issue in result.get_issues(getattr(models.Severity, severity)):
    row = {"severity": issue.severity.name, "check": issue.check.identifier, "says": issue.message}
    print(json.dumps(row))
