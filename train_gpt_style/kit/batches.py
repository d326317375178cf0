"""Which rows a batch is made of: an order drawn anew for each epoch, from one seed."""

import math

import torch

from goldenseal.errors import UsageError


class Loader:
    """Places of a split's rows in batches. `whole`: math.ceil keeps an epoch's last part-batch.

    `drawn` counts the batches so far: the order follows from the seed, so it is all of a place.
    """

    def __init__(self, rows, batch, seed, whole=math.floor):
        self.rows, self.batch, self.drawn = rows, batch, 0
        self.per_epoch = whole(rows / batch)
        self.generator = torch.Generator().manual_seed(seed)
        self.order = torch.empty(0, dtype=torch.int64)

    def next_rows(self):
        """(B,) places."""
        at = self.drawn % self.per_epoch
        if not at:
            self.shuffle()
        self.drawn += 1
        self.places = slice(at * self.batch, (at + 1) * self.batch)
        return self.order[self.places]

    def shuffle(self):
        """Begin an epoch."""
        self.order = torch.randperm(self.rows, generator=self.generator)

    @property
    def position(self):
        """What `restore` takes: how many batches were drawn."""
        return (self.drawn,)

    def restore(self, position):
        """Go on from the `position` of another loader of the same rows, batch and seed.

        Raises UsageError for a position that is none.
        """
        if len(position) != 1 or position[0] < self.drawn:
            raise UsageError(f"{position} is no place of a loader: how many batches were drawn")
        while self.drawn < position[0]:
            self.next_rows()
