// A line without axes.

import { svg } from "../../../recognition/js/dom.js";
import { toPath } from "../charts/scale.js";

const MARGIN = 3;
const MOST_WRONG = 0.9; // chance
const LEAST_WRONG = 0.003;

/**
 * Place an accuracy on the scale that all runs share: 10% at the bottom, 99.7% at the top, and each halving of the
 * mistakes the same step up, so that both an untrained network and the last gains show.
 */
export function accuracyHeight(accuracy) {
  const share = Math.log(MOST_WRONG / Math.max(1 - accuracy, LEAST_WRONG)) / Math.log(MOST_WRONG / LEAST_WRONG);
  return Math.max(0, share);
}

const betweenEnds = (low, high) => (value) => (value - low) / (high - low || 1);

/**
 * Return an SVG element that shows `values`. A line spans the nulls; there must be one number. `heightOf` maps a value to
 * 0 to 1; by default, the line fills the height.
 */
export function drawSparkline(values, { width = 96, height = 24, heightOf = null } = {}) {
  const numbers = values.filter((value) => value !== null);
  const share = heightOf ?? betweenEnds(Math.min(...numbers), Math.max(...numbers));
  const xStep = (width - 2 * MARGIN) / Math.max(values.length - 1, 1);
  const points = values.flatMap((value, index) =>
    (value === null ? [] : [[MARGIN + index * xStep, MARGIN + (1 - share(value)) * (height - 2 * MARGIN)]]));
  const [cx, cy] = points.at(-1);
  const base = heightOf && svg("line", { class: "base", x1: MARGIN, x2: width - MARGIN, y1: height - MARGIN + 1, y2: height - MARGIN + 1 });
  return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
    base, svg("path", { d: toPath(points) }), svg("circle", { cx, cy, r: 2.5 }));
}
