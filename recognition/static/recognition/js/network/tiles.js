// A layer as tiles on one canvas: feature maps, kernels beside their maps, or units. One is selected by click or keyboard.

import { KERNEL, WEIGHTS } from "./convolution.js";
import { cellAt, onKeys } from "./keys.js";
import { narrow, peakOf, Picture } from "./paint.js";

const KERNEL_SCALE = 4;
const KERNEL_WIDTH = KERNEL * KERNEL_SCALE + 2;

export class Tiles {
  selected = 0;

  /** `onSelect(tile)` is called when somebody chooses one. A phone has half the `columns`. `indent` leaves room for kernels. */
  constructor(canvas, { maps, side, columns, scale = 1, gap = 1, kernels = false }, onSelect) {
    Object.assign(this, { canvas, maps, side, scale, gap, onSelect, wide: columns, indent: kernels ? KERNEL_WIDTH : 0 });
    canvas.addEventListener("click", (event) => {
      const [x, y] = cellAt(event, this.columns, this.rows);
      onSelect(y * this.columns + x);
    });
    onKeys(canvas, (x, y) => this.#step(x, y));
  }

  #fit() {
    const columns = narrow.matches ? this.wide / 2 : this.wide;
    if (columns === this.columns) return;
    this.columns = columns;
    this.rows = this.maps / this.columns;
    this.height = this.side * this.scale;
    this.width = this.indent + this.height;
    this.picture = new Picture(this.canvas, this.columns * (this.width + this.gap) + this.gap, this.rows * (this.height + this.gap) + this.gap);
  }

  /** Show `values`, map after map, row by row; beside each map its kernel of 25 `weights`. */
  show(values, weights) {
    this.#fit();
    const { side, scale, indent, picture } = this;
    Object.assign(this, { values, peak: peakOf(values) });
    const weightsPeak = indent && peakOf(weights);
    for (let tile = 0; tile < this.maps; tile += 1) {
      const [left, top] = this.#corner(tile);
      if (indent) picture.draw(weights, tile * WEIGHTS, KERNEL, weightsPeak, left, top + 2, KERNEL_SCALE);
      picture.draw(values, tile * side * side, side, this.peak, left + indent, top, scale);
    }
    this.select(this.selected);
  }

  /** Frame a tile. */
  select(tile) {
    const { context } = this.picture;
    this.selected = tile;
    if (this.canvas.role === "slider") this.canvas.ariaValueNow = tile + 1;
    this.picture.show();
    const [left, top] = this.#corner(tile);
    context.strokeStyle = getComputedStyle(this.canvas).color;
    context.strokeRect(left - 0.5, top - 0.5, this.width + 1, this.height + 1);
  }

  #corner(tile) {
    return [(tile % this.columns) * (this.width + this.gap) + this.gap, Math.floor(tile / this.columns) * (this.height + this.gap) + this.gap];
  }

  #step(x, y) {
    const next = Math.abs(x) > 1 ? (x < 0 ? 0 : this.maps - 1) : this.selected + x + y * this.columns;
    if (next >= 0 && next < this.maps) this.onSelect(next);
  }
}
