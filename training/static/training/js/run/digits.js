// Test digits as pictures: the worst mistakes of a run, and what stands behind a cell of its confusion matrix.

import { h, say } from "../../../recognition/js/dom.js";
import { get, inPlainWords } from "../../../recognition/js/http.js";
import { count, percent } from "../../../recognition/js/format.js";

function tile({ index, label, predicted, confidence, picture }) {
  const right = label === predicted;
  const words = right ? `${label}, read rightly` : `${label} read as ${predicted}`;
  const image = h("img", { src: picture, width: 56, height: 56, alt: `Test digit ${index}: ${words}`, loading: "lazy" });
  const verdict = right ? `${predicted}` : `${label} → ${predicted}`;
  return h("li", { class: right ? "right" : "wrong" }, image, h("span", { "aria-hidden": "true" }, verdict), h("small", {}, percent(confidence, 1)));
}

export class Digits {
  #asked = 0;

  /** `root` holds a heading, a problem and a list by their hooks. */
  constructor(root, url) {
    this.root = root;
    this.url = url;
  }

  /** One cell of the matrix, or all mistakes when none is named. Resolves to how many there are; null: none are kept. */
  async show({ title, label = null, predicted = null }) {
    this.#asked += 1;
    const asked = this.#asked;
    const query = new URLSearchParams(label === null ? {} : { label, predicted });
    const part = (hook) => this.root.querySelector(`[data-digits-${hook}]`);
    try {
      const { count: all, results } = await get(`${this.url}?${query}`);
      if (asked !== this.#asked) return all;
      const shown = results.length < all ? `, the ${results.length} surest` : "";
      say(part("problem"), "");
      say(part("title"), `${title}: ${count(all)}${shown}`);
      part("list").replaceChildren(...results.map(tile));
      this.root.hidden = false;
      return all;
    } catch (error) {
      if (asked !== this.#asked || error.code === "no_predictions") return null;
      say(part("problem"), inPlainWords(error));
      part("list").replaceChildren();
      this.root.hidden = false;
      return null;
    }
  }
}
