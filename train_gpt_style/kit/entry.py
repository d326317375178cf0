"""The command of every system: help, the lane before torch, one line and an exit code on error.

A system's `__main__.py` calls `command` with its declaration and with its run, imported late. The
declaration does not hold the run, since the run imports the declaration.
"""

import os
import pkgutil
import sys

from goldenseal.errors import GoldensealError, UsageError
from train_gpt_style.kit.numerics import enter_lane

HELP = """\
usage: [NAME=value ...] python -m {package}{commands}

{help}

Every setting is an environment variable: `goldenseal knobs {name}` lists them with their defaults,
ranges and effects. NUMERICS=portable takes the slow code paths that give the same bytes on other
CPUs.
"""


def command(system, train, environ_of=None):
    """Run `python -m` of a system and leave the process with its exit code."""
    sys.exit(cli(system, train, sys.argv[1:], environ_of))


def cli(system, train, arguments, environ_of=None):
    """The exit code: 0 trained, 1 contradicted, 2 bad usage or input, 3 could not check.

    train: trains as an environment says, in the current folder.
    environ_of: makes an environment of the arguments and of the process's environment, for a
    system with flags; by default an argument is an error.
    """
    if environ_of is None and arguments in (["--help"], ["-h"]):
        print(help_of(system))
        return 0
    try:
        if arguments and arguments[0] in system.commands:
            return commanded(system, *arguments)
        environ = (environ_of or no_arguments)(arguments, os.environ)
        enter_lane(environ)  # before torch is imported
        train(environ)
    except SystemExit as end:  # of a parser of flags
        return int(end.code or 0)
    except (GoldensealError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 2)
    return 0


def help_of(system):
    """What `--help` prints: the system's own words, and the names of its other commands."""
    lines = (f"\n       python -m {system.package} {name} --help" for name in system.commands)
    words = {"package": system.package, "name": system.name, "help": system.help.strip()}
    return HELP.format(commands="".join(lines), **words)


def commanded(system, name, *arguments):
    """The exit code of another command of a system: a function of its arguments, None for 0.

    It is found by name, not imported: no run holds it, and no bundle does.
    """
    try:
        function = pkgutil.resolve_name(system.commands[name])
    except ModuleNotFoundError as error:
        raise UsageError(f"{name}: a bundle only trains ({error})") from None
    sys.argv = [f"python -m {system.package} {name}", *arguments]  # what its help shows
    return function(list(arguments)) or 0


def no_arguments(arguments, environ):
    """The environment as it is. Raises UsageError when there is an argument."""
    if arguments:
        raise UsageError(
            f"no arguments are taken, settings are environment variables: {arguments[0]}"
        )
    return environ
