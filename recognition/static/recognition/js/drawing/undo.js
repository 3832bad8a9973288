// The drawings that undo and redo return to. A picture belongs to all drawings on it and is freed with the last one.

const MAX_DRAWINGS = 200;
const MAX_BYTES = 32_000_000; // of all their pictures

const picturesOf = (drawings) => new Set(drawings.map(({ picture }) => picture).filter(Boolean));

function pictureBytes(drawings) {
  return [...picturesOf(drawings)].reduce((sum, { file, bitmap }) => sum + file.size + 4 * (bitmap?.width ?? 0) * (bitmap?.height ?? 0), 0);
}

/** Free the pictures of drawings, but for those that are kept. */
function releasePictures(drawings, kept) {
  const needed = picturesOf(kept);
  for (const picture of picturesOf(drawings)) if (!needed.has(picture)) picture.bitmap?.close();
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

  /** Add a drawing that was replaced by `current`, and clear the redo stack. */
  push(drawing, current) {
    const redone = this.#future;
    this.#future = [];
    this.#past.push(drawing);
    const dropped = [];
    while (this.#past.length > MAX_DRAWINGS || pictureBytes(this.#past) > MAX_BYTES) {
      dropped.push(this.#past.shift());
    }
    releasePictures([...redone, ...dropped], [...this.#past, current]);
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
