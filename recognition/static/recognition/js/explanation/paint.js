// Paint evidence as colours, over the pad or over the 28x28 picture, and a change to that picture.

import { channelsOf, createContext, pixelsOf } from "../drawing/ink.js";

const SIDE = 28;
const INK_OPACITY = 0.95; // of the strongest evidence, where there is ink
const PAPER_OPACITY = 0.5;
const MIN_STRONGEST = 0.75; // nats of the strongest colour, at least: weak evidence looks weak
const SHOWN = 0.1; // of the strongest evidence; less is not painted

/** Return the two colours of an element: of what speaks for a digit, and against it. */
export function colorsOf(element) {
  const style = getComputedStyle(element);
  return ["--for", "--against"].map((name) => style.getPropertyValue(name).trim());
}

/** Return a canvas of 28x28 in which the evidence in a picture is coloured, and the rest transparent. */
export function evidenceLayer(evidence, picture, colors) {
  const inked = levels(picture);
  const context = createContext(SIDE, SIDE);
  const image = context.createImageData(SIDE, SIDE);
  const strongest = Math.max(MIN_STRONGEST, ...evidence.flat().map(Math.abs));
  const [pro, contra] = colors.map(channelsOf);
  evidence.flat().forEach((value, index) => {
    const share = Math.abs(value) / strongest;
    const [red, green, blue] = value > 0 ? pro : contra;
    const opacity = inked[index] ? INK_OPACITY * Math.sqrt(share) : PAPER_OPACITY * share;
    image.data.set([red, green, blue, share < SHOWN ? 0 : 255 * opacity], 4 * index);
  });
  context.putImageData(image, 0, 0);
  return context.canvas;
}

/** Paint a 28x28 picture, with a layer over it if there is one, on a larger canvas. */
export function paintPicture(canvas, picture, layer = null) {
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  if (layer) context.drawImage(layer, 0, 0, canvas.width, canvas.height);
}

function levels(picture) {
  const context = createContext(SIDE, SIDE);
  context.drawImage(picture, 0, 0);
  return pixelsOf(context).filter((_, at) => at % 4 === 0);
}

/** Paint the changed picture: filled squares where ink was added, hollow ones where it was removed. */
export function paintChange(canvas, before, after, [added, removed]) {
  paintPicture(canvas, after);
  const context = canvas.getContext("2d");
  const [old, now] = [levels(before), levels(after)];
  const cell = canvas.width / SIDE;
  context.lineWidth = 2;
  now.forEach((level, index) => {
    const [x, y] = [(index % SIDE) * cell, Math.floor(index / SIDE) * cell];
    context.fillStyle = added;
    context.strokeStyle = removed;
    if (level > old[index]) context.fillRect(x, y, cell, cell);
    else if (level < old[index]) context.strokeRect(x + 1, y + 1, cell - 2, cell - 2);
  });
}

/** Return [left, top, width, height] of the ink of a 28x28 picture. */
export function inkOf(picture) {
  const inked = [...levels(picture).entries()].filter(([, level]) => level > 127).map(([index]) => index);
  const [rows, columns] = [inked.map((index) => Math.floor(index / SIDE)), inked.map((index) => index % SIDE)];
  const [left, top] = [Math.min(...columns), Math.min(...rows)];
  return [left, top, Math.max(...columns) + 1 - left, Math.max(...rows) + 1 - top];
}
