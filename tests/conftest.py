"""Shared fixtures. `pytest` alone runs everything."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root():
    """The repository's top folder."""
    return ROOT


@pytest.fixture(scope="session")
def example():
    """The worked example of docs/foreign-scripts.md: a pair of scripts and their probe."""
    return ROOT / "docs" / "example"
