// Show on the pad what was taken for the digits: outline it, dim what was left out, and say where it is.

import { setText } from "../dom.js";
import { isReadable } from "./describe.js";
import { createLayer } from "./ink.js";
import { decodeMask, describePlace, grow, leavesInkOut, sharpen, unite } from "./masks.js";
import { keyOf } from "./predictor.js";
import { sentArea } from "./sent.js";
import { areaOf, resizeView } from "./view.js";

const GAP = 0.01; // of the pad's height, between the ink and its outline
const LINE = 0.0075; // of the pad's height, the outline's width
const DIM = 0.75; // opacity of the sheet's colour over what was left out
const MAX_HEIGHT = 640; // pixels; more would take time and show no more

export class SegmentationView {
  #pad;
  #canvas;
  #note;
  #answer;
  #shown = null; // {of: the prediction, drawing, masks, union, dims: whether something was left out}
  #painted = "";

  constructor(pad, canvas, note, answer) {
    this.#pad = pad;
    this.#canvas = canvas;
    this.#note = note;
    this.#answer = answer;
    pad.addEventListener("paint", () => this.#paint());
    answer.onChange(() => this.#update());
  }

  /** Show the segmentation of a picture; that of strokes only if some were left out, or of the digit that was chosen. */
  async #update() {
    const { shown, isSettled } = this.#answer;
    if (!isSettled || !shown.digits.every(({ segmentation }) => segmentation)) {
      this.#clear();
      return;
    }
    if (this.#isSame(shown)) this.#shown.of = shown;
    else if (this.#shown?.of !== shown) await this.#decode(shown);
    if (this.#shown?.of !== shown || !this.#shown.masks) return;
    this.#paint();
    setText(this.#note, this.#describe());
  }

  /** Whether the segmentation of another prediction is the same, as when another model has answered. */
  #isSame(prediction) {
    if (!this.#shown?.masks || keyOf(this.#shown.drawing) !== keyOf(prediction.drawing)) return false;
    const masks = ({ digits }) => digits.map(({ segmentation }) => segmentation.mask).join();
    return masks(this.#shown.of) === masks(prediction);
  }

  #clear() {
    this.#shown = null;
    this.#paint();
    setText(this.#note, this.#pad.note);
  }

  async #decode(prediction) {
    this.#clear();
    const { drawing, digits } = prediction;
    const shown = { of: prediction, drawing };
    this.#shown = shown;
    const masks = await Promise.all(digits.map(({ segmentation }) => decodeMask(segmentation.mask)));
    if (this.#shown !== shown) return;
    const union = unite(masks);
    const area = sentArea(drawing, union, this.#pad.view);
    const dims = drawing.picture !== null || leavesInkOut(drawing, union, area, this.#pad.view, 2 * GAP);
    Object.assign(shown, { masks, union, dims });
  }

  /** The digit of a number that somebody has chosen, or null. */
  get #chosen() {
    return this.#answer.isNumber && this.#answer.isChosen ? this.#answer.opened : null;
  }

  #describe() {
    const { dims, union, drawing } = this.#shown;
    const { picture } = drawing;
    const chosen = this.#chosen;
    if (chosen) return `The outlined part ${isReadable(chosen) ? `was read as ${chosen.prediction}` : "can't be read"} (digit ${chosen.index + 1}).`;
    if (!dims) return this.#pad.note;
    if (!picture) return "The faded part of your drawing was left out.";
    const { isNumber } = this.#answer;
    const found = `what was taken for ${isNumber ? "the digits" : "the digit"}, ${describePlace(union)} of the picture`;
    if (picture.bitmap && isNumber) return "The dimmed part of the picture was left out.";
    if (picture.bitmap) return `The outline shows ${found}. The dimmed rest was left out.`;
    return `This browser can't show the picture. You see ${found}.`;
  }

  #paint() {
    const { masks, union, dims, drawing } = this.#shown ?? {};
    const chosen = this.#chosen;
    const isShown = masks && (dims || chosen);
    const style = getComputedStyle(this.#canvas);
    const [sheet, accent, pen] = ["--sheet", "--accent", "--pen"].map((name) => style.getPropertyValue(name));
    const view = resizeView(this.#pad.view, Math.min(this.#pad.view.height, MAX_HEIGHT));
    const state = isShown ? [...Object.values(view), sheet, chosen?.index].join() : "";
    if (state === this.#painted) return;
    this.#painted = state;
    this.#canvas.width = view.width;
    this.#canvas.height = view.height;
    if (!isShown) return;
    const context = this.#canvas.getContext("2d");
    const area = sentArea(drawing, union, this.#pad.view);
    if (dims) this.#dim(context, area, view, sheet);
    // The digits of a number have boxes.
    const outlined = this.#answer.isNumber ? chosen && masks[chosen.index] : union;
    if (outlined) context.drawImage(this.#outline(outlined, area, view, accent), 0, 0);
    if (drawing.picture && !drawing.picture.bitmap) context.drawImage(grow(union, area, view, 0, pen), 0, 0);
  }

  /** Return the shape of a mask on the pad, `radius` units wider: of strokes it is known more exactly. */
  #shape(mask, area, view, radius, color) {
    const { drawing } = this.#shown;
    if (drawing.picture) return grow(mask, area, view, radius, color);
    return grow(sharpen(drawing, mask, area, view, GAP), areaOf(view), view, radius, color);
  }

  #dim(context, area, view, sheet) {
    context.globalAlpha = DIM;
    context.fillStyle = sheet;
    const corner = [area.left - view.left, area.top - view.top];
    context.fillRect(...[...corner, area.width, area.height].map((length) => length * view.scale));
    context.globalAlpha = 1;
    context.globalCompositeOperation = "destination-out";
    context.drawImage(this.#shape(this.#shown.union, area, view, GAP, "#000"), 0, 0);
    context.globalCompositeOperation = "source-over";
  }

  #outline(mask, area, view, color) {
    const context = createLayer(view);
    context.drawImage(this.#shape(mask, area, view, GAP + LINE, color), 0, 0);
    context.globalCompositeOperation = "destination-out";
    context.drawImage(this.#shape(mask, area, view, GAP, "#000"), 0, 0);
    return context.canvas;
  }
}
