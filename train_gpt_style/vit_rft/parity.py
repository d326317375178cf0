"""Two runs may be compared only when they did the same, the optimizer's rule aside.

    python -m train_gpt_style.vit_rft.parity BASE/stage4_manifest.json RFT/stage4_manifest.json

Exit code 0: the same order of data, batch, learning rate, steps, flags and host reads, from the
same weights, in the same numeric class. 1: a difference, named. 2: no manifest.
"""

import sys
from pathlib import Path

from goldenseal.disk import canonical
from goldenseal.errors import ContradictedError, GoldensealError, UsageError

SCHEMA = 1


def read_manifest(path):
    """The manifest in a file. Raises UsageError when it is none."""
    found = canonical.read(Path(path), str(path))
    if not isinstance(found, dict) or found.get("schema") != SCHEMA or "shared" not in found:
        raise UsageError(f"{path}: not a manifest of schema {SCHEMA}")
    return found


def flat(value, prefix=""):
    """The leaves of nested tables, by dotted name."""
    if not isinstance(value, dict):
        return {prefix: value}
    found = {}
    for key in sorted(value):
        found |= flat(value[key], f"{prefix}.{key}" if prefix else key)
    return found


def compare_manifests(a, b):
    """What differs though it must not, a line each; empty when the runs may be compared."""
    left, right = flat(a["shared"]), flat(b["shared"])
    return [
        f"{name}: {left.get(name, 'absent')} and {right.get(name, 'absent')}"
        for name in sorted({*left, *right})
        if (name in left, left.get(name)) != (name in right, right.get(name))
    ]


def require_parity(a, b):
    """Raise ContradictedError, one line, unless the two runs may be compared."""
    found = compare_manifests(a, b)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise ContradictedError(f"the runs may not be compared: {found[0]}{more}")


def main(arguments):
    """The exit code."""
    try:
        if len(arguments) != 2:
            raise UsageError("give two manifests: parity BASE/stage4_manifest.json RFT/…")
        a, b = map(read_manifest, arguments)
        require_parity(a, b)
    except (GoldensealError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 2)
    print(f"{a['mode']} and {b['mode']} may be compared: {len(flat(a['shared']))} facts are equal")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
