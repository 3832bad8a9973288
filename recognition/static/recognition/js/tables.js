// The two tables of a run: its finished epochs, and which digits it mistook for which.

import { h } from "./dom.js";
import { count, decimal, duration, percent, rate } from "./words.js";

const COLUMNS = [
  ["Loss", (epoch) => decimal(epoch.loss), ""],
  ["Accuracy", (epoch) => percent(epoch.accuracy), ""],
  ["Validation loss", (epoch) => decimal(epoch.val_loss), "validation roomy-cell"],
  ["Validation accuracy", (epoch) => percent(epoch.val_accuracy), "validation"],
  ["Objective", (epoch) => decimal(epoch.objective), "validation roomy-cell"],
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
  // Scrolls when it is long, or narrow and therefore tall: a keyboard must reach it, and how tall is only known once it is laid out.
  return h("div", { class: "epochs-scroll", tabindex: "0", role: "region", "aria-label": "Finished epochs" }, table);
}

// Half colour at most: the numbers stay readable on it, in light and dark.
const FAINTEST = 6;
const STRONGEST = 50;
const HOT = 30;

function confusionCell(value, truth, read, worst, openCell) {
  const heat = value && truth !== read ? FAINTEST + (value / worst) * (STRONGEST - FAINTEST) : 0;
  const cell = h("td", { class: truth === read ? "right" : heat > HOT && "hot" });
  cell.style.setProperty("--heat", `${heat}%`);
  if (!value || !openCell) {
    cell.append(value ? count(value) : "");
    return cell;
  }
  const name = `${count(value)}: ${truth} read as ${read}`;
  const button = h("button", { type: "button", "aria-label": name, tabindex: -1 }, count(value));
  button.addEventListener("click", () => openCell(truth, read));
  cell.append(button);
  return cell;
}

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** One stop for the Tab key; arrows go to the next cell that holds digits. */
function moveByArrows(table) {
  const cells = [...table.tBodies[0].rows].map((row) => [...row.cells].slice(1).map((cell) => cell.querySelector("button")));
  const first = cells.flat().find(Boolean);
  if (first) first.tabIndex = 0;
  table.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    let row = cells.findIndex((buttons) => buttons.includes(event.target));
    if (!step || row < 0) return;
    event.preventDefault();
    let column = cells[row].indexOf(event.target);
    do {
      row += step[0];
      column += step[1];
    } while (cells[row] && column >= 0 && column < cells[row].length && !cells[row][column]);
    const next = cells[row]?.[column];
    if (!next) return;
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

export function confusionTable(confusion, openCell = null) {
  const worst = Math.max(1, ...confusion.flatMap((row, truth) => row.filter((_, read) => read !== truth)));
  const head = confusion.map((_, read) => h("th", { scope: "col" }, String(read)));
  const rows = confusion.map((row, truth) =>
    h("tr", {},
      h("th", { scope: "row" }, String(truth)),
      ...row.map((value, read) => confusionCell(value, truth, read, worst, openCell))));
  const hint = openCell ? " Choose a cell to see its digits." : "";
  const table = h("table", { class: "confusion" },
    h("caption", {}, `Where it errs on the test digits. Row: the digit it was; column: what it was read as.${hint}`),
    h("thead", {}, h("tr", {}, h("td", { class: "corner" }), ...head)),
    h("tbody", {}, ...rows));
  if (openCell) moveByArrows(table);
  return table;
}
