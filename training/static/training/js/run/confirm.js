// Asks before something is done that cannot be taken back. The browser's own dialog keeps focus and Escape right.

import { say } from "../../../recognition/js/dom.js";

/** `dialog` holds a form whose buttons have the values "yes" and "no". Resolves to whether "yes" was chosen. */
export function confirmed(dialog, question) {
  say(dialog.querySelector("[data-question]"), question);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
