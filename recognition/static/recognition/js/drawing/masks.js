// Masks of what was taken for a digit: grey PNGs that the server sends, white where the digit's ink is in the picture.

import { loadImage } from "../dom.js";
import { createContext, createLayer, paint, pixelsOf } from "./ink.js";
import { resizeView } from "./view.js";

const TURNS = 16; // directions in which a shape grows
const CHECK_HEIGHT = 200; // pixels; strokes are compared with the mask at this size
const MIN_LEFT_OUT = 12; // of its pixels; fewer lie along the edges of what was read

/** Resolve to a canvas that is opaque where the mask is white. */
export async function decodeMask(url) {
  const image = await loadImage(url);
  const context = createContext(image.naturalWidth, image.naturalHeight);
  const { canvas } = context;
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < pixels.data.length; at += 4) pixels.data[at + 3] = pixels.data[at];
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/** Return one mask of all digits. */
export function unite(masks) {
  if (masks.length === 1) return masks[0];
  const context = createContext(masks[0].width, masks[0].height);
  for (const mask of masks) context.drawImage(mask, 0, 0);
  return context.canvas;
}

/** Return the shape of a mask on the whole pad, `radius` units wider on every side, in one colour. */
export function grow(mask, area, view, radius, color) {
  const { scale, left, top } = view;
  const context = createLayer(view);
  const [width, height] = [area.width * scale, area.height * scale];
  for (let turn = 0; turn < (radius ? TURNS : 1); turn += 1) {
    const angle = (2 * Math.PI * turn) / TURNS;
    const [x, y] = [area.left - left + radius * Math.cos(angle), area.top - top + radius * Math.sin(angle)];
    context.drawImage(mask, x * scale, y * scale, width, height);
  }
  context.globalCompositeOperation = "source-in";
  context.fillStyle = color;
  context.fillRect(0, 0, view.width, view.height);
  return context.canvas;
}

/** Paint a drawing, and a shape over it by an `operation`. */
function compose(context, drawing, view, operation, shape) {
  paint(context, drawing, view, "#000");
  context.globalCompositeOperation = operation;
  context.drawImage(shape, 0, 0);
  return context;
}

/** Return the mask of strokes at the pad's resolution: the ink within `radius` units of a coarser mask. */
export function sharpen(drawing, mask, area, view, radius) {
  return compose(createLayer(view), drawing, view, "destination-in", grow(mask, area, view, radius, "#000")).canvas;
}

/** Return whether strokes can be seen further than `gap` units outside the mask. */
export function leavesInkOut(drawing, mask, area, padView, gap) {
  const view = resizeView(padView, CHECK_HEIGHT);
  const context = compose(createContext(view.width, view.height), drawing, view, "destination-out", grow(mask, area, view, gap, "#000"));
  return pixelsOf(context).filter((level, at) => at % 4 === 3 && level > 127).length >= MIN_LEFT_OUT;
}

function* opaquePixels(mask) {
  const data = pixelsOf(mask.getContext("2d"));
  for (let index = 0; index < mask.width * mask.height; index += 1) {
    const level = data[4 * index + 3];
    if (level) yield { x: index % mask.width, y: Math.floor(index / mask.width), level };
  }
}

/** Return where on a picture its mask is white, such as "at the top left". */
export function describePlace(mask) {
  let [mass, across, down] = [0, 0, 0];
  for (const { x, y, level } of opaquePixels(mask)) {
    mass += level;
    across += level * (x / mask.width);
    down += level * (y / mask.height);
  }
  const third = (sum, names) => names[Math.min(Math.floor((3 * sum) / mass), 2)];
  const place = `${third(down, ["top ", "", "bottom "])}${third(across, ["left", "", "right"])}`.trim();
  return place ? `at the ${place}` : "in the middle";
}

/** Estimate the size of a picture that the browser can't decode, in pixels, from a mask of it and the box of the same digit. */
export function estimateSize(mask, [left, top, width, height]) {
  let [right, bottom] = [0, 0];
  for (const { x, y } of opaquePixels(mask)) [right, bottom] = [Math.max(right, x + 1), Math.max(bottom, y + 1)];
  const factor = (left + width + top + height) / (right + bottom);
  return { width: mask.width * factor, height: mask.height * factor };
}
