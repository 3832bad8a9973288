// A run's results: accuracy, curves, epochs and confusion matrix.

import { Chart, runSeries } from "../charts/chart.js";
import { h } from "../../../recognition/js/dom.js";
import { METRICS, OBJECTIVE } from "../charts/metrics.js";
import { confusionTable, epochTable, hasObjective } from "./tables.js";
import { formatCount, formatPercent } from "../../../recognition/js/format.js";

const TEST_DIGITS = 10_000;
const PRESET_WITHOUT_OBJECTIVE = "original"; // it minimises the loss itself
const NO_CONFUSION = Array.from({ length: 10 }, () => Array(10).fill(0));

function renderResult(run) {
  if (!Number.isFinite(run.test_accuracy)) return null;
  const misread = `${formatCount(Math.round((1 - run.test_accuracy) * TEST_DIGITS))} of ${formatCount(TEST_DIGITS)} misread`;
  const model = run.model ? ` Saved as model ${run.model}${run.in_service ? ", now in service" : ""}.` : "";
  return h("p", { class: "result" }, `Test accuracy ${formatPercent(run.test_accuracy)} `, h("small", {}, `${misread}.${model}`));
}

/** Whether there is something to chart; the objective has a chart only when it differs from the loss. */
function hasData({ name }, series, { epochs, preset }, batches) {
  if (name === OBJECTIVE.name) return epochs.length ? hasObjective(epochs) : preset !== PRESET_WITHOUT_OBJECTIVE;
  return series.length > 0 || batches.some((point) => Number.isFinite(point[name])) || epochs.length === 0;
}

export class RunResults {
  #epochs = null;
  #confusion = null;

  /**
   * `openCell(label, predicted)` is called when a cell of the confusion matrix is selected.
   * `beside` is an element to show beside the matrix. `outcome` is an element for the test accuracy, outside of `root`.
   */
  constructor(root, { openCell = null, beside = null, outcome = null } = {}) {
    Object.assign(this, { root, openCell, beside, outcome });
    this.charts = [...METRICS, OBJECTIVE].map((metric) => new Chart(metric));
    this.result = outcome ?? h("div");
    this.curves = h("div", { class: "charts" }, ...this.charts.map((chart) => chart.element));
    this.epochs = h("div", { class: "epochs-area" });
    this.confusion = h("div", { class: "matrix" });
  }

  clear() {
    this.root.replaceChildren();
    this.result.replaceChildren();
  }

  /** With `reserve`, every part has its place from the start of the run, so that nothing moves when it is filled. */
  show(run, batches = [], reserve = false) {
    const hasStarted = reserve || run.epochs.length > 0 || batches.length > 0;
    const parts = [
      [!this.outcome && renderResult(run), this.result], [hasStarted, this.curves],
      [reserve || run.epochs.length, this.epochs], [reserve || run.confusion, this.confusion],
    ];
    const wanted = parts.filter(([given]) => given).map(([, part]) => part);
    if (wanted.some((part, index) => this.root.children[index] !== part) || wanted.length !== this.root.children.length) {
      this.root.replaceChildren(...wanted);
    }
    this.result.replaceChildren(...[renderResult(run)].filter(Boolean));
    // A completed run may have needed fewer epochs than it was allowed.
    const maxEpochs = (run.status !== "completed" && run.max_epochs) || Math.max(1, run.epochs.length);
    for (const chart of this.charts) {
      const series = runSeries(run.epochs, chart.name);
      chart.element.hidden = !hasData(chart, series, run, batches);
      if (!chart.element.hidden) chart.draw({ series, batches, maxEpochs });
    }
    // Batches arrive ten times a second; the tables change only with an epoch.
    if (run.epochs !== this.#epochs) this.#showEpochs(run.epochs);
    this.epochs.toggleAttribute("data-reserved", reserve);
    this.epochs.style.setProperty("--epochs", run.max_epochs ?? run.epochs.length);
    const confusion = run.confusion ?? NO_CONFUSION;
    if (confusion !== this.#confusion) this.#showConfusion(confusion);
  }

  /** Replace the table inside of its scroll area, which keeps its position. */
  #showEpochs(epochs) {
    const area = epochTable(epochs);
    const old = this.epochs.firstElementChild;
    if (old) old.replaceChildren(...area.children);
    else this.epochs.append(area);
    this.#epochs = epochs;
  }

  #showConfusion(confusion) {
    const isEmpty = confusion === NO_CONFUSION;
    const table = confusionTable(confusion, this.openCell);
    if (isEmpty) table.setAttribute("aria-hidden", "true");
    this.confusion.replaceChildren(...[table, this.beside].filter(Boolean));
    this.#confusion = confusion;
  }
}
