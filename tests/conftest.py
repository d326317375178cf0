"""Shared fixtures. `pytest` alone runs everything."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parents[1]

# An example has no deadline, and data may come slowly: neither says anything about the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def root():
    """The repository's top folder."""
    return ROOT


@pytest.fixture(scope="session")
def example():
    """The worked example of docs/foreign-scripts.md: a pair of scripts and their probe."""
    return ROOT / "docs" / "example"
