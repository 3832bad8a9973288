"""What callers may write of a run, checked."""
