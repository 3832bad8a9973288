// A line chart in SVG: finished epochs as dots on a line, the batches between them as a faint line.
// It follows the page's light or dark colours and describes its values to screen readers.

import { h, svg } from "../../../recognition/js/dom.js";

const HEIGHT = 176;
const DOT = 4; // radius
const EDGE = { left: 46, right: 10, top: 10, bottom: 26 };

function niceStep(span, count) {
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10);
}

function ticks(low, high, count) {
  const step = niceStep(high - low, count);
  const values = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-6; at += 1) values.push(at * step);
  return values;
}

/** Convert [x, y] points to the `d` of an SVG path. */
export const toPath = (points) => points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

const LONG_RUN = 10; // epochs
const FIRST_SHARE = 0.1;

/** Return the points that set the axis: the steep start of a long run would flatten the rest. */
function scalingPoints(points) {
  const last = points.at(-1)?.[0] ?? 0;
  return points.filter(([at, value]) => Number.isFinite(value) && (last < LONG_RUN || at > last * FIRST_SHARE));
}

// Keras reports a batch's metrics as means since the epoch began: the first few jump, and each epoch is a line of its own.
const SETTLED = 0.1;
const splitByEpoch = (batches) => {
  const settled = batches.filter(([at]) => at % 1 === 0 || at % 1 > SETTLED);
  return Object.values(Object.groupBy?.(settled, ([at]) => Math.ceil(at)) ?? { all: settled });
};

/** Return a run's training and validation series of the metric `name`. */
export function runSeries(epochs, name) {
  const points = (key) => epochs.filter((epoch) => Number.isFinite(epoch[key])).map((epoch) => [epoch.epoch, epoch[key]]);
  return [
    { name: "training", style: "", points: points(name) },
    { name: "validation", style: "validation", points: points(`val_${name}`) },
  ].filter((series) => series.points.length);
}

export class Chart {
  #pointed = null;

  /** `name` is the metric's key; `label(value, isAxis)` formats a value; `range(values)` returns the ends of the axis. */
  constructor({ title, name, label, range }) {
    Object.assign(this, { title, name, label, range });
    this.svg = svg("svg", { role: "img" });
    this.keys = h("span", { class: "keys" });
    this.element = h("figure", { class: "chart" }, h("figcaption", {}, h("b", {}, title), this.keys), this.svg);
    new ResizeObserver(() => this.data && this.draw(this.data)).observe(this.svg);
    this.svg.addEventListener("pointermove", (event) => this.#point(event));
    this.svg.addEventListener("pointerleave", () => this.#point(null));
  }

  /** `series` are {name, style, points: [[epoch, value]]}; `batches` are {at, loss, accuracy}, `at` in epochs. */
  draw(data) {
    this.data = data;
    const { series, batches = [], maxEpochs } = data;
    this.#describe(series);
    const width = this.svg.clientWidth;
    if (!width) return;
    // After two epochs, leave out the steep first one.
    const points = batches.map((point) => [point.at, point[this.name]]).filter(([, value]) => Number.isFinite(value));
    const later = series.some(({ points }) => points.length > 1) ? points.filter(([at]) => at > 1) : points;
    const values = [...series.flatMap(({ points }) => scalingPoints(points)), ...scalingPoints(later)].map(([, value]) => value);
    const scale = this.#scale(width, maxEpochs, this.range(values));
    this.scale = scale;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${scale.height}`);
    const curves = this.#clip(scale,
      ...splitByEpoch(later).map((points) => this.#line(scale, points, "trail")),
      ...series.flatMap(({ points, style }) => this.#curve(scale, points, style)));
    this.svg.replaceChildren(...this.#axes(scale), curves, ...this.#pointer(scale));
  }

  /** Show the values of the epoch nearest to the pointer. */
  #point(event) {
    if (!this.data || !this.scale) return;
    const epochs = this.data.series.flatMap(({ points }) => points.map(([epoch]) => epoch));
    const at = event && this.scale.epoch(event.offsetX);
    const nearest = event && epochs.length ? epochs.reduce((a, b) => (Math.abs(b - at) < Math.abs(a - at) ? b : a)) : null;
    if (nearest === this.#pointed) return;
    this.#pointed = nearest;
    this.draw(this.data);
  }

  #describe(series) {
    const descriptions = series.map(({ name, points }) => {
      const list = points.map(([epoch, value]) => `${epoch}: ${this.label(value)}`).join(", ");
      return name === "training" ? list : `${name}: ${list}`;
    });
    this.svg.setAttribute("aria-label", `${this.title} by epoch. ${descriptions.join("; ") || "No epoch finished yet"}`);
    const shown = ({ points }) => points.find(([epoch]) => epoch === this.#pointed) ?? (this.#pointed ? null : points.at(-1));
    const keys = series.filter(shown).map((one) =>
      h("span", { class: `key ${one.style}` }, `${one.name} ${this.label(shown(one)[1])}`));
    this.keys.replaceChildren(...(this.#pointed ? [h("span", {}, `epoch ${this.#pointed}`)] : []), ...keys);
  }

  #scale(width, maxEpochs, [low, high]) {
    const height = this.svg.clientHeight || HEIGHT;
    const inner = { width: width - EDGE.left - EDGE.right, height: height - EDGE.top - EDGE.bottom };
    return {
      width, height, low, high, maxEpochs,
      x: (epoch) => EDGE.left + (epoch / maxEpochs) * inner.width,
      y: (value) => EDGE.top + (1 - (value - low) / (high - low)) * inner.height,
      epoch: (x) => ((x - EDGE.left) / inner.width) * maxEpochs,
    };
  }

  #axes({ width, height, low, high, maxEpochs, x, y }) {
    const rows = ticks(low, high, 4).flatMap((value) => [
      svg("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y(value), y2: y(value) }),
      svg("text", { x: EDGE.left - 8, y: y(value) + 4, "text-anchor": "end" }, this.label(value, true)),
    ]);
    const epochs = ticks(0, maxEpochs, Math.min(maxEpochs, 6)).filter((epoch) => epoch > 0 && Number.isInteger(epoch));
    const columns = epochs.map((epoch) =>
      svg("text", { x: x(epoch), y: height - 6, "text-anchor": epoch === maxEpochs ? "end" : "middle" }, String(epoch)));
    return [...rows, svg("text", { x: EDGE.left, y: height - 6 }, "epoch"), ...columns];
  }

  /** Clip the curves to the axes, with room for half a dot. */
  #clip({ width, height }, ...curves) {
    const box = [EDGE.left - DOT, EDGE.top - DOT, width - EDGE.left - EDGE.right + 2 * DOT, height - EDGE.top - EDGE.bottom + 2 * DOT];
    const [x, y, w, h] = box;
    return svg("svg", { x, y, width: w, height: h, viewBox: box.join(" "), "aria-hidden": "true" }, ...curves);
  }

  #pointer({ height, x }) {
    if (this.#pointed === null) return [];
    return [svg("line", { class: "pointer", x1: x(this.#pointed), x2: x(this.#pointed), y1: EDGE.top, y2: height - EDGE.bottom })];
  }

  #line({ x, y }, points, style) {
    return svg("path", { class: style, d: toPath(points.map(([epoch, value]) => [x(epoch), y(value)])) });
  }

  #curve(scale, points, style) {
    const radius = points.length > 30 ? 1.5 : DOT;
    const dots = points.map(([epoch, value]) =>
      svg("circle", { class: `${style} dot`, cx: scale.x(epoch), cy: scale.y(value), r: radius }));
    return [this.#line(scale, points, `${style} curve`), ...dots];
  }
}
