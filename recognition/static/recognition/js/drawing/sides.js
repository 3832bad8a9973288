// The answers of two models side by side: of the chosen one and of the one in service. Only finished drawings are compared.

import { h, setText } from "../dom.js";
import { describeError } from "../http.js";
import { describeVerdict, glyph, isReadable } from "./describe.js";
import { Retry } from "./retry.js";

const textOf = ({ digits }) => digits.map(glyph).join("");

function compare(one, other) {
  const text = textOf(one);
  if (text !== textOf(other)) return "The models differ.";
  return text.includes("?") ? "Neither model can read this." : `Both models read ${text}.`;
}

function bars({ probabilities, prediction }, isRead) {
  const columns = probabilities.map((probability, digit) => {
    const fill = h("span", { class: "bar-fill" });
    // Not as a style attribute: a content security policy may forbid it.
    fill.style.setProperty("--share", probability);
    const column = h("span", { class: "bar-column" }, fill);
    return h("span", { class: "side-bar", "data-best": isRead && digit === prediction }, column, h("span", { class: "bar-digit" }, String(digit)));
  });
  return h("div", { class: "side-bars", "aria-hidden": "true" }, ...columns);
}

/** Return one model's answer; `index` is the digit whose bars are shown, or null. */
function side(name, number, index) {
  const digit = number.digits[index];
  return h("div", { class: "side", role: "group", "aria-label": name },
    h("p", { class: "side-name" }, name),
    h("p", { class: "side-number", "aria-hidden": "true" }, textOf(number)),
    h("p", {}, describeVerdict(number)),
    digit ? bars(digit, isReadable(digit)) : null);
}

export class SideBySide {
  #root;
  #verdict;
  #answer;
  #predictor;
  #nameOf;
  #onServing;
  #retry = new Retry();
  #of = null; // the chosen model's prediction that is compared
  #other = null; // what the model in service predicts

  /** `nameOf` returns a model's name by its ID; `onServing` is told the ID of the one in service. */
  constructor(root, verdict, { answer, predictor }, nameOf, onServing) {
    this.#root = root;
    this.#verdict = verdict;
    this.#answer = answer;
    this.#predictor = predictor;
    this.#nameOf = nameOf;
    this.#onServing = onServing;
    answer.onChange(() => this.#update());
  }

  show(isShown) {
    this.#root.hidden = !isShown;
    if (!isShown) this.#of = null;
    this.#update();
  }

  #update() {
    const { shown, isSettled } = this.#answer;
    if (this.#root.hidden || (shown && !isSettled)) return;
    if (shown !== this.#of) {
      this.#retry.reset();
      this.#of = shown;
      this.#other = null;
      if (shown) this.#ask(shown);
    }
    if (!shown) setText(this.#verdict, "Draw something to compare the models.");
    this.#paint();
  }

  async #ask(shown) {
    let problem = "";
    try {
      const other = await this.#predictor.ask(shown.drawing, null);
      if (shown === this.#of) this.#other = other;
      this.#onServing(other.model);
    } catch (error) {
      problem = `The model in service did not answer. ${describeError(error)}`;
      if (shown === this.#of) this.#retry.schedule(error, () => shown === this.#of && this.#ask(shown));
    }
    if (shown !== this.#of) return;
    setText(this.#verdict, problem || compare(shown, this.#other));
    this.#paint();
  }

  /** The last comparison stays until the next one is complete, so that nothing moves. */
  #paint() {
    if (this.#of && !this.#other) return;
    const both = this.#of ? [this.#of, this.#other] : [];
    const isSameLength = both.every(({ digits }) => digits.length === both[0].digits.length);
    const index = isSameLength ? this.#answer.opened?.index : null;
    this.#root.lastElementChild.replaceChildren(...both.map((number) => side(this.#nameOf(number.model), number, index)));
  }
}
