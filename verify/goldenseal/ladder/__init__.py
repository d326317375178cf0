"""Off means off: a candidate with its features off, held against its baseline."""
