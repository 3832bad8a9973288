// Show on the pad what was taken for the digit: outline it, dim what was left out, and say where it is.

import { setText } from "../dom.js";
import { paint, sentArea } from "./ink.js";

const GAP = 0.008; // of the pad's side, between the ink and its outline
const LINE = 0.006; // of the pad's side, the outline's width
const DIM = 0.75; // opacity of the sheet's colour over what was left out
const TURNS = 16; // directions in which a shape grows
const MAX_SIDE = 640; // pixels; more would take time and show no more, as a mask has 200
const CHECK_SIDE = 200; // pixels; strokes are compared with the mask at this size
const MIN_LEFT_OUT = 12; // of its pixels; fewer lie along the edges of what was read

function createCanvas(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

/** Resolve to a canvas that is opaque where the mask, a grey PNG, is white. */
async function decodeMask(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = createCanvas(image.naturalWidth, image.naturalHeight);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < pixels.data.length; at += 4) pixels.data[at + 3] = pixels.data[at];
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/** Return the shape of a mask on the whole pad, `radius` pixels wider on every side, in one colour. */
function grow(mask, area, side, radius, color) {
  const canvas = createCanvas(side, side);
  const context = canvas.getContext("2d");
  const [left, top, width, height] = [area.left, area.top, area.width, area.height].map((length) => length * side);
  for (let turn = 0; turn < TURNS; turn += 1) {
    const angle = (2 * Math.PI * turn) / TURNS;
    context.drawImage(mask, left + radius * Math.cos(angle), top + radius * Math.sin(angle), width, height);
  }
  context.globalCompositeOperation = "source-in";
  context.fillStyle = color;
  context.fillRect(0, 0, side, side);
  return canvas;
}

/** Return whether strokes can be seen outside the mask. */
function leavesInkOut(drawing, mask, area) {
  const canvas = createCanvas(CHECK_SIDE, CHECK_SIDE);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  paint(context, drawing, CHECK_SIDE, "#000");
  context.globalCompositeOperation = "destination-out";
  context.drawImage(grow(mask, area, CHECK_SIDE, 2 * GAP * CHECK_SIDE, "#000"), 0, 0);
  const { data } = context.getImageData(0, 0, CHECK_SIDE, CHECK_SIDE);
  return data.filter((level, at) => at % 4 === 3 && level > 127).length >= MIN_LEFT_OUT;
}

/** Return where on a picture its mask is white, such as "at the top left". */
function describePlace(mask) {
  const { data } = mask.getContext("2d").getImageData(0, 0, mask.width, mask.height);
  let [mass, across, down] = [0, 0, 0];
  for (let index = 0; index < mask.width * mask.height; index += 1) {
    const level = data[4 * index + 3];
    mass += level;
    across += level * ((index % mask.width) / mask.width);
    down += level * (Math.floor(index / mask.width) / mask.height);
  }
  const third = (sum, names) => names[Math.min(Math.floor((3 * sum) / mass), 2)];
  const place = `${third(down, ["top ", "", "bottom "])}${third(across, ["left", "", "right"])}`.trim();
  return place ? `at the ${place}` : "in the middle";
}

export class SegmentationView {
  #pad;
  #canvas;
  #note;
  #shown = null;
  #painted = "";

  constructor(pad, canvas, note) {
    this.#pad = pad;
    this.#canvas = canvas;
    this.#note = note;
    pad.addEventListener("paint", () => this.#paint());
  }

  /** Show the segmentation of a picture; that of strokes only if some were left out. */
  async show(drawing, segmentation) {
    this.clear();
    if (!segmentation) return;
    const shown = { drawing };
    this.#shown = shown;
    const mask = await decodeMask(segmentation.mask);
    if (this.#shown !== shown) return;
    const area = sentArea(drawing, mask);
    if (!drawing.picture && !leavesInkOut(drawing, mask, area)) return;
    Object.assign(shown, { mask, area });
    this.#paint();
    setText(this.#note, this.#describe(drawing, mask));
  }

  clear() {
    this.#shown = null;
    this.#paint();
    setText(this.#note, "");
  }

  #describe({ picture }, mask) {
    if (!picture) return "The faded part of your drawing was left out.";
    const found = `what was taken for the digit, ${describePlace(mask)} of the picture`;
    if (picture.bitmap) return `The outline shows ${found}. The dimmed rest was left out.`;
    return `This browser can't show the picture. You see ${found}.`;
  }

  #paint() {
    const { mask, area, drawing } = this.#shown ?? {};
    const style = getComputedStyle(this.#canvas);
    const [sheet, accent, pen] = ["--sheet", "--accent", "--pen"].map((name) => style.getPropertyValue(name));
    const side = Math.min(this.#pad.canvas.width, MAX_SIDE);
    const state = mask ? `${side} ${sheet}` : "";
    if (state === this.#painted) return;
    this.#painted = state;
    this.#canvas.width = side;
    this.#canvas.height = side;
    if (!mask) return;
    const context = this.#canvas.getContext("2d");
    context.globalAlpha = DIM;
    context.fillStyle = sheet;
    context.fillRect(...[area.left, area.top, area.width, area.height].map((length) => length * side));
    context.globalAlpha = 1;
    const inside = grow(mask, area, side, GAP * side, sheet);
    const outline = grow(mask, area, side, (GAP + LINE) * side, accent);
    context.drawImage(outline, 0, 0);
    context.globalCompositeOperation = "destination-out";
    context.drawImage(inside, 0, 0);
    if (!drawing.picture || drawing.picture.bitmap) return;
    context.globalCompositeOperation = "source-over";
    context.drawImage(grow(mask, area, side, 0, pen), 0, 0);
  }
}
