"""The gates: one file each, run in the order of `verify.ladder.suite`."""
