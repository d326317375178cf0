"""Settings that a script overwrites in its own globals: `python train.py --steps=5`."""

import json
import sys

import torch
from model import Model, ModelConfig

steps = 100
learning_rate = 1e-3
hidden = 12
accumulate = 2
seed = 5
settings = [name for name in globals() if not name.startswith("_") and name.islower()]
for word in sys.argv[1:]:
    key, _, text = word[2:].partition("=")
    assert key in globals(), word
    globals()[key] = json.loads(text)

torch.manual_seed(seed)
model = torch.compile(Model(ModelConfig(hidden=hidden)))
optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, betas=(0.9, 0.95))
data = torch.randn(40, 6)
for step in range(steps):
    for _ in range(accumulate):
        x = data[torch.randint(40, (4,))]
        loss = (model(x) - x.roll(1, -1)).square().mean() / accumulate
        loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    print(f"{step}: {loss.item():.6f}")
model.eval()
with torch.no_grad():
    print("final", model(data).sum().item())
with open("settings.json", "w") as file:
    chosen = {k: v for k, v in globals().items() if isinstance(v, int | float) and k.islower()}
    json.dump({"model": vars(ModelConfig()), "chosen": chosen}, file, indent=1)
sys.exit(0)
