// The run's progress in the tab's title, for people who look at another tab.

import { isActive, shareDone } from "./state.js";
import { STATUSES } from "../../../recognition/js/format.js";

const SITE = "Digits";

export class TitleView {
  #page = document.title;
  #text = "";

  constructor() {
    document.addEventListener("visibilitychange", () => document.hidden || this.#forgetEnd());
  }

  /** Show an active run's progress. */
  show(state) {
    const { run } = state;
    if (!isActive(run)) return;
    const progress = run.status === "queued" ? STATUSES.queued : `${Math.floor(shareDone(state) * 100)}%`;
    this.#write(`${progress} · Run ${run.id} · ${SITE}`);
  }

  /** Show how the run ended, until the tab is looked at. */
  showEnd(run) {
    this.#write(document.hidden ? `Run ${run.id} ${STATUSES[run.status]} · ${SITE}` : "");
  }

  #forgetEnd() {
    if (this.#text.startsWith("Run ")) this.#write("");
  }

  /** Each message calls this: write only what changes. */
  #write(text) {
    if (text === this.#text) return;
    this.#text = text;
    document.title = text || this.#page;
  }
}
