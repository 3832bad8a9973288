// Request predictions: while a stroke is being drawn, and once more when it has ended.
// Responses can arrive out of order; an older one never replaces a newer one.

import { isTransient, post } from "../http.js";
import { isBlank } from "./ink.js";
import { Retry } from "./retry.js";
import { extent, pictureFile } from "./sent.js";

const SECOND_MS = 1000;
const GUESSES_PER_SECOND = 8; // while drawing; finished strokes may use the rest
const REQUESTS_PER_SECOND = 10;
const MAX_IN_FLIGHT = 2; // backpressure from a slow server
const MIN_GUESS_EXTENT = 0.12; // of the pad's height: smaller drawings may still become any digit
const COOLDOWN_MS = 60_000; // after a 429, only finished strokes are sent
const PAUSE_MS = 2000; // the same after another failure

/** Resolve to the body of a request about a drawing. */
export async function bodyOf(drawing) {
  if (!drawing.picture) return pictureFile(drawing);
  const form = new FormData();
  form.append("drawing", await pictureFile(drawing), drawing.picture.name);
  return form;
}

/** Return the model that the address names (`?model=12`), or null. */
export function modelInAddress() {
  const model = new URLSearchParams(location.search).get("model");
  return /^[1-9][0-9]{0,9}$/.test(model) ? Number(model) : null;
}

/** Identify a drawing by its picture and the starts and lengths of its strokes: strokes only grow at their end. */
export const keyOf = ({ strokes, picture }) => [picture?.key, ...strokes.map(({ points }) => [points.length, points[0]])].join();

/**
 * Dispatches "pending", "prediction", "blank", and "problem" with the error and the milliseconds until the next attempt,
 * or null if there is none.
 */
export class Predictor extends EventTarget {
  #url;
  #model = null;
  #sent = [];
  #inFlight = 0;
  #last = null;
  #shownNumber = 0;
  #lastNumber = 0;
  #sendTimer = 0;
  #guessTimer = 0;
  #refusal = null;
  #quietUntil = 0;
  #coolUntil = 0;
  #retry = new Retry();
  #failed = null; // the drawing for which a problem is shown

  constructor(url, model) {
    super();
    this.#url = url;
    this.#model = model;
    addEventListener("online", () => this.retry());
  }

  /** The ID of the model that predicts, or null for the one in service. */
  get model() {
    return this.#model;
  }

  set model(model) {
    this.#model = model;
    this.#last = null;
    this.#shownNumber = this.#lastNumber; // what another model answers is not shown any more
  }

  /** Request a prediction by a model, or by the one in service, without dispatching it. */
  async ask(drawing, model) {
    return post(`${this.#url}?preview=1${model === null ? "" : `&model=${model}`}`, await bodyOf(drawing));
  }

