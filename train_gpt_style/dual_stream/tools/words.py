"""Scans in words."""


def text_of(found):
    """The scans for a terminal."""
    lines = [
        f"{found['checkpoint']}, step {found['step']}, {found['images']} {found['data']} images"
    ]
    for name, each in found["scans"].items():
        lines.append(f"\nSCAN {name.upper()}")
        lines += [f"  {key}: {short(value)}" for key, value in each.items() if told(key)]
    lines.append("\nDIAGNOSIS SUMMARY")
    for key, value in found["diagnosis"].items():
        if key != "verdict":
            lines.append(f"  {key}: {short(value)}")
    verdict = found["diagnosis"]["verdict"]
    reasons = f": {'; '.join(verdict['reasons'])}" if verdict["reasons"] else ""
    lines.append(f"  verdict: {verdict['state']}{reasons}")
    return "\n".join(lines)


def told(key):
    """Whether a terminal shows it: tables are for the page and for --json."""
    return key not in ("spectrum", "counts", "confusion", "classes", "centroid_cosines")


def short(value):
    """A value for people: six digits, tables on one line."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{k} {short(v)}" for k, v in value.items())
    if isinstance(value, list):
        return " ".join(map(short, value)) or "none"
    return str(value)
