"""The parts of `make run`, for one machine. A deployment supervises the same processes itself (compose.yaml)."""
