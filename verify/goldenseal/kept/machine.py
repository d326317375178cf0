"""What of the machine a run could ask: its numeric class, its environment, what is installed.

Every variable of the environment counts but those of the terminal: a native library asks for its
own (`OMP_NUM_THREADS`, `ATEN_CPU_CAPABILITY`) where nobody sees it.
"""

import hashlib
import os
import platform
import site
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from goldenseal import __version__
from goldenseal.disk import canonical

# Where a person sits, how `make` or pytest calls: nothing that a run is made of.
TERMINAL = (
    *("_", "PWD", "OLDPWD", "SHLVL", "TERM", "COLUMNS", "LINES", "COLORTERM", "WINDOWID", "STY"),
    *("DISPLAY", "LS_COLORS", "PS1", "PS2", "PAGER", "EDITOR", "VISUAL", "LESS", "MFLAGS"),
    "PYTEST_CURRENT_TEST",
)
TERMINALS = ("SSH_", "XDG_SESSION", "WAYLAND_", "TMUX", "TERM_", "VSCODE_", "MAKE", "HIST")
CPUINFO = Path("/proc/cpuinfo")
# Lines of it on a processor's kind and instructions; not on its speed or number.
KIND = ("vendor_id", "cpu family", "model", "stepping", "flags", "Features", "CPU ")


def machine(variables: Mapping[str, str] = os.environ, cpuinfo: Path = CPUINFO) -> str:
    """SHA-512 over all of it, so that no value of a variable is written down."""
    system = platform.uname()
    facts: dict[str, Any] = {
        "goldenseal": __version__,
        "python": [sys.version, sys.byteorder, list(sys.flags), sys.executable],
        "system": [system.system, system.release, system.version, system.machine],
        "processor": _processor(cpuinfo),
        "cores": [os.cpu_count() or 0, _cores()],
        "installed": {folder: _names(folder) for folder in packages()},
        "variables": {
            name: hashlib.sha512(os.fsencode(value)).hexdigest()
            for name, value in variables.items()
            if name not in TERMINAL and not name.startswith(TERMINALS)
        },
    }
    return hashlib.sha512(canonical.dumps(facts)).hexdigest()


def packages() -> list[str]:
    """The folders into which packages are installed."""
    named = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    return sorted({os.path.realpath(folder) for folder in (*named, *site.getsitepackages())})


def _processor(cpuinfo: Path) -> list[str]:
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return [platform.processor()]
    return sorted({" ".join(line.split()) for line in lines if line.startswith(KIND)})


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0


def _names(folder: str) -> list[str]:
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []
