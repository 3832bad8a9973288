// A window that slides over a picture, by pointer, by arrow keys or by itself, and the pixel of the map that it gives.

import { setText } from "../dom.js";

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], Home: [-99, 0], End: [99, 0] };
const SLOW = 6; // positions a second in the first row, to follow the numbers
const FAST = 36; // in the other rows, to see the map grow
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class SlidingWindow {
  x = 0;
  y = 0;
  #frame = 0;
  #isPaused = false; // by the button: it goes on from there

  /** `root` holds two frames, each a canvas with a mark, and the button. `onMove(isPlaying)` is called for each position. */
  constructor(root, { side, size, stride, onMove }) {
    const one = (hook) => root.querySelector(`[data-${hook}]`);
    Object.assign(this, { side, size, stride, onMove, status: one("status") });
    this.count = (side - size) / stride + 1;
    this.canvas = one("from");
    this.mark = this.canvas.nextElementSibling;
    this.lit = one("to").nextElementSibling;
    this.button = one("play");
    this.mark.style.width = this.mark.style.height = `${(100 * size) / side}%`;
    this.lit.style.width = this.lit.style.height = `${100 / this.count}%`;
    for (const type of ["pointerdown", "pointermove"]) this.canvas.addEventListener(type, (event) => this.#point(event));
    this.canvas.addEventListener("keydown", (event) => this.#step(event));
    this.button.addEventListener("click", () => this.#toggle());
    this.#place(0);
  }

  get isPlaying() {
    return this.#frame !== 0;
  }

  /** How many positions the window has passed, row by row. */
  get index() {
    return this.y * this.count + this.x;
  }

  #toggle() {
    if (!this.#frame) this.#play();
    else {
      this.pause();
      this.#isPaused = true;
    }
  }

  moveTo(index) {
    this.pause();
    this.#isPaused = false;
    [this.x, this.y] = [index % this.count, Math.floor(index / this.count)];
    this.#place(0);
    this.onMove();
  }

  pause() {
    if (!this.#frame) return;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    setText(this.button, "Slide window");
    this.#place(0);
    this.onMove();
  }

  #play() {
    const count = this.count ** 2;
    let at = this.#isPaused ? this.index : 0;
    this.#isPaused = false;
    const firstRow = Math.floor(at / this.count);
    let before = performance.now();
    const tick = (now) => {
      at += (Math.min(now - before, 100) / 1000) * (Math.floor(at / this.count) === firstRow ? SLOW : FAST);
      before = now;
      const index = Math.min(Math.floor(at), count - 1);
      const hasMoved = index !== this.index;
      [this.x, this.y] = [index % this.count, Math.floor(index / this.count)];
      this.#place(still.matches || this.x === this.count - 1 ? 0 : at - index);
      if (hasMoved) this.onMove();
      if (index === count - 1) this.pause();
      else this.#frame = requestAnimationFrame(tick);
    };
    setText(this.button, "Pause");
    this.#frame = requestAnimationFrame(tick);
  }

  /** Move the marks; `part` is how far the window is on its way to the next position. */
  #place(part) {
    const share = (100 * this.stride) / this.size;
    this.mark.style.transform = `translate(${(this.x + part) * share}%, ${this.y * share}%)`;
    this.lit.style.transform = `translate(${this.x * 100}%, ${this.y * 100}%)`;
  }

  #choose(x, y) {
    const within = (value) => Math.min(this.count - 1, Math.max(0, value));
    const index = within(y) * this.count + within(x);
    if (index !== this.index || this.isPlaying) this.moveTo(index);
  }

  #point(event) {
    if (event.type === "pointermove" && this.isPlaying && !event.buttons) return;
    const box = this.canvas.getBoundingClientRect();
    const cell = (offset, length) => Math.floor((Math.floor((offset / length) * this.side) - Math.floor((this.size - 1) / 2)) / this.stride);
    this.#choose(cell(event.clientX - box.left, box.width), cell(event.clientY - box.top, box.height));
  }

  #step(event) {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    this.#choose(this.x + step[0], this.y + step[1]);
  }
}
