// Notify a person who looks at another tab when a run has ended, if they asked for it.

import { setText } from "../../../recognition/js/dom.js";
import { STATUSES, formatPercent } from "../../../recognition/js/format.js";

const isSupported = "Notification" in window && window.isSecureContext;

export class Notifier {
  #checkbox;
  #text;

  /** `root` holds a checkbox and a text. It goes in browsers without notifications. */
  constructor(root) {
    this.#checkbox = root.querySelector("input");
    this.#text = root.querySelector("[data-notify-text]");
    root.hidden = !isSupported;
    this.#checkbox.addEventListener("change", () => this.#checkbox.checked && this.#ask());
  }

  async #ask() {
    if ((await Notification.requestPermission()) === "granted") return;
    this.#checkbox.checked = false;
    this.#checkbox.disabled = true;
    setText(this.#text, "This browser blocks notifications from this page");
  }

  /** Called when the run has ended. Tabs share one notification of a run. */
  notify(run) {
    if (!document.hidden || !this.#checkbox.checked) return;
    const accuracy = Number.isFinite(run.test_accuracy) ? `Test accuracy ${formatPercent(run.test_accuracy)}.` : run.error;
    try {
      const notification = new Notification(`Run ${run.id} ${STATUSES[run.status]}`, { body: accuracy, tag: `run-${run.id}` });
      notification.addEventListener("click", () => {
        window.focus();
        notification.close();
      });
    } catch {
      this.#checkbox.closest("label").hidden = true; // Android's Chromium has the interface, and no notifications of pages
    }
  }
}
