// The drawing area: keeps the drawing, its past and the stroke in hand, and paints them.
// Where strokes come from (pointer, keys, a file) is the business of other modules.

import { BLANK, isBlank, paint } from "./ink.js";
import { UndoStack } from "./undo.js";

export class Pad extends EventTarget {
  #others = new UndoStack();
  #acts = 0;
  #stroke = null;
  #cursor = null;
  #frame = 0;

  constructor(canvas) {
    super();
    this.canvas = canvas;
    this.drawing = BLANK;
    this.width = 0.07;
    new ResizeObserver(() => this.#fit()).observe(canvas);
    this.#followScreen();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
  }

  get canUndo() {
    return this.#others.canUndo;
  }

  get canRedo() {
    return this.#others.canRedo;
  }

  /** What is on the pad at this moment, the stroke in hand included. */
  get current() {
    if (!this.#stroke) return this.drawing;
    return { strokes: [...this.#under().strokes, this.#stroke], picture: null };
  }

  get isBlank() {
    return isBlank(this.drawing);
  }

  /** Count an act whose result comes later; `isNewest` tells then whether another act came after it. */
  nextAct() {
    this.#acts += 1;
    return this.#acts;
  }

  isNewest(act) {
    return act === this.#acts;
  }

  begin(point) {
    this.nextAct();
    this.end();
    this.#stroke = { width: this.width, points: [point] };
    this.#inked();
  }

  extend(points) {
    if (!this.#stroke) return;
    this.#stroke.points.push(...points);
    this.#inked();
  }

  /** The stroke in hand was not meant. */
  cancel() {
    if (!this.#stroke) return;
    this.#stroke = null;
    this.#changed();
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
    this.nextAct();
    this.#stroke = null;
    if (this.isBlank) this.repaint();
    else this.#replace(BLANK);
  }

  undo() {
    this.nextAct();
    if (this.#stroke) this.#stroke = null;
    else if (this.canUndo) this.drawing = this.#others.undo(this.drawing);
    else return;
    this.#changed();
  }

  redo() {
    this.nextAct();
    if (this.#stroke || !this.canRedo) return;
    this.drawing = this.#others.redo(this.drawing);
    this.#changed();
  }

  /** Where the keyboard's pen stands: {x, y, down}, or null when it is not in use. */
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
    this.#others.push(this.drawing);
    this.drawing = drawing;
    this.#changed();
  }

  /** A stroke begun on an uploaded picture starts a new drawing: the network reads one thing or the other. */
  #under() {
    return this.drawing.picture ? BLANK : this.drawing;
  }

  #inked() {
    this.repaint();
    this.dispatchEvent(new Event("ink"));
  }

  #changed() {
    this.repaint();
    this.dispatchEvent(new Event("change"));
  }

  /** Another screen, or another zoom, may have other pixels. */
  #followScreen() {
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", () => {
      this.#fit();
      this.#followScreen();
    }, { once: true });
  }

  #fit() {
    const side = Math.round(this.canvas.clientWidth * devicePixelRatio);
    if (this.canvas.width !== side || this.canvas.height !== side) {
      this.canvas.width = side;
      this.canvas.height = side;
    }
    // At once and not at the next frame: setting the size has just wiped the canvas.
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
