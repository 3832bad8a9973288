// What the page says of its connection, with a countdown to the next attempt.

import { h } from "../../../recognition/js/dom.js";

const TICK_MS = 1000;

export class ConnectionView {
  #timer = 0;

  constructor(root) {
    this.root = root;
  }

  /** `state` is LiveSocket's: "live", or "lost" with the `delay` in ms until it tries again. */
  show({ state, delay = 0, isFull = false }) {
    clearInterval(this.#timer);
    this.root.dataset.state = state;
    if (state === "live") {
      this.root.replaceChildren("Live");
      return;
    }
    // Screen readers announce the reason once, and not every second.
    const wait = h("span", { "aria-hidden": "true" });
    this.root.replaceChildren(h("span", {}, isFull ? "Too many viewers. " : "Disconnected. ", wait));
    const until = performance.now() + delay;
    const tick = () => {
      const seconds = Math.ceil((until - performance.now()) / 1000);
      wait.textContent = seconds > 0 ? `Reconnecting in ${seconds} s.` : "Reconnecting…";
    };
    tick();
    this.#timer = setInterval(tick, TICK_MS);
  }

  /** The page follows nothing any more. */
  close() {
    clearInterval(this.#timer);
    this.root.dataset.state = "closed";
  }
}
