"""How often the host waits for a number of the device: two runs that are compared must share it."""


class HostReads:
    """A context's `read` that counts its calls: `count`."""

    def __init__(self, read):
        self.read, self.count = read, 0

    def __call__(self, t):
        """What `Context.read` returns."""
        self.count += 1
        return self.read(t)


def host_reads(ctx):
    """The HostReads of `ctx`, which counts from the first time that it is asked for."""
    if not isinstance(ctx.read, HostReads):
        ctx.read = HostReads(ctx.read)
    return ctx.read
