// How long a run will still take, from the pace of its batches and of the epochs already finished.

const RECENT_EPOCHS = 3;
const ENOUGH = 1;

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

export class Pace {
  #key = "";
  #first = null;

  /** Seconds left, or null while there is nothing to judge by. */
  left(run, batch, now = performance.now() / 1000) {
    if (!batch || !run.max_epochs) return null;
    const perEpoch = this.#perEpoch(run, batch, now);
    if (perEpoch === null) return null;
    const remaining = run.max_epochs - batch.epoch + 1 - batch.step / batch.steps;
    return Math.max(0, remaining * perEpoch);
  }

  #perEpoch(run, batch, now) {
    const finished = run.epochs.slice(-RECENT_EPOCHS).map((epoch) => epoch.seconds).filter((seconds) => seconds > 0);
    if (finished.length) return mean(finished);
    const key = `${run.id}/${run.attempt}/${batch.epoch}`;
    if (key !== this.#key) {
      this.#key = key;
      this.#first = { step: batch.step, now };
    }
    const steps = batch.step - this.#first.step;
    const seconds = now - this.#first.now;
    return steps > 0 && seconds >= ENOUGH ? (seconds / steps) * batch.steps : null;
  }
}
