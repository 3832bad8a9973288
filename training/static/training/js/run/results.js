// A run's results: accuracy, curves, epochs and confusion matrix.

import { Chart, runSeries } from "../charts/chart.js";
import { h } from "../../../recognition/js/dom.js";
import { METRICS, OBJECTIVE } from "../charts/metrics.js";
import { confusionTable, epochTable, hasObjective } from "./tables.js";
import { formatCount, formatPercent } from "../../../recognition/js/format.js";

const TEST_DIGITS = 10_000;

function renderResult(run) {
  if (!Number.isFinite(run.test_accuracy)) return null;
  const misread = `${formatCount(Math.round((1 - run.test_accuracy) * TEST_DIGITS))} of ${formatCount(TEST_DIGITS)} misread`;
  const model = run.model ? ` Saved as model ${run.model}${run.in_service ? ", now in service" : ""}.` : "";
  return h("p", { class: "result" }, `Test accuracy ${formatPercent(run.test_accuracy)} `, h("small", {}, `${misread}.${model}`));
}

/** Whether there is something to chart; the objective has a chart only when it differs from the loss. */
function hasData({ name }, series, epochs, batches) {
  if (name === OBJECTIVE.name) return hasObjective(epochs);
  return series.length > 0 || batches.some((point) => Number.isFinite(point[name])) || epochs.length === 0;
}

export class RunResults {
  #epochs = null;
  #confusion = null;

  /**
   * `openCell(label, predicted)` is called when a cell of the confusion matrix is selected.
   * `beside` is an element to show beside the matrix.
   */
  constructor(root, { openCell = null, beside = null } = {}) {
    this.root = root;
    this.openCell = openCell;
    this.beside = beside;
    this.charts = [...METRICS, OBJECTIVE].map((metric) => new Chart(metric));
    this.result = h("div");
    this.curves = h("div", { class: "charts" }, ...this.charts.map((chart) => chart.element));
    this.epochs = h("div");
    this.confusion = h("div", { class: "matrix" });
  }

  show(run, batches = []) {
    const hasStarted = run.epochs.length > 0 || batches.length > 0;
    const parts = [[renderResult(run), this.result], [hasStarted, this.curves], [run.epochs.length, this.epochs], [run.confusion, this.confusion]];
    const wanted = parts.filter(([given]) => given).map(([, part]) => part);
    if (wanted.some((part, index) => this.root.children[index] !== part) || wanted.length !== this.root.children.length) {
      this.root.replaceChildren(...wanted);
    }
    this.result.replaceChildren(...[renderResult(run)].filter(Boolean));
    // A completed run may have needed fewer epochs than it was allowed.
    const maxEpochs = (run.status !== "completed" && run.max_epochs) || Math.max(1, run.epochs.length);
    for (const chart of this.charts) {
      const series = runSeries(run.epochs, chart.name);
      chart.element.hidden = !hasData(chart, series, run.epochs, batches);
      if (!chart.element.hidden) chart.draw({ series, batches, maxEpochs });
    }
    // Batches arrive ten times a second; the tables change only with an epoch.
    if (run.epochs !== this.#epochs) this.epochs.replaceChildren(epochTable(run.epochs));
    if (run.confusion && run.confusion !== this.#confusion) this.confusion.replaceChildren(...[confusionTable(run.confusion, this.openCell), this.beside].filter(Boolean));
    this.#epochs = run.epochs;
    this.#confusion = run.confusion;
  }
}
