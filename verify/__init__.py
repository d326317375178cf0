"""Goldenseal's gates, seals and records. Names no model and imports nothing of the training code."""

__version__ = "0.1.0"
