// A window that slides over a picture, by pointer, by arrow keys or by itself, and the pixel of the map that it gives.

import { finder, listen, setText } from "../dom.js";
import { cellAt, clamp, onKeys } from "./keys.js";

const SLOW = 6; // positions a second in the first row, to follow the numbers
const FAST = 36; // in the other rows, to see the map grow
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class SlidingWindow {
  #button;
  #mark;
  #lit;
  #step;
  #onMove;
  index = 0; // of its position, row by row
  #frame = 0;
  #isPaused = false; // by the button: it goes on from there

  /** `root` holds two canvases, each with a mark, and the button. `onMove()` is called for each position. */
  constructor(root, side, size, stride, onMove) {
    const one = finder(root);
    const canvas = one("from");
    this.count = (side - size) / stride + 1;
    this.#step = stride / size;
    this.#onMove = onMove;
    this.#mark = canvas.nextElementSibling;
    this.#lit = one("to").nextElementSibling;
    this.#button = one("play");
    this.#mark.style.width = this.#mark.style.height = `${(100 * size) / side}%`;
    this.#lit.style.width = this.#lit.style.height = `${100 / this.count}%`;
    const point = (event) => {
      if (this.isPlaying && event.type === "pointermove" && !event.buttons) return;
      const [x, y] = cellAt(event, side, side).map((cell) => Math.floor((cell - Math.floor((size - 1) / 2)) / stride));
      this.#choose(x, y);
    };
    listen(canvas, {
      pointerdown: point,
      pointermove: point,
    });
    onKeys(canvas, (x, y) => this.#choose(this.x + x, this.y + y));
    this.#button.addEventListener("click", () => {
      const wasPlaying = this.isPlaying;
      if (wasPlaying) this.pause();
      else this.#play();
      this.#isPaused = wasPlaying;
    });
  }

  get x() {
    return this.index % this.count;
  }

  get y() {
    return Math.floor(this.index / this.count);
  }

  get isPlaying() {
    return this.#frame > 0;
  }

  moveTo(index) {
    this.pause();
    this.#isPaused = false;
    this.index = index;
    this.#move();
  }

  pause() {
    if (!this.isPlaying) return;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    setText(this.#button, "Slide window");
    this.#move();
  }

  #play() {
    const last = this.count ** 2 - 1;
    let at = this.#isPaused ? this.index : 0;
    const firstRow = Math.floor(at / this.count);
    let before = performance.now();
    const tick = (now) => {
      at += (Math.min(now - before, 100) / 1000) * (this.y === firstRow ? SLOW : FAST);
      before = now;
      const index = Math.min(Math.floor(at), last);
      const hasMoved = index !== this.index;
      this.index = index;
      if (hasMoved) this.#move();
      if (index === last) this.pause();
      else {
        this.#place(still.matches || this.x === this.count - 1 ? 0 : at - index);
        this.#frame = requestAnimationFrame(tick);
      }
    };
    setText(this.#button, "Pause");
    this.#frame = requestAnimationFrame(tick);
  }

  #move() {
    this.#place(0);
    this.#lit.style.transform = `translate(${this.x * 100}%, ${this.y * 100}%)`;
    this.#onMove();
  }

  /** Place the window; `part` is how far it is on its way to the next position. */
  #place(part) {
    this.#mark.style.transform = `translate(${(this.x + part) * this.#step * 100}%, ${this.y * this.#step * 100}%)`;
  }

  #choose(x, y) {
    const index = clamp(y, this.count) * this.count + clamp(x, this.count);
    if (index !== this.index || this.isPlaying) this.moveTo(index);
  }
}
