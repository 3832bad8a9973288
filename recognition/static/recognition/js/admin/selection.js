// Select tiles of the wall: click, Shift-click, drag, arrow keys. The tiles' checkboxes hold the selection.

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

export class Selection {
  /** `onChange()` is called after every change. */
  constructor(wall, onChange) {
    this.tiles = [...wall.querySelectorAll("[data-tile]")];
    this.onChange = onChange;
    this.anchor = 0;
    this.drag = null;
    this.#makeCurrent(0);
    wall.addEventListener("change", () => onChange());
    wall.addEventListener("focusin", (event) => this.#followFocus(event));
    wall.addEventListener("click", (event) => this.#click(event));
    wall.addEventListener("pointerdown", (event) => this.#startDrag(event));
    document.addEventListener("pointermove", (event) => this.#continueDrag(event));
    document.addEventListener("pointerup", () => this.#endDrag());
  }

  /** The selected tiles, or else the one in focus. */
  get targets() {
    const selected = this.selected;
    if (selected.length > 0) return selected;
    return this.tiles.filter((tile) => tile.contains(document.activeElement));
  }

  get selected() {
    return this.tiles.filter((tile) => boxOf(tile).checked);
  }

  setAll(checked) {
    for (const tile of this.tiles) boxOf(tile).checked = checked;
    this.onChange();
  }

  focus(tile) {
    boxOf(tile).focus();
    tile.scrollIntoView({ block: "nearest" });
  }

  /** Move the focus by an arrow key, with Shift also the selection. Return whether the key is one. */
  move(key, extend) {
    const step = STEPS[key] ?? { ArrowUp: -this.#columns(), ArrowDown: this.#columns() }[key];
    if (step === undefined) return false;
    const isInside = this.tiles.some((tile) => tile.contains(document.activeElement));
    const from = this.current;
    const to = isInside ? from + step : from;
    if (to < 0 || to >= this.tiles.length) return true;
    if (extend) this.#selectRange(from, to);
    this.focus(this.tiles[to]);
    return true;
  }

  #columns() {
    const top = this.tiles[0].offsetTop;
    const next = this.tiles.findIndex((tile) => tile.offsetTop > top);
    return next === -1 ? this.tiles.length : next;
  }

  /** Only one checkbox is a tab stop: Tab leaves the wall. */
  #makeCurrent(index) {
    this.current = index;
    for (const [place, tile] of this.tiles.entries()) boxOf(tile).tabIndex = place === index ? 0 : -1;
  }

  #followFocus(event) {
    const index = this.#indexOf(event.target);
    if (index !== -1) this.#makeCurrent(index);
  }

  #indexOf(element) {
    return this.tiles.indexOf(element?.closest?.("[data-tile]"));
  }

  #selectRange(from, to) {
    const [first, last] = from < to ? [from, to] : [to, from];
    for (const tile of this.tiles.slice(first, last + 1)) boxOf(tile).checked = true;
    this.onChange();
  }

  #click(event) {
    const index = this.#indexOf(event.target);
    if (index === -1 || event.target.closest("a")) return;
    if (this.suppressClick) {
      event.preventDefault();
    } else if (event.shiftKey) {
      event.preventDefault();
      const from = this.anchor;
      this.#selectRange(from, index);
      if (event.target === boxOf(this.tiles[index])) setTimeout(() => this.#selectRange(from, index)); // it is restored
      this.focus(this.tiles[index]);
    }
    this.anchor = index;
  }

  #startDrag(event) {
    const index = this.#indexOf(event.target);
    this.suppressClick = false;
    if (event.pointerType !== "mouse" || event.button !== 0 || index === -1 || event.target.closest("a")) return;
    this.drag = { from: index, before: this.tiles.map((tile) => boxOf(tile).checked) };
  }

  #continueDrag(event) {
    if (!this.drag) return;
    const index = this.#indexOf(document.elementFromPoint(event.clientX, event.clientY));
    if (index === -1 || (index === this.drag.from && !this.suppressClick)) return;
    this.suppressClick = true;
    for (const [place, tile] of this.tiles.entries()) boxOf(tile).checked = this.drag.before[place];
    this.#selectRange(this.drag.from, index);
  }

  #endDrag() {
    this.drag = null;
  }
}

function boxOf(tile) {
  return tile.querySelector("input");
}
