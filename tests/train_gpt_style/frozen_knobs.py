"""The whole surface of a system's knobs as text, exact, which a file beside the tests freezes."""

import os


def lines_of(knobs, features):
    """A line for each knob and for each feature."""
    for k in knobs:
        kind, default = k.type.__name__, k.text(k.default)
        more = f" unit={k.unit}" if k.unit else ""
        more += f" on={k.on}" if k.on is not None else ""
        legal = "|".join(k.choices) or f"[{k.low!r}, {k.high!r}]"
        yield f"{k.name} {kind} default={default} legal={legal}{more}"
    for feature in features:
        d = feature.declaration
        yield f"feature {d.name}: {d.kind}, master {d.master.name}"
        for name, table in (("example", d.example), ("trips", d.trips)):
            yield from (f"feature {d.name}: {name} {key}={text}" for key, text in table.items())


def check(knobs, features, golden):
    """Hold them to the file, or rewrite it: UPDATE_GOLDENS=1."""
    text = "\n".join(lines_of(knobs, features)) + "\n"
    if os.environ.get("UPDATE_GOLDENS") == "1":
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
