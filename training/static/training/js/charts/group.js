// The charts of a page: one hover, one zoomed range and one toolbar for all of them. They are drawn at most once a frame.

import { button, h, setText } from "../../../recognition/js/dom.js";
import { Chart } from "./chart.js";
import { MAX_SMOOTHING, changeSettings, settings } from "./settings.js";

const LABEL_GAP = 12;
const MIN_EPOCHS = 1; // of a zoomed range
const MIN_EPOCHS_OF_BATCHES = 0.1;

export class ChartGroup {
  #log;
  #smoothing;
  #amount;
  #resetButton;
  #frame = 0;
  #isDirty = false;
  range = null; // the zoomed [from, to] in epochs
  pointed = null; // the position under the pointer, in epochs

  /** `name` is what the charts show, for the files that a visitor saves: "Run 12". */
  constructor(metrics, name = "") {
    this.name = name;
    this.charts = metrics.map((metric) => new Chart(metric, this));
    this.element = h("div", { class: "curves" }, this.#toolbar(), h("div", { class: "charts" }, ...this.charts.map((chart) => chart.element)));
    settings.addEventListener("change", () => this.redraw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  get #shown() {
    return this.charts.filter((chart) => chart.data && !chart.element.hidden);
  }

  get maxEpochs() {
    return Math.max(1, ...this.#shown.map(({ data }) => data.maxEpochs));
  }

  /** All positions with a value in some chart, sorted. */
  get positions() {
    return [...new Set(this.#shown.flatMap(({ data }) => data.positions))].sort((a, b) => a - b);
  }

  /** Draw in the next frame. With `onlyPointer`, the curves have not changed. */
  redraw(onlyPointer = false) {
    this.#isDirty ||= !onlyPointer;
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      const isDirty = this.#isDirty;
      this.#isDirty = false;
      if (isDirty) this.#draw();
      else for (const chart of this.#shown) chart.point();
    });
  }

  /** Draw at once, with plots that begin at the same place. */
  #draw() {
    this.#showSettings();
    const measured = this.#shown.map((chart) => [chart, chart.measure()]).filter(([, width]) => width);
    const left = Math.ceil(Math.max(0, ...measured.map(([, width]) => width))) + LABEL_GAP;
    for (const [chart] of measured) chart.render(left);
  }

  point(at) {
    if (at === this.pointed) return;
    this.pointed = at;
    this.redraw(true);
  }

  /** Show the range from `from` to `to`, or the whole run if they span it. */
  zoom(from, to) {
    const max = this.maxEpochs;
    const hasBatches = this.#shown.some(({ data }) => data.batches.length);
    const span = Math.min(max, Math.max(to - from, hasBatches ? MIN_EPOCHS_OF_BATCHES : MIN_EPOCHS));
    const start = Math.min(Math.max(0, (from + to - span) / 2), max - span);
    this.range = span >= max ? null : [start, start + span];
    this.redraw();
  }

  reset() {
    this.range = null;
    this.redraw();
  }

  #toolbar() {
    this.#log = h("input", { type: "checkbox" });
    this.#smoothing = h("input", { type: "range", min: 0, max: MAX_SMOOTHING, step: 0.05 });
    this.#amount = h("output");
    this.#resetButton = button("Reset zoom", () => this.reset());
    this.#log.addEventListener("change", () => changeSettings({ log: this.#log.checked }));
    this.#smoothing.addEventListener("input", () => changeSettings({ smoothing: Number(this.#smoothing.value) }));
    this.#showSettings();
    return h("div", { class: "chart-tools", role: "group", "aria-label": "Charts" },
      h("label", {}, this.#log, "Log scale for loss"),
      h("label", {}, "Smoothing", this.#smoothing, this.#amount),
      this.#resetButton, h("span", { class: "hint" }, "Drag across a chart to zoom."));
  }

  #showSettings() {
    this.#log.checked = settings.log;
    this.#smoothing.value = settings.smoothing;
    setText(this.#amount, settings.smoothing ? settings.smoothing.toFixed(2) : "off");
    this.#resetButton.ariaDisabled = this.range === null;
  }
}
