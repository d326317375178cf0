"""Statistics that claims, grids and the audit share."""
