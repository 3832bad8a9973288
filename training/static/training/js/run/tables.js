// A run's tables: its finished epochs and its confusion matrix.

import { button, h, table, th } from "../../../recognition/js/dom.js";
import { ARROWS } from "../../../recognition/js/keys.js";
import { formatCount, formatDecimal, formatDuration, formatPercent, formatRate } from "../../../recognition/js/format.js";

const COLUMNS = [
  ["Loss", "loss", formatDecimal],
  ["Accuracy", "accuracy", formatPercent],
  ["Validation loss", "val_loss", formatDecimal, "roomy-cell"],
  ["Validation accuracy", "val_accuracy", formatPercent],
  ["Objective", "objective", formatDecimal, "roomy-cell"],
  ["Learning rate", "learning_rate", formatRate, "roomy-cell"],
  ["Time", "seconds", formatDuration],
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
  const head = columns.map(([title, , , kind]) => h("th", { scope: "col", class: kind }, title));
  const rows = epochs.map((epoch) =>
    [th("row", String(epoch.epoch)), ...columns.map(([, key, write, kind]) => h("td", { class: kind }, write(epoch[key])))]);
  const list = table("epochs", h("caption", {}, "Finished epochs"), [th("col", "Epoch"), ...head], rows);
  // The table scrolls when it is long, so the keyboard must be able to focus it.
  return h("div", { class: "epochs-scroll", tabindex: "0", role: "region", "aria-label": "Finished epochs" }, list);
}

// Per cent of colour: at most half, so that the numbers stay readable in light and dark.
const MIN_HEAT = 6;
const MAX_HEAT = 50;
const HOT = 30;

function confusionCell(value, truth, predicted, worst, openCell) {
  const heat = value && truth !== predicted ? MIN_HEAT + (value / worst) * (MAX_HEAT - MIN_HEAT) : 0;
  const cell = h("td", { class: truth === predicted ? "right" : heat > HOT && "hot" });
  cell.style.setProperty("--heat", `${heat}%`);
  if (!value) return cell;
  const name = `${formatCount(value)}: ${truth} read as ${predicted}`;
  cell.append(button(formatCount(value), ({ currentTarget: chosen }) => {
    const isOpen = chosen.ariaPressed === "true";
    for (const other of cell.closest("table").querySelectorAll("[aria-pressed=true]")) other.ariaPressed = false;
    chosen.ariaPressed = !isOpen;
    openCell(isOpen ? null : truth, predicted);
  }, { "aria-label": name, "aria-pressed": "false", tabindex: -1 }));
  return cell;
}

/** Make the cells one tab stop; arrow keys move to the next cell that holds digits. */
function addArrowKeys(matrix) {
  const cells = [...matrix.tBodies[0].rows].map((row) => [...row.cells].slice(1).map((cell) => cell.querySelector("button")));
  const first = cells.flat().find(Boolean);
  if (first) first.tabIndex = 0;
  matrix.addEventListener("keydown", (event) => {
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

/** Return the confusion matrix. Its cells are buttons that call `openCell(label, predicted)`; the open one calls it with null. */
export function confusionTable(confusion, openCell) {
  const worst = Math.max(1, ...confusion.flatMap((row, truth) => row.filter((_, predicted) => predicted !== truth)));
  const head = confusion.map((_, predicted) => th("col", String(predicted)));
  const rows = confusion.map((row, truth) =>
    [th("row", String(truth)), ...row.map((value, predicted) => confusionCell(value, truth, predicted, worst, openCell))]);
  const caption = "Confusion matrix (row: true digit, column: predicted). Select a cell to see its digits.";
  const matrix = table("confusion", h("caption", {}, caption), [h("td", { class: "corner" }), ...head], rows);
  addArrowKeys(matrix);
  return matrix;
}
