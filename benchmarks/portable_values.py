"""A system without a model: operations of the portable lane on many values, and at larger sizes.

A small training run meets few values, and a vector routine may be wrong in its last bit once in a
million; so each pointwise function sees a spread over many binades here. Run by portable.py:

    python -m train_gpt_style.kit.check_run [--trace FILE] benchmarks/portable_values.py [--sqrt]

With --sqrt it computes a root the way the lane forbids: the trial must then find a difference.
"""

import sys

import torch
import torch.nn.functional as F

COUNT = 2**19
SMALLEST, LARGEST = 2.0**-14, 2.0**7


def spread(count=COUNT, low=SMALLEST, high=LARGEST):
    """Floats with evenly spaced bit patterns from `low` to `high`, of alternating sign, mixed."""
    first, last = torch.tensor([low, high]).view(torch.int32).tolist()
    index = torch.arange(count) * 40_503 % count  # odd, hence a permutation of a power of two
    values = (first + index * (last - first) // count).to(torch.int32).view(torch.float32)
    return torch.where(index % 2 == 0, values, -values)


def pointwise(x):
    """Functions whose last bit is the library's choice."""
    positive = x.abs()
    for function in (torch.tanh, torch.cos, torch.sin, torch.reciprocal):
        function(x)
    torch.rsqrt(positive)
    x**2
    torch.pow(10000.0, positive / LARGEST)
    torch.linalg.vector_norm(x.view(-1, 1024), dim=1)
    F.log_softmax(x.view(-1, 1024) / 8, dim=1)
    torch.exp(x / 8)
    for rows in (x.view(8, -1), 100 * x.view(8, -1)):  # a sum of eight, and one that is its largest
        torch.logsumexp(rows, dim=0)
    torch.linalg.vector_norm(x.bfloat16())


def products(x):
    """Matrix products in both types, of shapes that fill vectors and of shapes that do not."""
    for m, k, n in ((128, 256, 192), (33, 130, 65), (512, 32, 5)):
        a, b = x[: m * k].view(m, k), x[-k * n :].view(k, n)
        a @ b
        a.bfloat16() @ b.bfloat16()


def attention(x, heads=4, length=96, width=32):
    """Causal attention and its gradient."""
    q = (x[: heads * length * width].view(1, heads, length, width) / 8).requires_grad_()
    (F.scaled_dot_product_attention(q, q, q, is_causal=True) ** 2).sum().backward()


def adam(x):
    """Three fused steps on a vector that is not a whole number of vectors."""
    p = torch.nn.Parameter(x[:99_991].clone())
    optimizer = torch.optim.Adam([p], lr=0.01, betas=(0.9, 0.95), eps=1e-8, fused=True)
    for step in range(3):
        p.grad = x[step : step + p.numel()]
        optimizer.step()


def main():
    """Compute everything once; whoever runs this watches."""
    torch.manual_seed(1597)
    torch.empty(COUNT).normal_()
    torch.empty(COUNT).uniform_(-1, 1)
    x = spread()
    if "--sqrt" in sys.argv:
        x.abs().sqrt()
        return
    pointwise(x)
    products(x)
    attention(x)
    adam(x)


if __name__ == "__main__":
    main()
