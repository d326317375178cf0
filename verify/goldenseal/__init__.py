"""Goldenseal's gates, seals and records. Names no model, imports no training code."""

__version__ = "0.1.0"
