"""A script that knows only CUDA."""

import os
import time

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn

assert torch.cuda.is_available()
rank = int(os.environ.get("RANK", 0))
device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
torch.cuda.set_device(device)
if "WORLD_SIZE" in os.environ:
    dist.init_process_group(backend="nccl", device_id=device)
    dist.barrier()


class Hyperparameters:
    steps = 3
    lr = 0.01
    width = 16


args = Hyperparameters()


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.a = nn.Linear(4, width)
        self.b = nn.Linear(width, 3)

    def forward(self, x, y):
        return F.cross_entropy(self.b(F.silu(self.a(x))), y)


torch.manual_seed(0)
torch.cuda.manual_seed_all(0)
model = Net(args.width).cuda()
compiled = torch.compile(model, dynamic=False)
optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, fused=True)
x = torch.randn(32, 4).pin_memory().to("cuda", non_blocking=True)
y = torch.randint(3, (32,), device=device)
torch.cuda.synchronize()
t0 = time.perf_counter()
for step in range(args.steps):
    with torch.autocast(device_type="cuda", dtype=torch.bfloat16):
        loss = compiled(x, y)
    loss.backward()
    if "WORLD_SIZE" in os.environ:
        for p in model.parameters():
            dist.all_reduce(p.grad, op=dist.ReduceOp.AVG)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    torch.cuda.synchronize()
    if rank == 0:
        print(f"step:{step} loss:{loss.item():.4f} {1000 * (time.perf_counter() - t0):.0f}ms")
peak = torch.cuda.max_memory_allocated() // 1024
print(f"peak {peak} on {torch.cuda.get_device_name()}")
if "WORLD_SIZE" in os.environ:
    dist.destroy_process_group()
