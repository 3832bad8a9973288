// Values as colours: blue for negative, paper for zero, vermilion for positive; the drawing in ink.

import { channelsOf } from "../drawing/ink.js";

const LEVELS = 255;
let ramps = {};

export const narrow = matchMedia("(max-width: 36rem)");
const dark = matchMedia("(prefers-color-scheme: dark)");

/** Call `repaint` when the page has turned dark or light, narrow or wide. */
export function onRestyle(repaint) {
  for (const query of [narrow, dark]) {
    query.addEventListener("change", () => {
      ramps = {};
      repaint();
    });
  }
}

/** Return the pixels for -255 to 255: from --fourth over --sheet to `positive`. Small values show by the square root. */
function rampTo(positive, style) {
  const [zero, low, high] = ["--sheet", "--fourth", positive].map((name) => channelsOf(style.getPropertyValue(name)));
  const bytes = new Uint8ClampedArray(4 * (2 * LEVELS + 1)).fill(LEVELS);
  for (let level = -LEVELS; level <= LEVELS; level += 1) {
    const share = Math.sqrt(Math.abs(level) / LEVELS);
    const end = level < 0 ? low : high;
    for (let c = 0; c < 3; c += 1) bytes[4 * (level + LEVELS) + c] = zero[c] + (end[c] - zero[c]) * share;
  }
  return new Uint32Array(bytes.buffer);
}

export class Picture {
  constructor(canvas, width, height = width, positive = "--accent") {
    canvas.width = width;
    canvas.height = height;
    this.width = width;
    this.positive = positive;
    this.context = canvas.getContext("2d");
    this.image = new ImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  /** Draw `side` x `side` values from `at`, each `scale` pixels wide. `peak` has the full colour. */
  draw(values, at, side, peak, left = 0, top = 0, scale = 1) {
    const ramp = (ramps[this.positive] ??= rampTo(this.positive, getComputedStyle(this.context.canvas)));
    const factor = LEVELS / (peak || 1);
    for (let y = 0; y < side; y += 1) {
      for (let x = 0; x < side; x += 1) {
        const color = ramp[LEVELS + Math.round(values[at + y * side + x] * factor)];
        const to = (top + y * scale) * this.width + left + x * scale;
        for (let row = 0; row < scale; row += 1) this.pixels.fill(color, to + row * this.width, to + row * this.width + scale);
      }
    }
    return this;
  }

  /** Show what was drawn. */
  show() {
    this.context.putImageData(this.image, 0, 0);
  }
}

/** Return the largest absolute value. */
export function peakOf(values) {
  let peak = 0;
  for (const value of values) peak = Math.max(peak, Math.abs(value));
  return peak;
}
