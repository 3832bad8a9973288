// One filter's window over the drawing, and the window of max-pooling over that filter's map, with their arithmetic.

import { Cells, formatSigned } from "./cells.js";
import { argmax, FIRST, KERNEL, SIDE, WEIGHTS } from "./convolution.js";
import { finder, setText } from "../dom.js";
import { peakOf, Picture } from "./paint.js";
import { SlidingWindow } from "./window.js";

const MAP = FIRST.side ** 2;

/** Return the `size` x `size` values at column `x` and row `y` of a picture that begins at `at`. */
function cut(values, at, side, x, y, size) {
  return Array.from({ length: size ** 2 }, (_, index) => values[at + (y + Math.floor(index / size)) * side + x + (index % size)]);
}

class WindowStep {
  #status;
  #map;
  #to;

  /** `map` names the values that the window gives. */
  constructor(root, map, side, size, stride, ink) {
    this.one = finder(root);
    this.#map = map;
    this.#status = this.one("status");
    this.window = new SlidingWindow(root, side, size, stride, () => this.move());
    this.from = new Picture(this.one("from"), side, side, ink);
    this.#to = new Picture(this.one("to"), this.window.count);
  }

  /** Show the maps, `filter`, its weights, and `peak`, the layer's largest activation. */
  show(data) {
    this.#status.ariaLive = "off"; // while drawing, only the answer is announced
    const isNew = !this.data;
    this.data = data;
    this.paintFrom();
    this.from.show();
    // It begins where the filter responds most.
    if (isNew) this.window.moveTo(argmax(this.#values()));
    else this.move();
    this.#status.ariaLive = "polite";
  }

  #values() {
    const { filter } = this.data;
    const size = this.window.count ** 2;
    return this.data[this.#map].slice(filter * size, (filter + 1) * size);
  }

  /** Paint the map, while the window slides up to its pixel, and tell what `cells` hold unless it slides. */
  finish(text, cells) {
    const { x, y, count, index, isPlaying } = this.window;
    const values = this.#values();
    if (isPlaying) values.fill(0, index + 1);
    this.#to.draw(values, 0, count, this.data.peak).show();
    setText(this.#status, isPlaying ? "" : `Window at row ${y + 1}, column ${x + 1}: ${text}.`);
    if (!isPlaying) for (const one of cells) one.describe();
  }
}

export class ConvolutionStep extends WindowStep {
  constructor(root) {
    super(root, "first", SIDE, KERNEL, 1, "--ink");
    this.cells = ["patch", "kernel", "products"].map((hook) => new Cells(this.one(hook), KERNEL));
  }

  paintFrom() {
    this.from.draw(this.data.picture, 0, SIDE, 1);
  }

  move() {
    const { picture, firstWeights, firstBias, filter } = this.data;
    const patch = cut(picture, 0, SIDE, this.window.x, this.window.y, KERNEL);
    const kernel = [...firstWeights.subarray(filter * WEIGHTS, (filter + 1) * WEIGHTS)];
    const products = patch.map((value, index) => value * kernel[index]);
    const peak = peakOf(kernel);
    [[patch, 1], [kernel, peak], [products, peak]].forEach((shown, index) => this.cells[index].show(...shown));
    const sum = products.reduce((total, product) => total + product);
    const total = sum + firstBias[filter];
    const result = formatSigned(Math.max(0, total));
    const ledger = { sum: formatSigned(sum), bias: formatSigned(firstBias[filter], "+"), total: formatSigned(total), result };
    for (const hook in ledger) setText(this.one(hook), ledger[hook]);
    this.finish(`sum ${ledger.total}, after ReLU ${result}`, this.cells);
  }
}

export class PoolingStep extends WindowStep {
  constructor(root) {
    super(root, "firstPooled", FIRST.side, 2, 2);
    this.cells = new Cells(this.one("values"), 2);
  }

  paintFrom() {
    this.from.draw(this.data.first, this.data.filter * MAP, FIRST.side, this.data.peak);
  }

  move() {
    const { first, filter, peak } = this.data;
    const values = cut(first, filter * MAP, FIRST.side, 2 * this.window.x, 2 * this.window.y, 2);
    const best = argmax(values);
    this.cells.show(values, peak, best);
    const [shown, largest] = [values, [values[best]]].map((some) => some.map((value) => formatSigned(value)).join(", "));
    this.finish(`the largest of ${shown} is ${largest}`, [this.cells]);
  }
}
