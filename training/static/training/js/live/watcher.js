// Connect the socket, the state and the view of the watched run.

import { ConnectionView } from "./connection.js";
import { confirmAction } from "../run/confirm.js";
import { finder, listen, signInLink } from "../../../recognition/js/dom.js";
import { getWithRetry, describeError, post } from "../../../recognition/js/http.js";
import { LiveSocket } from "./socket.js";
import { Notifier } from "./notifier.js";
import { applyMessage, EMPTY, isActive, mergeDetails } from "./state.js";
import { TitleView } from "./title.js";

const RESYNC_INTERVAL_MS = 2000;
const EVENT_TIMEOUT_MS = 120_000; // many times the longest phase without events, TensorFlow's import
const NO_VIEW = { show() {}, showProblem() {} };

function stopQuestion(run) {
  const epochs = run.epochs.length ? "Its finished epochs stay in the history, but" : "No epoch has finished, so";
  return `Stop run ${run.id}? ${epochs} no model will be saved.`;
}

/**
 * Dispatches "change" when the run, its status or its epochs have changed, and "ended" when it has ended. In a "change",
 * `missed` means that other runs may have started and ended unseen. "activated" says which `model` is in service, first
 * with `isNews` false; "reconnected" comes when the server is back.
 */
export class RunWatcher extends EventTarget {
  #connection;
  #dialog;
  #title;
  #notifier;
  #live;
  #state = EMPTY;
  #frame = 0;
  #resync = 0;
  #resyncedAt = -Infinity;
  #eventTimer = 0;
  #urls;
  #onlyId;
  #isLost = false;
  #announced = null; // the run whose end was announced
  #lacksDetails = null; // the run whose details could not be loaded

  /** `view` shows the run, if anything does. `only` is the id of the run to follow; by default it is the newest run. */
  constructor(main, view, { only = null } = {}) {
    super();
    this.#urls = main.dataset;
    this.#onlyId = only;
    this.view = view ?? NO_VIEW;
    const one = finder(main);
    this.#dialog = one("stop-dialog");
    this.#connection = new ConnectionView(one("connection"));
    this.#title = new TitleView();
    if (view) this.#notifier = new Notifier(one("notify"));
    this.#live = new LiveSocket(main.dataset.socketPath);
    listen(this.#live, {
      state: (event) => this.#showConnection(event.detail),
      message: (event) => this.#receive(event.detail),
    });
    one("stop")?.addEventListener("click", () => this.#stop());
    this.#live.open();
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
    this.#live.close();
    this.#connection.close();
  }

  /** Whether the message is about another run. A snapshot of another run means that this one has ended. */
  #isOtherRun(message) {
    if (this.#onlyId === null || message.type === "activated") return false;
    if (message.type !== "snapshot") return message.run !== this.#onlyId;
    if (message.run?.id === this.#onlyId) return false;
    this.#end(this.#state.run);
    return true;
  }

  #showConnection(state) {
    this.#connection.show(state);
    if (state.state === "live") return;
    this.#isLost = true;
    clearTimeout(this.#eventTimer);
  }

  #receive(message) {
    if (this.#isOtherRun(message)) return;
    const before = this.#state;
    this.#set(applyMessage(before, message));
    this.#expectEvents();
    const { run, hasGap, model } = this.#state;
    if (message.type === "snapshot") this.#cancelResync();
    if (hasGap) this.#resynchronize();
    if (run) this.#compare(before, message);
    if (model !== before.model) this.#notify("activated", { model, isNews: message.type !== "snapshot" || before.model !== undefined });
    if (message.type === "snapshot" && this.#isLost) this.#recover();
  }

  /** Tell what the message has changed. */
  #compare(before, message) {
    const { run } = this.#state;
    this.#title.show(this.#state);
    if (run.id !== before.run?.id) {
      this.#closeDialog(before.run);
      this.view.showProblem("");
      if (message.type === "queued") this.#loadDetails(run.id);
      this.#notify("change", { missed: before.run !== null && message.type === "snapshot" });
    } else if (isActive(before.run) && !isActive(run)) {
      this.view.showProblem("");
      // A run's own page loads its details itself.
      if (this.#onlyId === null) this.#loadDetails(run.id);
      this.#end(run);
    } else if (run.status !== before.run.status || run.epochs.length !== before.run.epochs.length) this.#notify("change");
  }

  /** Tell other tabs' visitors, once, how the run ended. */
  announceEnd(run) {
    if (this.#announced === run.id) return;
    this.#announced = run.id;
    this.#title.showEnd(run);
    this.#notifier?.notify(run);
  }

  #end(run) {
    this.#closeDialog(run);
    if (run && !isActive(run)) this.announceEnd(run);
    this.#notify("ended");
  }

  /** The run has ended while its visitor is asked whether to stop it. */
  #closeDialog(run) {
    if (!this.#dialog?.open) return;
    this.view.showUnstopped(run.id);
    this.#dialog.close("no");
  }

  /** The server is back: ask again for what could not be loaded. */
  #recover() {
    this.#isLost = false;
    if (this.#lacksDetails !== null && this.#lacksDetails === this.run?.id) this.#loadDetails(this.run.id);
    this.#notify("reconnected");
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
      this.#live.reopen();
    }, wait);
  }

  #cancelResync() {
    clearTimeout(this.#resync);
    this.#resync = 0;
  }

  /** Reconnect when a run in progress sends no events: the server may have lost this viewer and still answer pings. */
  #expectEvents() {
    clearTimeout(this.#eventTimer);
    if (this.#state.run?.status === "in_progress") this.#eventTimer = setTimeout(() => this.#live.reopen(), EVENT_TIMEOUT_MS);
  }

  /** Load what no event carries: the requester and, at the end, the confusion matrix. */
  async #loadDetails(id) {
    try {
      const details = await getWithRetry(`${this.#urls.runsUrl}${id}/`);
      this.#set(mergeDetails(this.#state, details)); // events have changed the state meanwhile
      if (this.#lacksDetails === id) this.view.showProblem("");
      this.#lacksDetails = null;
      this.#notify("change");
    } catch (error) {
      const { run } = this.#state;
      this.#lacksDetails = id;
      if (run?.id === id && !isActive(run)) this.view.showProblem(`The results of this run could not be loaded. ${describeError(error)}`);
    }
  }

  async #stop() {
    const { id, stop_requested_at } = this.#state.run;
    if (stop_requested_at || !(await confirmAction(this.#dialog, stopQuestion(this.#state.run)))) return;
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
      this.view.showProblem(forbidden ? "You need permission to stop this run." : describeError(error), forbidden && signInLink());
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
