// "What the network does": both convolutions' feature maps of the drawing's open digit, computed in the browser.
// A model's filters are loaded once the panel is open.

import { computeFeatureMaps, FIRST, parseFilters, SECOND } from "./convolution.js";
import { setText } from "../dom.js";
import { FeatureMapTiles } from "./tiles.js";

const SIDE = 28;
const FRESH_MS = 30_000; // after a new installation the same id may belong to another model

/** Decode a 28x28 PNG data URL, white on black, to 784 floats. */
async function decodePixels(preview) {
  const image = new Image();
  image.src = preview;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = SIDE;
  canvas.height = SIDE;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  return Float32Array.from({ length: SIDE * SIDE }, (_, index) => data[4 * index] / 255);
}

export class NetworkPanel {
  #filters = new Map();
  #requested = {}; // the digit whose feature maps are shown or will be
  #pending = null;
  #busy = false;
  #selected = null;

  /** `root` is a <details>; `answer` holds the digit to show and dispatches "change". */
  constructor(root, modelsUrl, answer) {
    const one = (hook) => root.querySelector(`[data-network-${hook}]`);
    this.root = root;
    this.url = modelsUrl;
    this.status = one("status");
    this.layers = {
      first: new FeatureMapTiles(one("first"), FIRST, (map) => this.#describe("first", map)),
      second: new FeatureMapTiles(one("second"), SECOND, (map) => this.#describe("second", map)),
    };
    root.addEventListener("toggle", () => this.#update());
    answer.addEventListener("change", () => this.#follow(answer));
    if (answer.opened) this.#follow(answer);
  }

  #follow({ opened }) {
    if (!opened) {
      this.#clear();
      return;
    }
    const { preview, model } = opened;
    if (preview === this.#requested.preview && model === this.#requested.model) return;
    this.#requested = this.#pending = { preview, model };
    this.#update();
  }

  #clear() {
    this.#requested = {};
    this.#pending = null;
    this.maps = null;
    for (const layer of Object.values(this.layers)) layer.show(null);
    setText(this.status, "Draw a digit to see its feature maps.");
  }

  /** Process one prediction at a time, and of those that arrive meanwhile only the newest. */
  async #update() {
    if (this.#busy || !this.root.open) return;
    this.#busy = true;
    try {
      while (this.#pending && this.root.open) {
        const next = this.#pending;
        const [filters, picture] = await Promise.all([this.#loadFilters(next.model), decodePixels(next.preview)]);
        if (this.#pending === null) break;
        this.maps = computeFeatureMaps(picture, filters);
        for (const [name, layer] of Object.entries(this.layers)) layer.show(this.maps[name]);
        this.#describeSelected();
        if (this.#pending === next) this.#pending = null;
      }
    } catch {
      setText(this.status, "The network's filters could not be loaded. Draw again to retry.");
      this.#pending = null;
      this.#requested = {};
    } finally {
      this.#busy = false;
    }
  }

  async #loadFilters(model) {
    const now = performance.now();
    if (!(this.#filters.get(model)?.until > now)) {
      // "no-cache" revalidates the browser's copy by its ETag.
      const response = await fetch(`${this.url}${model}/filters/`, { cache: "no-cache" });
      if (!response.ok) throw new Error(`status ${response.status}`);
      this.#filters.set(model, { until: now + FRESH_MS, filters: parseFilters(await response.arrayBuffer()) });
    }
    return this.#filters.get(model).filters;
  }

  /** Describe the selected tile for the new drawing. */
  #describeSelected() {
    if (this.#selected) this.#describe(...this.#selected);
    else setText(this.status, "Select a tile to enlarge it.");
  }

  #describe(name, map) {
    this.#selected = [name, map];
    if (!this.maps) return;
    const { side } = this.layers[name];
    const values = this.maps[name].subarray(map * side * side, (map + 1) * side * side);
    const peak = values.reduce((max, value) => Math.max(max, value), 0);
    const activation = peak ? `peak activation ${peak.toFixed(2)}` : "no activation";
    setText(this.status, `Filter ${map + 1} of the ${name} convolution: ${activation}.`);
  }
}
