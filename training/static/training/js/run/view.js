// The run being watched, as it stands: heading, state, the bar of batches, seconds left, and its record.

import { say } from "../../../recognition/js/dom.js";
import { Pace } from "../live/eta.js";
import { Record } from "./results.js";
import { isActive, NOTHING } from "../live/state.js";
import { count, decimal, moment, percent, rate, STATES, timeLeft, took } from "../../../recognition/js/format.js";

const PHASES = {
  importing: "Starting TensorFlow…",
  loading: "Loading the digits…",
  drawing: "Drawing digits to learn from…",
  fitting: "Training…",
  evaluating: "Testing on digits it has not seen…",
  exporting: "Saving the model…",
};
const WORKER_PATIENCE = 4000;

function about(run) {
  const { epochs, batch_size, learning_rate, samples, seed } = run.parameters ?? {};
  const facts = [
    run.preset && `Preset ${run.preset}`,
    epochs && `${epochs} ${epochs === 1 ? "epoch" : "epochs"}`,
    samples && `${count(samples)} samples`,
    batch_size && `batch size ${batch_size}`,
    learning_rate && `learning rate ${rate(learning_rate)}`,
    Number.isInteger(seed) && `seed ${seed}`,
  ].filter(Boolean).join(" · ");
  const who = run.requested_by ? `Asked for by ${run.requested_by}, ${moment(run.queued_at)}\n` : "";
  return `${who}${facts}`;
}

function attempt({ attempt, resumed_after_epoch }) {
  if (attempt <= 1) return "";
  if (resumed_after_epoch === null) return `Attempt ${attempt}. `;
  return `Attempt ${attempt}, ${resumed_after_epoch ? `continued after epoch ${resumed_after_epoch}` : "starting over"}. `;
}

function note({ run, phase, progress }, waitedLong) {
  if (run.stop_requested_at && isActive(run)) return "Stopping…";
  if (run.status === "queued") return waitedLong ? "Queued: waiting for a worker to take it." : "Queued.";
  if (run.status === "in_progress") {
    const done = progress === null ? "" : ` ${Math.floor(progress * 100)}%`;
    return `${attempt(run)}${PHASES[phase] ?? "Started."}${done}`;
  }
  const spent = run.started_at ? ` after ${took(run)}` : "";
  if (run.status === "completed") return `Finished${spent}.`;
  if (run.status === "interrupted") {
    const kept = run.epochs.length ? "Its epochs are kept" : "No epoch had finished";
    return `Interrupted${spent}. ${kept}; the model in service was not touched.`;
  }
  return "";
}

/** What a screen reader is told: states and epochs, never batches. */
function announcement(run) {
  if (!run) return "";
  const last = run.epochs.at(-1);
  if (run.status === "queued") return `Run ${run.id} is queued.`;
  if (run.status === "in_progress") {
    return last
      ? `Run ${run.id}: epoch ${last.epoch} of ${run.max_epochs} finished, accuracy ${percent(last.accuracy)}.`
      : `Run ${run.id} is in progress.`;
  }
  if (run.status === "completed") return `Run ${run.id} completed, test accuracy ${percent(run.test_accuracy)}.`;
  return run.status === "error" ? `Run ${run.id} failed.` : `Run ${run.id} was interrupted.`;
}

export class RunView {
  #pace = new Pace();
  #queuedSince = 0;
  #queuedRun = null;
  #timer = 0;

  /** `options` are those of its Record. */
  constructor(root, options = {}) {
    this.root = root;
    this.record = new Record(root.querySelector("[data-record]"), options);
  }

  #one(hook) {
    return this.root.querySelector(`[data-${hook}]`);
  }

  show(state) {
    const { run, batch, trail } = state;
    this.root.dataset.status = run?.status ?? "none";
    say(this.#one("run-title"), run ? `Run ${run.id}` : state === NOTHING ? "Waiting for the server…" : "No run yet");
    this.#showLink(run);
    say(this.#one("run-words"), announcement(run));
    this.#one("run-chip").hidden = !run;
    this.#showCancel(run);
    this.#one("live").hidden = !batch;
    if (!run) {
      this.record.root.replaceChildren();
      return;
    }
    const chip = this.#one("run-chip");
    chip.dataset.status = run.status;
    say(chip, STATES[run.status] ?? run.status);
    say(this.#one("run-about"), about(run));
    say(this.#one("run-note"), note(state, this.#waitedLong(state)));
    if (run.status === "error") say(this.#one("run-problem"), `The run failed. ${run.error || ""} ${run.error_code ? `(${run.error_code})` : ""}`.trim());
    if (batch) this.#showBatch(run, batch);
    this.record.show(run, trail);
  }

  /** To the run's own page; that page itself has no such link. */
  #showLink(run) {
    const link = this.#one("run-link");
    if (!link) return;
    link.hidden = !run;
    if (run) link.href = `${link.dataset.runLink}${run.id}/`;
  }

  #showCancel(run) {
    const cancel = this.#one("cancel");
    const hide = !run || !isActive(run);
    if (hide && cancel === document.activeElement) this.#one("run-title").focus({ preventScroll: true });
    cancel.hidden = hide;
    cancel.setAttribute("aria-disabled", String(Boolean(run?.stop_requested_at)));
  }

  #waitedLong(state) {
    const { run } = state;
    clearTimeout(this.#timer);
    if (run.status !== "queued") {
      this.#queuedRun = null;
      return false;
    }
    // Counted from when this page first saw it queued: the server's clock may not be ours.
    if (this.#queuedRun !== run.id) {
      this.#queuedRun = run.id;
      this.#queuedSince = performance.now();
    }
    const left = WORKER_PATIENCE - (performance.now() - this.#queuedSince);
    if (left > 0) this.#timer = setTimeout(() => this.show(state), left);
    return left <= 0;
  }

  #showBatch(run, batch) {
    const of = run.max_epochs ? ` of ${run.max_epochs}` : "";
    say(this.#one("live-epoch"), `Epoch ${batch.epoch}${of}`);
    say(this.#one("live-left"), timeLeft(this.#pace.left(run, batch)));
    const done = batch.epoch - 1 + batch.step / batch.steps;
    this.#moveBar("epochs", done, run.max_epochs, `epoch ${batch.epoch}${of}`);
    this.#moveBar("batches", batch.step, batch.steps, `step ${batch.step} of ${batch.steps}`);
    say(this.#one("live-step"), `${batch.step} of ${batch.steps}`);
    say(this.#one("live-loss"), decimal(batch.loss));
    say(this.#one("live-accuracy"), percent(batch.accuracy));
  }

  #moveBar(name, value, max, words) {
    const bar = this.#one(`live-${name}`);
    bar.setAttribute("aria-valuemax", max ?? 1);
    bar.setAttribute("aria-valuenow", value);
    bar.setAttribute("aria-valuetext", words);
    bar.firstElementChild.style.transform = `scaleX(${value / (max ?? 1)})`;
  }

  /** Says what went wrong with this run, or takes the words away. */
  problem(text) {
    say(this.#one("run-problem"), text);
  }
}
