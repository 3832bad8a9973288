// Show a prediction: the digit or the number, its probability, and of the open digit ten bars and the network's input.

import { h, setText } from "../dom.js";
import { formatProbability } from "../format.js";

const LIKELY = 0.1;

// Why an answer is uncertain, and what to do: one sentence or two for each `uncertain_reason`.
const REASONS = {
  low_confidence: "Two digits are likely. Write it more clearly.",
  not_a_digit: "This doesn't look like a digit. Write one from 0 to 9.",
  several_digits: "This looks like several digits. Leave some space between them.",
  cut_off: "The digit is cut off at the edge. Leave some space around it.",
  surroundings: "Something around the digit may have been read with it. Move closer, or crop the picture.",
};

const listFormat = new Intl.ListFormat("en");

/** Return a sentence about the second most probable digit, if it is likely and one may be right. */
function describeRunnerUp({ probabilities, prediction, uncertain_reason: reason }) {
  if (reason === "not_a_digit") return "";
  const [digit, probability] = [...probabilities.entries()]
    .filter(([index]) => index !== prediction)
    .sort((a, b) => b[1] - a[1])[0];
  return probability >= LIKELY ? `It could also be ${digit} (${formatProbability(probability)}).` : "";
}

const explain = (reason) => REASONS[reason] ?? "This may not be a digit.";

/** Return why a number is uncertain: which of its digits are. */
function describeUncertainDigits({ digits, uncertain_reason: reason }) {
  const places = digits.flatMap(({ uncertain }, index) => (uncertain ? [String(index + 1)] : []));
  if (places.length === 0) return explain(reason);
  if (places.length === digits.length) return "All digits are uncertain.";
  return places.length === 1 ? `Digit ${places[0]} is uncertain.` : `Digits ${listFormat.format(places)} are uncertain.`;
}

function describeOpened({ index, prediction, probabilities, uncertain, uncertain_reason: reason, ...rest }) {
  const verdict = `Digit ${index + 1}: ${prediction}, ${formatProbability(probabilities[prediction])} sure.`;
  const runnerUp = describeRunnerUp({ prediction, probabilities, uncertain_reason: reason, ...rest });
  return [verdict, uncertain ? explain(reason) : "", runnerUp].filter(Boolean).join(" ");
}

export class PredictionView {
  #answer;

  constructor(root, answer) {
    const one = (hook) => root.querySelector(`[data-${hook}]`);
    this.#answer = answer;
    this.root = root;
    this.digit = one("answer-digit");
    this.text = one("answer-text");
    this.status = one("answer-status");
    this.input = one("input");
    this.bars = [...root.querySelectorAll("[data-bar]")];
    answer.addEventListener("change", () => answer.shown && this.#show());
  }

  showPending() {
    this.root.dataset.state = "pending";
  }

  /** Show a text in place of a prediction. */
  clear(text) {
    this.root.dataset.state = "empty";
    this.digit.hidden = false;
    setText(this.digit, "");
    setText(this.text, text);
    setText(this.status, text);
    this.#showBars(new Array(10).fill(0), null);
    this.#showInput(null);
  }

  #show() {
    const { shown, opened, isNumber } = this.#answer;
    if (this.#answer.isSettled || !shown.final) this.root.dataset.state = shown.uncertain ? "uncertain" : "predicted";
    this.digit.hidden = isNumber;
    setText(this.digit, isNumber ? "" : String(opened.prediction));
    const verdict = `${shown.uncertain ? "Perhaps" : "Read as"} ${shown.number}, ${formatProbability(this.#probability())} sure.`;
    const reason = isNumber ? describeUncertainDigits(shown) : explain(shown.uncertain_reason);
    const details = isNumber ? describeOpened(opened) : describeRunnerUp(opened);
    const by = shown.model ? `Read by model ${shown.model}.` : "";
    this.text.replaceChildren(
      `${verdict} `,
      shown.uncertain ? h("strong", {}, `${reason} `) : "",
      h("small", {}, `${details} ${by}`.trim()),
    );
    // Only a finished drawing's prediction is announced to screen readers.
    if (shown.final) setText(this.status, isNumber ? `${verdict} ${shown.uncertain ? reason : ""}`.trim() : this.text.innerText);
    this.#showBars(opened.probabilities, opened.prediction);
    this.#showInput(opened.preview);
  }

  /** One digit's probability is not rounded twice: it stands over its bar too. */
  #probability() {
    const { shown, opened, isNumber } = this.#answer;
    return isNumber ? shown.confidence / 100 : opened.probabilities[opened.prediction];
  }

  #showBars(probabilities, best) {
    this.bars.forEach((bar, digit) => {
      const probability = probabilities[digit];
      bar.toggleAttribute("data-best", digit === best);
      bar.setAttribute("aria-valuenow", (probability * 100).toFixed(2));
      bar.setAttribute("aria-valuetext", formatProbability(probability));
      bar.querySelector("[data-bar-value]").textContent = probability >= 0.005 ? formatProbability(probability) : "";
      bar.querySelector("[data-bar-fill]").style.setProperty("--share", probability);
    });
  }

  #showInput(preview) {
    this.input.hidden = !preview;
    if (preview) this.input.src = preview;
    else this.input.removeAttribute("src");
  }
}
