// Mouse, finger and pen: one pointer at a time, captured, with every point the device measured.

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

  canvas.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button !== 0) return;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    pad.begin(points(event).at(-1));
  });

  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId === pointer) pad.extend(points(event));
  });

  const lift = (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    pad.end();
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("lostpointercapture", lift);
  // Without this a long press or a double tap selects the page's text around the pad.
  canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
}
