"""A LightningModule and its Trainer."""

import argparse

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Module(L.LightningModule):
    def __init__(self, lr=1e-2, width=8):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(
            nn.Linear(5, width), nn.ReLU(), nn.Dropout(0.1), nn.Linear(width, 1)
        )

    def training_step(self, batch, index):
        x, y = batch
        loss = nn.functional.mse_loss(self.net(x), y)
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch, index):
        x, y = batch
        self.log("val_loss", nn.functional.mse_loss(self.net(x), y), on_epoch=True)

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.hparams.lr, weight_decay=0.01)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }


def loader(seed, shuffle):
    x = torch.randn(24, 5, generator=torch.Generator().manual_seed(seed))
    return DataLoader(TensorDataset(x, x[:, :1] ** 2), batch_size=4, shuffle=shuffle)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--max_epochs", type=int, default=5)
    parser.add_argument("--lr", type=float, default=1e-2)
    args = parser.parse_args()
    L.seed_everything(0)
    trainer = L.Trainer(
        max_epochs=args.max_epochs,
        accelerator="cpu",
        devices=1,
        log_every_n_steps=1,
        gradient_clip_val=0.5,
        accumulate_grad_batches=2,
        enable_model_summary=False,
    )
    trainer.fit(Module(lr=args.lr), loader(1, True), loader(2, False))
    print("callback metrics", {k: round(v.item(), 6) for k, v in trainer.callback_metrics.items()})


if __name__ == "__main__":
    main()
