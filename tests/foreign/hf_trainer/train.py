"""A Hugging Face Trainer on a tiny model of its own, with HfArgumentParser."""

from dataclasses import dataclass, field

import torch
from torch import nn
from transformers import HfArgumentParser, Trainer, TrainingArguments, set_seed


@dataclass
class ModelArguments:
    width: int = field(default=8, metadata={"help": "channels"})
    tokens: int = 11


class Model(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.embed = nn.Embedding(options.tokens, options.width)
        self.head = nn.Linear(options.width, options.tokens)

    def forward(self, input_ids, labels=None):
        logits = self.head(torch.tanh(self.embed(input_ids)))
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return {"loss": loss, "logits": logits}


class Tokens(torch.utils.data.Dataset):
    def __init__(self, seed, count):
        self.x = torch.randint(11, (count, 7), generator=torch.Generator().manual_seed(seed))

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return {"input_ids": self.x[i, :-1], "labels": self.x[i, 1:]}


def main():
    parser = HfArgumentParser((ModelArguments, TrainingArguments))
    options, training = parser.parse_args_into_dataclasses()
    set_seed(training.seed)
    trainer = Trainer(
        model=Model(options), args=training, train_dataset=Tokens(1, 24), eval_dataset=Tokens(2, 8)
    )
    trainer.train()
    print({k: v for k, v in trainer.evaluate().items() if "loss" in k})
    trainer.save_model()


if __name__ == "__main__":
    main()
