import pytest
import torch

from train_gpt_style.credit import SYSTEM
from train_gpt_style.credit.features.method import method_of
from train_gpt_style.credit.run import build_model
from train_gpt_style.kit.context import Context

WIDTH, DEPTH, CLASSES = 16, 3, 10


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)


class World:
    """A small network with its method, and a batch of inputs that its shapes fit."""

    def __init__(self, shape=(12,), count=24, seed=1, **knobs):
        knobs = {"DIM": WIDTH, "DEPTH": DEPTH, "W2_STD": 0.25, **knobs}
        self.settings = SYSTEM.read({name: str(value) for name, value in knobs.items()})
        self.ctx = Context({})
        torch.manual_seed(seed)
        self.model = build_model(self.settings, self.ctx, shape, CLASSES)
        self.method = method_of(self.settings)
        self.x = torch.randn(count, *shape)
        self.y = torch.randint(CLASSES, (count,))


@pytest.fixture
def world():
    return World
