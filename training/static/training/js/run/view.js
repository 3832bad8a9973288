// The watched run: heading, status, progress bars, time left and results.

import { finder, setText } from "../../../recognition/js/dom.js";
import { RunResults } from "./results.js";
import { isActive, shareDone, EMPTY } from "../live/state.js";
import { STATUSES, formatCount, formatDecimal, formatFullTime, formatPercent, formatRate, formatOrigin, formatRunTime, formatStopper, formatTime, formatTimeLeft } from "../../../recognition/js/format.js";

const PHASES = {
  importing: "Starting TensorFlow…",
  loading: "Loading the dataset…",
  drawing: "Generating training digits…",
  fitting: "Training…",
  evaluating: "Evaluating on the test set…",
  exporting: "Saving the model…",
};
const WORKER_WAIT_MS = 4000;

function describeSettings(run, withName) {
  const { epochs, batch_size, learning_rate, samples, seed } = run.parameters ?? {};
  const settings = [
    run.preset && `Preset ${run.preset}`,
    epochs && `${epochs} ${epochs === 1 ? "epoch" : "epochs"}`,
    samples && `${formatCount(samples)} samples`,
    batch_size && `batch size ${batch_size}`,
    learning_rate && `learning rate ${formatRate(learning_rate)}`,
    Number.isInteger(seed) && `seed ${seed}`,
  ].filter(Boolean).join(" · ");
  // A run's first event does not name the requester: keep the line.
  const requester = run.requested_by ? `${formatOrigin(run.requested_by)}, ${formatTime(run.queued_at)}` : "\u00a0";
  return [requester, withName && run.name, settings].filter(Boolean).join("\n");
}

function describeAttempt({ attempt, resumed_after_epoch }) {
  if (attempt <= 1) return "";
  if (resumed_after_epoch === null) return `Attempt ${attempt}. `;
  return `Attempt ${attempt}, ${resumed_after_epoch ? `continued after epoch ${resumed_after_epoch}` : "starting over"}. `;
}

function describeProgress({ run, batch, phase, progress }, waitedLong) {
  if (run.stop_requested_at && isActive(run)) return "Stopping…";
  if (run.status === "queued") return waitedLong ? "Queued. Waiting for a worker." : "Queued.";
  if (run.status === "in_progress") {
    const done = progress === null ? "" : ` ${Math.floor(progress * 100)}%`;
    const isBetween = phase === "fitting" && batch?.step === batch?.steps && batch?.epoch > run.epochs.length;
    return `${describeAttempt(run)}${isBetween ? `Finishing epoch ${batch.epoch}…` : PHASES[phase] ?? "Started."}${done}`;
  }
  const time = run.started_at ? formatRunTime(run) : "";
  if (run.status === "completed") return `Completed${time && ` in ${time}`}.`;
  if (run.status === "waiting") return `Waiting for other runs, number ${run.queue_position} in line.`;
  if (run.status === "cancelled") return "Cancelled before it started.";
  const by = formatStopper(run);
  return run.status === "interrupted" ? `Stopped${by && ` by ${by}`}${time && ` after ${time}`}.` : `Failed${time && ` after ${time}`}.`;
}

/** Return what follows from the end of the run. */
function describeEnding({ status, epochs, not_activated }) {
  if (status === "completed") return not_activated ? `The model was not put into service. ${not_activated}` : "";
  if (status === "waiting") return "It starts by itself as soon as the runs before it have ended.";
  if (status === "cancelled") return "Nothing was trained.";
  if (status !== "interrupted") return "";
  return `${epochs.length ? "Its epochs are kept" : "No epoch finished"}; the model in service is unchanged.`;
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
  if (run.status === "waiting" || run.status === "cancelled") return `Run ${run.id} is ${run.status}.`;
  return run.status === "error" ? `Run ${run.id} failed.` : `Run ${run.id} was stopped.`;
}

export class RunView {
  #one;
  #queuedSince = 0;
  #queuedRun = null;
  #timer = 0;
  #failure = "";
  #problem = "";
  #link = null;
  #watched = null; // the run that was seen active
  #isFirstPage; // it shows one run after the other, so every run has the same places there
  #unstopped = null; // the run that ended while a person was asked whether to stop it

