"""What stands after `python -m train_gpt_style.dual_stream`: nothing, which trains, or a tool.

The tools are no part of a run, so a bundle does not hold them.
"""

import runpy
import sys
from importlib.util import find_spec

from goldenseal.errors import UsageError

PACKAGE = "train_gpt_style.dual_stream"
TOOLS = {
    "presets": "the published runs as sets of variables, with their counts",
    "scan": "the eight scans of a checkpoint, and a diagnosis",
    "scalars": "a run log as TensorBoard scalars",
}
HELP = f"""\
usage: [NAME=value ...] python -m {PACKAGE}
       python -m {PACKAGE} TOOL ...

Train the GeoLIP dual-stream ViT (reconstructed). Without DATA_DIR images and labels are synthetic,
and accuracy is chance.

Every setting is an environment variable: `goldenseal knobs dual_stream` lists them with their
defaults, ranges and effects. Example: EPOCHS=2 BATCH=32 python -m {PACKAGE}

tools (each has its own --help):
"""


def environ_of(arguments, environ):
    """The environment as it is; a tool is run instead. Raises SystemExit when it has ended."""
    if not arguments:
        return environ
    name, rest = arguments[0], arguments[1:]
    if name in ("--help", "-h"):
        print(HELP + "\n".join(f"  {tool:8} {words}" for tool, words in TOOLS.items()))
        raise SystemExit(0)
    if name not in TOOLS:
        raise UsageError(f"{name}: no tool; one of {', '.join(TOOLS)}, or no argument to train")
    module = f"{PACKAGE}.tools.{name}"
    if find_spec(f"{PACKAGE}.tools") is None:
        raise UsageError(f"{name}: a bundle only trains; tools are in the repository")
    sys.argv = [f"python -m {PACKAGE} {name}", *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    raise SystemExit(0)
