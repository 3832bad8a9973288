// All steps from the drawing to the answer. The panel loads this module when it is opened.

import { argmax, computeFeatureMaps, FIRST, SECOND } from "./convolution.js";
import { computeAnswer } from "./dense.js";
import { finder, setText } from "../dom.js";
import { onRestyle } from "./paint.js";
import { SourcesStep } from "./sources.js";
import { Tiles } from "./tiles.js";
import { UnitsStep } from "./units.js";
import { ConvolutionStep, PoolingStep } from "./windows.js";

export { parseFilters } from "./convolution.js";
export { parseDense } from "./dense.js";

/** One convolution's tiles, the filter that is chosen, and the sentence about it. */
class Layer {
  constructor(root, name, shape, options, onChoose) {
    Object.assign(this, { name, size: shape.side ** 2, status: root.querySelector("[data-status]") });
    this.tiles = new Tiles(root.querySelector("canvas"), { ...shape, ...options }, (filter) => {
      this.#select(filter, "polite");
      onChoose();
    });
  }

  /** Show `values`. Of the first drawing the filter that responds most is selected. */
  show(values, weights) {
    this.tiles.show(values, weights);
    this.#select(this.filter ?? Math.floor(argmax(values) / this.size), "off"); // while drawing, only the answer is announced
  }

  #select(filter, live) {
    this.filter = filter;
    this.tiles.select(filter);
    this.status.ariaLive = live;
    const peak = Math.max(...this.tiles.values.subarray(filter * this.size, (filter + 1) * this.size));
    setText(this.status, `Filter ${filter + 1} of the ${this.name} convolution: ${peak ? `peak activation ${peak.toFixed(2)}` : "no activation"}.`);
  }
}

export class Walk {
  constructor(root) {
    const one = finder(root, "network-");
    this.first = new Layer(one("first"), "first", FIRST, { columns: 8, kernels: true, gap: 4 }, () => this.#showFirst());
    this.second = new Layer(one("second"), "second", SECOND, { columns: 16, scale: 4, gap: 2 }, () => this.#showSecond());
    this.windows = [new ConvolutionStep(one("convolution")), new PoolingStep(one("pooling"))];
    this.sources = new SourcesStep(one("sources"));
    this.flat = new Tiles(one("flat"), { maps: SECOND.maps, side: SECOND.side / 2, columns: 16, scale: 8, gap: 2 }, () => {});
    this.units = new UnitsStep(one("dense"));
    onRestyle(() => {
      if (this.data) this.showMaps(this.data.picture, this.data);
      if (this.units.data) this.units.show(this.units.data);
    });
  }

  /** Show the feature maps of `picture`, 784 floats. */
  showMaps(picture, filters) {
    this.data = { ...filters, ...computeFeatureMaps(picture, filters) };
    this.first.show(this.data.first, filters.firstWeights);
    this.second.show(this.data.second);
    this.#showFirst();
    this.#showSecond();
  }

  /** Show the network's end for these maps. `opened`: the digit as the server answered. */
  showAnswer(weights, temperature, opened) {
    this.units.show({ ...computeAnswer(this.data, weights, temperature), temperature, opened });
  }

  pause() {
    for (const step of this.windows) step.window.pause();
  }

  #of({ filter, tiles }) {
    return { ...this.data, filter, peak: tiles.peak };
  }

  #showFirst() {
    for (const step of this.windows) step.show(this.#of(this.first));
  }

  #showSecond() {
    this.sources.show(this.#of(this.second));
    this.flat.selected = this.second.filter;
    this.flat.show(this.data.secondPooled);
  }
}
