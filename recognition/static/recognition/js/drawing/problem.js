// Say what keeps a drawing from being predicted, and count down to the next attempt.

import { h, setText } from "../dom.js";
import { describeError } from "../http.js";
import { formatDuration } from "../format.js";

const ADVICE = / [^.]*\btry again\b[^.]*\.$/i; // needless where the page itself tries again

function describeWait(milliseconds) {
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds <= 0) return "Trying again…";
  return `Trying again in ${seconds < 60 ? `${seconds} s` : formatDuration(seconds)}.`;
}

export class ProblemView {
  #root;
  #timer = 0;
  #cause = h("span");
  // A screen reader is told once, not every second.
  #told = h("span", { class: "visually-hidden" }, "It will be tried again.");
  #countdown = h("span", { "aria-hidden": "true" });

  constructor(root) {
    this.#root = root;
  }

  /** Show an error. `wait` is the milliseconds until the next attempt, or null. */
  show(error, wait) {
    clearInterval(this.#timer);
    if (wait === null) {
      setText(this.#root, describeError(error));
      return;
    }
    const due = performance.now() + wait;
    const count = () => setText(this.#countdown, describeWait(due - performance.now()));
    count();
    setText(this.#cause, describeError(error).replace(ADVICE, ""));
    if (!this.#cause.isConnected) this.#root.replaceChildren(this.#cause, " ", this.#told, this.#countdown);
    this.#timer = setInterval(count, 1000);
  }

  clear() {
    clearInterval(this.#timer);
    setText(this.#root, "");
  }
}
