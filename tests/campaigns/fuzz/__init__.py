"""The product under a flood of wrong input: bodies, pictures, headers, frames and broken HTTP, from one seed.

`python -m tests.campaigns.fuzz` starts it as processes, without a worker (a run stays queued, and is stopped by some
later request), and holds every answer against what is promised of all: no 5xx but a documented 503, JSON with a
code for every refusal under /api/, answers as the OpenAPI document says, no traceback, memory that does not grow.
"""
