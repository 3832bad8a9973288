// A line without axes.

import { svg } from "../../../recognition/js/dom.js";
import { toPath } from "./chart.js";

const MARGIN = 3;

/** Return an SVG element that shows `values` over their whole range. A line spans the nulls; there must be one number. */
export function drawSparkline(values, { width = 96, height = 24 } = {}) {
  const numbers = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const xStep = (width - 2 * MARGIN) / Math.max(values.length - 1, 1);
  const yScale = (height - 2 * MARGIN) / (high - low || 1);
  const points = values.flatMap((value, index) =>
    (value === null ? [] : [[MARGIN + index * xStep, MARGIN + (high - value) * yScale]]));
  const [cx, cy] = points.at(-1);
  return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
    svg("path", { d: toPath(points) }), svg("circle", { cx, cy, r: 2.5 }));
}
