// Draw or erase with mouse, finger or pen: one captured pointer at a time, with all coalesced points.
// A tap on a digit's box opens the digit instead.

import { listen } from "../dom.js";

const PINCH_MS = 250; // a second finger within this time starts a pinch, not a stroke
const TAP_DISTANCE = { mouse: 4, pen: 6, touch: 10 }; // CSS pixels; a pointer that moves further draws
const ERASER_BUTTON = 5; // the other end of a pen

/** `boxes.find(point)` returns the index of the digit whose box is there, or null; `boxes.open(index)` opens it. */
export function drawWithPointer(pad, boxes) {
  const { canvas } = pad;
  let pointer = null;

  function points(event) {
    const coalesced = event.getCoalescedEvents?.() ?? [];
    return (coalesced.length ? coalesced : [event]).map(({ clientX, clientY }) => pad.locate(clientX, clientY));
  }

  /** Cancel a finger's stroke when a pinch begins or a pen touches. Return whether the new pointer takes over. */
  function takesOver(event) {
    const pen = event.pointerType === "pen" && pointer.type !== "pen";
    if (pen || (event.pointerType === "touch" && event.timeStamp - pointer.since < PINCH_MS)) {
      pointer = null;
      pad.cancel();
    }
    return pen;
  }

  function begin(event) {
    const point = points(event).at(-1);
    const erases = pad.erases || event.button === ERASER_BUTTON;
    const digit = erases ? null : boxes.find(point);
    pointer = { id: event.pointerId, type: event.pointerType, since: event.timeStamp, tap: null };
    canvas.setPointerCapture(event.pointerId);
    if (digit === null) pad.begin(point, erases);
    else pointer.tap = { digit, point, x: event.clientX, y: event.clientY };
  }

  function move(event) {
    if (pointer.tap) {
      const { point, x, y } = pointer.tap;
      if (Math.hypot(event.clientX - x, event.clientY - y) <= (TAP_DISTANCE[pointer.type] ?? TAP_DISTANCE.mouse)) return;
      pointer.tap = null;
      pad.begin(point, false);
    }
    pad.extend(points(event));
  }

  function showEraser(event) {
    if (!pad.erases) return;
    const [x, y] = pad.locate(event.clientX, event.clientY);
    pad.cursor = { x, y, down: false };
  }

  listen(canvas, {
    pointerdown: (event) => {
      if (event.button !== 0 && event.button !== ERASER_BUTTON) return;
      if (pointer !== null && !takesOver(event)) return;
      if (event.pointerType === "touch" && !event.isPrimary) return;
      begin(event);
    },
    pointermove: (event) => {
      if (event.pointerId === pointer?.id) move(event);
      if (event.isPrimary) showEraser(event);
    },
  });

  const lift = (event) => {
    if (event.pointerId !== pointer?.id) return;
    const { tap } = pointer;
    pointer = null;
    if (!tap) pad.end();
    else if (event.type === "pointerup") boxes.open(tap.digit);
    if (event.pointerType === "touch") pad.cursor = null;
  };
  listen(canvas, {
    pointerup: lift,
    pointercancel: lift,
    lostpointercapture: lift,
    pointerleave: () => {
      if (pad.erases) pad.cursor = null;
    },
    contextmenu: (event) => pointer && event.preventDefault(),
  });
  // Otherwise a long press or a double tap selects the text around the pad.
  canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
}
