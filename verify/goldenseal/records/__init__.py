"""Records: what they are, how they are sealed, and whether they still are what was sealed."""
