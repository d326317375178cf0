"""No optimizer: gradients by torch.func, of a loss of parameters that Adam makes anew, by hand."""

import os

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, grad_and_value

STEPS = int(os.environ.get("STEPS", "40"))
LR = float(os.environ.get("LR", "0.01"))
BETAS = 0.9, 0.99


def network():
    return nn.Sequential(nn.Linear(6, 10), nn.GELU(), nn.Dropout(0.1), nn.Linear(10, 3))


def loss_of(parameters, net, x, y):
    return F.cross_entropy(functional_call(net, parameters, (x,)), y)


def adam(parameters, gradients, moments, step):
    updated = {}
    for name, p in parameters.items():
        m, v = moments[name]
        m = BETAS[0] * m + (1 - BETAS[0]) * gradients[name]
        v = BETAS[1] * v + (1 - BETAS[1]) * gradients[name] ** 2
        moments[name] = m, v
        corrected = m / (1 - BETAS[0] ** step), v / (1 - BETAS[1] ** step)
        updated[name] = p - LR * corrected[0] / (corrected[1].sqrt() + 1e-8)
    return updated


def main():
    torch.manual_seed(11)
    net = network()
    parameters = {name: p.detach() for name, p in net.named_parameters()}
    moments = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in parameters.items()}
    data = torch.randn(64, 6)
    labels = (data.sum(1) > 0).long() + (data[:, 0] > 0).long()
    for step in range(1, STEPS + 1):
        rows = torch.randperm(64)[:16]
        gradients, loss = grad_and_value(loss_of)(parameters, net, data[rows], labels[rows])
        parameters = adam(parameters, gradients, moments, step)
        print(f"step {step} loss {loss.item():.6f}")
    net.eval()
    with torch.no_grad():
        print(f"validation {loss_of(parameters, net, data, labels).item():.6f}")
    torch.save(parameters, "final.pt")


if __name__ == "__main__":
    main()
