// The two tables of a run: its finished epochs, and which digits it mistook for which.

import { h } from "../../../recognition/js/dom.js";
import { count, decimal, duration, percent, rate } from "../../../recognition/js/format.js";

const COLUMNS = [
  ["Loss", "loss", decimal, ""],
  ["Accuracy", "accuracy", percent, ""],
  ["Validation loss", "val_loss", decimal, "roomy-cell"],
  ["Validation accuracy", "val_accuracy", percent, ""],
  ["Objective", "objective", decimal, "roomy-cell"],
  ["Learning rate", "learning_rate", rate, "roomy-cell"],
  ["Time", "seconds", duration, ""],
];

/** Whether training minimised something else than the loss, such as one of smoothed labels. */
export function hasObjective(epochs) {
  return epochs.some(({ loss, objective }) => Number.isFinite(objective) && objective !== loss);
}

/** Only what was measured has a column. */
export function epochTable(epochs) {
  const measured = (key) => epochs.some((epoch) => Number.isFinite(epoch[key])) && (key !== "objective" || hasObjective(epochs));
  const columns = COLUMNS.filter(([, key]) => measured(key));
  const head = columns.map(([title, , , kind]) => h("th", { scope: "col", class: kind || null }, title));
  const rows = epochs.map((epoch) =>
    h("tr", {},
      h("th", { scope: "row" }, String(epoch.epoch)),
      ...columns.map(([, key, write, kind]) => h("td", { class: kind || null }, write(epoch[key])))));
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
