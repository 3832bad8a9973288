// A line without axes, for a table cell.

import { svg } from "../../../recognition/js/dom.js";
import { toPath } from "./chart.js";

const WIDTH = 96;
const HEIGHT = 24;
const MARGIN = 3;

/** Return an SVG element that shows `values` over their whole range. */
export function drawSparkline(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const xStep = (WIDTH - 2 * MARGIN) / Math.max(values.length - 1, 1);
  const yScale = (HEIGHT - 2 * MARGIN) / (high - low || 1);
  const points = values.map((value, index) => [MARGIN + index * xStep, MARGIN + (high - value) * yScale]);
  const [cx, cy] = points.at(-1);
  return svg("svg", { width: WIDTH, height: HEIGHT, "aria-hidden": "true" },
    svg("path", { d: toPath(points) }), svg("circle", { cx, cy, r: 2.5 }));
}
