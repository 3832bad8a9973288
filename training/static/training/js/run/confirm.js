// A confirmation in the browser's own dialog, which handles focus and Escape.

import { setText } from "../../../recognition/js/dom.js";

/** Ask `question` in a dialog whose form has the buttons "yes" and "no". Resolves to whether the answer is "yes". */
export function confirmAction(dialog, question) {
  setText(dialog.querySelector("[data-question]"), question);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
