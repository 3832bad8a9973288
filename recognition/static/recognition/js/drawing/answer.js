// The answer that is shown, and which of its digits is open: its bars, its picture, its correction. One digit is a number of one.

export class Answer extends EventTarget {
  #index = 0;

  /** The prediction that is shown, with its `drawing`, or null. */
  shown = null;

  /** Whether the drawing on the pad is finished and is the one that was predicted. */
  isSettled = false;

  /** Whether somebody has chosen the open digit. */
  isChosen = false;

  get isNumber() {
    return this.shown !== null && this.shown.digits.length > 1;
  }

  /** The digit that is open, with its `index` and the `model`, or null. */
  get opened() {
    if (!this.shown) return null;
    const { digits, model } = this.shown;
    return { ...digits[this.#index], index: this.#index, model };
  }

  onChange(callback) {
    this.addEventListener("change", callback);
  }

  /** Show a prediction. A digit that was chosen stays open while strokes are added and there is one in its place. */
  show(prediction, isSettled) {
    const isOther = prediction.drawing.picture !== (this.shown?.drawing.picture ?? null);
    if (isOther || this.#index >= prediction.digits.length) this.#choose(0, false);
    this.shown = prediction;
    this.isSettled = isSettled;
    this.#notify();
  }

  /** The drawing has changed since: a newer prediction will follow. */
  unsettle() {
    if (!this.isSettled) return;
    this.isSettled = false;
    this.#notify();
  }

  clear() {
    this.shown = null;
    this.isSettled = false;
    this.#choose(0, false);
    this.#notify();
  }

  open(index) {
    this.#choose(index, true);
    this.#notify();
  }

  #choose(index, isChosen) {
    this.#index = index;
    this.isChosen = isChosen;
  }

  #notify() {
    this.dispatchEvent(new Event("change"));
  }
}
