"""The gates: one file each, run in the order of `goldenseal.ladder.suite`."""
