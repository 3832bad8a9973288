"""What the benchmarks of serving are made of: servers, drawings, a load generator, the parts of a request."""
