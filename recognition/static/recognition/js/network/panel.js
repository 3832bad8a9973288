// "What the network does": the way of the drawing's open digit through the network, computed in the browser.
// Modules and filters are loaded once the panel is open, the dense layers once they are in view.

import { loadImage, setText } from "../dom.js";
import { createContext, pixelsOf } from "../drawing/ink.js";
import { get } from "../http.js";

const SIDE = 28;
const FRESH_MS = 30_000; // after a new installation the same id may belong to another model

/** Decode a 28x28 PNG data URL, white on black, to 784 floats. */
async function decodePixels(preview) {
  const context = createContext(SIDE, SIDE);
  context.drawImage(await loadImage(preview), 0, 0);
  const data = pixelsOf(context);
  return Float32Array.from({ length: SIDE * SIDE }, (_, index) => data[4 * index] / 255);
}

async function fetchBuffer(url) {
  // "no-cache" revalidates the browser's copy by its ETag.
  const response = await fetch(url, { cache: "no-cache" });
  if (!response.ok) throw new Error(`status ${response.status}`, { cause: response.status });
  return response.arrayBuffer();
}

/** Resolve after the next paint, so that the answer's bars move first. */
const afterPaint = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

const steps = () => import("./walk.js");

export class NetworkPanel {
  #loaded = new Map();
  #shown = {}; // the digit whose way is shown or will be
  #pending = null;
  #busy = false;
  #wantsDense = false;
  #walk = null;

  /** `root` is a <details>; `answer` holds the digit to show. */
  constructor(root, modelsUrl, answer) {
    this.root = root;
    this.url = modelsUrl;
    this.status = root.querySelector("[data-network-status]");
    root.addEventListener("toggle", () => {
      if (!root.open) this.#walk?.pause();
      this.#update();
    });
    new IntersectionObserver((entries, observer) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      this.#wantsDense = true;
      this.#pending ??= this.#shown.preview ? this.#shown : null;
      this.#update();
    }, { rootMargin: "50%" }).observe(root.querySelector("[data-network-dense]"));
    answer.onChange(() => this.#follow(answer));
    if (answer.opened) this.#follow(answer);
  }

  #follow({ opened }) {
    if (!opened) {
      this.#empty("Draw a digit to see its way through the network.");
      return;
    }
    if (opened.preview === this.#shown.preview && opened.model === this.#shown.model) return;
    this.#shown = this.#pending = opened;
    this.#update();
  }

  /** Make the steps invisible, with their room kept. */
  #empty(text) {
    this.#shown = {};
    this.#pending = null;
    this.#walk?.pause();
    this.root.dataset.empty = "";
    setText(this.status, text);
  }

  /** Process one prediction at a time, and of those that arrive meanwhile only the newest. */
  async #update() {
    if (this.#busy || !this.root.open) return;
    this.#setBusy(true);
    try {
      await this.#start();
      while (this.#pending && this.root.open) await this.#show(this.#pending);
    } catch ({ cause }) {
      const hasOtherLayers = cause === 404; // it was published from a file
      this.#empty(hasOtherLayers ? "This model’s network has other layers, which cannot be shown." : "The network’s weights could not be loaded. Draw again to retry.");
    } finally {
      this.#setBusy(false);
    }
  }

  #setBusy(busy) {
    this.#busy = busy;
    this.root.ariaBusy = String(busy);
  }

  async #show(opened) {
    const { model, preview } = opened;
    const wantsDense = this.#wantsDense;
    const [filters, dense, picture] = await Promise.all([
      this.#loadFilters(model),
      wantsDense ? this.#loadDense(model) : null,
      decodePixels(preview),
      afterPaint(),
    ]);
    if (this.#pending === null) return;
    this.#walk.showMaps(picture, filters);
    if (dense) this.#walk.showAnswer(dense.weights, dense.temperature, opened);
    for (const state of ["new", "empty"]) delete this.root.dataset[state];
    setText(this.status, `Computed in your browser with the weights of model ${model}.`);
    if (this.#pending === opened && wantsDense === this.#wantsDense) this.#pending = null;
  }

  async #start() {
    const { Walk } = await steps();
    this.#walk ??= new Walk(this.root);
  }

  #loadFilters(model) {
    return this.#load(`${model}/filters/`, async (url) => {
      const [{ parseFilters }, buffer] = await Promise.all([steps(), fetchBuffer(url)]);
      return parseFilters(buffer);
    });
  }

  #loadDense(model) {
    return this.#load(`${model}/dense/`, async (url) => {
      const [{ parseDense }, buffer, { temperature }] = await Promise.all([steps(), fetchBuffer(url), get(`${this.url}${model}/`)]);
      return { weights: parseDense(buffer), temperature };
    });
  }

  async #load(path, read) {
    const now = performance.now();
    if (!(this.#loaded.get(path)?.until > now)) this.#loaded.set(path, { until: now + FRESH_MS, value: await read(`${this.url}${path}`) });
    return this.#loaded.get(path).value;
  }
}
