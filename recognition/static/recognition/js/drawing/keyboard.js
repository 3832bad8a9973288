// Draw by keyboard: arrow keys move a pen (two at once diagonally, with Shift in longer steps), Home and End bring it to the
// pad's sides, Space or Enter lowers and lifts it, and E exchanges pen and eraser.

import { listen, setText } from "../dom.js";
import { ARROWS } from "../keys.js";
import { boundsOf } from "./view.js";

const STEP = 1 / 28; // of the pad's height
const LONG_STEP = 5; // steps
const MARGIN = 0.04;
const PAUSE_MS = 400; // after the last key, before the pen's position is spoken

const clamp = (value, low, high) => Math.min(high - MARGIN, Math.max(low + MARGIN, value));

export function drawWithKeyboard(pad, status) {
  const { canvas } = pad;
  const held = new Set();
  const pen = { x: 0, y: 0.2, down: false };
  let pause = 0;

  const show = () => {
    pad.cursor = { ...pen };
  };

  const nameTool = () => `${pad.erases ? "Eraser" : "Pen"} ${pen.down ? "down" : "up"}`;

  function say(text) {
    clearTimeout(pause);
    setText(status, text);
  }

  /** Say where the pen is, and at which edges, when it has stopped. */
  function saySoon() {
    clearTimeout(pause);
    pause = setTimeout(() => {
      const { left, top, right, bottom } = boundsOf(pad.view);
      const isAt = (value, edge) => Math.abs(value - edge) < MARGIN + STEP / 2;
      const edges = [[pen.y, top, "top"], [pen.y, bottom, "bottom"], [pen.x, left, "left"], [pen.x, right, "right"]]
        .flatMap(([value, edge, name]) => (isAt(value, edge) ? [`, ${name} edge`] : []));
      const count = (length) => Math.floor(length / STEP) + 1;
      say(`${nameTool()}, row ${count(pen.y - top)}, column ${count(pen.x - left)}${edges.join("")}`);
    }, PAUSE_MS);
  }

  function setDown(down) {
    if (down === pen.down) return;
    pen.down = down;
    if (down) pad.begin([pen.x, pen.y]);
    else pad.end();
    say(nameTool());
    show();
  }

  function moveTo(x, y) {
    const { left, top, right, bottom } = boundsOf(pad.view);
    pen.x = clamp(x, left, right);
    pen.y = clamp(y, top, bottom);
    if (pen.down) pad.extend([[pen.x, pen.y]]);
    show();
    saySoon();
  }

  function move(steps) {
    const sum = (axis) => [...held].reduce((total, key) => total + ARROWS[key][axis] * steps * STEP, 0);
    moveTo(pen.x + sum(0), pen.y + sum(1));
  }

  function exchangeTools() {
    setDown(false);
    pad.erases = !pad.erases;
    say(nameTool());
  }

  const actions = {
    " ": () => setDown(!pen.down),
    Enter: () => setDown(!pen.down),
    Escape: () => setDown(false), // with the pen up, Escape leaves the full screen
    Home: () => moveTo(-Infinity, pen.y),
    End: () => moveTo(Infinity, pen.y),
    e: exchangeTools,
    E: exchangeTools,
    Delete: () => { setDown(false); pad.clear(); },
    Backspace: () => { setDown(false); pad.undo(); },
  };

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (ARROWS[event.key]) {
      held.add(event.key);
      move(event.shiftKey ? LONG_STEP : 1);
    } else if (actions[event.key] && (event.key !== "Escape" || pen.down)) {
      if (!event.repeat) actions[event.key]();
    } else return;
    event.preventDefault();
  });
  // Cleared from elsewhere, the stroke is gone.
  pad.addEventListener("change", () => pad.isBlank && setDown(false));
  listen(canvas, {
    keyup: (event) => held.delete(event.key),
    focus: () => {
      if (canvas.matches(":focus-visible")) show();
    },
    blur: () => {
      held.clear();
      setDown(false);
      pad.cursor = null;
    },
    pointerdown: () => {
      setDown(false);
      pad.cursor = null;
    },
  });
}
