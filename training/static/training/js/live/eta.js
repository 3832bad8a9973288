// Estimate the remaining time of a run from its finished epochs, or from the batches of its first one.

const RECENT_EPOCHS = 3;
const MIN_SECONDS = 1; // of batches to measure

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

export class EtaEstimator {
  #key = "";
  #first = null;

  /** Return the seconds left, or null while there is nothing to measure. */
  secondsLeft(run, batch, now = performance.now() / 1000) {
    if (!batch || !run.max_epochs) return null;
    const perEpoch = this.#secondsPerEpoch(run, batch, now);
    if (perEpoch === null) return null;
    const remaining = run.max_epochs - batch.epoch + 1 - batch.step / batch.steps;
    return Math.max(0, remaining * perEpoch);
  }

  #secondsPerEpoch(run, batch, now) {
    const finished = run.epochs.slice(-RECENT_EPOCHS).map((epoch) => epoch.seconds).filter((seconds) => seconds > 0);
    if (finished.length) return mean(finished);
    const key = `${run.id}/${run.attempt}/${batch.epoch}`;
    if (key !== this.#key) {
      this.#key = key;
      this.#first = { step: batch.step, now };
    }
    const steps = batch.step - this.#first.step;
    const seconds = now - this.#first.now;
    return steps > 0 && seconds >= MIN_SECONDS ? (seconds / steps) * batch.steps : null;
  }
}
