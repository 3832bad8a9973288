// Shows what the network answered: the digit, how sure it is, ten bars and the picture it saw.

import { say } from "../dom.js";

const SECOND_THOUGHT = 0.1;

const share = (probability) => `${(probability * 100).toFixed(probability < 0.9995 ? 1 : 0)}%`;

function secondThought(probabilities, prediction) {
  const [digit, probability] = [...probabilities.entries()]
    .filter(([index]) => index !== prediction)
    .sort((a, b) => b[1] - a[1])[0];
  return probability >= SECOND_THOUGHT ? `It could also be ${digit}, ${share(probability)}.` : "";
}

export class AnswerView {
  constructor(root) {
    const one = (hook) => root.querySelector(`[data-${hook}]`);
    this.root = root;
    this.digit = one("answer-digit");
    this.words = one("answer-words");
    this.status = one("answer-status");
    this.seen = one("seen");
    this.bars = [...root.querySelectorAll("[data-bar]")];
  }

  reading() {
    this.root.dataset.state = "reading";
  }

  /** `settled`: the stroke has ended. Only then is the answer spoken; a guess a moment would drown everything else. */
  show({ prediction, confidence, uncertain, probabilities, model, preview, settled }) {
    this.root.dataset.state = uncertain ? "uncertain" : "answered";
    say(this.digit, String(prediction));
    const note = document.createElement("small");
    const by = model ? `Read by model ${model}.` : "";
    note.textContent = `${uncertain ? "This may not be a digit." : ""} ${secondThought(probabilities, prediction)} ${by}`.trim();
    const verdict = uncertain ? `Perhaps ${prediction}` : `Read as ${prediction}`;
    this.words.replaceChildren(`${verdict}, ${confidence.toFixed(2)}% sure.`, note);
    if (settled) say(this.status, this.words.innerText);
    this.#showBars(probabilities, prediction);
    this.#showSeen(preview);
  }

  clear(words = "Nothing drawn yet.") {
    this.root.dataset.state = "empty";
    say(this.digit, "");
    say(this.words, words);
    say(this.status, words);
    this.#showBars(new Array(10).fill(0), null);
    this.#showSeen(null);
  }

  #showBars(probabilities, best) {
    this.bars.forEach((bar, digit) => {
      const probability = probabilities[digit];
      bar.toggleAttribute("data-best", digit === best);
      bar.setAttribute("aria-valuenow", (probability * 100).toFixed(2));
      bar.setAttribute("aria-valuetext", share(probability));
      bar.querySelector("[data-bar-value]").textContent = probability >= 0.005 ? share(probability) : "";
      bar.querySelector("[data-bar-fill]").style.transform = `scaleY(${probability})`;
    });
  }

  #showSeen(preview) {
    this.seen.hidden = !preview;
    if (preview) this.seen.src = preview;
    else this.seen.removeAttribute("src");
  }
}
