// Try again what failed for a reason that passes: with exponential backoff, a limited number of times.

import { isTransient } from "../http.js";

const RETRIES = 10; // in about three minutes; then the user, a reconnection or the network's return tries again
const FIRST_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 30_000;

export class Retry {
  #timer = 0;
  #count = 0;

  /** Call `attempt` when it is time. Return the milliseconds until then, or null if it will not be. */
  schedule(error, attempt) {
    this.cancel();
    if (!isTransient(error) || this.#count === RETRIES) return null;
    // With jitter: every page that lost the server tries again.
    const backoff = Math.min(FIRST_BACKOFF_MS * 2 ** this.#count, MAX_BACKOFF_MS) * (0.75 + Math.random() / 2);
    const wait = Math.max(backoff, (error.retryAfter ?? 0) * 1000);
    this.#count += 1;
    this.#timer = setTimeout(attempt, wait);
    return wait;
  }

  cancel() {
    clearTimeout(this.#timer);
  }

  reset() {
    this.cancel();
    this.#count = 0;
  }
}
