"""What every launch goes through: a gate, a frozen source, a process of its own, a record."""
