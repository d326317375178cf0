"""Shared fixtures. `pytest` alone runs everything."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parents[1]

# An example has no deadline, and data may come slowly: neither says anything about the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.hookimpl(tryfirst=True)  # before the workers write the groups down
def pytest_collection_modifyitems(items):
    """On several workers the tests of a file stay together, for its fixtures; so do Slurm's."""
    for item in items:
        place = item.path.relative_to(ROOT)
        slurm = place.is_relative_to("tests/slurm")  # one cluster at a time
        item.add_marker(pytest.mark.xdist_group("slurm" if slurm else str(place)))


@pytest.fixture(scope="session")
def root():
    """The repository's top folder."""
    return ROOT


@pytest.fixture(scope="session")
def example():
    """The worked example of docs/foreign-scripts.md: a pair of scripts and their probe."""
    return ROOT / "docs" / "example"
