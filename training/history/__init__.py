"""Past runs: what people write on them, what belongs to them, and which may be deleted."""
