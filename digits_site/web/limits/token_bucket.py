"""A token bucket, which limits the frames of a WebSocket client."""

import time

BURST_SECONDS = 4.0
TOO_MANY_FRAMES = 4008  # the close code


class TokenBucket:
    """Allow `rate` tokens a second on average, and BURST_SECONDS' worth of them at once."""

    def __init__(self, rate: float) -> None:
        self.rate, self.tokens, self.refilled_at = rate, rate * BURST_SECONDS, time.monotonic()

    def consume(self) -> bool:
        """Take one token. Return False if there is none."""
        now = time.monotonic()
        self.tokens = min(self.rate * BURST_SECONDS, self.tokens + (now - self.refilled_at) * self.rate)
        self.refilled_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True
