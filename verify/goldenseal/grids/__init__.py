"""Studies: every run of a plan, and what they show together. See docs/studies.md."""
