// A run's results: accuracy, curves, epochs and confusion matrix.

import { ChartGroup } from "../charts/group.js";
import { runSeries } from "../charts/series.js";
import { digitsSection, TestDigits } from "./digits.js";
import { h, setText } from "../../../recognition/js/dom.js";
import { METRICS, OBJECTIVE } from "../charts/metrics.js";
import { isActive } from "../live/state.js";
import { describeDropout, describeValidation } from "./notes.js";
import { confusionTable, epochTable, hasObjective } from "./tables.js";
import { formatCount, formatPercent } from "../../../recognition/js/format.js";

const TEST_DIGITS = 10_000;
const NEAR_END = 8; // pixels
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
  return series.some(({ points }) => points.length) || batches.some((point) => Number.isFinite(point[name])) || epochs.length === 0;
}

export class RunResults {
  #validationNote;
  #dropoutNote;
  #curves;
  #result;
  #cell;
  #presets;
  #epochs = null;
  #confusion = null;

  /**
   * `root` has the data attributes runs-url, presets (JSON) and heading, the name of a heading below the run's own.
   * `outcome` is an element for the test accuracy, outside of `root`; `hasObjective`: whether what training minimised has
   * a chart where it differs from the loss.
   */
  constructor(root, { outcome = null, hasObjective = true } = {}) {
    Object.assign(this, { root, outcome });
    this.#presets = JSON.parse(root.dataset.presets);
    this.#cell = new TestDigits(digitsSection(root.dataset.heading));
    this.group = new ChartGroup(hasObjective ? [...METRICS, OBJECTIVE] : METRICS);
    this.#result = outcome ?? h("div");
    this.#validationNote = h("p");
    this.#dropoutNote = h("p");
    this.#curves = h("div", { class: "curves-area" }, this.group.element, h("div", { class: "notes" }, this.#validationNote, this.#dropoutNote));
    this.epochs = h("div", { class: "epochs-area" }, epochTable([]));
    this.confusion = h("div", { class: "matrix" });
  }

  clear() {
    this.root.replaceChildren();
    this.#result.replaceChildren();
  }

  /** With `reserve`, every part has its place from the start of the run, so that nothing moves when it is filled. */
  show(run, batches = [], reserve = false) {
    const expectsMore = reserve && (isActive(run) || run.status === "completed");
    const hasStarted = reserve || run.epochs.length > 0 || batches.length > 0;
    const parts = [
      [!this.outcome && renderResult(run), this.#result], [hasStarted, this.#curves],
      [expectsMore || run.epochs.length, this.epochs], [expectsMore || run.confusion, this.confusion],
    ];
    const wanted = parts.filter(([given]) => given).map(([, part]) => part);
    if (wanted.some((part, index) => this.root.children[index] !== part) || wanted.length !== this.root.children.length) {
      this.root.replaceChildren(...wanted);
    }
    this.#result.replaceChildren(...[renderResult(run)].filter(Boolean));
    // A completed run may have needed fewer epochs than it was allowed.
    const maxEpochs = (run.status !== "completed" && run.max_epochs) || Math.max(1, run.epochs.length);
    this.group.name = `Run ${run.id}`;
    for (const chart of this.group.charts) {
      const series = runSeries(run, chart.name, isActive(run));
      chart.element.hidden = !hasData(chart, series, run, batches);
      if (!chart.element.hidden) chart.draw({ series, batches, maxEpochs });
    }
    this.#explain(run, reserve);
    // Batches arrive ten times a second; the tables change only with an epoch.
    if (run.epochs !== this.#epochs) this.#showEpochs(run);
    this.epochs.toggleAttribute("data-reserved", reserve);
    this.epochs.style.setProperty("--epochs", run.max_epochs ?? run.epochs.length);
    this.#showConfusion(run);
  }

  /** Replace the table inside of its scroll area, which keeps its position, or follows the end unless the reader left it. */
  #showEpochs(run) {
    const area = this.epochs.firstChild;
    const isAtEnd = area.scrollTop + area.clientHeight + NEAR_END > area.scrollHeight;
    area.replaceChildren(...epochTable(run.epochs).children);
    if (isAtEnd && (this.#epochs || isActive(run))) area.scrollTop = area.scrollHeight;
    this.#epochs = run.epochs;
  }

  /** Show the matrix, which stays with its open cell while its numbers do. */
  #showConfusion(run) {
    const confusion = run.confusion ?? NO_CONFUSION;
    const key = `${run.id}: ${confusion}`;
    if (key === this.#confusion) return;
    this.#confusion = key;
    this.#cell.hide();
    const table = confusionTable(confusion, (label, predicted) => this.#openCell(run, label, predicted));
    if (!run.confusion) table.ariaHidden = true;
    this.confusion.replaceChildren(table, run.confusion ? this.#cell.root : h("p", { class: "soft" }, "The confusion matrix follows at the end of the run."));
  }

  /** Say why there is no validation curve, and why training accuracy is low. While the run is active, nothing moves. */
  #explain(run, reserve) {
    const { text, holds } = describeDropout(run, this.#presets[run.preset]);
    const isReserved = (reserve || isActive(run)) && text !== "";
    setText(this.#validationNote, describeValidation(run));
    setText(this.#dropoutNote, text);
    this.#validationNote.hidden = !this.#validationNote.textContent;
    this.#dropoutNote.hidden = !holds && !isReserved;
    this.#dropoutNote.toggleAttribute("data-later", !holds);
  }

  /** Show the digits of a cell; `label` null hides them. */
  async #openCell(run, label, predicted) {
    if (label === null) {
      this.#cell.hide();
      return;
    }
    this.#cell.url = `${this.root.dataset.runsUrl}${run.id}/digits/`;
    await this.#cell.show({ label, predicted });
    this.#cell.root.scrollIntoView({ block: "nearest" });
  }
}
