// Show a prediction: the digit, its probability, ten bars and the network's input.

import { h, setText } from "../dom.js";
import { formatProbability } from "../format.js";

const LIKELY = 0.1;

// Why an answer is uncertain, and what to do: one sentence or two for each `uncertain_reason`.
const REASONS = {
  low_confidence: "Two digits are likely. Write it more clearly.",
  not_a_digit: "This doesn't look like a digit. Write one from 0 to 9.",
  several_digits: "This looks like several digits. Write one at a time.",
  cut_off: "The digit is cut off at the edge. Leave some space around it.",
  surroundings: "Something around the digit may have been read with it. Move closer, or crop the picture.",
};

/** Return a sentence about the second most probable digit, if it is likely and one may be right. */
function describeRunnerUp(probabilities, prediction, reason) {
  if (reason === "not_a_digit") return "";
  const [digit, probability] = [...probabilities.entries()]
    .filter(([index]) => index !== prediction)
    .sort((a, b) => b[1] - a[1])[0];
  return probability >= LIKELY ? `It could also be ${digit} (${formatProbability(probability)}).` : "";
}

export class PredictionView {
  constructor(root) {
    const one = (hook) => root.querySelector(`[data-${hook}]`);
    this.root = root;
    this.digit = one("answer-digit");
    this.text = one("answer-text");
    this.status = one("answer-status");
    this.input = one("input");
    this.bars = [...root.querySelectorAll("[data-bar]")];
  }

  showPending() {
    this.root.dataset.state = "pending";
  }

  /** `final`: the stroke has ended. Only then the prediction is announced to screen readers. */
  show({ prediction, uncertain, uncertain_reason: reason, probabilities, model, preview, final }) {
    this.root.dataset.state = uncertain ? "uncertain" : "predicted";
    setText(this.digit, String(prediction));
    const by = model ? `Read by model ${model}.` : "";
    const verdict = uncertain ? `Perhaps ${prediction}` : `Read as ${prediction}`;
    this.text.replaceChildren(
      `${verdict}, ${formatProbability(probabilities[prediction])} sure.`,
      uncertain ? h("strong", {}, REASONS[reason] ?? "This may not be a digit.") : "",
      h("small", {}, `${describeRunnerUp(probabilities, prediction, reason)} ${by}`.trim()),
    );
    if (final) setText(this.status, this.text.innerText);
    this.#showBars(probabilities, prediction);
    this.#showInput(preview);
  }

  clear(text) {
    this.root.dataset.state = "empty";
    setText(this.digit, "");
    setText(this.text, text);
    setText(this.status, text);
    this.#showBars(new Array(10).fill(0), null);
    this.#showInput(null);
  }

  #showBars(probabilities, best) {
    this.bars.forEach((bar, digit) => {
      const probability = probabilities[digit];
      bar.toggleAttribute("data-best", digit === best);
      bar.setAttribute("aria-valuenow", (probability * 100).toFixed(2));
      bar.setAttribute("aria-valuetext", formatProbability(probability));
      bar.querySelector("[data-bar-value]").textContent = probability >= 0.005 ? formatProbability(probability) : "";
      bar.querySelector("[data-bar-fill]").style.transform = `scaleY(${probability})`;
    });
  }

  #showInput(preview) {
    this.input.hidden = !preview;
    if (preview) this.input.src = preview;
    else this.input.removeAttribute("src");
  }
}
