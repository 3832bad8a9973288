// A line chart in SVG: finished epochs as dots on a line, the batches between them as a faint line. It follows the page's
// colours. Its label says the last and the best values; the tables on the page hold the rest.

import { h, svg } from "../../../recognition/js/dom.js";
import { Legend, formatEpoch } from "./legend.js";
import { addPointer } from "./pointer.js";
import { saveMenu } from "./save.js";
import { batchPoints, scalingValues, smooth, splitByEpoch } from "./series.js";
import { logTicks, scaleBetween, spread, ticks, toPath } from "./scale.js";
import { settings } from "./settings.js";

const DOT = 4; // radius
const DOT_ROOM = 12; // pixels: nearer dots would hide the line
const EDGE = { right: 14, top: 10, bottom: 26 };
const LABEL_GAP = 8;
const ROW_HEIGHT = 34; // pixels for each tick, about
const COLUMN_WIDTH = 56;

const pen = document.createElement("canvas").getContext("2d");

const valueAt = (points, at) => points.find(([epoch]) => epoch === at)?.[1] ?? null;

export class Chart {
  #selection = null;

  /**
   * `metric` has a title, the key `name`, `label(value, isAxis)`, `range(values, isZoomed)`, and `best`, which is Math.min
   * or Math.max; `group` is the ChartGroup.
   */
  constructor(metric, group) {
    Object.assign(this, metric, { group });
    this.svg = svg("svg", { role: "img" });
    this.cursor = h("div", { class: "cursor", role: "slider", tabindex: "0", title: "Arrow keys: epochs. + and −: zoom. 0: whole run.", "aria-label": `${this.title}, epoch`, "aria-valuemin": 0 });
    this.legend = new Legend();
    this.element = h("figure", { class: "chart" },
      h("figcaption", {}, h("b", {}, this.title), saveMenu(this), this.legend.element),
      h("div", { class: "plot" }, this.svg, this.cursor));
    new ResizeObserver(() => group.redraw()).observe(this.svg);
    addPointer(this);
  }

  /** `series` are {name, style, points: [[epoch, value]]}; `batches` are {at, loss, accuracy}, `at` in epochs. */
  draw({ series, batches = [], maxEpochs }) {
    const points = batchPoints(batches, this.name);
    const positions = [...new Set([...series.flatMap(({ points: of }) => of.map(([at]) => at)), ...points.map(([at]) => at)])];
    this.data = { series, batches: points, maxEpochs, positions: positions.sort((a, b) => a - b) };
    this.group.redraw();
  }

  /** Compute the scale of the values. Returns the width of their labels; 0 when there is nothing to draw. */
  measure() {
    const { width, height } = this.svg.getBoundingClientRect();
    if (!this.data || !width) return 0;
    const range = this.group.range;
    const { series, batches } = this.data;
    const hasLine = series.some(({ points }) => points.length > 1);
    // After two epochs, the steep first one does not set the axis.
    const later = hasLine && !range ? batches.filter(([at]) => at > 1) : batches;
    const isLog = Boolean(this.canBeLog && settings.log);
    const lines = series.flatMap(({ points }) => (settings.smoothing ? [points, smooth(points, settings.smoothing)] : [points]));
    const values = [...lines, later].flatMap((points) => scalingValues(points, range))
      .filter((value) => !isLog || value > 0);
    let [low, high] = this.range(values, range !== null);
    if (isLog) [low, high] = values.length ? [Math.min(...values) / 1.1, Math.max(...values) * 1.1] : [0.01, 1];
    const count = Math.max(2, Math.floor((height - EDGE.top - EDGE.bottom) / ROW_HEIGHT));
    pen.font = getComputedStyle(this.cursor).font;
    const rows = (isLog ? logTicks : ticks)(low, high, count).map((value) => ({ value, text: this.label(value, true) }));
    this.scale = { width, height, rows, y: scaleBetween(low, high, height - EDGE.bottom, EDGE.top, isLog) };
    return Math.max(...["epoch", ...rows.map(({ text }) => text)].map((text) => pen.measureText(text).width));
  }

