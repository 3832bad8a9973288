"""The ways of training that ``python -m benchmarks.training`` compares, each run in a process of its own."""
