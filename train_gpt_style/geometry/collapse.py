"""Has the constellation collapsed? Judged from three numbers, any of which may be unknown.

The published collapse has 1 of 256 anchors active, entropy 0 and self-similarity .969; the soup
that works has 94 to 99 of 256. Between them our limits are chosen by hand.
"""

from train_gpt_style.geometry.constants import GEO_SELF_SIMILAR

SHARE = 20  # at most one anchor in so many
ENTROPY = 5  # percent of ln A
WINDOW = 5  # epochs


def reasons(active, anchors, entropy=None, similar=None):
    """Why it has, in words; [] when it has not.

    active: of `anchors`. entropy: of their use, in percent. similar: mean cosine between rows.
    """
    found = []
    if active <= max(1, anchors // SHARE):
        found.append(f"{active} of {anchors} anchors are active")
    if entropy is not None and entropy < ENTROPY:
        found.append(f"entropy of the anchors' use is {entropy:.1f} percent")
    if similar is not None and similar > GEO_SELF_SIMILAR:
        found.append(f"self-similarity is {similar:.3f}")
    return found


def halved(seen):
    """A warning in words when active anchors halved within five epochs; None when they did not.

    seen: (epoch, active anchors), in order.
    """
    last, now = seen[-1]
    for epoch, active in seen:
        if last - epoch <= WINDOW and 2 * now <= active:
            return f"active anchors went from {active} to {now} in {last - epoch} epochs"
    return None