  /** Draw with `left` pixels for the labels of the values, the same in all charts of the group. */
  render(left) {
    const { width, height, y } = this.scale;
    const [from, to] = this.group.range ?? [0, this.data.maxEpochs];
    Object.assign(this.scale, {
      left, from, to, x: scaleBetween(from, to, left, width - EDGE.right), at: scaleBetween(left, width - EDGE.right, from, to),
    });
    const place = (points) => points.map(([epoch, value]) => [this.scale.x(epoch), y(value)]);
    const curves = [
      ...splitByEpoch(this.data.batches).flatMap((points) => this.#lines(points, place, "trail")),
      ...this.data.series.flatMap(({ points, style }) => this.#curve(points, place, style)),
    ];
    this.overlay = svg("g");
    this.svg.replaceChildren(...this.#axes(), this.#clip(...curves), this.overlay);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.ariaLabel = this.#describe();
    this.point();
  }

  /** Show the values at the position that the group points at, or the last ones. */
  point() {
    if (!this.scale?.x) return;
    const { pointed } = this.group;
    const { series, batches, maxEpochs } = this.data;
    const last = pointed ?? Math.max(0, ...series.flatMap(({ points }) => points.at(-1)?.[0] ?? []));
    const at = last || (batches.at(-1)?.[0] ?? 0);
    const found = series.map(({ name, style, points }, index) => {
      const value = valueAt(points, at) ?? (index ? null : valueAt(batches, at)) ?? (pointed === null ? points.at(-1)?.[1] : null) ?? null;
      return { name, style, value, text: value === null ? "–" : this.label(value) };
    });
    const isOne = pointed !== null || series.every(({ points }) => !points.length || points.at(-1)[0] === at);
    const position = isOne ? formatEpoch(at) : "last epochs";
    this.legend.show(position, found);
    const spoken = `${position}: ${found.map(({ name, text }) => `${name} ${text}`).join(", ")}`;
    Object.assign(this.cursor, { ariaValueMax: maxEpochs, ariaValueNow: at, ariaValueText: spoken });
    this.overlay.replaceChildren(...this.#selected(), ...(pointed === null ? [] : this.#crosshair(pointed, found)));
  }

  /** Mark the range [from, to] while it is dragged; null ends it. */
  select(range) {
    this.#selection = range;
    this.group.redraw(true);
  }

  #selected() {
    if (!this.#selection) return [];
    const [from, to] = this.#selection.map((at) => this.scale.x(at)).sort((a, b) => a - b);
    return [svg("rect", { class: "selection", x: from, y: EDGE.top, width: to - from, height: this.scale.height - EDGE.top - EDGE.bottom })];
  }

  #crosshair(at, found) {
    const { x, y, from, to, height } = this.scale;
    if (at < from || at > to) return [];
    const dots = found.filter(({ value }) => value !== null)
      .map(({ value, style }) => svg("circle", { class: `${style} dot`, cx: x(at), cy: Math.min(Math.max(y(value), EDGE.top), height - EDGE.bottom), r: DOT }));
    return [svg("line", { class: "pointer", x1: x(at), x2: x(at), y1: EDGE.top, y2: height - EDGE.bottom }), ...dots];
  }

  /** "Accuracy by epoch. training: 60 epochs, last 99.93%, best 99.93% in epoch 60" */
  #describe() {
    const parts = this.data.series.filter(({ points }) => points.length).map(({ name, points }) => {
      const best = this.best(...points.map(([, value]) => value));
      const [when] = points.find(([, value]) => value === best);
      return `${name}: ${points.length} epoch${points.length === 1 ? "" : "s"}, last ${this.label(points.at(-1)[1])}, best ${this.label(best)} in epoch ${when}`;
    });
    return `${this.title} by epoch. ${parts.join("; ") || "No epoch finished yet"}`;
  }

  #axes() {
    const { width, height, left, rows, from, to, x, y } = this.scale;
    const lines = rows.flatMap(({ value, text }) => [
      svg("line", { class: "grid", x1: left, x2: width - EDGE.right, y1: y(value), y2: y(value) }),
      svg("text", { x: left - LABEL_GAP, y: y(value) + 4, "text-anchor": "end" }, text),
    ]);
    const whole = ticks(from, to, Math.max(1, Math.min(to - from, Math.floor((width - left) / COLUMN_WIDTH))));
    const numbers = whole.filter((epoch) => Number.isInteger(epoch) || to - from < 2)
      .map((epoch) => Number(epoch.toFixed(3))).map((epoch) => ({ at: x(epoch), text: String(epoch), width: pen.measureText(String(epoch)).width }));
    const columns = spread(numbers, left - LABEL_GAP / 2, width).map(({ at, text }) =>
      svg("text", { x: at, y: height - 6, "text-anchor": "middle" }, text));
    return [...lines, svg("text", { x: left - LABEL_GAP, y: height - 6, "text-anchor": "end" }, "epoch"), ...columns];
  }

  /** Clip the curves to the axes, with room for half a dot. */
  #clip(...curves) {
    const { width, height, left } = this.scale;
    const box = [left - DOT, EDGE.top - DOT, width - left - EDGE.right + 2 * DOT, height - EDGE.top - EDGE.bottom + 2 * DOT];
    const [x, y, w, hgt] = box;
    return svg("svg", { x, y, width: w, height: hgt, viewBox: box.join(" "), "aria-hidden": "true" }, ...curves);
  }

  /** Return the line, or if it is smoothed the smooth line on the faint one. */
  #lines(points, place, style) {
    const path = (of, kind) => svg("path", { class: kind, d: toPath(place(of)) });
    if (!settings.smoothing || points.length < 2) return [path(points, style)];
    return [path(points, `${style} raw`), path(smooth(points, settings.smoothing), style)];
  }

  #curve(points, place, style) {
    const isCrowded = points.length > 1 && this.scale.x(1) - this.scale.x(0) < DOT_ROOM;
    const dots = isCrowded ? [] : place(points).map(([cx, cy]) =>
      svg("circle", { class: `${style} dot${settings.smoothing ? " raw" : ""}`, cx, cy, r: DOT }));
    return [...this.#lines(points, place, `${style} curve`), ...dots];
  }
}
