// Asks the server what a drawing is: while it is being drawn, and once more when the stroke has ended.
// Answers may overtake each other; one is shown only while no newer one has been.

import { post } from "../http.js";
import { extent, isBlank, toPng } from "./ink.js";

const SECOND = 1000;
const GUESSES = 8; // a second, while drawing; finished strokes may use the rest of ten
const REQUESTS = 10;
const IN_FLIGHT = 2; // a slow server is not asked faster than it answers
const WORTH_A_GUESS = 0.12; // of the pad's side: what is smaller may still become anything
const COOLING = 60_000; // after "too many requests" only finished strokes are asked about

function body({ strokes, picture }) {
  if (!picture) return toPng({ strokes });
  const form = new FormData();
  form.append("drawing", picture.file, picture.name);
  return form;
}

/** Strokes only grow at their end, so the numbers of their points tell one drawing from the one asked about before. */
const keyOf = ({ strokes, picture }) => picture ?? strokes.map(({ points }) => points.length).join();

export class Reader extends EventTarget {
  #url;
  #sent = [];
  #inFlight = 0;
  #last = null;
  #shown = 0;
  #number = 0;
  #timer = 0;
  #guessTimer = 0;
  #refusal = null;
  #quietUntil = 0;
  #coolUntil = 0;

  /** The answer that is shown, or null: for who comes too late to hear of it. */
  latest = null;

  constructor(url) {
    super();
    this.#url = `${url}?preview=1`;
  }

  /** The drawing is still growing: `current()` gives it as it stands when there is time for a guess. */
  guess(current) {
    if (this.#guessTimer) return;
    const wait = this.#wait(GUESSES);
    this.#guessTimer = setTimeout(() => {
      this.#guessTimer = 0;
      if (performance.now() < Math.max(this.#coolUntil, this.#quietUntil) || this.#inFlight >= IN_FLIGHT) return;
      const drawing = current();
      if (extent(drawing) >= WORTH_A_GUESS && this.#last?.key !== keyOf(drawing)) this.#ask(drawing, false);
    }, wait);
  }

  /** The drawing is finished, until it changes again. `again`: even if it was asked about just now. */
  read(drawing, { again = false } = {}) {
    clearTimeout(this.#timer);
    clearTimeout(this.#guessTimer);
    this.#guessTimer = 0;
    if (isBlank(drawing)) {
      this.#shown = this.#number;
      this.#last = null;
      this.#tell("blank");
    } else if (!again && this.#last?.key === keyOf(drawing)) this.#settle(this.#last);
    else if (performance.now() < this.#quietUntil) this.#askLater(drawing);
    else this.#askSoon(drawing);
  }

  /** Milliseconds until one more request would be the last of `limit` in a second. */
  #wait(limit) {
    const now = performance.now();
    this.#sent = this.#sent.filter((time) => time > now - SECOND);
    const rest = this.#sent.length >= limit ? this.#sent.at(-limit) + SECOND - now : 0;
    const spread = limit === GUESSES && this.#sent.length ? this.#sent.at(-1) + SECOND / limit - now : 0;
    return Math.max(0, rest, spread);
  }

  #askSoon(drawing) {
    const wait = this.#wait(REQUESTS);
    this.#tell("reading");
    if (wait <= 0) this.#ask(drawing, true);
    else this.#timer = setTimeout(() => this.#ask(drawing, true), wait);
  }

  /** The server has said "too many" and when to come again. */
  #askLater(drawing) {
    const wait = this.#quietUntil - performance.now();
    this.#refusal.retryAfter = wait / SECOND;
    this.#tell("problem", this.#refusal);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.read(drawing), wait);
  }

  async #ask(drawing, settled) {
    this.#number += 1;
    this.#inFlight += 1;
    this.#sent.push(performance.now());
    const question = { number: this.#number, key: keyOf(drawing), drawing, settled, answer: null };
    this.#last = question;
    try {
      question.answer = await post(this.#url, body(drawing));
      if (question.number > this.#shown) {
        this.#shown = question.number;
        this.#tell("answer", { ...question.answer, settled: question.settled });
      }
    } catch (error) {
      this.#fail(question, error);
    } finally {
      this.#inFlight -= 1;
    }
  }

  /** Asked about already, as a guess: its answer is the answer. */
  #settle(question) {
    question.settled = true;
    if (question.answer) this.#tell("answer", { ...question.answer, settled: true });
  }

  #fail(question, error) {
    const later = error.status === 429 || error.code === "busy";
    if (later) {
      this.#refusal = error;
      const now = performance.now();
      this.#coolUntil = now + COOLING;
      this.#quietUntil = now + (error.retryAfter ?? 1) * SECOND;
    }
    if (this.#last === question) this.#last = null; // may be asked again
    if (!question.settled || question.number <= this.#shown || question.number < this.#number) return;
    this.#shown = question.number;
    if (error.code === "blank_drawing") this.#tell("blank");
    else if (later) this.#askLater(question.drawing);
    else this.#tell("problem", error);
  }

  #tell(type, detail) {
    if (type === "answer") this.latest = detail;
    else if (type === "blank" || type === "problem") this.latest = null;
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
