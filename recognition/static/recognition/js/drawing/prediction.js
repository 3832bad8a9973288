// Show a prediction: the digit or the number, its probability, and of the open digit ten bars and the network's input.

import { finder, h, setText } from "../dom.js";
import { formatProbability } from "../format.js";
import { describeDetails, describeReason, describeVerdict, glyph, isNumberReadable, isReadable } from "./describe.js";

export class PredictionView {
  #digit;
  #text;
  #status;
  #input;
  #bars;
  #root;
  #answer;

  constructor(root, answer) {
    const one = finder(root);
    this.#answer = answer;
    this.#root = root;
    this.#digit = one("answer-digit");
    this.#text = one("answer-text");
    this.#status = one("answer-status");
    this.#input = one("input");
    this.#bars = [...root.querySelectorAll("[data-bar]")];
    answer.onChange(() => answer.shown && this.#show());
  }

  showPending() {
    this.#root.dataset.state = "pending";
  }

  /** Show a text in place of a prediction. */
  clear(text) {
    this.#root.dataset.state = "empty";
    this.#digit.hidden = false;
    setText(this.#digit, "");
    setText(this.#text, text);
    setText(this.#status, text);
    this.#showBars(new Array(10).fill(0), null);
    this.#showInput(null);
  }

  #show() {
    const { shown, opened, isNumber } = this.#answer;
    const isRead = isNumberReadable(shown);
    if (this.#answer.isSettled || !shown.final) this.#root.dataset.state = !isRead ? "unreadable" : shown.uncertain ? "uncertain" : "predicted";
    this.#digit.hidden = isNumber;
    setText(this.#digit, isNumber ? "" : glyph(opened));
    const [verdict, reason] = [describeVerdict(shown), describeReason(shown)];
    const by = shown.model ? `Read by model ${shown.model}.` : "";
    this.#text.replaceChildren(
      `${verdict} `,
      reason ? h("strong", {}, `${reason} `) : "",
      h("small", {}, `${describeDetails(opened, isNumber)} ${by}`.trim()),
    );
    // Only a finished drawing's prediction is announced to screen readers.
    if (shown.final) setText(this.#status, isNumber ? `${verdict} ${reason}`.trim() : this.#text.innerText);
    this.#showBars(opened.probabilities, isReadable(opened) ? opened.prediction : null);
    this.#showInput(opened.preview);
  }

  #showBars(probabilities, best) {
    this.#bars.forEach((bar, digit) => {
      const probability = probabilities[digit];
      bar.toggleAttribute("data-best", digit === best);
      bar.ariaValueNow = (probability * 100).toFixed(2);
      bar.ariaValueText = formatProbability(probability);
      bar.querySelector("[data-bar-value]").textContent = probability >= 0.005 ? formatProbability(probability) : "";
      bar.querySelector("[data-bar-fill]").style.setProperty("--share", probability);
    });
  }

  #showInput(preview) {
    this.#input.hidden = !preview;
    if (preview && this.#input.src !== preview) this.#input.src = preview;
    else if (!preview) this.#input.removeAttribute("src");
  }
}
