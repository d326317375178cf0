"""pytest tests/verify/ladder/test_ranks.py — the other ranks of a run are real, and never hang."""

import os
import time

import pytest
import torch
import torch.distributed as dist

from goldenseal.errors import CannotCheckError
from goldenseal.ladder.ranks import peers
from tests.patience import patience


def exchange():
    """What each rank does: give its number to a sum."""
    dist.init_process_group("gloo")
    total = torch.tensor([float(os.environ["RANK"]) + 1])
    dist.all_reduce(total)
    dist.destroy_process_group()
    return total.item()


@pytest.mark.parametrize("ranks", [2, 3])
def test_every_rank_adds_its_own_number(tmp_path, ranks):
    total = sum(range(1, ranks + 1))
    with peers(exchange, ranks, {}, tmp_path) as collect:
        assert os.environ["RANK"] == str(ranks - 1)
        assert exchange() == total
        assert collect() == [total] * (ranks - 1)
    assert "RANK" not in os.environ


def test_alone_nothing_is_set_and_nobody_is_started(tmp_path):
    with peers(exchange, 1, {}, tmp_path) as collect:
        assert "WORLD_SIZE" not in os.environ
        assert collect() == []
    assert list(tmp_path.iterdir()) == []


def test_when_the_recorded_rank_fails_the_others_are_ended_at_once(tmp_path):
    begin = time.monotonic()
    with pytest.raises(RuntimeError, match="mine"), peers(exchange, 2, {}, tmp_path):
        raise RuntimeError("mine")
    assert time.monotonic() - begin < patience(20)


def test_a_rank_that_does_not_end_is_named_and_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("goldenseal.ladder.ranks.PATIENCE", 1)
    with (
        pytest.raises(CannotCheckError, match="still running"),
        peers(lambda: time.sleep(600), 2, {}, tmp_path) as collect,
    ):
        collect()


def test_a_rank_that_ends_without_a_result_is_named(tmp_path):
    with (
        pytest.raises(CannotCheckError, match="rank 0 ended with exit code 3 and left no"),
        peers(lambda: os._exit(3), 2, {}, tmp_path) as collect,
    ):
        collect()
