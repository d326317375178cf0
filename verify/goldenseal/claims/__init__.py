"""Claims: every number in prose bound to sealed evidence, recomputed. See docs/claims.md."""