  /** Try again at once while a problem is shown. */
  retry() {
    if (this.#failed) this.predict(this.#failed, { again: true });
  }

  /** Request a prediction while the stroke grows. `current()` returns the drawing when the request is due. */
  guess(current) {
    if (this.#guessTimer) return;
    const wait = this.#delay(GUESSES_PER_SECOND);
    this.#guessTimer = setTimeout(() => {
      this.#guessTimer = 0;
      if (performance.now() < Math.max(this.#coolUntil, this.#quietUntil) || this.#inFlight >= MAX_IN_FLIGHT) return;
      const drawing = current();
      // A picture with strokes on it takes longer: it is sent when the stroke has ended.
      if (!drawing.picture && extent(drawing) >= MIN_GUESS_EXTENT && this.#last?.key !== keyOf(drawing)) this.#send(drawing, false);
    }, wait);
  }

  /** Request a prediction for a finished drawing. `again`: even if it was requested already. */
  predict(drawing, { again = false } = {}) {
    this.#retry.reset();
    this.#start(drawing, again);
  }

  #start(drawing, again) {
    clearTimeout(this.#sendTimer);
    clearTimeout(this.#guessTimer);
    this.#guessTimer = 0;
    if (isBlank(drawing)) {
      this.#shownNumber = this.#lastNumber;
      this.#last = this.#failed = null;
      this.#notify("blank");
    } else if (!again && this.#last?.key === keyOf(drawing)) this.#finish(this.#last);
    else if (performance.now() < this.#quietUntil) this.#wait(drawing);
    else this.#sendSoon(drawing);
  }

  /** Request a prediction for a drawing that is not on the pad yet. Resolve to the error, or null; while `isWanted()`, `predict` uses either. */
  async probe(drawing, isWanted) {
    const request = this.#newRequest(drawing, true);
    try {
      request.result = await this.ask(drawing, this.#model);
    } catch (error) {
      request.error = error;
    }
    if (isWanted()) this.#use(request);
    return request.error;
  }

  #newRequest(drawing, final) {
    this.#sent.push(performance.now());
    return { key: keyOf(drawing), drawing, final, chosen: this.#model, result: null, error: null };
  }

  /** Make a request the last one. */
  #use(request) {
    this.#lastNumber += 1;
    request.number = this.#lastNumber;
    this.#last = request;
  }

  /** Return the milliseconds to wait until `limit` requests per second allow another one. */
  #delay(limit) {
    const now = performance.now();
    this.#sent = this.#sent.filter((time) => time > now - SECOND_MS);
    const rest = this.#sent.length >= limit ? this.#sent.at(-limit) + SECOND_MS - now : 0;
    const spread = limit === GUESSES_PER_SECOND && this.#sent.length ? this.#sent.at(-1) + SECOND_MS / limit - now : 0;
    return Math.max(0, rest, spread);
  }

  #sendSoon(drawing) {
    const wait = this.#delay(REQUESTS_PER_SECOND);
    this.#failed = null;
    this.#notify("pending");
    if (wait <= 0) this.#send(drawing, true);
    else this.#sendTimer = setTimeout(() => this.#send(drawing, true), wait);
  }

  /** Wait as long as the Retry-After header of a 429 says. */
  #wait(drawing) {
    this.#refusal.retryAfter = (this.#quietUntil - performance.now()) / SECOND_MS;
    this.#report(drawing, this.#refusal);
  }

  #report(drawing, error) {
    this.#failed = drawing;
    const wait = this.#retry.schedule(error, () => this.#start(drawing, true));
    this.#notify("problem", { error, wait });
  }

  async #send(drawing, final) {
    const request = this.#newRequest(drawing, final);
    this.#use(request);
    this.#inFlight += 1;
    try {
      request.result = await this.ask(drawing, this.#model);
      this.#retry.reset();
      if (request.number > this.#shownNumber) {
        this.#shownNumber = request.number;
        this.#notifyPrediction(request);
      }
    } catch (error) {
      this.#fail(request, error);
    } finally {
      this.#inFlight -= 1;
    }
  }

  /** Use a guess for the same drawing as the final prediction. */
  #finish(request) {
    request.final = true;
    if (request.error) this.#fail(request, request.error);
    if (!request.result) return;
    this.#shownNumber = Math.max(this.#shownNumber, request.number);
    this.#notifyPrediction(request);
  }

  #fail(request, error) {
    const now = performance.now();
    if (error.status === 429 || error.code === "busy") {
      this.#refusal = error;
      this.#coolUntil = now + COOLDOWN_MS;
      this.#quietUntil = now + (error.retryAfter ?? 1) * SECOND_MS;
    } else if (isTransient(error)) this.#coolUntil = Math.max(this.#coolUntil, now + PAUSE_MS);
    if (this.#last === request) this.#last = null; // may be sent again
    if (!request.final || request.number <= this.#shownNumber || request.number < this.#lastNumber) return;
    this.#shownNumber = request.number;
    if (error.code === "blank_drawing") this.#notify("blank");
    else this.#report(request.drawing, error);
  }

  /** `chosen`: the model that was asked for, or null for the one in service. */
  #notifyPrediction({ result, drawing, final, chosen = null }) {
    this.#notify("prediction", { ...result, drawing, final, chosen });
  }

  #notify(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