  constructor(root) {
    this.root = root;
    this.#one = finder(root);
    this.#isFirstPage = this.#one("run-link") !== null;
    this.results = new RunResults(root.querySelector("[data-results]"), { outcome: this.#one("outcome"), hasObjective: !this.#isFirstPage });
  }

  show(state) {
    const { run, batches } = state;
    if (isActive(run)) this.#watched = run.id;
    // What was shown while the run was active keeps its place.
    const reserve = run !== null && (this.#isFirstPage || this.#watched === run.id);
    this.root.dataset.status = run?.status ?? (state === EMPTY ? "unknown" : "none");
    setText(this.#one("run-title"), run ? `Run ${run.id}` : state === EMPTY ? "Waiting for the server…" : "No run yet");
    this.#showLink(run);
    setText(this.#one("run-status"), announcementFor(run));
    this.#one("run-chip").hidden = !run;
    this.#showStop(run, reserve);
    this.#showLive(state, reserve);
    this.#failure = run?.status === "error" ? `The run failed. ${run.error}`.trim() : "";
    this.#showProblems();
    setText(this.#one("run-ending"), run ? describeEnding(run) : "");
    if (!run) {
      this.results.clear();
      return;
    }
    const chip = this.#one("run-chip");
    chip.dataset.status = run.status;
    setText(chip, STATUSES[run.status] ?? run.status);
    setText(this.#one("run-about"), describeSettings(run, this.#isFirstPage));
    this.#one("run-about").title = formatFullTime(run.queued_at);
    const late = run.id === this.#unstopped && !isActive(run) ? " It ended before it was stopped." : "";
    setText(this.#one("run-note"), describeProgress(state, this.#waitedLong(state)) + late);
    this.results.show(run, batches, reserve);
  }

  /** Say that the run ended while its visitor was asked whether to stop it. */
  showUnstopped(id) {
    this.#unstopped = id;
  }

  /** Link to the run's own page, except on that page. */
  #showLink(run) {
    const link = this.#one("run-link");
    if (!link) return;
    link.hidden = !run;
    if (run) link.href = `${link.dataset.runLink}${run.id}/`;
  }

  #showStop(run, reserve) {
    const stop = this.#one("stop");
    const hide = !isActive(run);
    if (hide && stop === document.activeElement) this.#one("run-title").focus({ preventScroll: true });
    stop.hidden = hide && !reserve;
    stop.toggleAttribute("data-over", hide);
    stop.ariaDisabled = Boolean(run?.stop_requested_at);
  }

  /** The panel stays from the queue to the end, also between two epochs; then the outcome takes its place. */
  #showLive({ run, batch }, reserve) {
    const live = this.#one("live");
    const isOver = !isActive(run);
    live.hidden = isOver && !reserve;
    live.toggleAttribute("data-over", isOver);
    if (!isOver) this.#showBatch(run, batch);
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
    const number = batch?.epoch ?? Math.min((run.epochs.at(-1)?.epoch ?? 0) + 1, run.max_epochs || 1);
    const step = batch ? `${batch.step} of ${batch.steps}` : "–";
    const left = formatTimeLeft(batch?.seconds_left ?? null);
    setText(this.#one("live-epoch"), `Epoch ${number}${of}`);
    setText(this.#one("live-left"), run.base ? left.replace("about", "at most") : left);
    this.#moveBar("epochs", shareDone({ run, batch }), `epoch ${number}${of}`);
    this.#moveBar("batches", batch ? batch.step / batch.steps : 0, `step ${step}`);
    setText(this.#one("live-step"), step);
    setText(this.#one("live-loss"), formatDecimal(batch?.loss));
    setText(this.#one("live-accuracy"), formatPercent(batch?.accuracy));
  }

  #moveBar(name, share, text) {
    const bar = this.#one(`live-${name}`);
    bar.ariaValueNow = share;
    bar.ariaValueText = text;
    bar.firstElementChild.style.transform = `scaleX(${share})`;
  }

  /** Show an error and perhaps a link, or clear it with "". */
  showProblem(text, link = null) {
    this.#problem = text;
    this.#link = link;
    this.#showProblems();
  }

  #showProblems() {
    const box = this.#one("run-problem");
    const text = [this.#failure, this.#problem].filter(Boolean).join(" ");
    if (!this.#link) setText(box, text);
    else if (!box.contains(this.#link)) box.replaceChildren(`${text} `, this.#link);
  }
}
