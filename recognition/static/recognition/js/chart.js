// One small line chart: finished epochs as dots on a line, the batches between them as a faint trail.

import { h, s } from "./dom.js";

const HEIGHT = 176;
const EDGE = { left: 46, right: 10, top: 10, bottom: 26 };

function niceStep(span, wanted) {
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10);
}

function ticks(low, high, wanted) {
  const step = niceStep(high - low, wanted);
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-6; at += 1) found.push(at * step);
  return found;
}

const path = (points) => points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

// A batch's figures are means since its epoch began: the first few jump, and the line starts anew with each epoch.
const SETTLED = 0.1;
const epochsOf = (trail) => {
  const settled = trail.filter(([at]) => at % 1 === 0 || at % 1 > SETTLED);
  return Object.values(Object.groupBy?.(settled, ([at]) => Math.ceil(at)) ?? { all: settled });
};

export class Chart {
  /** `name` is the key in an epoch; `label` writes a value; `range` picks the axis from the values seen. */
  constructor({ title, name, label, range }) {
    this.title = title;
    this.name = name;
    this.label = label;
    this.range = range;
    this.svg = s("svg", { role: "img" });
    this.keys = h("span");
    this.element = h("figure", { class: "chart" }, h("figcaption", {}, h("b", {}, title), this.keys), this.svg);
    new ResizeObserver(() => this.data && this.draw(this.data)).observe(this.svg);
  }

  draw(data) {
    this.data = data;
    const training = this.#series(data.epochs, this.name);
    const validation = this.#series(data.epochs, `val_${this.name}`);
    const trail = data.trail.map((point) => [point.at, point[this.name]]);
    this.#describe(training, validation);
    const width = this.svg.clientWidth;
    if (!width) return;
    // Once two epochs stand, the first one's climb from nothing would squash all that follows: leave it out.
    const later = training.length > 1 ? trail.filter(([at]) => at > 1) : trail;
    const values = [...training, ...validation, ...later].map(([, value]) => value).filter(Number.isFinite);
    const scale = this.#scale(width, data.maxEpochs, this.range(values));
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.svg.replaceChildren(
      ...this.#axes(scale),
      ...epochsOf(later).map((points) => this.#line(scale, points, "trail")),
      ...this.#curve(scale, training, ""),
      ...this.#curve(scale, validation, "validation "),
    );
  }

  #series(epochs, name) {
    return epochs.filter((epoch) => Number.isFinite(epoch[name])).map((epoch) => [epoch.epoch, epoch[name]]);
  }

  #describe(training, validation) {
    const list = training.map(([epoch, value]) => `${epoch}: ${this.label(value)}`).join(", ");
    this.svg.setAttribute("aria-label", `${this.title} by epoch. ${list || "No epoch finished yet"}`);
    const latest = (points, name, style) =>
      points.length ? h("span", { class: `key ${style}` }, `${name} ${this.label(points.at(-1)[1])} `) : null;
    this.keys.replaceChildren(
      ...[latest(training, "training", ""), latest(validation, "validation", "validation")].filter(Boolean),
    );
  }

  #scale(width, maxEpochs, [low, high]) {
    const inner = { width: width - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom };
    const clamp = (value) => Math.min(high, Math.max(low, value));
    return {
      width, low, high, maxEpochs,
      x: (epoch) => EDGE.left + (epoch / maxEpochs) * inner.width,
      y: (value) => EDGE.top + (1 - (clamp(value) - low) / (high - low)) * inner.height,
    };
  }

  #axes({ width, low, high, maxEpochs, x, y }) {
    const rows = ticks(low, high, 4).flatMap((value) => [
      s("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y(value), y2: y(value) }),
      s("text", { x: EDGE.left - 8, y: y(value) + 4, "text-anchor": "end" }, this.label(value, true)),
    ]);
    const epochs = ticks(0, maxEpochs, Math.min(maxEpochs, 6)).filter((epoch) => epoch > 0 && Number.isInteger(epoch));
    const columns = epochs.map((epoch) =>
      s("text", { x: x(epoch), y: HEIGHT - 6, "text-anchor": epoch === maxEpochs ? "end" : "middle" }, String(epoch)));
    return [...rows, s("text", { x: EDGE.left, y: HEIGHT - 6 }, "epoch"), ...columns];
  }

  #line({ x, y }, points, style) {
    return s("path", { class: style, d: path(points.map(([epoch, value]) => [x(epoch), y(value)])) });
  }

  #curve(scale, points, style) {
    if (!points.length) return [];
    const radius = points.length > 30 ? 2 : 4;
    const dots = points.map(([epoch, value]) =>
      s("circle", { class: `${style}dot`, cx: scale.x(epoch), cy: scale.y(value), r: radius }));
    return [this.#line(scale, points, `${style}curve`), ...dots];
  }
}
