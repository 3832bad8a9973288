// Lay the evidence over the drawing on the pad: the 28x28 pixels go back to where the server took them from.

import { decodeMask, estimateSize } from "../drawing/masks.js";
import { sentArea, sentSize } from "../drawing/sent.js";
import { colorsOf, evidenceLayer, inkOf } from "./paint.js";

/** Return where in the sent picture the field of a number's digit lies: the digit was sent alone, as the 28x28 picture. */
function placeIn([left, top, width, height], sentDigit, box) {
  const ink = inkOf(sentDigit);
  const scale = Math.max(box[2], box[3]) / Math.max(ink[2], ink[3]);
  const [x, y] = [0, 1].map((axis) => box[axis] + box[axis + 2] / 2 - (ink[axis] + ink[axis + 2] / 2) * scale);
  return [x + left * scale, y + top * scale, width * scale, height * scale];
}

export class EvidenceOverlay {
  #pad;
  #canvas;
  #shown = null; // {evidence, before, field, drawing, size}

  constructor(pad, canvas) {
    this.#pad = pad;
    this.#canvas = canvas;
    pad.addEventListener("paint", () => this.#paint());
  }

  /** Show the explained answer about a digit of a drawing. `sentDigit` is the image of a number's digit that was sent alone, or null. */
  async show({ explanation: { evidence, field }, before, sentDigit }, drawing, digit) {
    const { box, mask } = digit.segmentation;
    const shown = { evidence, before, drawing, field: sentDigit ? placeIn(field, sentDigit, box) : field };
    this.#shown = shown;
    shown.size = sentSize(drawing) ?? estimateSize(await decodeMask(mask), box);
    this.#paint();
  }

  clear() {
    this.#shown = null;
    this.#paint();
  }

  #paint() {
    const { view } = this.#pad;
    const { evidence, before, field, drawing, size } = this.#shown ?? {};
    if (!size && this.#canvas.hidden) return;
    this.#canvas.hidden = !size;
    if (!size) return;
    this.#canvas.width = view.width;
    this.#canvas.height = view.height;
    const area = sentArea(drawing, size, view);
    const unit = (area.width / size.width) * view.scale; // pixels of the pad for each of the picture
    const [left, top, width, height] = field.map((length) => length * unit);
    const context = this.#canvas.getContext("2d");
    const corner = [(area.left - view.left) * view.scale + left, (area.top - view.top) * view.scale + top];
    context.drawImage(evidenceLayer(evidence, before, colorsOf(this.#canvas)), ...corner, width, height);
  }
}
