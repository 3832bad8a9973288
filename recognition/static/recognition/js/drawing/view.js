// A view says where on a canvas a drawing is painted: the canvas' `width` and `height` in pixels, the drawing's units at its
// `left` and `top`, and `scale`, the pixels of one unit.

const MARGIN = 0.08; // units that ink may lie outside the pad, and of space around a drawing that is scaled down to fit

/** Return the view of a whole canvas: its height is one unit, and x is 0 in its middle. */
export function wholeView(width, height) {
  return { width, height, scale: height, left: -width / height / 2, top: 0 };
}

/** Return the view of a box of units at a scale, `margin` pixels wider on each side. */
export function viewOf({ left, top, right, bottom }, scale, margin = 0) {
  return {
    width: Math.max(Math.ceil((right - left) * scale), 1) + 2 * margin,
    height: Math.max(Math.ceil((bottom - top) * scale), 1) + 2 * margin,
    scale,
    left: left - margin / scale,
    top: top - margin / scale,
  };
}

/** Return the units that a view shows. */
export function boundsOf({ width, height, scale, left, top }) {
  return { left, top, right: left + width / scale, bottom: top + height / scale };
}

/** Return the units that a view shows, as a corner and lengths. */
export const areaOf = ({ width, height, scale, left, top }) => ({ left, top, width: width / scale, height: height / scale });

export function isInView(box, view) {
  const bounds = boundsOf(view);
  return (
    box.left >= bounds.left - MARGIN && box.right <= bounds.right + MARGIN &&
    box.top >= bounds.top - MARGIN && box.bottom <= bounds.bottom + MARGIN
  );
}

/** Return the whole view of a canvas, or one that is scaled down until the box is visible. */
export function fitView(width, height, box) {
  const whole = wholeView(width, height);
  if (isInView(box, whole)) return whole;
  const [across, down] = [box.right - box.left + 2 * MARGIN, box.bottom - box.top + 2 * MARGIN];
  const scale = Math.min(height, width / across, height / down);
  const center = { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 };
  return { width, height, scale, left: center.x - width / scale / 2, top: center.y - height / scale / 2 };
}

/** Return the same view on a canvas of another height. */
export function resizeView(view, height) {
  const factor = height / view.height;
  return { ...view, width: Math.round(view.width * factor), height, scale: view.scale * factor };
}

/** Return the point of a view, or at most `overshoot` units outside, that is nearest to a point. */
export function clampTo(view, [x, y], overshoot) {
  const { left, top, right, bottom } = boundsOf(view);
  return [
    Math.min(Math.max(x, left - overshoot), right + overshoot),
    Math.min(Math.max(y, top - overshoot), bottom + overshoot),
  ];
}

/** Call back at each change of the pixel ratio: another screen or zoom level may have another one. */
export function followPixelRatio(callback) {
  matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", () => {
    callback();
    followPixelRatio(callback);
  }, { once: true });
}
