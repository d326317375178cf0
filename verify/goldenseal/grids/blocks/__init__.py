"""Sweeps: pre-registered grids that start only from a verified tree. Guide: docs/sweeps.md."""
