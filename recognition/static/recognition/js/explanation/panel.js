// "Why this digit?": what spoke for and against a digit, over the drawing, and the smallest change that was found.
// The server is asked only when somebody opens the panel or chooses a digit: it limits explanations more than drawings.

import { finder, loadImage, setText } from "../dom.js";
import { fromDataUrl } from "../drawing/picture.js";
import { bodyOf } from "../drawing/predictor.js";
import { describeError, post } from "../http.js";
import { EvidenceOverlay } from "./overlay.js";
import { colorsOf, evidenceLayer, paintChange, paintPicture } from "./paint.js";

const SIDE = 28;

/** Return where the evidence of one sign is strongest, such as "at the top left"; null if there is hardly any. */
function describePlace(evidence, sign) {
  const values = evidence.flat().map((value) => sign * value);
  const strongest = Math.max(...values);
  if (strongest < 0.1) return null;
  const index = values.indexOf(strongest);
  const third = (place, names) => names[Math.min(Math.max(Math.floor((3 * (place - 4)) / 20), 0), 2)];
  const place = `${third(Math.floor(index / SIDE), ["top ", "", "bottom "])}${third(index % SIDE, ["left", "", "right"])}`.trim();
  return place ? `at the ${place}` : "in the middle";
}

function describe({ prediction, explanation: { digit, evidence } }) {
  const [pro, contra] = [1, -1].map((sign) => describePlace(evidence, sign));
  const strongest = [pro && `most for it ${pro}`, contra && `most against it ${contra}`].filter(Boolean).join(", ");
  const about = digit === prediction ? `${digit} is the network’s answer.` : `The network’s answer is ${prediction}.`;
  return `What speaks for and against ${digit}${strongest && `: ${strongest}`}. ${about}`;
}

function describeChange({ prediction, explanation: { digit, change } }) {
  if (!change) return `No small change that makes it ${digit === prediction ? "another digit" : `a ${digit}`} was found.`;
  return `With ${change.pixels} of 784 pixels changed, the network reads ${change.prediction}.`;
}

export class ExplanationPanel {
  #buttons;
  #root;
  #url;
  #answer;
  #overlay;
  #of = null; // the answer's digit that is explained: {shown, opened}
  #explained = new Map(); // results by digit
  #digit = null;

  /** `root` is a <details>; `canvas` lies over the pad. */
  constructor(root, canvas, url, { answer, pad }) {
    this.#root = root;
    this.#url = url;
    this.#answer = answer;
    this.#overlay = new EvidenceOverlay(pad, canvas);
    const one = finder(root, "why-");
    Object.assign(this, { status: one("status"), figures: one("figures"), map: one("map"), change: one("change"), changeText: one("change-text") });
    this.#buttons = [...root.querySelectorAll("[data-why-digit]")];
    this.#buttons.forEach((button, digit) => button.addEventListener("click", () => this.#choose(digit)));
    root.addEventListener("toggle", () => {
      if (root.open && this.#of) this.#choose(this.#of.opened.prediction);
      else this.#clear();
    });
    answer.onChange(() => this.#follow());
    this.#follow();
  }

  /** Forget what was explained once the drawing, the model or the open digit is another one. */
  #follow() {
    const { shown, opened, isSettled } = this.#answer;
    const of = isSettled && shown.digits.every(({ segmentation }) => segmentation) ? { shown, opened } : null;
    if (of?.shown === this.#of?.shown && of?.opened.index === this.#of?.opened.index) return;
    this.#of = of;
    this.#explained.clear();
    this.#clear();
  }

  #clear() {
    this.#digit = null;
    this.#overlay.clear();
    this.figures.removeAttribute("data-filled");
    setText(this.status, this.#of ? "Choose a digit." : "Draw a digit first.");
    this.#buttons.forEach((button) => {
      button.ariaPressed = false;
      button.ariaDisabled = !this.#of;
    });
  }

  async #choose(digit) {
    const of = this.#of;
    if (!of) return;
    this.#digit = digit;
    this.#buttons.forEach((button, index) => {
      button.ariaPressed = index === digit;
    });
    const isWanted = () => of === this.#of && digit === this.#digit && this.#root.open;
    try {
      if (!this.#explained.has(digit)) this.#explained.set(digit, this.#ask(of, digit));
      const result = await this.#explained.get(digit);
      if (isWanted()) this.#show(of, result);
    } catch (error) {
      if (of === this.#of) this.#explained.delete(digit);
      if (!isWanted()) return;
      this.#clear();
      setText(this.status, describeError(error));
    }
  }

  /** Resolve to the explained answer, with its pictures as images. */
  async #ask({ shown, opened }, digit) {
    const isNumber = shown.digits.length > 1;
    const body = isNumber ? fromDataUrl(opened.preview) : await bodyOf(shown.drawing);
    const model = shown.chosen ? `&model=${shown.chosen}` : "";
    const result = await post(`${this.#url}?explain=${digit}&preview=1${model}`, body);
    const { change } = result.explanation;
    const urls = [result.preview, change?.picture, isNumber ? opened.preview : null];
    const [before, after, sentDigit] = await Promise.all(urls.map((url) => url && loadImage(url)));
    return { ...result, before, after, sentDigit };
  }

  #show({ shown, opened }, result) {
    const colors = colorsOf(this.figures);
    this.#overlay.show(result, shown.drawing, opened);
    paintPicture(this.map, result.before, evidenceLayer(result.explanation.evidence, result.before, colors));
    this.change.parentElement.toggleAttribute("data-none", !result.after); // its room is kept
    if (result.after) paintChange(this.change, result.before, result.after, colors);
    setText(this.status, describe(result));
    setText(this.changeText, describeChange(result));
    this.figures.toggleAttribute("data-filled", true);
  }
}
