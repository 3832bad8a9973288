// Ask under an answer what the drawing shows, send that label as a correction, and offer to undo it. Of a number, ask about
// the digit that is open, and send the 28x28 picture that the network saw of it.

import { finder, setText } from "../dom.js";
import { isReadable } from "./describe.js";
import { del, describeError, post } from "../http.js";
import { fromDataUrl } from "./picture.js";
import { pictureFile } from "./sent.js";

const NO_DIGIT_KEY = "n";

const OUTCOMES = {
  accepted: "The next training run with the preset “adapt” will use it.",
  pending: "A person will review it before the network learns from it.",
  rejected: "A reviewer has rejected it.",
};

/** Return what is corrected: its `key`, which is the same for a redrawn stroke or a reopened file, and its picture. */
function subjectOf(answer) {
  const { opened, isNumber } = answer;
  const { drawing } = answer.shown;
  const { strokes, picture } = drawing;
  if (isNumber) return { key: opened.preview, name: "digit.png", what: "digit", file: () => fromDataUrl(opened.preview) };
  const ofFile = picture && [picture.name, picture.file.size, picture.file.lastModified];
  const key = JSON.stringify([ofFile, strokes]);
  return { key, name: picture?.name ?? "drawing.png", what: "drawing", file: () => pictureFile(drawing) };
}

function questionOf(opened, isNumber) {
  if (isReadable(opened)) return `${isNumber ? `Digit ${opened.index + 1} wrong` : "Wrong"}? It was`;
  return isNumber ? `Digit ${opened.index + 1} was` : "It was";
}

const describeLabel = (label) => (label === null ? "not a digit" : String(label));

function describeOutcome({ label, state, undo }, { what }) {
  const saved = undo ? "Saved as" : `This ${what} was already saved as`;
  return `Thank you. ${saved} “${describeLabel(label)}”. ${OUTCOMES[state] ?? ""}`.trim();
}

async function body({ file, name }, label) {
  const form = new FormData();
  form.append("drawing", await file(), name);
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
  #label;
  #status;
  #undoButton;
  #buttons;
  #root;
  #url;
  #pad;
  #answer;
  #subject = null; // what is asked about
  #known = new Map(); // what the server returned, by key
  #sending = new Set();
  #isClosed = false;

  /** The keys of `elements` choose labels: elsewhere a single key may be a screen reader's command. */
  constructor(root, url, pad, answer, elements) {
    this.#url = url;
    this.#pad = pad;
    this.#answer = answer;
    this.#root = root;
    const one = finder(root, "correction-");
    this.#label = one("label");
    this.#status = one("status");
    this.#undoButton = one("undo");
    this.#buttons = [...root.querySelectorAll("[data-label]")];
    for (const button of this.#buttons) button.addEventListener("click", () => this.#correct(JSON.parse(button.dataset.label)));
    this.#undoButton.addEventListener("click", () => this.#undo());
    for (const element of [...elements, root]) {
      element.addEventListener("keydown", (event) => {
        const label = labelOfKey(event);
        if (label === undefined || root.dataset.state !== "asking") return;
        event.preventDefault();
        this.#correct(label);
      });
    }
    answer.onChange(() => this.#ask());
  }

  /** Ask about the open digit of a finished drawing, or thank for it if it was corrected before. */
  #ask() {
    const { isSettled, isNumber, opened, shown } = this.#answer;
    this.#subject = isSettled && (!isNumber || opened.preview) ? subjectOf(this.#answer) : null;
    // What the correction records is the prediction of the model that was chosen.
    if (this.#subject) this.#subject.query = shown.chosen ? `?model=${shown.chosen}` : "";
    if (this.#subject) setText(this.#label, questionOf(opened, isNumber));
    this.#show();
  }

  async #correct(label) {
    const subject = this.#subject;
    const { key } = subject;
    if (this.#sending.has(key)) return;
    this.#sending.add(key);
    this.#show();
    this.#buttonOf(label).toggleAttribute("data-chosen", true); // until the server has answered
    let problem = "";
    try {
      this.#known.set(key, await post(this.#url + subject.query, await body(subject, label)));
    } catch (error) {
      this.#isClosed ||= error.code === "corrections_closed";
      problem = describeError(error);
    }
    this.#sending.delete(key);
    const isShown = this.#isShown(key);
    if (problem && !isShown) problem = `The label of your earlier ${subject.what} was not saved. ${problem}`;
    if (problem || isShown) this.#show(problem);
  }

  async #undo() {
    const { key } = this.#subject;
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
    return this.#subject?.key === key;
  }

  #buttonOf(label) {
    return this.#buttons.find((button) => button.dataset.label === JSON.stringify(label));
  }

  /** Show the question or the thanks; a message replaces the thanks. */
  #show(message = "") {
    const known = this.#subject && this.#known.get(this.#subject.key);
    const hadFocus = this.#root.contains(document.activeElement);
    const state = known ? "thanked" : this.#subject && !this.#isClosed ? "asking" : "hidden";
    this.#root.dataset.state = state;
    for (const button of this.#buttons) button.removeAttribute("data-chosen");
    this.#undoButton.hidden = !known?.undo;
    setText(this.#status, message || (known ? describeOutcome(known, this.#subject) : ""));
    // Hiding the focused button would move the focus to the top of the page.
    if (hadFocus && state === "thanked") this.#focus(known.undo ? this.#undoButton : this.#pad.canvas);
    else if (hadFocus && state === "hidden") this.#focus(this.#pad.canvas);
  }

  #focus(element) {
    element.focus({ preventScroll: true });
  }
}
