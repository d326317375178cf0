#!/bin/sh
# With `lr` as a float32 tensor Adam takes other steps than with the same `lr` as a number.
#
# A tensor is what torch.compile and schedules that live on a device ask for, and torch.tensor(1e-3) is the usual
# way to write it. With torch 2.13.0 on a CPU, twenty steps of Adam over the same gradients end in other weights in
# the last bit: the number 0.001 is a double, and the step size is made in double; the tensor is float32, and so
# is what follows. A float64 tensor gives the numbers' weights, and SGD the same for both. So "off means off"
# fails for a candidate that only made its learning rate a tensor. Loading a state or a scheduler may do that too.
# Exits 1 when the weights are equal, or when those of a float64 tensor are not.
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check torch==2.13.0 numpy==2.4.6 || exit 3
"$work/venv/bin/python" - <<'PY'
import sys
import torch

print("torch", torch.__version__)


def trained(optimizer, lr):
    generator = torch.Generator().manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(1000, generator=generator))
    stepper = optimizer([weight], lr=lr)
    for _ in range(20):
        weight.grad = torch.randn(1000, generator=generator)
        stepper.step()
    return weight.detach()


def others(optimizer, lr):
    return int((trained(optimizer, 1e-3) != trained(optimizer, lr)).sum())


single, double = torch.tensor(1e-3), torch.tensor(1e-3, dtype=torch.float64)
seen = [others(torch.optim.Adam, single), others(torch.optim.Adam, double), others(torch.optim.SGD, single)]
for name, count in zip(("Adam, float32 tensor", "Adam, float64 tensor", "SGD, float32 tensor"), seen):
    print(f"{name}: {count} of 1000 weights differ")
if not seen[0] or seen[1] or seen[2]:
    sys.exit("CHANGED: which learning rates give the same weights")
PY
# Seen:
#   torch 2.13.0+cpu
#   Adam, float32 tensor: 15 of 1000 weights differ
#   Adam, float64 tensor: 0 of 1000 weights differ
#   SGD, float32 tensor: 0 of 1000 weights differ
