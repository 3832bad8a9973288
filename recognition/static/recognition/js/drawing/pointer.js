// Draw with mouse, finger or pen: one captured pointer at a time, with all coalesced points.

const PINCH_MS = 250; // a second finger within this time starts a pinch, not a stroke

export function drawWithPointer(pad) {
  const { canvas } = pad;
  let pointer = null;

  function points(event) {
    const box = canvas.getBoundingClientRect();
    const coalesced = event.getCoalescedEvents?.() ?? [];
    return (coalesced.length ? coalesced : [event]).map((measured) => [
      (measured.clientX - box.left) / box.width,
      (measured.clientY - box.top) / box.height,
    ]);
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

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (pointer !== null && !takesOver(event)) return;
    if (event.pointerType === "touch" && !event.isPrimary) return;
    pointer = { id: event.pointerId, type: event.pointerType, since: event.timeStamp };
    canvas.setPointerCapture(event.pointerId);
    pad.begin(points(event).at(-1));
  });

  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId === pointer?.id) pad.extend(points(event));
  });

  const lift = (event) => {
    if (event.pointerId !== pointer?.id) return;
    pointer = null;
    pad.end();
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("lostpointercapture", lift);
  canvas.addEventListener("contextmenu", (event) => pointer && event.preventDefault());
  // Otherwise a long press or a double tap selects the text around the pad.
  canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
}
