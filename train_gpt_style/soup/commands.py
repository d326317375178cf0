"""What stands after `python -m train_gpt_style.soup`: nothing, --help, or `embed` and its own.

`embed` is a program of the student's system, which no run of this one may import: the process
becomes that program.
"""

import os
import sys

from train_gpt_style.kit.entry import HELP, no_arguments

EMBED = "train_gpt_style.soup_student.embed"


def environ_of(arguments, environ):
    """The environment of a run. Raises SystemExit after --help, UsageError for other arguments."""
    if arguments[:1] == ["embed"]:
        os.execv(sys.executable, [sys.executable, "-m", EMBED, *arguments[1:]])
    if arguments in (["--help"], ["-h"]):
        from train_gpt_style.soup import SYSTEM

        print(HELP.format(package=SYSTEM.package, name=SYSTEM.name, help=SYSTEM.help.strip()))
        raise SystemExit(0)
    return no_arguments(arguments, environ)
