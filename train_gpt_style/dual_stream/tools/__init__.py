"""Tools beside training: no run imports them, and no bundle holds them."""
