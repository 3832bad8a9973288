// Ask under an answer what the drawing shows, send that label as a correction, and offer to undo it.

import { setText } from "../dom.js";
import { del, describeError, post } from "../http.js";
import { pictureFile } from "./predictor.js";

const NO_DIGIT_KEY = "n";

const OUTCOMES = {
  accepted: "The next training run with the preset “adapt” will use it.",
  pending: "A person will review it before the network learns from it.",
  rejected: "A reviewer has rejected it.",
};

/** Identify a drawing by what it shows: a redrawn stroke or a reopened file is the same drawing. */
const identify = ({ strokes, picture }) =>
  picture ? [picture.name, picture.file.size, picture.file.lastModified].join() : JSON.stringify(strokes);

const describeLabel = (label) => (label === null ? "not a digit" : String(label));

function describeOutcome({ label, state, undo }) {
  const saved = undo ? "Saved as" : "This drawing was already saved as";
  return `Thank you. ${saved} “${describeLabel(label)}”. ${OUTCOMES[state] ?? ""}`.trim();
}

function body(drawing, label) {
  const form = new FormData();
  form.append("drawing", pictureFile(drawing), drawing.picture?.name ?? "drawing.png");
  form.append("label", JSON.stringify(label));
  form.append("source", "page");
  return form;
}

/** Return the label that a key stands for, or undefined. */
function labelOfKey({ key, ctrlKey, metaKey, altKey, repeat }) {
  if (ctrlKey || metaKey || altKey || repeat) return undefined;
  if (/^[0-9]$/.test(key)) return Number(key);
  return key.toLowerCase() === NO_DIGIT_KEY ? null : undefined;
}

export class CorrectionView {
  #url;
  #pad;
  #drawing = null; // the drawing whose answer is shown
  #known = new Map(); // what the server returned, by drawing
  #sending = new Set();
  #isClosed = false;

  constructor(root, url, pad) {
    this.#url = url;
    this.#pad = pad;
    this.root = root;
    this.status = root.querySelector("[data-correction-status]");
    this.undoButton = root.querySelector("[data-correction-undo]");
    this.buttons = [...root.querySelectorAll("[data-label]")];
    for (const button of this.buttons) button.addEventListener("click", () => this.#correct(JSON.parse(button.dataset.label)));
    this.undoButton.addEventListener("click", () => this.#undo());
    // Only where the focus is on the pad or here: elsewhere a single key may be a screen reader's command.
    for (const element of [pad.canvas, root]) {
      element.addEventListener("keydown", (event) => {
        const label = labelOfKey(event);
        if (label === undefined || root.dataset.state !== "asking") return;
        event.preventDefault();
        this.#correct(label);
      });
    }
  }

  /** Ask about a drawing, or thank for it if it was corrected before. */
  ask(drawing) {
    this.#drawing = drawing;
    this.#show();
  }

  hide() {
    this.#drawing = null;
    this.#show();
  }

  async #correct(label) {
    const drawing = this.#drawing;
    const key = identify(drawing);
    if (this.#sending.has(key)) return;
    this.#sending.add(key);
    this.#show();
    this.#mark(label);
    let problem = "";
    try {
      this.#known.set(key, await post(this.#url, body(drawing, label)));
    } catch (error) {
      this.#isClosed ||= error.code === "corrections_closed";
      problem = describeError(error);
    }
    this.#sending.delete(key);
    const isShown = this.#isShown(key);
    if (problem && !isShown) problem = `The label of your earlier drawing was not saved. ${problem}`;
    if (problem || isShown) this.#show(problem);
  }

  async #undo() {
    const key = identify(this.#drawing);
    const { id, undo, label } = this.#known.get(key);
    if (this.#sending.has(key)) return;
    this.#sending.add(key);
    let problem = "";
    try {
      await del(`${this.#url}${id}/?undo=${encodeURIComponent(undo)}`);
      this.#known.delete(key);
    } catch (error) {
      if (error.status === 404) this.#known.get(key).undo = ""; // an hour has passed, or somebody else deleted it
      problem = error.status === 404 ? "This correction can no longer be undone." : describeError(error);
    }
    this.#sending.delete(key);
    if (!this.#isShown(key)) return;
    this.#show(problem || "Undone. The label was deleted.");
    if (!problem) this.#focus(this.#buttonOf(label));
  }

  #isShown(key) {
    return this.#drawing !== null && identify(this.#drawing) === key;
  }

  #buttonOf(label) {
    return this.buttons.find((button) => button.dataset.label === JSON.stringify(label));
  }

  /** Mark the chosen label until the server has answered. */
  #mark(label) {
    this.#buttonOf(label).toggleAttribute("data-chosen", true);
  }

  /** Show the question or the thanks; a message replaces the thanks. */
  #show(message = "") {
    const known = this.#drawing && this.#known.get(identify(this.#drawing));
    const hadFocus = this.root.contains(document.activeElement);
    const state = known ? "thanked" : this.#drawing && !this.#isClosed ? "asking" : "hidden";
    this.root.dataset.state = state;
    for (const button of this.buttons) button.removeAttribute("data-chosen");
    this.undoButton.hidden = !known?.undo;
    setText(this.status, message || (known ? describeOutcome(known) : ""));
    // Hiding the focused button would move the focus to the top of the page.
    if (hadFocus && state === "thanked") this.#focus(known.undo ? this.undoButton : this.#pad.canvas);
    else if (hadFocus && state === "hidden") this.#focus(this.#pad.canvas);
  }

  #focus(element) {
    element.focus({ preventScroll: true });
  }
}
