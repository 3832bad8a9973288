// A box on the pad around each digit of a number. A tap on a box opens its digit; for the keyboard there are the answer's buttons.

import { h } from "../dom.js";
import { glyph, isReadable } from "./describe.js";
import { decodeMask, estimateSize } from "./masks.js";
import { sentArea, sentSize } from "./sent.js";
import { boundsOf } from "./view.js";

const PADDING = 0.035; // units between a digit and its box
const LABEL_SPACE = 0.08; // units below a box that its label needs; else it is above

export class BoxesView {
  #pad;
  #root;
  #answer;
  #of = null; // the prediction whose boxes are shown
  #size = null; // of its picture, in pixels
  #painted = "";

  constructor(pad, root, answer) {
    this.#pad = pad;
    this.#root = root;
    this.#answer = answer;
    pad.addEventListener("paint", () => this.#paint());
    answer.onChange(() => this.#update());
  }

  /** Return the index of the digit whose box holds a point, or null. Where boxes overlap, that of the nearest one. */
  find([x, y]) {
    const distance = ({ left, right }) => Math.abs((left + right) / 2 - x);
    const holding = [...this.#places().entries()]
      .filter(([, { left, top, right, bottom }]) => x >= left && x <= right && y >= top && y <= bottom)
      .sort(([, one], [, other]) => distance(one) - distance(other));
    return holding.length ? holding[0][0] : null;
  }

  open(index) {
    if (this.#answer.isNumber && index < this.#answer.shown.digits.length) this.#answer.open(index);
  }

  async #update() {
    const { shown } = this.#answer;
    if (shown !== this.#of) {
      this.#of = shown;
      this.#size = shown && sentSize(shown.drawing);
    }
    this.#paint();
    const last = this.#answer.isNumber && shown.digits.at(-1);
    if (!last || this.#size || !last.segmentation) return;
    const size = estimateSize(await decodeMask(last.segmentation.mask), last.box);
    if (shown !== this.#of) return;
    this.#size = size;
    this.#paint();
  }

  /** Return the boxes in units of the pad's height. Empty for one digit, or if the drawing has changed. */
  #places() {
    const { shown, isNumber } = this.#answer;
    if (!isNumber || !this.#size || this.#pad.current.picture !== shown.drawing.picture) return [];
    const bounds = boundsOf(this.#pad.view); // ink may lie beyond
    const area = sentArea(shown.drawing, this.#size, this.#pad.view);
    const scale = area.width / this.#size.width;
    return shown.digits.map(({ box: [left, top, width, height] }) => ({
      left: Math.max(area.left + left * scale - PADDING, bounds.left),
      top: Math.max(area.top + top * scale - PADDING, bounds.top),
      right: Math.min(area.left + (left + width) * scale + PADDING, bounds.right),
      bottom: Math.min(area.top + (top + height) * scale + PADDING, bounds.bottom),
    }));
  }

  #paint() {
    const bounds = boundsOf(this.#pad.view);
    const places = this.#places();
    const opened = this.#answer.opened?.index;
    const digits = places.map((place, index) => ({ ...place, ...this.#describe(index), isOpened: index === opened }));
    const state = JSON.stringify([bounds, digits]);
    if (state === this.#painted) return;
    this.#painted = state;
    this.#root.replaceChildren(...digits.map((digit) => this.#element(digit, bounds)));
  }

  #describe(index) {
    const digit = this.#answer.shown.digits[index];
    const doubt = digit.uncertain && isReadable(digit) ? "?" : "";
    return { text: `${glyph(digit)}${doubt}`, isUncertain: digit.uncertain || !isReadable(digit) };
  }

  #element({ left, top, right, bottom, text, isOpened, isUncertain }, bounds) {
    const isLow = bottom + LABEL_SPACE > bounds.bottom;
    const attributes = { class: "digit-box", "data-opened": isOpened, "data-uncertain": isUncertain, "data-low": isLow };
    const element = h("span", attributes, h("span", { class: "digit-box-label" }, text));
    // Not as a style attribute: a content security policy may forbid it.
    const [width, height] = [bounds.right - bounds.left, bounds.bottom - bounds.top];
    const percent = (length, whole) => `${(100 * length) / whole}%`;
    Object.assign(element.style, {
      left: percent(left - bounds.left, width),
      top: percent(top - bounds.top, height),
      width: percent(right - left, width),
      height: percent(bottom - top, height),
    });
    return element;
  }
}
