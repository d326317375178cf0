"""A run composed by hydra, with accelerate around the model."""

import logging

import hydra
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from omegaconf import OmegaConf
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

log = logging.getLogger(__name__)


class Net(nn.Module):
    def __init__(self, width, gain):
        super().__init__()
        self.gain = gain
        self.layers = nn.Sequential(nn.Linear(3, width), nn.Tanh(), nn.Linear(width, 2))

    def forward(self, x):
        return self.gain * self.layers(x)


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg):
    log.info(OmegaConf.to_yaml(cfg))
    set_seed(cfg.seed)
    accelerator = Accelerator(cpu=True)
    x = torch.randn(32, 3)
    loader = DataLoader(TensorDataset(x, x.sum(1).gt(0).long()), batch_size=8, shuffle=True)
    net = Net(**cfg.model)
    optimizer = torch.optim.Adam(net.parameters(), lr=cfg.lr)
    net, optimizer, loader = accelerator.prepare(net, optimizer, loader)
    step = 0
    while step < cfg.steps:
        for batch, label in loader:
            loss = nn.functional.cross_entropy(net(batch), label)
            optimizer.zero_grad()
            accelerator.backward(loss)
            optimizer.step()
            step += 1
            log.info("step %d loss %.6f", step, loss.item())
    torch.save(accelerator.unwrap_model(net).state_dict(), "net.pt")


if __name__ == "__main__":
    main()
