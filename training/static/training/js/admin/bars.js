// Bars in pairs, such as shares of each digit now and before.

import { svg } from "../../../recognition/js/dom.js";

const WIDTH = 320;
const HEIGHT = 96;
const LABEL_HEIGHT = 16;
const GAP = 0.25; // of a pair's width, left free beside it

/** Return an SVG element with one pair of bars for each {label, values: [first, second]}, from 0 up. A null has no bar. */
export function drawPairs(pairs) {
  const high = Math.max(...pairs.flatMap(({ values }) => values)) || 1;
  const step = WIDTH / pairs.length;
  const room = HEIGHT - LABEL_HEIGHT;
  const bar = (value, index, place) => {
    const height = (value / high) * (room - 1);
    const width = (step * (1 - GAP)) / 2;
    const x = index * step + (step * GAP) / 2 + place * width;
    return svg("rect", { class: place ? "second" : "first", x, y: room - height, width, height });
  };
  const shapes = pairs.flatMap(({ label, values }, index) => [
    ...values.map((value, place) => (value === null ? null : bar(value, index, place))),
    svg("text", { x: (index + 0.5) * step, y: HEIGHT - 3, "text-anchor": "middle" }, label),
  ]);
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" }, ...shapes);
}
