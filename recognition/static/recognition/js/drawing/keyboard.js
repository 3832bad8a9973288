// Draw by keyboard: arrow keys move a pen (two at once diagonally), Space or Enter lowers and lifts it.

import { setText } from "../dom.js";

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 1 / 28;
const MARGIN = 0.04;

const clamp = (value) => Math.min(1 - MARGIN, Math.max(MARGIN, value));

export function drawWithKeyboard(pad, status) {
  const { canvas } = pad;
  const held = new Set();
  const pen = { x: 0.5, y: 0.2, down: false };

  const show = () => {
    pad.cursor = { ...pen };
  };

  function setDown(down) {
    if (down === pen.down) return;
    pen.down = down;
    if (down) pad.begin([pen.x, pen.y]);
    else pad.end();
    setText(status, down ? "Pen down" : "Pen up");
    show();
  }

  function move() {
    for (const key of held) {
      pen.x = clamp(pen.x + MOVES[key][0] * STEP);
      pen.y = clamp(pen.y + MOVES[key][1] * STEP);
    }
    if (pen.down) pad.extend([[pen.x, pen.y]]);
    show();
  }

  const actions = {
    " ": () => setDown(!pen.down),
    Enter: () => setDown(!pen.down),
    Escape: () => setDown(false),
    Delete: () => { setDown(false); pad.clear(); },
    Backspace: () => { setDown(false); pad.undo(); },
  };

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (MOVES[event.key]) {
      held.add(event.key);
      move();
    } else if (actions[event.key]) {
      if (!event.repeat) actions[event.key]();
    } else return;
    event.preventDefault();
  });
  canvas.addEventListener("keyup", (event) => held.delete(event.key));
  canvas.addEventListener("focus", () => {
    if (canvas.matches(":focus-visible")) show();
  });
  canvas.addEventListener("blur", () => {
    held.clear();
    setDown(false);
    pad.cursor = null;
  });
  canvas.addEventListener("pointerdown", () => {
    setDown(false);
    pad.cursor = null;
  });
}
