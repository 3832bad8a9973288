// Test digits as pictures: a run's most confident mistakes, and the digits of a cell of its confusion matrix.

import { h, setText } from "../../../recognition/js/dom.js";
import { formatCount, formatProbability } from "../../../recognition/js/format.js";
import { describeError, get } from "../../../recognition/js/http.js";

const NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

const describeReading = (label, predicted) => (label === predicted ? "read correctly" : `read as ${predicted}`);

/** "95 twos read as 1", or "1,854 misread test digits" without a cell */
function describeDigits(count, label, predicted) {
  if (label === null) return `${formatCount(count)} misread test digit${count === 1 ? "" : "s"}`;
  const name = count === 1 ? NAMES[label] : `${NAMES[label]}${NAMES[label].endsWith("x") ? "es" : "s"}`;
  return `${formatCount(count)} ${name} ${describeReading(label, predicted)}`;
}

function tile({ index, label, predicted, confidence, picture }) {
  const isRight = label === predicted;
  const alt = `Test digit ${index}: ${label} ${describeReading(label, predicted)}`;
  const image = h("img", { src: picture, width: 56, height: 56, alt, loading: "lazy" });
  const caption = isRight ? String(predicted) : `${label} → ${predicted}`;
  return h("li", { class: isRight ? "right" : "wrong" }, image, h("span", { "aria-hidden": "true" }, caption), h("small", {}, formatProbability(confidence)));
}

export class TestDigits {
  #requests = 0;

  /** `root` holds a heading, a problem and a list. */
  constructor(root, url) {
    this.root = root;
    this.url = url;
  }

  #one(hook) {
    return this.root.querySelector(`[data-digits-${hook}]`);
  }

  /** Show the digits of a cell of the confusion matrix, or all mistakes. */
  async show({ label = null, predicted = null } = {}) {
    this.#requests += 1;
    const request = this.#requests;
    const query = new URLSearchParams(label === null ? {} : { label, predicted });
    try {
      const { count, results } = await get(`${this.url}?${query}`);
      if (request !== this.#requests) return;
      const shown = results.length < count ? ` (${results.length}${label === null ? " most confident" : ""} shown)` : "";
      setText(this.#one("title"), `${describeDigits(count, label, predicted)}${shown}`);
      this.#fill("", results);
    } catch (error) {
      if (request === this.#requests && error.code !== "no_predictions") this.#fill(describeError(error), []);
    }
  }

  #fill(problem, digits) {
    setText(this.#one("problem"), problem);
    this.#one("list").replaceChildren(...digits.map(tile));
    this.root.hidden = false;
  }
}
