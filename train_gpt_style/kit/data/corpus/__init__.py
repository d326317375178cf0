"""`make data`: public-domain Shakespeare and Milton as a tokenizer and token shards.

`archive` fetches and reads the source, `documents` cuts and splits it, `build` makes the files,
`pins` compares them with the committed digests. docs/data.md says what was chosen and why.
"""
