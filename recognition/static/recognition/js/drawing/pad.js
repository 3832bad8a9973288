// The drawing area: holds the drawing, its undo stack and the current stroke, and paints them.
// Strokes come from other modules: pointer, keyboard, picture.

import { BLANK, isBlank, paint } from "./ink.js";
import { UndoStack } from "./undo.js";

export class Pad extends EventTarget {
  #undoStack = new UndoStack();
  #actions = 0;
  #stroke = null;
  #cursor = null;
  #frame = 0;

  constructor(canvas) {
    super();
    this.canvas = canvas;
    this.drawing = BLANK;
    this.width = 0.07;
    new ResizeObserver(() => this.#fit()).observe(canvas);
    this.#followPixelRatio();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
  }

  get canUndo() {
    return this.#undoStack.canUndo;
  }

  get canRedo() {
    return this.#undoStack.canRedo;
  }

  /** The drawing, including the stroke that is being drawn. */
  get current() {
    if (!this.#stroke) return this.drawing;
    return { strokes: [...this.#base().strokes, this.#stroke], picture: null };
  }

  get isBlank() {
    return isBlank(this.drawing);
  }

  /** Number an action whose result comes later, so that `isLatest` can tell whether another one followed. */
  nextAction() {
    this.#actions += 1;
    return this.#actions;
  }

  isLatest(action) {
    return action === this.#actions;
  }

  begin(point) {
    this.nextAction();
    this.end();
    this.#stroke = { width: this.width, points: [point] };
    this.#notifyInk();
  }

  extend(points) {
    if (!this.#stroke) return;
    this.#stroke.points.push(...points);
    this.#notifyInk();
  }

  /** Discard the current stroke. */
  cancel() {
    if (!this.#stroke) return;
    this.#stroke = null;
    this.#notifyChange();
  }

  end() {
    if (!this.#stroke) return;
    const drawing = this.current;
    this.#stroke = null;
    this.#replace(drawing);
  }

  show(picture) {
    this.#stroke = null;
    this.#replace({ strokes: [], picture });
  }

  clear() {
    this.nextAction();
    this.#stroke = null;
    if (this.isBlank) this.repaint();
    else this.#replace(BLANK);
  }

  undo() {
    this.nextAction();
    if (this.#stroke) this.#stroke = null;
    else if (this.canUndo) this.drawing = this.#undoStack.undo(this.drawing);
    else return;
    this.#notifyChange();
  }

  redo() {
    this.nextAction();
    if (this.#stroke || !this.canRedo) return;
    this.drawing = this.#undoStack.redo(this.drawing);
    this.#notifyChange();
  }

  /** The keyboard's pen: {x, y, down}, or null when it is not in use. */
  set cursor(cursor) {
    this.#cursor = cursor;
    this.repaint();
  }

  repaint() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
    });
  }

  #replace(drawing) {
    this.#undoStack.push(this.drawing);
    this.drawing = drawing;
    this.#notifyChange();
  }

  /** What the current stroke is added to. A stroke on an uploaded picture starts a new drawing. */
  #base() {
    return this.drawing.picture ? BLANK : this.drawing;
  }

  #notifyInk() {
    this.repaint();
    this.dispatchEvent(new Event("ink"));
  }

  #notifyChange() {
    this.repaint();
    this.dispatchEvent(new Event("change"));
  }

  /** Another screen or zoom level may have another pixel ratio. */
  #followPixelRatio() {
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", () => {
      this.#fit();
      this.#followPixelRatio();
    }, { once: true });
  }

  #fit() {
    const side = Math.round(this.canvas.clientWidth * devicePixelRatio);
    if (this.canvas.width !== side || this.canvas.height !== side) {
      this.canvas.width = side;
      this.canvas.height = side;
    }
    // Immediately: setting the size has cleared the canvas.
    this.#paint();
  }

  #paint() {
    const context = this.canvas.getContext("2d");
    const side = this.canvas.width;
    const style = getComputedStyle(this.canvas);
    context.clearRect(0, 0, side, side);
    paint(context, this.current, side, style.getPropertyValue("--pen"));
    if (this.#cursor) this.#paintCursor(context, side, style.getPropertyValue("--accent"));
    this.canvas.parentElement.toggleAttribute("data-marked", !this.isBlank || this.#stroke !== null);
    this.dispatchEvent(new Event("paint"));
  }

  #paintCursor(context, side, color) {
    const { x, y, down } = this.#cursor;
    context.beginPath();
    context.arc(x * side, y * side, Math.max((this.width * side) / 2, 5 * devicePixelRatio), 0, 2 * Math.PI);
    context.lineWidth = 2 * devicePixelRatio;
    context.strokeStyle = color;
    context.stroke();
    if (!down) return;
    context.fillStyle = color;
    context.fill();
  }
}
