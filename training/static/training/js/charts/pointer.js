// The pointer and the keys on a chart: the value under it, a range to zoom into.

import { listen } from "../../../recognition/js/dom.js";
import { nearest } from "./series.js";

const DRAG = 6; // pixels: less is a click or a tap
const MAGNET = 5; // pixels: an epoch this near is preferred to a batch
const ZOOM = 2;

/** Return the position in epochs that a pointer at `x` pixels means: an epoch rather than a batch beside it. */
function positionAt(chart, x) {
  const { at, x: pixels } = chart.scale;
  const { positions } = chart.group;
  const wanted = at(x);
  const epoch = nearest(positions.filter(Number.isInteger), wanted);
  return epoch !== null && Math.abs(pixels(epoch) - x) < MAGNET ? epoch : nearest(positions, wanted);
}

function addDragging(chart) {
  const { svg, group } = chart;
  let start = null;
  const place = (event) => event.clientX - svg.getBoundingClientRect().left;
  const clamp = (x) => Math.min(Math.max(chart.scale.at(x), chart.scale.from), chart.scale.to);
  const end = () => {
    start = null;
    chart.select(null);
  };
  listen(svg, {
    pointerdown: (event) => {
      if (event.button || !event.isPrimary || !chart.scale) return;
      start = place(event);
      svg.setPointerCapture(event.pointerId);
      group.point(positionAt(chart, start));
    },
    pointermove: (event) => {
      if (!event.isPrimary || !chart.scale) return;
      const x = place(event);
      group.point(positionAt(chart, x));
      if (start !== null) chart.select(Math.abs(x - start) > DRAG ? [clamp(start), clamp(x)] : null);
    },
    pointerup: (event) => {
      const x = place(event);
      if (start !== null && Math.abs(x - start) > DRAG) group.zoom(...[clamp(start), clamp(x)].sort((a, b) => a - b));
      end();
    },
    pointercancel: end,
    // A finger leaves when it is lifted: what it pointed at stays.
    pointerleave: (event) => event.pointerType === "mouse" && group.point(null),
    dblclick: () => group.reset(),
  });
}

/** Move to the next position, by epochs if there are any, and bring it into the zoomed range. */
function step(group, direction) {
  const { positions, pointed, range } = group;
  const epochs = positions.filter(Number.isInteger);
  const stops = epochs.length ? epochs : positions;
  if (!stops.length) return;
  const visible = range ? stops.filter((at) => at <= range[1]) : stops;
  const here = pointed ?? (visible.at(-1) ?? stops.at(-1)) + (direction < 0 ? 1e-6 : -1e-6);
  const at = direction < 0 ? stops.findLast((stop) => stop < here) : stops.find((stop) => stop > here);
  goTo(group, at ?? pointed);
}

function goTo(group, at) {
  group.point(at);
  const { range } = group;
  if (!range || at === null || (at >= range[0] && at <= range[1])) return;
  const move = at < range[0] ? at - range[0] : at - range[1];
  group.zoom(range[0] + move, range[1] + move);
}

function zoomBy(group, factor) {
  const [from, to] = group.range ?? [0, group.maxEpochs];
  const middle = group.pointed ?? (from + to) / 2;
  group.zoom(middle - (middle - from) / factor, middle + (to - middle) / factor);
}

const KEYS = {
  ArrowLeft: (group) => step(group, -1),
  ArrowRight: (group) => step(group, 1),
  ArrowDown: (group) => step(group, -1),
  ArrowUp: (group) => step(group, 1),
  Home: (group) => goTo(group, group.positions[0] ?? null),
  End: (group) => goTo(group, group.positions.at(-1) ?? null),
  "+": (group) => zoomBy(group, ZOOM),
  "=": (group) => zoomBy(group, ZOOM),
  "-": (group) => zoomBy(group, 1 / ZOOM),
  0: (group) => group.reset(),
  Escape: (group) => group.reset(),
};

/** Let a chart be pointed at, zoomed by dragging, and read by keyboard. */
export function addPointer(chart) {
  addDragging(chart);
  const { cursor, group } = chart;
  listen(cursor, {
    keydown: (event) => {
      const act = event.ctrlKey || event.metaKey || event.altKey ? null : KEYS[event.key];
      if (!act) return;
      event.preventDefault();
      act(group);
    },
    blur: () => group.point(null),
  });
}
