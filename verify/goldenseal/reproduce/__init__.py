"""Re-running a sealed record, and saying where and why it differs."""
