"""Small systems of several networks, for the tests of what the recorder watches."""

from tests.verify.scripts import PROBE

HEAD = """
import copy
import os

import torch
from torch import nn

STEPS = int(os.environ.get("STEPS", 3))
ON = os.environ.get("FEATURE") == "1"


class Net(nn.Module):
    def __init__(self, norm=False):
        super().__init__()
        self.inner = nn.Linear(4, 4)
        self.norm = nn.BatchNorm1d(4) if norm else nn.Identity()

    def forward(self, x):
        return self.norm(self.inner(x))

    def encode(self, x):
        return self.inner(x).tanh()


def train(step_of):
    for step in range(STEPS):
        print("step", step, step_of(torch.randn(5, 4), step).item())


def step(loss, *optimizers):
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()
    return loss.detach()
"""

TEACHER = f"""{HEAD}

def main():
    torch.manual_seed(0)
    student, teacher = Net(), Net()
    teacher.requires_grad_(False)
    teacher.eval()
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)

    def once(x, number):
        target = teacher(x)  # the first that is called
        return step((student(x) - target).square().mean(), optimizer)

    train(once)
    student.eval()
    print(student(torch.ones(2, 4)).sum().item())
"""

AUXILIARY = f"""{HEAD}

def main():
    torch.manual_seed(0)
    body, bridge, head = Net(), Net(), nn.Linear(4, 1)
    optimizers = [torch.optim.SGD(body.parameters(), lr=0.1)]
    optimizers += [torch.optim.AdamW(bridge.parameters(), lr=0.01)]
    optimizers += [torch.optim.SGD([{{"params": head.weight}}, {{"params": head.bias}}], lr=0.2)]

    def once(x, number):
        return step(head(bridge(body(x))).square().mean(), *optimizers)

    train(once)
    body.eval()
    print(body(torch.ones(2, 4)).sum().item())
"""

# An average of the weights, which no optimizer owns and the script moves itself.
AVERAGE = f"""{HEAD}

def main():
    torch.manual_seed(0)
    student = Net()
    average = copy.deepcopy(student).requires_grad_(False) if ON else None
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)

    def once(x, number):
        loss = student(x).square().mean()
        if average is not None:
            loss = loss + (student(x) - average(x)).square().mean()
        loss = step(loss, optimizer)
        if average is not None:
            for ours, theirs in zip(average.parameters(), student.parameters()):
                ours.lerp_(theirs.detach(), 0.5)
        return loss

    train(once)
    student.eval()
    print(student(torch.ones(2, 4)).sum().item())
"""

FEATURE = """
[[feature]]
name = "feature"
master = "FEATURE"
off = 0
example = { FEATURE = 1 }
"""
WITH_FEATURE = PROBE + FEATURE
