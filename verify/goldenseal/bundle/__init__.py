"""A training system in one file, and the imports that tell what belongs into it."""
