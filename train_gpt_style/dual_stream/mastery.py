"""The mastery queue: once every view finds its own, hardest negatives and positives of the past.

Reconstructed. It fills from the first step on; its loss begins after `patience` batches in a row in
which InfoNCE's accuracy was 1. All that it knows lies in buffers, so a checkpoint holds it.

Shape letters: B rows of a batch, Q rows in the queue, O sphere.
"""

import torch
from torch import nn

FAR = 2.0  # beyond any cosine: masks what must not be the maximum, or the minimum


def margin(t, start, end, steps):
    """start at t = 0, a line to end at t = steps, end from there on; end at once for steps = 0."""
    return start + (end - start) * (min(1.0, t / steps) if steps else 1.0)


def hardest(rows, labels, queue, queue_labels):
    """(hard_neg, hard_pos, has both) of rows (B, O) against a queue (Q, O), each (B,).

    hard_neg: highest cosine to another class. hard_pos: lowest to the same.
    """
    sims = rows @ queue.T
    same = labels.unsqueeze(1) == queue_labels
    negative = sims.masked_fill(same, -FAR).amax(dim=1)
    positive = sims.masked_fill(~same, FAR).amin(dim=1)
    return negative, positive, same.any(dim=1) & ~same.all(dim=1)


class MasteryQueue(nn.Module):
    """Normalised embeddings and classes, the oldest first; `limit` of them at most.

    capacity: rows that are kept room for. size, limit: as integers in buffers. streak: batches in a
    row with accuracy 1. age: batches since activation, -1 before it.
    """

    def __init__(self, limit, capacity, dim, patience):
        super().__init__()
        self.patience = patience
        self.register_buffer("rows", torch.zeros(capacity, dim))
        self.register_buffer("labels", torch.full((capacity,), -1))
        for name, value in (("size", 0), ("limit", limit), ("streak", 0)):
            self.register_buffer(name, torch.tensor(value))
        self.register_buffer("age", torch.tensor(-1))

    @property
    def active(self):
        """Whether the loss has begun."""
        return int(self.age) >= 0

    def loss(self, rows, labels, margin):
        """(loss, mean hard_neg, mean hard_pos) over rows that have both; zeros when none has."""
        count = int(self.size)
        if not count:
            zero = rows.new_zeros(())
            return zero, zero, zero
        queue = self.rows[:count], self.labels[:count]
        negative, positive, both = hardest(rows, labels, *queue)
        n = both.sum().clamp_min(1)
        gap = torch.where(both, negative - positive + margin, 0)
        means = [(t.detach() * both).sum() / n for t in (negative, positive)]
        return gap.relu().sum() / n, *means

    @torch.no_grad()
    def push(self, rows, labels):
        """Append a batch (B, O); the oldest leave."""
        self.keep(*(self.rows, rows.detach().float()), *(self.labels, labels))

    @torch.no_grad()
    def resize(self, limit):
        """Another limit, within the capacity; the newest stay."""
        self.limit.fill_(limit)
        self.keep(self.rows, self.rows[:0], self.labels, self.labels[:0])

    def keep(self, rows, new_rows, labels, new_labels):
        """Old rows and new ones, as many of the newest as the limit lets."""
        count, limit = int(self.size), int(self.limit)
        kept = torch.cat((rows[:count], new_rows))[-limit:].clone()
        kept_labels = torch.cat((labels[:count], new_labels))[-limit:].clone()
        self.rows.zero_()[: len(kept)] = kept
        self.labels.fill_(-1)[: len(kept)] = kept_labels
        self.size.fill_(len(kept))

    def count_hits(self, perfect):
        """A batch is over; perfect: InfoNCE's accuracy in it was 1. A miss resets the streak."""
        if self.active:
            self.age += 1
            return
        self.streak.fill_(int(self.streak) + 1 if perfect else 0)
        if int(self.streak) >= self.patience:
            self.age.fill_(0)
