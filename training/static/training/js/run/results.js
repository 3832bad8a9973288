// What a run has to show for itself: result, curves, epochs, mistakes. Used for the run being watched and for past ones.

import { Chart, runSeries } from "../charts/chart.js";
import { h } from "../../../recognition/js/dom.js";
import { MEASURES, OBJECTIVE } from "../charts/metrics.js";
import { confusionTable, epochTable, hasObjective } from "./tables.js";
import { percent } from "../../../recognition/js/format.js";

function result(run) {
  if (!Number.isFinite(run.test_accuracy)) return null;
  const wrong = `${((1 - run.test_accuracy) * 100).toFixed(2)} in 100 wrong`;
  const model = run.model ? ` Saved as model ${run.model}${run.in_service ? ", now in service" : ""}.` : "";
  return h("p", { class: "result" }, `Test accuracy ${percent(run.test_accuracy)} `, h("small", {}, `${wrong}.${model}`));
}

/** A chart of what was never measured says nothing, nor does one of an objective that is the loss itself. */
function isTelling({ name }, series, epochs, trail) {
  if (name === OBJECTIVE.name) return hasObjective(epochs);
  return series.length > 0 || trail.some((point) => Number.isFinite(point[name])) || epochs.length === 0;
}

export class Record {
  #epochs = null;
  #confusion = null;

  /**
   * `openCell(label, read)` is called for a cell of the confusion matrix; without it cells only show their numbers.
   * `beside` is an element to stand beside the matrix.
   */
  constructor(root, { openCell = null, beside = null } = {}) {
    this.root = root;
    this.openCell = openCell;
    this.beside = beside;
    this.charts = [...MEASURES, OBJECTIVE].map((measure) => new Chart(measure));
    this.result = h("div");
    this.curves = h("div", { class: "charts" }, ...this.charts.map((chart) => chart.element));
    this.epochs = h("div");
    this.confusion = h("div", { class: "matrix" });
  }

  show(run, trail = []) {
    const started = run.epochs.length > 0 || trail.length > 0;
    const parts = [[result(run), this.result], [started, this.curves], [run.epochs.length, this.epochs], [run.confusion, this.confusion]];
    const wanted = parts.filter(([given]) => given).map(([, part]) => part);
    if (wanted.some((part, index) => this.root.children[index] !== part) || wanted.length !== this.root.children.length) {
      this.root.replaceChildren(...wanted);
    }
    this.result.replaceChildren(...[result(run)].filter(Boolean));
    const maxEpochs = run.max_epochs || Math.max(1, run.epochs.length);
    for (const chart of this.charts) {
      const series = runSeries(run.epochs, chart.name);
      chart.element.hidden = !isTelling(chart, series, run.epochs, trail);
      if (!chart.element.hidden) chart.draw({ series, trail, maxEpochs });
    }
    // Batches come ten times a second; the tables change with an epoch.
    if (run.epochs !== this.#epochs) this.epochs.replaceChildren(epochTable(run.epochs));
    if (run.confusion && run.confusion !== this.#confusion) this.confusion.replaceChildren(...[confusionTable(run.confusion, this.openCell), this.beside].filter(Boolean));
    this.#epochs = run.epochs;
    this.#confusion = run.confusion;
  }
}
