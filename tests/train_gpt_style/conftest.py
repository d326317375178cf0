"""Each system in turn: what a test of every system is given."""

import pytest
import torch

from tests.train_gpt_style.cases import ENTRIES, case_of


@pytest.fixture(scope="session", params=sorted(ENTRIES))
def case(request, tmp_path_factory):
    """A system, with its small data."""
    torch.set_num_threads(1)
    return case_of(request.param, tmp_path_factory.mktemp(f"data-{request.param}"))
