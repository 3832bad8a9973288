"""`make drill`: a seeded storm of faults on the running product, its history, and what that must not hold."""
