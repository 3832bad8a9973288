// One filter's window over the drawing, and the window of max-pooling over that filter's map, with their arithmetic.

import { Cells, formatSigned } from "./cells.js";
import { argmax, FIRST, KERNEL, SIDE, WEIGHTS } from "./convolution.js";
import { setText } from "../dom.js";
import { onScheme, peakOf, Picture } from "./paint.js";
import { SlidingWindow } from "./window.js";

const MAP = FIRST.side ** 2;

/** Return the `size` x `size` values at column `x` and row `y` of a picture that begins at `at`. */
function cut(values, at, side, x, y, size) {
  return Array.from({ length: size ** 2 }, (_, index) => values[at + (y + Math.floor(index / size)) * side + x + (index % size)]);
}

class WindowStep {
  /** `map` names the values that the window gives. */
  constructor(root, { side, size, stride, map, ink }) {
    this.map = map;
    this.one = (hook) => root.querySelector(`[data-${hook}]`);
    this.window = new SlidingWindow(root, { side, size, stride, onMove: () => this.move() });
    this.from = new Picture(this.one("from"), side, side, ink);
    this.to = new Picture(this.one("to"), this.window.count);
    onScheme(() => this.show());
  }

  /** Move the window to where the filter responds most. */
  seek() {
    const size = this.window.count ** 2;
    this.window.moveTo(argmax(this.data.maps[this.map], this.data.filter * size, size));
  }

  show(data = this.data) {
    this.data = data;
    this.window.button.disabled = !data;
    if (!data) this.window.pause();
    this.paintFrom();
    this.from.show();
    this.window.status.ariaLive = "off";
    this.move();
    this.window.status.ariaLive = "polite";
  }

  /** Paint the map: while the window slides, up to its pixel. */
  paintTo() {
    const { maps, filter, peak } = this.data ?? {};
    const size = this.window.count ** 2;
    const shown = maps?.[this.map].slice(filter * size, (filter + 1) * size);
    if (this.window.isPlaying) shown.fill(0, this.window.index + 1);
    this.to.draw(shown ?? null, 0, this.window.count, peak);
    this.to.show();
  }

  /** While the window slides, or when the drawing has changed, nothing is announced. */
  tell(text, cells) {
    const { x, y, isPlaying, status } = this.window;
    if (isPlaying) {
      setText(status, "");
      return;
    }
    setText(status, this.data ? `Window at row ${y + 1}, column ${x + 1}: ${text}.` : "Draw a digit first.");
    for (const one of cells) one.describe();
  }
}

export class ConvolutionStep extends WindowStep {
  constructor(root) {
    super(root, { side: SIDE, size: KERNEL, stride: 1, map: "first", ink: "--ink" });
    [this.patch, this.kernel, this.products] = ["patch", "kernel", "products"].map((hook) => new Cells(this.one(hook), KERNEL));
    this.show(null);
  }

  paintFrom() {
    this.from.draw(this.data?.maps.picture, 0, SIDE, 1);
  }

  move() {
    const { maps, filters, filter } = this.data ?? {};
    const { x, y } = this.window;
    const patch = maps && cut(maps.picture, 0, SIDE, x, y, KERNEL);
    const kernel = filters && [...filters.firstWeights.subarray(filter * WEIGHTS, (filter + 1) * WEIGHTS)];
    const products = patch?.map((value, index) => value * kernel[index]);
    const peak = peakOf(kernel);
    this.patch.show(patch, 1);
    this.kernel.show(kernel, peak);
    this.products.show(products, peak);
    this.paintTo();
    const sum = products?.reduce((total, product) => total + product) ?? 0;
    const bias = filters?.firstBias[filter] ?? 0;
    const [total, result] = [sum + bias, Math.max(0, sum + bias)].map((value) => formatSigned(value));
    const ledger = { sum: formatSigned(sum), bias: formatSigned(bias, "+"), total, result };
    for (const [hook, text] of Object.entries(ledger)) setText(this.one(hook), maps ? text : "–");
    this.tell(`sum ${total}, after ReLU ${result}`, [this.patch, this.kernel, this.products]);
  }
}

export class PoolingStep extends WindowStep {
  constructor(root) {
    super(root, { side: FIRST.side, size: 2, stride: 2, map: "firstPooled" });
    this.values = new Cells(this.one("values"), 2);
    this.show(null);
  }

  paintFrom() {
    const { maps, filter, peak } = this.data ?? {};
    this.from.draw(maps?.first, filter * MAP, FIRST.side, peak);
  }

  move() {
    const { maps, filter, peak } = this.data ?? {};
    const { x, y } = this.window;
    const values = maps && cut(maps.first, filter * MAP, FIRST.side, 2 * x, 2 * y, 2);
    const best = values ? argmax(values) : -1;
    this.values.show(values, peak, best);
    this.paintTo();
    this.tell(`the largest of ${values?.map((value) => formatSigned(value)).join(", ")} is ${formatSigned(values?.[best] ?? 0)}`, [this.values]);
  }
}
