// Connect the socket, the state and the view of the watched run.

import { setText } from "../../../recognition/js/dom.js";
import { confirmAction } from "../run/confirm.js";
import { getWithRetry, describeError, post } from "../../../recognition/js/http.js";
import { LiveSocket } from "./socket.js";
import { applyMessage, EMPTY, isActive, mergeDetails } from "./state.js";

const RESYNC_INTERVAL_MS = 2000;
const EVENT_TIMEOUT_MS = 120_000; // many times the longest phase without events, TensorFlow's import

function stopQuestion(run) {
  const epochs = run.epochs.length ? "Its finished epochs stay in the history, but" : "No epoch has finished, so";
  return `Stop run ${run.id}? ${epochs} no model will be saved.`;
}

/**
 * Dispatches "change" when the run, its status or its epochs have changed, and "ended" when it has ended. In a "change",
 * `missed` means that other runs may have started and ended unseen.
 */
export class RunWatcher extends EventTarget {
  #state = EMPTY;
  #frame = 0;
  #resync = 0;
  #resyncedAt = -Infinity;
  #eventTimer = 0;
  #urls;
  #onlyId;

  /** `view` shows the run. `only` is the id of the run to follow; by default it is the newest run. */
  constructor(main, view, { only = null } = {}) {
    super();
    this.#urls = main.dataset;
    this.#onlyId = only;
    this.view = view;
    this.dialog = main.querySelector("[data-stop-dialog]");
    this.connection = main.querySelector("[data-connection]");
    this.live = new LiveSocket(main.dataset.socketPath);
    this.live.addEventListener("state", (event) => this.#showConnection(event.detail));
    this.live.addEventListener("message", (event) => this.#receive(event.detail));
    main.querySelector("[data-stop]").addEventListener("click", () => this.#stop());
    this.live.open();
  }

  get run() {
    return this.#state.run;
  }

  /** Stop watching. The last state is shown at once: in a hidden tab it would come after what the caller shows next. */
  close() {
    if (this.#frame) {
      cancelAnimationFrame(this.#frame);
      this.view.show(this.#state);
    }
    clearTimeout(this.#eventTimer);
    this.#cancelResync();
    this.live.close();
    setText(this.connection, "");
    this.connection.dataset.state = "closed";
  }

  /** Whether the message is about another run. A snapshot of another run means that this one has ended. */
  #isOtherRun(message) {
    if (this.#onlyId === null) return false;
    if (message.type !== "snapshot") return message.run !== this.#onlyId;
    if (message.run?.id === this.#onlyId) return false;
    this.#notify("ended");
    return true;
  }

  #showConnection({ state, delay, isFull }) {
    this.connection.dataset.state = state;
    const seconds = Math.ceil((delay ?? 0) / 1000);
    const reason = isFull ? "Too many viewers." : "Disconnected.";
    setText(this.connection, state === "live" ? "Live" : `${reason} Reconnecting in ${seconds} s.`);
    if (state === "lost") clearTimeout(this.#eventTimer);
  }

  #receive(message) {
    if (this.#isOtherRun(message)) return;
    const before = this.#state;
    const wasActive = isActive(before.run);
    this.#set(applyMessage(before, message));
    this.#expectEvents();
    const { run, hasGap } = this.#state;
    if (message.type === "snapshot") this.#cancelResync();
    if (hasGap) this.#resynchronize();
    if (!run) return;
    if (run.id !== before.run?.id) {
      this.view.showProblem("");
      if (message.type === "queued") this.#loadDetails(run.id);
      this.#notify("change", { missed: before.run !== null && message.type === "snapshot" });
    } else if (wasActive && !isActive(run)) {
      this.view.showProblem("");
      // A run's own page loads its details itself.
      if (this.#onlyId === null) this.#loadDetails(run.id);
      this.#notify("ended");
    } else if (run.status !== before.run.status || run.epochs.length !== before.run.epochs.length) this.#notify("change");
  }

  #set(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.view.show(this.#state);
    });
  }

  /** Reconnect for a fresh snapshot, at most once per interval. */
  #resynchronize() {
    if (this.#resync) return;
    const wait = Math.max(0, this.#resyncedAt + RESYNC_INTERVAL_MS - performance.now());
    this.#resync = setTimeout(() => {
      this.#resyncedAt = performance.now();
      this.live.reopen();
    }, wait);
  }

  #cancelResync() {
    clearTimeout(this.#resync);
    this.#resync = 0;
  }

  /** Reconnect when a run in progress sends no events: the server may have lost this viewer and still answer pings. */
  #expectEvents() {
    clearTimeout(this.#eventTimer);
    if (this.#state.run?.status === "in_progress") this.#eventTimer = setTimeout(() => this.live.reopen(), EVENT_TIMEOUT_MS);
  }

  /** Load what no event carries: the requester and, at the end, the confusion matrix. */
  async #loadDetails(id) {
    try {
      this.#set(mergeDetails(this.#state, await getWithRetry(`${this.#urls.runsUrl}${id}/`)));
      this.#notify("change");
    } catch (error) {
      const { run } = this.#state;
      if (run?.id === id && !isActive(run)) this.view.showProblem(`The results of this run could not be loaded. ${describeError(error)}`);
    }
  }

  async #stop() {
    const { id, stop_requested_at } = this.#state.run;
    if (stop_requested_at || !(await confirmAction(this.dialog, stopQuestion(this.#state.run)))) return;
    if (!this.#isStoppable(id)) return;
    this.view.showProblem("");
    const requestedAt = new Date().toISOString();
    this.#change({ stop_requested_at: requestedAt });
    try {
      await post(this.#urls.stopUrl, { run: id });
    } catch (error) {
      if (!this.#isStoppable(id)) return;
      // Someone else may have stopped it meanwhile.
      if (this.#state.run.stop_requested_at === requestedAt) this.#change({ stop_requested_at: null });
      const forbidden = error.status === 401 || error.status === 403;
      this.view.showProblem(forbidden ? "You need permission to stop this run." : describeError(error));
    }
  }

  #isStoppable(id) {
    return this.#state.run?.id === id && isActive(this.#state.run);
  }

  /** Change the current run: events may have arrived while the dialog was open. */
  #change(changes) {
    this.#set({ ...this.#state, run: { ...this.#state.run, ...changes } });
  }

  #notify(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
