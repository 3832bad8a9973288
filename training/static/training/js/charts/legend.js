// The key of a chart: a swatch, a name and a value for each series. Its size does not depend on the values.

import { h, setText, svg } from "../../../recognition/js/dom.js";

const SWATCH = { width: 26, height: 10 };

export const formatEpoch = (at) => `epoch ${Number(at.toFixed(2))}`;

export class Legend {
  #position;
  #names = null;

  constructor() {
    this.#position = h("span", { class: "position" });
    this.element = h("div", { class: "keys" }, this.#position);
  }

  /** `entries` are {name, style, text} of each series. */
  show(position, entries) {
    const names = entries.map(({ name }) => name).join();
    if (names !== this.#names) {
      this.#names = names;
      this.element.replaceChildren(...entries.map(({ name, style }) => this.#key(name, style)), this.#position);
    }
    setText(this.#position, position);
    entries.forEach(({ text }, index) => setText(this.element.children[index].lastElementChild, text));
  }

  #key(name, style) {
    const y = SWATCH.height / 2;
    const line = svg("line", { class: `${style} curve`, x1: 1, x2: SWATCH.width - 1, y1: y, y2: y });
    return h("span", { class: `key ${style}` },
      svg("svg", { class: "swatch", ...SWATCH, "aria-hidden": "true" }, line), `${name} `, h("span", { class: "value" }));
  }
}
