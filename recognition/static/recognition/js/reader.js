// Asks the server what a drawing is, a moment after it changed; only the newest question may be answered.

import { post } from "./http.js";
import { isBlank, toDataUrl } from "./ink.js";

const PAUSE = 150;

function body(drawing) {
  if (!drawing.picture) return { drawing: toDataUrl(drawing) };
  const form = new FormData();
  form.append("drawing", drawing.picture.file, drawing.picture.name);
  return form;
}

export class Reader extends EventTarget {
  #url;
  #question = 0;
  #timer = 0;
  #abort = null;

  constructor(url) {
    super();
    this.#url = `${url}?preview=1`;
  }

  read(drawing, pause = PAUSE) {
    this.#question += 1;
    clearTimeout(this.#timer);
    this.#abort?.abort();
    if (isBlank(drawing)) {
      this.#tell("blank");
      return;
    }
    const question = this.#question;
    this.#timer = setTimeout(() => this.#ask(question, drawing), pause);
  }

  async #ask(question, drawing) {
    this.#abort = new AbortController();
    this.#tell("reading");
    try {
      const answer = await post(this.#url, body(drawing), { signal: this.#abort.signal });
      if (question === this.#question) this.#tell("answer", answer);
    } catch (error) {
      if (question !== this.#question || error.name === "AbortError") return;
      this.#fail(error, drawing);
    }
  }

  #fail(error, drawing) {
    if (error.code === "blank_drawing") {
      this.#tell("blank");
      return;
    }
    this.#tell("problem", error);
    if (error.status === 429 && error.retryAfter) this.read(drawing, error.retryAfter * 1000);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
