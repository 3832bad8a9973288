// The drawings that undo and redo return to. Each picture belongs to one drawing and is freed with it.

const MAX_DRAWINGS = 200;
const MAX_BYTES = 32_000_000; // of all their pictures

const pictureBytes = ({ picture }) => (picture ? picture.file.size + 4 * (picture.bitmap?.width ?? 0) * (picture.bitmap?.height ?? 0) : 0);

function releasePictures(drawings) {
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

  /** Add a drawing that was replaced, and clear the redo stack. */
  push(drawing) {
    releasePictures(this.#future);
    this.#future = [];
    this.#past.push(drawing);
    let size = this.#past.reduce((sum, kept) => sum + pictureBytes(kept), 0);
    while (this.#past.length > MAX_DRAWINGS || size > MAX_BYTES) {
      const oldest = this.#past.shift();
      size -= pictureBytes(oldest);
      releasePictures([oldest]);
    }
  }

  /** Return the drawing before `drawing`. */
  undo(drawing) {
    this.#future.push(drawing);
    return this.#past.pop();
  }

  /** Return the drawing after `drawing`. */
  redo(drawing) {
    this.#past.push(drawing);
    return this.#future.pop();
  }
}
