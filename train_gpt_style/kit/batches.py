"""Batches of rows by their places; unlike those of `kit.images`, no row of an epoch is left out."""

import torch

from goldenseal.errors import UsageError


class Loader:
    """Places of a split in batches, in an order drawn anew for each epoch; the last is shorter."""

    def __init__(self, rows, batch, seed):
        self.rows, self.batch = rows, batch
        self.generator = torch.Generator().manual_seed(seed)
        self.order, self.at, self.epoch = torch.empty(0, dtype=torch.int64), 0, 0

    def next_rows(self):
        """(B,) places."""
        if self.at >= len(self.order):
            self.shuffle()
        self.at += self.batch
        return self.order[self.at - self.batch : self.at]

    def shuffle(self):
        """Begin an epoch."""
        self.order, self.at = torch.randperm(self.rows, generator=self.generator), 0
        self.epoch += 1

    @property
    def position(self):
        """What `restore` takes: the epoch, from 1, and the place in its order."""
        return self.epoch, self.at

    def restore(self, position):
        """Go on from the `position` of another loader of the same rows, batch and seed.

        Raises UsageError for a place that is none, before an order is drawn for it.
        """
        epoch, at = position
        whole = self.rows + self.batch
        if not (self.epoch <= epoch and 0 <= at < whole and (epoch > 0 or at == 0)):
            raise UsageError(f"epoch {epoch}, row {at}: no place in {self.rows} rows")
        while self.epoch < epoch:
            self.shuffle()
        self.at = at
