#!/bin/sh
# torch's CPU generator takes the low 32 bits of a seed, and says that it has all 64.
#
# With torch 2.13.0, `torch.Generator().manual_seed(s)` and `manual_seed(s + 2**32)` draw the same numbers on a
# CPU, though `initial_seed()` gives back two different seeds. So streams whose seeds are made by arithmetic, such
# as seed * 2**32 + step or seed * (2**31 - 1) + step, are the same, or the same but shifted, for different seeds:
# "independent" repetitions then share their augmentation or their noise. A seed that is a hash of all that it
# depends on, cut to 32 bits, does not.
# Exits 1 when the high bits count, or when `initial_seed` no longer shows them.
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check torch==2.13.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PY'
import sys
import torch

print("torch", torch.__version__)


def stream(seed):
    generator = torch.Generator().manual_seed(seed)
    return generator.initial_seed(), torch.randn(1000, generator=generator)


low, drawn = stream(7)
same = {}
for more in (2**32, 2**48, 2**33 + 5):
    seed, other = stream(7 + more)
    same[more] = torch.equal(drawn, other)
    print(f"seed 7 and 7 + {more}: initial_seed {low} and {seed}, same draws: {same[more]}")
    if seed != 7 + more:
        sys.exit("CHANGED: initial_seed does not show the seed that was given")
if [*same.values()] != [True, True, False]:
    sys.exit("CHANGED: the high bits of a seed count")
PY
