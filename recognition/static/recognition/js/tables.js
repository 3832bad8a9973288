// The two tables of a run: its finished epochs, and which digits it mistook for which.

import { h } from "./dom.js";
import { count, decimal, duration, percent, rate } from "./words.js";

const COLUMNS = [
  ["Loss", (epoch) => decimal(epoch.loss), ""],
  ["Accuracy", (epoch) => percent(epoch.accuracy), ""],
  ["Validation loss", (epoch) => decimal(epoch.val_loss), "validation roomy-cell"],
  ["Validation accuracy", (epoch) => percent(epoch.val_accuracy), "validation"],
  ["Learning rate", (epoch) => rate(epoch.learning_rate), "roomy-cell"],
  ["Time", (epoch) => duration(epoch.seconds), ""],
];

export function epochTable(epochs) {
  const validated = epochs.some((epoch) => Number.isFinite(epoch.val_accuracy));
  const columns = COLUMNS.filter(([, , kind]) => !kind.startsWith("validation") || validated);
  const plain = (kind) => ({ class: kind.includes("roomy-cell") && "roomy-cell" });
  const head = columns.map(([title, , kind]) => h("th", { scope: "col", ...plain(kind) }, title));
  const rows = epochs.map((epoch) =>
    h("tr", {},
      h("th", { scope: "row" }, String(epoch.epoch)),
      ...columns.map(([, write, kind]) => h("td", plain(kind), write(epoch)))));
  const table = h("table", { class: "epochs" },
    h("caption", {}, "Finished epochs"),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Epoch"), ...head)),
    h("tbody", {}, ...rows));
  // Scrolls when long, so it must be reachable by keyboard then.
  const long = epochs.length > 8;
  return h("div", { class: "epochs-scroll", tabindex: long && "0", role: long && "region", "aria-label": long && "Finished epochs" }, table);
}

// Half colour at most: the numbers stay readable on it, in light and dark.
const FAINTEST = 6;
const STRONGEST = 50;
const HOT = 30;

function confusionCell(value, truth, read, worst) {
  if (truth === read) return h("td", { class: "right" }, count(value));
  const heat = value ? FAINTEST + (value / worst) * (STRONGEST - FAINTEST) : 0;
  const cell = h("td", { class: heat > HOT && "hot" }, value ? count(value) : "");
  cell.style.setProperty("--heat", `${heat}%`);
  return cell;
}

export function confusionTable(confusion) {
  const worst = Math.max(1, ...confusion.flatMap((row, truth) => row.filter((_, read) => read !== truth)));
  const head = confusion.map((_, read) => h("th", { scope: "col" }, String(read)));
  const rows = confusion.map((row, truth) =>
    h("tr", {},
      h("th", { scope: "row" }, String(truth)),
      ...row.map((value, read) => confusionCell(value, truth, read, worst))));
  return h("table", { class: "confusion" },
    h("caption", {}, "Where it errs on the test digits. Row: the digit it was; column: what it was read as."),
    h("thead", {}, h("tr", {}, h("td", { class: "corner" }), ...head)),
    h("tbody", {}, ...rows));
}
