"""The gates where other people run them: in pytest, and on a forge, as a summary and as SARIF."""
