"""What the systems train on: one command fetches it, checks it and makes it. docs/data.md."""
