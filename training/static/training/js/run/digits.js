// Test digits as pictures: a run's most confident mistakes, and the digits of a cell of its confusion matrix.

import { button, finder, h, setText } from "../../../recognition/js/dom.js";
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

/** Return an empty section for a TestDigits. `heading` is the name of its heading's element. */
export function digitsSection(heading) {
  return h("section", { class: "digits", "aria-labelledby": "cell-title", hidden: true },
    h(heading, { id: "cell-title", "data-digits-title": true }),
    h("p", { class: "notice", role: "alert", "data-digits-problem": true }),
    h("ul", { tabindex: "0", "aria-labelledby": "cell-title", "data-digits-list": true }));
}

export class TestDigits {
  #one;
  #requests = 0;
  #cell = {};

  /** `root` holds a heading, a problem and a list. */
  constructor(root, url = "") {
    this.root = root;
    this.#one = finder(root, "digits-");
    this.url = url;
    this.more = button("Show more", () => this.#load(this.#one("list").children.length), { hidden: true });
    this.#one("title").ariaLive = "polite";
    root.append(this.more);
  }

  /** Show the digits of a cell of the confusion matrix, or all mistakes. */
  show({ label = null, predicted = null } = {}) {
    this.#cell = { label, predicted };
    return this.#load(0);
  }

  hide() {
    this.#requests += 1;
    this.root.hidden = true;
  }

  /** Load a page, and add it to the `offset` digits that are shown. */
  async #load(offset) {
    this.#requests += 1;
    const request = this.#requests;
    const { label, predicted } = this.#cell;
    const query = new URLSearchParams({ ...(label === null ? {} : { label, predicted }), ...(offset ? { offset } : {}) });
    try {
      const { count, results } = await get(`${this.url}?${query}`);
      if (request !== this.#requests) return;
      const total = offset + results.length;
      const shown = total < count ? ` (${formatCount(total)}${label === null ? " most confident" : ""} shown)` : "";
      setText(this.#one("title"), `${describeDigits(count, label, predicted)}${shown}`);
      this.#fill("", results, offset);
      this.#showMore(total < count && results.length > 0);
    } catch (error) {
      if (request === this.#requests && error.code !== "no_predictions") this.#fill(describeError(error), [], offset);
    }
  }

  #fill(problem, digits, offset) {
    setText(this.#one("problem"), problem);
    const list = this.#one("list");
    if (offset) list.append(...digits.map(tile));
    else list.replaceChildren(...digits.map(tile));
    this.root.hidden = false;
  }

  /** Show the button while there are more digits. Keep the focus near when it goes. */
  #showMore(hasMore) {
    if (!hasMore && document.activeElement === this.more) {
      const list = this.#one("list");
      list.tabIndex = 0;
      list.focus();
    }
    this.more.hidden = !hasMore;
  }
}
