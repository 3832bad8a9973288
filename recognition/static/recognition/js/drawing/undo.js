// The drawings that undo and redo go back to. Each picture belongs to one drawing and is freed with it.

const MOST_DRAWINGS = 200;
const MOST_BYTES = 32_000_000; // of their pictures

const bytes = ({ picture }) => (picture ? picture.file.size + 4 * (picture.bitmap?.width ?? 0) * (picture.bitmap?.height ?? 0) : 0);

function free(drawings) {
  for (const { picture } of drawings) picture?.bitmap?.close();
}

export class UndoStack {
  #past = [];
  #future = [];

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  /** Keep a drawing that another has replaced. What was undone before can no longer be redone. */
  push(drawing) {
    free(this.#future);
    this.#future = [];
    this.#past.push(drawing);
    let size = this.#past.reduce((sum, kept) => sum + bytes(kept), 0);
    while (this.#past.length > MOST_DRAWINGS || size > MOST_BYTES) {
      const oldest = this.#past.shift();
      size -= bytes(oldest);
      free([oldest]);
    }
  }

  /** The drawing before `drawing`. */
  undo(drawing) {
    this.#future.push(drawing);
    return this.#past.pop();
  }

  /** The drawing after `drawing`. */
  redo(drawing) {
    this.#past.push(drawing);
    return this.#future.pop();
  }
}
