"""Runs that other tools logged, sealed as evidence: what they say, and what is not known."""
