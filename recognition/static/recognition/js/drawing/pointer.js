// Mouse, finger and pen: one pointer at a time, captured, with every point the device measured.

const PINCH = 250; // ms: a second finger that comes so soon means that no stroke was meant

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

  /** Two fingers pinch, and a hand may rest on the glass while its pen writes: neither is a stroke of the first finger. */
  function interrupted(event) {
    const pen = event.pointerType === "pen" && pointer.type !== "pen";
    if (pen || (event.pointerType === "touch" && event.timeStamp - pointer.since < PINCH)) {
      pointer = null;
      pad.cancel();
    }
    return pen;
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (pointer !== null && !interrupted(event)) return;
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
  // Without this a long press or a double tap selects the page's text around the pad.
  canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
}
