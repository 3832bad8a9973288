// What a run has to show for itself: result, curves, epochs, mistakes. Used for the run being watched and for past ones.

import { Chart } from "./chart.js";
import { h } from "./dom.js";
import { confusionTable, epochTable } from "./tables.js";
import { percent } from "./words.js";

function accuracyRange(values) {
  const low = values.length ? Math.min(...values) : 0;
  return [Math.max(0, low - Math.max(0.002, (1 - low) * 0.15)), 1];
}

const lossRange = (values) => [0, Math.max(0.01, ...values) * 1.08];

const shortPercent = (value, axis) => (axis ? `${Number((value * 100).toFixed(2))}%` : percent(value));
const shortLoss = (value, axis) => (axis ? String(Number(value.toFixed(3))) : value.toFixed(4));

function result(run) {
  if (!Number.isFinite(run.test_accuracy)) return null;
  const wrong = `${((1 - run.test_accuracy) * 100).toFixed(2)} in 100 wrong`;
  const model = run.model ? ` Saved as model ${run.model}${run.in_service ? ", now in service" : ""}.` : "";
  return h("p", { class: "result" }, `Test accuracy ${percent(run.test_accuracy)} `, h("small", {}, `${wrong}.${model}`));
}

export class Record {
  #epochs = null;
  #confusion = null;

  constructor(root) {
    this.root = root;
    this.charts = [
      new Chart({ title: "Accuracy", name: "accuracy", label: shortPercent, range: accuracyRange }),
      new Chart({ title: "Loss", name: "loss", label: shortLoss, range: lossRange }),
    ];
    this.result = h("div");
    this.curves = h("div", { class: "charts" }, ...this.charts.map((chart) => chart.element));
    this.epochs = h("div");
    this.confusion = h("div");
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
    for (const chart of this.charts) chart.draw({ epochs: run.epochs, trail, maxEpochs });
    // Batches come ten times a second; the tables change with an epoch.
    if (run.epochs !== this.#epochs) this.epochs.replaceChildren(epochTable(run.epochs));
    if (run.confusion && run.confusion !== this.#confusion) this.confusion.replaceChildren(confusionTable(run.confusion));
    this.#epochs = run.epochs;
    this.#confusion = run.confusion;
  }
}
