// Where the pointer is on a canvas of cells, and where the keyboard moves.

import { ARROWS } from "../keys.js";

const STEPS = { ...ARROWS, Home: [-Infinity, 0], End: [Infinity, 0] };

export const clamp = (value, count) => Math.max(0, Math.min(count - 1, value));

/** Return the column and the row under the pointer. */
export function cellAt({ target, offsetX, offsetY }, columns, rows) {
  const cell = (offset, length, count) => clamp(Math.floor((offset / length) * count), count);
  return [cell(offsetX, target.clientWidth, columns), cell(offsetY, target.clientHeight, rows)];
}

/** Call `move(columns, rows)` for arrow keys, and for Home and End. */
export function onKeys(canvas, move) {
  canvas.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    move(...step);
  });
}
