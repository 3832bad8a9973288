// The drawing area: holds the drawing, its undo stack and the current stroke, and paints them.
// Strokes come from other modules: pointer, keyboard, picture.

import { areaOfPicture, BLANK, boxOf, isBlank, isOnPicture, measureInk, paint, paintCursor } from "./ink.js";
import { UndoStack } from "./undo.js";
import { boundsOf, clampTo, fitView, followPixelRatio, isInView, wholeView } from "./view.js";

const ERASER = 2; // times the pen's width
const OVERSHOOT = 0.07; // units that a stroke may leave the pad, out of sight

const OUTSIDE = "Draw on the picture, or clear it first.";
const REPLACED = "Your stroke replaced the picture, which this browser can't show. Undo brings it back.";

export class Pad extends EventTarget {
  #undoStack = new UndoStack();
  #actions = 0;
  #stroke = null;
  #cursor = null;
  #frame = 0;
  #erases = false;

  constructor(canvas) {
    super();
    this.canvas = canvas;
    this.drawing = BLANK;
    this.width = 0.07; // of the pen, in units of the pad's height
    this.view = wholeView(1, 1);
    this.note = "";
    new ResizeObserver(() => this.#fit()).observe(canvas);
    followPixelRatio(() => this.#fit());
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
    const base = this.#base();
    return { ...base, strokes: [...base.strokes, this.#stroke] };
  }

  get isBlank() {
    return isBlank(this.drawing);
  }

  /** Whether there are strokes: a picture is not erased. */
  get canErase() {
    return this.drawing.strokes.length > 0;
  }

  /** Whether strokes erase. */
  get erases() {
    return this.#erases;
  }

  set erases(erases) {
    const chosen = erases && this.canErase;
    if (chosen === this.#erases) return;
    this.#erases = chosen;
    this.repaint();
    this.dispatchEvent(new Event("tool"));
  }

  /** Number an action whose result comes later, so that `isLatest` can tell whether another one followed. */
  nextAction() {
    this.#actions += 1;
    return this.#actions;
  }

  isLatest(action) {
    return action === this.#actions;
  }

  /** Return a point of the window in units of the pad's height. */
  locate(clientX, clientY) {
    const box = this.canvas.getBoundingClientRect();
    const { left, top, right, bottom } = boundsOf(this.view);
    const [across, down] = [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
    return [left + across * (right - left), top + down * (bottom - top)];
  }

  begin(point, erases = this.erases) {
    this.nextAction();
    this.end();
    if (erases && !this.canErase) return;
    const { picture } = this.drawing;
    const isOutside = picture?.bitmap && !isOnPicture(this.drawing, point, this.view);
    this.say(isOutside ? OUTSIDE : picture && !picture.bitmap ? REPLACED : "");
    if (isOutside) return;
    this.#stroke = { width: this.width * (erases ? ERASER : 1), points: [clampTo(this.view, point, OVERSHOOT)], erases };
    this.#notifyInk();
  }

  extend(points) {
    if (!this.#stroke) return;
    this.#stroke.points.push(...points.map((point) => clampTo(this.view, point, OVERSHOOT)));
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
    const { erases } = this.#stroke;
    this.#stroke = null;
    if (!erases) {
      this.#replace(drawing);
      return;
    }
    const { amount } = measureInk(drawing.strokes);
    if (amount === 0) this.#replace({ ...BLANK, picture: drawing.picture });
    else if (amount < measureInk(this.drawing.strokes).amount) this.#replace(drawing);
    else this.#notifyChange(); // nothing was under the eraser
  }

  /** Replace the drawing by another one. Undo returns to it. */
  show(drawing) {
    this.nextAction();
    this.#stroke = null;
    this.say("");
    this.#replace({ ...BLANK, ...drawing });
  }

  /** Begin with a drawing: there is nothing to undo. */
  restore(drawing) {
    this.drawing = drawing;
    this.#notifyChange();
  }

  /** Tell the visitor something about the pad. */
  say(note) {
    this.note = note;
    this.dispatchEvent(new Event("note"));
  }

  clear() {
    this.nextAction();
    this.#stroke = null;
    this.say("");
    if (this.isBlank) this.repaint();
    else this.#replace(BLANK);
  }

  undo() {
    this.nextAction();
    this.say("");
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

  /** The keyboard's pen, or the eraser under a pointer: {x, y, down}, or null when it is not in use. */
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
    this.#undoStack.push(this.drawing, drawing);
    this.drawing = drawing;
    this.#notifyChange();
  }

  /** What the current stroke is added to. A picture that can't be shown can't be drawn on: a new drawing starts. */
  #base() {
    const { picture } = this.drawing;
    if (!picture) return this.drawing;
    return picture.bitmap ? { ...this.drawing, area: areaOfPicture(this.drawing, this.view) } : BLANK;
  }

  #notifyInk() {
    this.repaint();
    this.dispatchEvent(new Event("ink"));
  }

  #notifyChange() {
    if (!this.canErase) this.erases = false;
    this.#showAll();
    this.repaint();
    this.dispatchEvent(new Event("change"));
  }

  #fit() {
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight].map((side) => Math.round(side * devicePixelRatio));
    if (!width || !height) return;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.view = fitView(width, height, boxOf(this.current));
    // Immediately: setting the size has cleared the canvas.
    this.#paint();
  }

  /** Keep the view while the whole drawing is visible in it: a telephone may have been turned since it was drawn. */
  #showAll() {
    const { width, height } = this.canvas;
    const box = boxOf(this.drawing);
    if (!this.canErase || !isInView(box, this.view)) this.view = fitView(width, height, box);
  }

  #paint() {
    const context = this.canvas.getContext("2d");
    const style = getComputedStyle(this.canvas);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    paint(context, this.current, this.view, style.getPropertyValue("--pen"));
    if (this.#cursor) {
      const cursor = { ...this.#cursor, down: this.#cursor.down && !this.erases };
      paintCursor(context, cursor, this.width * (this.erases ? ERASER : 1), this.view, style.getPropertyValue("--accent"));
    }
    this.canvas.parentElement.toggleAttribute("data-marked", !this.isBlank || this.#stroke !== null);
    this.dispatchEvent(new Event("paint"));
  }
}
