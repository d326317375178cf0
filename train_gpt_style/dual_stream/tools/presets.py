"""The presets, their variables, and how many parameters each model has; nothing is trained.

python -m train_gpt_style.dual_stream presets              a table
python -m train_gpt_style.dual_stream presets --json       with counts part by part
python -m train_gpt_style.dual_stream presets v6           lines for the shell: NAME=value
env $(python -m train_gpt_style.dual_stream presets v6) python -m train_gpt_style.dual_stream
"""

import argparse
import json
import sys

from goldenseal.errors import UsageError
from train_gpt_style.dual_stream import SYSTEM
from train_gpt_style.dual_stream.figures import parts
from train_gpt_style.dual_stream.presets import PRESETS, PUBLISHED


def described(name):
    """Variables, counts by part, total, and the published total in words, or None.

    Raises UsageError for an unknown preset, and for a variable in one that no knob declares.
    """
    if name not in PRESETS:
        raise UsageError(f"{name}: no preset; one of {', '.join(PRESETS)}")
    environ = PRESETS[name]
    if unknown := sorted(set(environ) - {knob.name for knob in SYSTEM.knobs}):
        raise UsageError(f"preset {name}: no variable is called {unknown[0]}")
    SYSTEM.read(environ)  # values that do not fit each other are an error here
    counted = parts(environ)
    return {
        "variables": environ,
        "parts": counted,
        "parameters": sum(counted.values()),
        "published": PUBLISHED.get(name),
    }


def main(arguments):
    """Print what was asked for."""
    parser = argparse.ArgumentParser(prog=sys.argv[0], description=__doc__.splitlines()[0])
    parser.add_argument("preset", nargs="?", help="print this one's variables alone")
    parser.add_argument("--json", action="store_true", help="everything, for programs")
    options = parser.parse_args(arguments)
    names = [options.preset] if options.preset else list(PRESETS)
    found = {name: described(name) for name in names}
    if options.json:
        print(json.dumps(found, indent=1))
    elif options.preset:
        print("\n".join(f"{k}={v}" for k, v in found[options.preset]["variables"].items()))
    else:
        for name, each in found.items():
            published = each["published"] or "not published"
            variables = " ".join(f"{k}={v}" for k, v in each["variables"].items())
            print(f"{name:9} {each['parameters']:>11,}  {published:>18}  {variables}")
