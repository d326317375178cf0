#!/bin/sh
# numpy's generator takes a list of seeds for the same with zeros behind it.
#
# `default_rng([seed, worker])` is the usual way to give each worker or rank a stream of its own. But with
# numpy 2.4.6 a list of fewer than four 32-bit words is filled up with zeros before it is mixed: so [5, 0] and 5
# are one stream, and worker 0 draws what the parent draws. A large seed is cut into words too: [1, 2] is
# 1 + 2 * 2**32. What gives streams of their own is SeedSequence(5).spawn(n), or a first word that is no seed,
# such as [worker, seed] with worker from 1 on.
# Exits 1 when the zeros count.
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check numpy==2.4.6 || exit 3
"$work/venv/bin/python" - <<'PY'
import sys
import numpy

print("numpy", numpy.__version__)


def same(a, b):
    alike = bool((numpy.random.default_rng(a).random(9) == numpy.random.default_rng(b).random(9)).all())
    print(f"{a} and {b}: {'the same stream' if alike else 'two streams'}")
    return alike


seen = [same(5, [5, 0]), same([5], [5, 0, 0, 0]), same([1, 2], 1 + 2 * 2**32), same(5, [5, 0, 0, 0, 0]), same(5, [5, 1])]
spawned = numpy.random.default_rng(numpy.random.SeedSequence(5).spawn(1)[0]).random()
print("the first that SeedSequence(5) spawns is another:", bool(spawned != numpy.random.default_rng(5).random()))
if seen != [True, True, True, False, False]:
    sys.exit("CHANGED: zeros behind a seed count")
PY
# Seen:
#   numpy 2.4.6
#   5 and [5, 0]: the same stream
#   [5] and [5, 0, 0, 0]: the same stream
#   [1, 2] and 8589934593: the same stream
#   5 and [5, 0, 0, 0, 0]: two streams
#   5 and [5, 1]: two streams
#   the first that SeedSequence(5) spawns is another: True
