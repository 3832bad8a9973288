// A layer's feature maps as tiles on one canvas. The tile under the pointer, or selected by arrow keys, is enlarged.

const GAP = 1; // pixels of a map between tiles
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function toRgb(color) {
  const context = document.createElement("canvas").getContext("2d");
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  return context.getImageData(0, 0, 1, 1).data;
}

export class FeatureMapTiles {
  #selected = null;
  #values = null;

  /** `root` holds two canvases: all tiles, and the selected one. `onSelect(map)` is called for each selection. */
  constructor(root, { maps, side }, onSelect) {
    Object.assign(this, { maps, side, onSelect });
    this.columns = maps / 4;
    this.canvas = root.querySelector("[data-tiles]");
    this.large = root.querySelector("[data-large]");
    this.canvas.width = this.columns * (side + GAP) - GAP;
    this.canvas.height = 4 * (side + GAP) - GAP;
    this.large.width = this.large.height = side;
    this.canvas.addEventListener("pointermove", (event) => this.#point(event));
    this.canvas.addEventListener("pointerdown", (event) => this.#point(event));
    this.canvas.addEventListener("keydown", (event) => this.#step(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.show(this.#values));
  }

  /** Paint `values`: map after map, row by row, or null. The layer's peak activation has the full colour. */
  show(values) {
    this.#values = values;
    const style = getComputedStyle(this.canvas);
    const [background, ink] = [toRgb(style.getPropertyValue("--sheet")), toRgb(style.getPropertyValue("--accent"))];
    const peak = values ? values.reduce((max, value) => Math.max(max, value), 1e-6) : 1;
    const size = this.side * this.side;
    const picture = (map) => {
      const image = new ImageData(this.side, this.side);
      for (let index = 0; index < size; index += 1) {
        const share = values ? Math.sqrt(values[map * size + index] / peak) : 0;
        for (let c = 0; c < 3; c += 1) image.data[4 * index + c] = background[c] + (ink[c] - background[c]) * share;
        image.data[4 * index + 3] = 255;
      }
      return image;
    };
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (let map = 0; map < this.maps; map += 1) {
      const [x, y] = [map % this.columns, Math.floor(map / this.columns)];
      context.putImageData(picture(map), x * (this.side + GAP), y * (this.side + GAP));
    }
    this.large.hidden = this.#selected === null;
    if (this.#selected === null) return;
    this.large.getContext("2d").putImageData(picture(this.#selected), 0, 0);
    this.#frame(context, style.getPropertyValue("--second"));
  }

  /** Outline the selected tile in the gaps around it. */
  #frame(context, color) {
    const step = this.side + GAP;
    context.strokeStyle = color;
    context.strokeRect((this.#selected % this.columns) * step - 0.5, Math.floor(this.#selected / this.columns) * step - 0.5, step, step);
  }

  #point(event) {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * this.columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * 4);
    this.#select(Math.min(3, Math.max(0, row)) * this.columns + Math.min(this.columns - 1, Math.max(0, column)));
  }

  #step(event) {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const at = this.#selected ?? -step[0] - step[1] * this.columns;
    const next = at + step[0] + step[1] * this.columns;
    if (next >= 0 && next < this.maps) this.#select(next);
  }

  #select(map) {
    if (map === this.#selected) return;
    this.#selected = map;
    this.show(this.#values);
    this.onSelect(map);
  }
}
