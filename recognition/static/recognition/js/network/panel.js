// "What the network does": both convolutions' feature maps for the drawing of the moment. No filters are loaded until it is
// opened; then each model's, and everything is worked out here.

import { featureMaps, FIRST, readFilters, SECOND } from "./convolution.js";
import { say } from "../dom.js";
import { Maps } from "./tiles.js";

const FIELD = 28;
const FRESH = 30_000; // ms: after a new installation the same number may be another model's

/** A PNG data URL of 28x28, white on black -> 784 floats. */
async function pixels(preview) {
  const image = new Image();
  image.src = preview;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = FIELD;
  canvas.height = FIELD;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, FIELD, FIELD);
  return Float32Array.from({ length: FIELD * FIELD }, (_, index) => data[4 * index] / 255);
}

export class NetworkView {
  #filters = new Map();
  #wanted = null;
  #busy = false;
  #chosen = null;

  /** `root` is a <details>; `modelsUrl` is where models are found by their number; `reader` tells what is read. */
  constructor(root, modelsUrl, reader) {
    const one = (hook) => root.querySelector(`[data-network-${hook}]`);
    this.root = root;
    this.url = modelsUrl;
    this.words = one("words");
    this.layers = {
      first: new Maps(one("first"), FIRST, (map) => this.#tell("first", map)),
      second: new Maps(one("second"), SECOND, (map) => this.#tell("second", map)),
    };
    root.addEventListener("toggle", () => this.#work());
    reader.addEventListener("answer", (event) => this.show(event.detail));
    reader.addEventListener("blank", () => this.clear());
    if (reader.latest) this.show(reader.latest);
  }

  /** The newest answer: its `preview` and the `model` that gave it. */
  show({ preview, model }) {
    this.#wanted = { preview, model };
    this.#work();
  }

  clear() {
    this.#wanted = null;
    this.maps = null;
    for (const layer of Object.values(this.layers)) layer.show(null);
    say(this.words, "Draw a digit to see it pass through.");
  }

  /** One picture at a time; those that came meanwhile are skipped but for the newest. */
  async #work() {
    if (this.#busy || !this.root.open) return;
    this.#busy = true;
    try {
      while (this.#wanted && this.root.open) {
        const wanted = this.#wanted;
        const [filters, picture] = await Promise.all([this.#filtersOf(wanted.model), pixels(wanted.preview)]);
        if (this.#wanted === null) break;
        this.maps = featureMaps(picture, filters);
        for (const [name, layer] of Object.entries(this.layers)) layer.show(this.maps[name]);
        this.#tellChosen();
        if (this.#wanted === wanted) this.#wanted = null;
      }
    } catch {
      say(this.words, "The network's filters could not be loaded. Draw again to try once more.");
      this.#wanted = null;
    } finally {
      this.#busy = false;
    }
  }

  async #filtersOf(model) {
    const now = performance.now();
    if (!(this.#filters.get(model)?.until > now)) {
      // "no-cache": the browser asks whether its copy is still the model's, and seldom loads it again.
      const response = await fetch(`${this.url}${model}/filters/`, { cache: "no-cache" });
      if (!response.ok) throw new Error(`status ${response.status}`);
      this.#filters.set(model, { until: now + FRESH, filters: readFilters(await response.arrayBuffer()) });
    }
    return this.#filters.get(model).filters;
  }

  /** What is said of the tile that was chosen last follows the drawing. */
  #tellChosen() {
    if (this.#chosen) this.#tell(...this.#chosen);
    else say(this.words, "Choose a tile to see it larger.");
  }

  #tell(name, map) {
    this.#chosen = [name, map];
    if (!this.maps) return;
    const { side } = this.layers[name];
    const values = this.maps[name].subarray(map * side * side, (map + 1) * side * side);
    const strongest = values.reduce((most, value) => Math.max(most, value), 0);
    const answer = strongest ? `answers up to ${strongest.toFixed(2)}` : "does not answer to this drawing";
    say(this.words, `Filter ${map + 1} of the ${name} convolution ${answer}.`);
  }
}
