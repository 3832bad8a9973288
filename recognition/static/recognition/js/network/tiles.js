// A layer as tiles on one canvas: feature maps, kernels beside their maps, or units. One is selected by click or arrow keys.

import { KERNEL, WEIGHTS } from "./convolution.js";
import { onScheme, peakOf, Picture } from "./paint.js";

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KERNEL_SCALE = 4;
const KERNEL_WIDTH = KERNEL * KERNEL_SCALE + 2;
const narrow = matchMedia("(max-width: 36rem)");

export class Tiles {
  selected = 0;
  #values = null;

  /** `onSelect(tile)` is called when somebody chooses one. `columns` are halved on a phone; `kernels` leaves room for them. */
  constructor(canvas, { maps, side, columns, scale = 1, gap = 1, kernels = false }, onSelect) {
    Object.assign(this, { canvas, maps, side, scale, gap, onSelect, wide: columns, kernels });
    this.#fit();
    canvas.addEventListener("click", (event) => this.#point(event));
    canvas.addEventListener("keydown", (event) => this.#step(event));
    narrow.addEventListener("change", () => this.#fit());
    onScheme(() => this.#paint());
  }

  /** Show `values`, map after map, row by row, or null; beside each map its kernel of 25 `weights`. */
  show(values, weights = null) {
    this.#values = values;
    this.weights = weights;
    this.peak = peakOf(values);
    this.#paint();
  }

  select(tile) {
    this.selected = tile;
    this.canvas.setAttribute("aria-valuenow", tile + 1);
    this.#frame();
  }

  #fit() {
    this.columns = narrow.matches ? this.wide / 2 : this.wide;
    this.rows = this.maps / this.columns;
    this.indent = this.kernels ? KERNEL_WIDTH : 0;
    this.height = this.side * this.scale;
    this.width = this.indent + this.height;
    this.picture = new Picture(this.canvas, this.columns * (this.width + this.gap) + this.gap, this.rows * (this.height + this.gap) + this.gap);
    this.#paint();
  }

  #corner(tile) {
    return [(tile % this.columns) * (this.width + this.gap) + this.gap, Math.floor(tile / this.columns) * (this.height + this.gap) + this.gap];
  }

  #paint() {
    const { picture, side, scale } = this;
    const weightsPeak = peakOf(this.weights);
    for (let tile = 0; tile < this.maps; tile += 1) {
      const [left, top] = this.#corner(tile);
      if (this.kernels) picture.draw(this.weights, tile * WEIGHTS, KERNEL, weightsPeak, { left, top: top + 2, scale: KERNEL_SCALE });
      picture.draw(this.#values, tile * side * side, side, this.peak, { left: left + this.indent, top, scale });
    }
    this.#frame();
  }

  /** Show the pictures, and a frame around the selected one. */
  #frame() {
    const { picture } = this;
    picture.show();
    if (!this.#values) return;
    const [left, top] = this.#corner(this.selected);
    picture.context.strokeStyle = getComputedStyle(this.canvas).color;
    picture.context.strokeRect(left - 0.5, top - 0.5, this.width + 1, this.height + 1);
  }

  #point(event) {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * this.columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * this.rows);
    this.#choose(Math.min(this.rows - 1, Math.max(0, row)) * this.columns + Math.min(this.columns - 1, Math.max(0, column)));
  }

  #step(event) {
    const [x, y] = STEPS[event.key] ?? [];
    const ends = { Home: 0, End: this.maps - 1 };
    const next = ends[event.key] ?? this.selected + x + y * this.columns;
    if (Number.isNaN(next)) return;
    event.preventDefault();
    if (next >= 0 && next < this.maps) this.#choose(next);
  }

  #choose(tile) {
    if (this.#values) this.onSelect(tile);
  }
}
