"""A package with relative imports, started by `python -m trainer`."""
