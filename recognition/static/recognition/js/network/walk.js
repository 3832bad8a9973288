// All steps from the drawing to the answer. The panel loads this module when it is opened.

import { argmax, computeFeatureMaps, FIRST, SECOND } from "./convolution.js";
import { computeAnswer } from "./dense.js";
import { setText } from "../dom.js";
import { SourcesStep } from "./sources.js";
import { Tiles } from "./tiles.js";
import { UnitsStep } from "./units.js";
import { ConvolutionStep, PoolingStep } from "./windows.js";

export { parseFilters } from "./convolution.js";
export { parseDense } from "./dense.js";

/** One convolution's tiles, the filter that is chosen, and the sentence about it. */
class Layer {
  constructor(root, name, shape, options, onChoose) {
    Object.assign(this, { name, shape });
    this.status = root.querySelector("[data-status]");
    this.tiles = new Tiles(root.querySelector("[data-tiles]"), { ...shape, ...options }, (filter) => {
      this.#select(filter, "polite");
      onChoose();
    });
  }

  /** Show `values`, or null. Of the first drawing the filter that responds most is selected. */
  show(values, weights) {
    const { side } = this.shape;
    this.values = values;
    this.tiles.show(values, weights);
    if (values) this.filter ??= Math.floor(argmax(values) / side ** 2);
    this.#select(this.filter ?? 0, "off"); // while drawing, only the answer is announced
  }

  #select(filter, live) {
    this.tiles.select(filter);
    this.status.ariaLive = live;
    if (this.values) this.filter = filter;
    setText(this.status, this.values ? this.#describe() : "");
  }

  #describe() {
    const size = this.shape.side ** 2;
    const peak = Math.max(...this.values.subarray(this.filter * size, (this.filter + 1) * size));
    return `Filter ${this.filter + 1} of the ${this.name} convolution: ${peak ? `peak activation ${peak.toFixed(2)}` : "no activation"}.`;
  }
}

export class Walk {
  #filters = null;
  #isNew = true; // no drawing has been shown

  constructor(root) {
    const one = (hook) => root.querySelector(`[data-network-${hook}]`);
    this.first = new Layer(one("first"), "first", FIRST, { columns: 8, kernels: true, gap: 4 }, () => this.#showFirst());
    this.second = new Layer(one("second"), "second", SECOND, { columns: 16, scale: 4, gap: 2 }, () => this.#showSecond());
    this.convolution = new ConvolutionStep(one("convolution"));
    this.pooling = new PoolingStep(one("pooling"));
    this.sources = new SourcesStep(one("sources"));
    this.flat = new Tiles(one("flat").querySelector("canvas"), { maps: SECOND.maps, side: SECOND.side / 2, columns: 16, scale: 8, gap: 2 }, () => {});
    this.units = new UnitsStep(one("dense"));
    this.clear();
  }

  /** Show the feature maps of `picture`, 784 floats. */
  showMaps(picture, filters) {
    this.maps = computeFeatureMaps(picture, filters);
    this.#filters = filters;
    this.first.show(this.maps.first, filters.firstWeights);
    this.second.show(this.maps.second);
    this.#showFirst();
    this.#showSecond();
    if (this.#isNew) for (const step of [this.convolution, this.pooling]) step.seek();
    this.#isNew = false;
  }

  /** Show the network's end for these maps. `opened`: the digit as the server answered. */
  showAnswer(weights, temperature, opened) {
    this.units.show({ ...computeAnswer(this.maps, weights, temperature), temperature, opened });
  }

  clear() {
    this.maps = null;
    this.first.show(null);
    this.second.show(null);
    this.#showFirst();
    this.#showSecond();
    this.units.show(null);
  }

  pause() {
    this.convolution.window.pause();
    this.pooling.window.pause();
  }

  #data(layer) {
    return this.maps && { maps: this.maps, filters: this.#filters, filter: layer.filter, peak: layer.tiles.peak };
  }

  #showFirst() {
    this.convolution.show(this.#data(this.first));
    this.pooling.show(this.#data(this.first));
  }

  #showSecond() {
    this.sources.show(this.#data(this.second));
    this.flat.selected = this.second.filter ?? 0;
    this.flat.show(this.maps?.secondPooled ?? null);
  }
}
