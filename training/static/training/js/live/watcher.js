// Joins the socket, the state and the view of the run being watched.

import { say } from "../../../recognition/js/dom.js";
import { confirmed } from "../run/confirm.js";
import { getWithRetry, inPlainWords, post } from "../../../recognition/js/http.js";
import { Live } from "./socket.js";
import { apply, enrich, isActive, NOTHING } from "./state.js";

const RESYNC_PAUSE = 2000;
const SILENCE = 120_000; // many times the longest phase without events, the import of TensorFlow

function words(run) {
  const kept = run.epochs.length ? "Its finished epochs are kept in the history, but" : "No epoch has finished, and";
  return `Cancel run ${run.id}? ${kept} no model will come of it.`;
}

/**
 * Tells "change" when the run, its state or its epochs have changed, and "ended" when it has ended. `missed` in the detail
 * of a "change": other runs may have come and gone unseen.
 */
export class Watch extends EventTarget {
  #state = NOTHING;
  #frame = 0;
  #resync = 0;
  #resyncedAt = -Infinity;
  #silence = 0;
  #urls;
  #only;

  /** `view` shows the run; `only` is the number of the one run to follow, instead of whichever is the newest. */
  constructor(main, view, { only = null } = {}) {
    super();
    this.#urls = main.dataset;
    this.#only = only;
    this.view = view;
    this.dialog = main.querySelector("[data-cancel-dialog]");
    this.connection = main.querySelector("[data-connection]");
    this.live = new Live(main.dataset.socketPath);
    this.live.addEventListener("state", (event) => this.#sayConnection(event.detail));
    this.live.addEventListener("message", (event) => this.#heard(event.detail));
    main.querySelector("[data-cancel]").addEventListener("click", () => this.#cancel());
    this.live.open();
  }

  get run() {
    return this.#state.run;
  }

  /** No more news is wanted. */
  close() {
    clearTimeout(this.#silence);
    this.#cancelResync();
    this.live.close();
    say(this.connection, "");
    this.connection.dataset.state = "closed";
  }

  /** News of another run. If a snapshot holds another, the one to follow has ended while nobody listened. */
  #isOthers(message) {
    if (this.#only === null) return false;
    if (message.type !== "snapshot") return message.run !== this.#only;
    if (message.run?.id === this.#only) return false;
    this.#tell("ended");
    return true;
  }

  #sayConnection({ state, wait, crowded }) {
    this.connection.dataset.state = state;
    const seconds = Math.ceil((wait ?? 0) / 1000);
    const why = crowded ? "Too many pages are watching at once." : "Disconnected.";
    say(this.connection, state === "live" ? "Live" : `${why} Trying again in ${seconds} s.`);
    if (state === "lost") clearTimeout(this.#silence);
  }

  #heard(message) {
    if (this.#isOthers(message)) return;
    const before = this.#state;
    const wasActive = isActive(before.run);
    this.#set(apply(before, message));
    this.#listen();
    const { run, lost } = this.#state;
    if (message.type === "snapshot") this.#cancelResync();
    if (lost) this.#resynchronize();
    if (!run) return;
    if (run.id !== before.run?.id) {
      this.view.problem("");
      if (message.type === "queued") this.#complete(run.id);
      this.#tell("change", { missed: before.run !== null && message.type === "snapshot" });
    } else if (wasActive && !isActive(run)) {
      this.view.problem("");
      // The page of one run fetches more than this, and does so itself.
      if (this.#only === null) this.#complete(run.id);
      this.#tell("ended");
    } else if (run.status !== before.run.status || run.epochs.length !== before.run.epochs.length) this.#tell("change");
  }

  #set(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.view.show(this.#state);
    });
  }

  /** Something was missed. Connecting again brings a snapshot; for the next one, a pause is waited out first. */
  #resynchronize() {
    if (this.#resync) return;
    const wait = Math.max(0, this.#resyncedAt + RESYNC_PAUSE - performance.now());
    this.#resync = setTimeout(() => {
      this.#resyncedAt = performance.now();
      this.live.reopen();
    }, wait);
  }

  #cancelResync() {
    clearTimeout(this.#resync);
    this.#resync = 0;
  }

  /** A run in progress is never silent for long. If it is, the server has lost this viewer, though it answers pings. */
  #listen() {
    clearTimeout(this.#silence);
    if (this.#state.run?.status === "in_progress") this.#silence = setTimeout(() => this.live.reopen(), SILENCE);
  }

  /** Fetch what no event carries: who asked for the run and, at its end, its confusion matrix. */
  async #complete(id) {
    try {
      this.#set(enrich(this.#state, await getWithRetry(`${this.#urls.runsUrl}${id}/`)));
      this.#tell("change");
    } catch (error) {
      const { run } = this.#state;
      if (run?.id === id && !isActive(run)) this.view.problem(`The results of this run could not be loaded. ${inPlainWords(error)}`);
    }
  }

  async #cancel() {
    const { id, stop_requested_at } = this.#state.run;
    if (stop_requested_at || !(await confirmed(this.dialog, words(this.#state.run)))) return;
    if (!this.#isStoppable(id)) return;
    this.view.problem("");
    const asked = new Date().toISOString();
    this.#change({ stop_requested_at: asked });
    try {
      await post(this.#urls.stopUrl, { run: id });
    } catch (error) {
      if (!this.#isStoppable(id)) return;
      // Somebody else may have stopped it since.
      if (this.#state.run.stop_requested_at === asked) this.#change({ stop_requested_at: null });
      const forbidden = error.status === 401 || error.status === 403;
      this.view.problem(forbidden ? "Only people with permission may cancel a run." : inPlainWords(error));
    }
  }

  #isStoppable(id) {
    return this.#state.run?.id === id && isActive(this.#state.run);
  }

  /** Change some facts of the run as it is now: much may have arrived since somebody was asked. */
  #change(facts) {
    this.#set({ ...this.#state, run: { ...this.#state.run, ...facts } });
  }

  #tell(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
