// Numbers in a square of coloured cells.

import { h, setText } from "../dom.js";
import { narrow } from "./paint.js";

/** "−0.31"; with `plus` "+0.31" */
export function formatSigned(value, plus = "") {
  const text = Math.abs(value).toFixed(2);
  return `${Number(text) === 0 ? "" : value < 0 ? "−" : plus}${text}`;
}

/** "0.31", or where there is little room ".31". */
const formatCell = (value) => (narrow.matches ? formatSigned(value).replace("0.", ".").replace(/\.00$/, "") || "0" : formatSigned(value));

export class Cells {
  constructor(root, side) {
    this.root = root;
    this.name = root.ariaLabel;
    this.cells = Array.from({ length: side ** 2 }, () => h("span"));
    root.style.setProperty("--side", side);
    root.append(...this.cells);
  }

  /** Show `values` row by row. `peak` has the full colour; `best` is the cell to outline. */
  show(values, peak, best) {
    this.values = values;
    this.cells.forEach((cell, index) => {
      const value = values[index];
      setText(cell, formatCell(value));
      cell.style.setProperty("--share", Math.abs(value) / (peak || 1));
      cell.toggleAttribute("data-negative", value < 0);
      cell.toggleAttribute("data-best", index === best);
    });
  }

  /** Tell screen readers the values. */
  describe() {
    this.root.ariaLabel = `${this.name}: ${this.values.map((value) => formatSigned(value)).join(" ")}`;
  }
}
