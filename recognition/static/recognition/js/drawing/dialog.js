// A modal dialog with a title, buttons for `actions` and one that closes it. It leaves the page when it is closed.

import { button, h } from "../dom.js";

export function openDialog(title, content, actions = []) {
  const close = button("Close", () => dialog.close());
  const heading = h("h2", { id: "dialog-title" }, title);
  const buttons = h("div", { class: "tools" }, ...actions, close);
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": "dialog-title", closedby: "any" }, heading, ...content, buttons);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
