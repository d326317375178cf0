"""Training systems: one folder each, plus the small kit that they share."""
