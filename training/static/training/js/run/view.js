// The watched run: heading, status, progress bars, time left and results.

import { setText } from "../../../recognition/js/dom.js";
import { EtaEstimator } from "../live/eta.js";
import { RunResults } from "./results.js";
import { isActive, EMPTY } from "../live/state.js";
import { STATUSES, formatCount, formatDecimal, formatPercent, formatRate, formatOrigin, formatRunTime, formatTime, formatTimeLeft } from "../../../recognition/js/format.js";

const PHASES = {
  importing: "Starting TensorFlow…",
  loading: "Loading the dataset…",
  drawing: "Generating training digits…",
  fitting: "Training…",
  evaluating: "Evaluating on the test set…",
  exporting: "Saving the model…",
};
const WORKER_WAIT_MS = 4000;

function describeSettings(run) {
  const { epochs, batch_size, learning_rate, samples, seed } = run.parameters ?? {};
  const settings = [
    run.preset && `Preset ${run.preset}`,
    epochs && `${epochs} ${epochs === 1 ? "epoch" : "epochs"}`,
    samples && `${formatCount(samples)} samples`,
    batch_size && `batch size ${batch_size}`,
    learning_rate && `learning rate ${formatRate(learning_rate)}`,
    Number.isInteger(seed) && `seed ${seed}`,
  ].filter(Boolean).join(" · ");
  const requester = run.requested_by ? `${formatOrigin(run.requested_by)}, ${formatTime(run.queued_at)}\n` : "";
  return `${requester}${settings}`;
}

function describeAttempt({ attempt, resumed_after_epoch }) {
  if (attempt <= 1) return "";
  if (resumed_after_epoch === null) return `Attempt ${attempt}. `;
  return `Attempt ${attempt}, ${resumed_after_epoch ? `continued after epoch ${resumed_after_epoch}` : "starting over"}. `;
}

const describeRefusal = ({ not_activated }) => (not_activated ? ` The model was not put into service. ${not_activated}` : "");

function describeProgress({ run, phase, progress }, waitedLong) {
  if (run.stop_requested_at && isActive(run)) return "Stopping…";
  if (run.status === "queued") return waitedLong ? "Queued. Waiting for a worker." : "Queued.";
  if (run.status === "in_progress") {
    const done = progress === null ? "" : ` ${Math.floor(progress * 100)}%`;
    return `${describeAttempt(run)}${PHASES[phase] ?? "Started."}${done}`;
  }
  if (run.status === "completed") return `Completed${run.started_at ? ` in ${formatRunTime(run)}` : ""}.${describeRefusal(run)}`;
  if (run.status === "interrupted") {
    const after = run.started_at ? ` after ${formatRunTime(run)}` : "";
    const epochs = run.epochs.length ? "Its epochs are kept" : "No epoch finished";
    return `Stopped${after}. ${epochs}; the model in service is unchanged.`;
  }
  return "";
}

/** Return what screen readers announce: statuses and epochs, not batches. */
function announcementFor(run) {
  if (!run) return "";
  const last = run.epochs.at(-1);
  if (run.status === "queued") return `Run ${run.id} is queued.`;
  if (run.status === "in_progress") {
    return last
      ? `Run ${run.id}: epoch ${last.epoch} of ${run.max_epochs} finished, accuracy ${formatPercent(last.accuracy)}.`
      : `Run ${run.id} is in progress.`;
  }
  if (run.status === "completed") return `Run ${run.id} completed, test accuracy ${formatPercent(run.test_accuracy)}.`;
  return run.status === "error" ? `Run ${run.id} failed.` : `Run ${run.id} was stopped.`;
}

export class RunView {
  #eta = new EtaEstimator();
  #queuedSince = 0;
  #queuedRun = null;
  #timer = 0;
  #failure = "";
  #problem = "";

  /** `options` are passed to RunResults. */
  constructor(root, options = {}) {
    this.root = root;
    this.results = new RunResults(root.querySelector("[data-results]"), options);
  }

  #one(hook) {
    return this.root.querySelector(`[data-${hook}]`);
  }

  show(state) {
    const { run, batch, batches } = state;
    this.root.dataset.status = run?.status ?? "none";
    setText(this.#one("run-title"), run ? `Run ${run.id}` : state === EMPTY ? "Waiting for the server…" : "No run yet");
    this.#showLink(run);
    setText(this.#one("run-status"), announcementFor(run));
    this.#one("run-chip").hidden = !run;
    this.#showStop(run);
    this.#one("live").hidden = !batch;
    this.#failure = run?.status === "error" ? `The run failed. ${run.error}`.trim() : "";
    this.#showProblems();
    if (!run) {
      this.results.root.replaceChildren();
      return;
    }
    const chip = this.#one("run-chip");
    chip.dataset.status = run.status;
    setText(chip, STATUSES[run.status] ?? run.status);
    setText(this.#one("run-about"), describeSettings(run));
    setText(this.#one("run-note"), describeProgress(state, this.#waitedLong(state)));
    if (batch) this.#showBatch(run, batch);
    this.results.show(run, batches);
  }

  /** Link to the run's own page, except on that page. */
  #showLink(run) {
    const link = this.#one("run-link");
    if (!link) return;
    link.hidden = !run;
    if (run) link.href = `${link.dataset.runLink}${run.id}/`;
  }

  #showStop(run) {
    const stop = this.#one("stop");
    const hide = !run || !isActive(run);
    if (hide && stop === document.activeElement) this.#one("run-title").focus({ preventScroll: true });
    stop.hidden = hide;
    stop.setAttribute("aria-disabled", String(Boolean(run?.stop_requested_at)));
  }

  #waitedLong(state) {
    const { run } = state;
    clearTimeout(this.#timer);
    if (run.status !== "queued") {
      this.#queuedRun = null;
      return false;
    }
    // Measured by this page's clock, which may differ from the server's.
    if (this.#queuedRun !== run.id) {
      this.#queuedRun = run.id;
      this.#queuedSince = performance.now();
    }
    const left = WORKER_WAIT_MS - (performance.now() - this.#queuedSince);
    if (left > 0) this.#timer = setTimeout(() => this.show(state), left);
    return left <= 0;
  }

  #showBatch(run, batch) {
    const of = run.max_epochs ? ` of ${run.base ? "at most " : ""}${run.max_epochs}` : "";
    setText(this.#one("live-epoch"), `Epoch ${batch.epoch}${of}`);
    setText(this.#one("live-left"), formatTimeLeft(this.#eta.secondsLeft(run, batch)));
    const done = batch.epoch - 1 + batch.step / batch.steps;
    this.#moveBar("epochs", done, run.max_epochs, `epoch ${batch.epoch}${of}`);
    this.#moveBar("batches", batch.step, batch.steps, `step ${batch.step} of ${batch.steps}`);
    setText(this.#one("live-step"), `${batch.step} of ${batch.steps}`);
    setText(this.#one("live-loss"), formatDecimal(batch.loss));
    setText(this.#one("live-accuracy"), formatPercent(batch.accuracy));
  }

  #moveBar(name, value, max, text) {
    const bar = this.#one(`live-${name}`);
    bar.setAttribute("aria-valuemax", max ?? 1);
    bar.setAttribute("aria-valuenow", value);
    bar.setAttribute("aria-valuetext", text);
    bar.firstElementChild.style.transform = `scaleX(${value / (max ?? 1)})`;
  }

  /** Show an error, or clear it with "". */
  showProblem(text) {
    this.#problem = text;
    this.#showProblems();
  }

  #showProblems() {
    setText(this.#one("run-problem"), [this.#failure, this.#problem].filter(Boolean).join(" "));
  }
}
