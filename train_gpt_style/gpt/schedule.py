"""Learning rates, momentum and progress, as functions of the step and of the elapsed time."""


def lr_scale(settings, step, elapsed_ms):
    """Linear warm-down to zero: over the last steps, or over the time that they would take."""
    if settings.warmdown_iters <= 0:
        return 1.0
    if settings.max_wallclock_seconds <= 0:
        return min((settings.iterations - step) / settings.warmdown_iters, 1.0)
    warmdown_ms = settings.warmdown_iters * elapsed_ms / max(step, 1)
    remaining_ms = max(1000.0 * settings.max_wallclock_seconds - elapsed_ms, 0.0)
    return remaining_ms / max(remaining_ms, warmdown_ms)


def muon_momentum(settings, step):
    """Linear warm-up of Muon's momentum."""
    warmup = settings.muon_momentum_warmup_steps
    frac = min(step / warmup, 1.0) if warmup > 0 else 1.0
    return (1 - frac) * settings.muon_momentum_warmup_start + frac * settings.muon_momentum


def progress(settings, step, elapsed_ms):
    """The part of training that lies behind, from 0 to 1: of the steps or, if more, of the time."""
    by_steps = step / max(settings.iterations, 1)
    if settings.max_wallclock_seconds <= 0:
        return by_steps
    return min(max(by_steps, elapsed_ms / (1000.0 * settings.max_wallclock_seconds)), 1.0)
