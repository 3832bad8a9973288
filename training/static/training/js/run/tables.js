// A run's tables: its finished epochs and its confusion matrix.

import { button, h } from "../../../recognition/js/dom.js";
import { ARROWS } from "../../../recognition/js/keys.js";
import { formatCount, formatDecimal, formatDuration, formatPercent, formatRate } from "../../../recognition/js/format.js";

const COLUMNS = [
  ["Loss", "loss", formatDecimal, ""],
  ["Accuracy", "accuracy", formatPercent, ""],
  ["Validation loss", "val_loss", formatDecimal, "roomy-cell"],
  ["Validation accuracy", "val_accuracy", formatPercent, ""],
  ["Objective", "objective", formatDecimal, "roomy-cell"],
  ["Learning rate", "learning_rate", formatRate, "roomy-cell"],
  ["Time", "seconds", formatDuration, ""],
];

const ROUNDING = 1e-4; // the share by which the sums of the same loss may differ

/** Whether training minimised something other than the loss, such as a loss with label smoothing. */
export function hasObjective(epochs) {
  return epochs.some(({ loss, objective }) => Number.isFinite(objective) && Math.abs(objective - loss) > loss * ROUNDING);
}

/** Return the table of epochs, with a column for each value that was measured. */
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
  // The table scrolls when it is long, so the keyboard must be able to focus it.
  return h("div", { class: "epochs-scroll", tabindex: "0", role: "region", "aria-label": "Finished epochs" }, table);
}

// Per cent of colour: at most half, so that the numbers stay readable in light and dark.
const MIN_HEAT = 6;
const MAX_HEAT = 50;
const HOT = 30;

function confusionCell(value, truth, predicted, worst, openCell) {
  const heat = value && truth !== predicted ? MIN_HEAT + (value / worst) * (MAX_HEAT - MIN_HEAT) : 0;
  const cell = h("td", { class: truth === predicted ? "right" : heat > HOT && "hot" });
  cell.style.setProperty("--heat", `${heat}%`);
  if (!value || !openCell) {
    cell.append(value ? formatCount(value) : "");
    return cell;
  }
  const name = `${formatCount(value)}: ${truth} read as ${predicted}`;
  cell.append(button(formatCount(value), ({ currentTarget: chosen }) => {
    const isOpen = chosen.getAttribute("aria-pressed") === "true";
    for (const other of cell.closest("table").querySelectorAll("[aria-pressed=true]")) other.setAttribute("aria-pressed", "false");
    chosen.setAttribute("aria-pressed", String(!isOpen));
    openCell(isOpen ? null : truth, predicted);
  }, { "aria-label": name, "aria-pressed": "false", tabindex: -1 }));
  return cell;
}

/** Make the cells one tab stop; arrow keys move to the next cell that holds digits. */
function addArrowKeys(table) {
  const cells = [...table.tBodies[0].rows].map((row) => [...row.cells].slice(1).map((cell) => cell.querySelector("button")));
  const first = cells.flat().find(Boolean);
  if (first) first.tabIndex = 0;
  table.addEventListener("keydown", (event) => {
    const step = ARROWS[event.key];
    let row = cells.findIndex((buttons) => buttons.includes(event.target));
    if (!step || row < 0) return;
    event.preventDefault();
    let column = cells[row].indexOf(event.target);
    do {
      column += step[0];
      row += step[1];
    } while (cells[row] && column >= 0 && column < cells[row].length && !cells[row][column]);
    const next = cells[row]?.[column];
    if (!next) return;
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

/** Return the confusion matrix. With `openCell(label, predicted)`, cells are buttons; the open one calls it with null. */
export function confusionTable(confusion, openCell = null) {
  const worst = Math.max(1, ...confusion.flatMap((row, truth) => row.filter((_, predicted) => predicted !== truth)));
  const head = confusion.map((_, predicted) => h("th", { scope: "col" }, String(predicted)));
  const rows = confusion.map((row, truth) =>
    h("tr", {},
      h("th", { scope: "row" }, String(truth)),
      ...row.map((value, predicted) => confusionCell(value, truth, predicted, worst, openCell))));
  const hint = openCell ? " Select a cell to see its digits." : "";
  const table = h("table", { class: "confusion" },
    h("caption", {}, `Confusion matrix (row: true digit, column: predicted).${hint}`),
    h("thead", {}, h("tr", {}, h("td", { class: "corner" }), ...head)),
    h("tbody", {}, ...rows));
  if (openCell) addArrowKeys(table);
  return table;
}
