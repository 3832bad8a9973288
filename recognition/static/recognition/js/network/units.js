// The 128 units, what one of them adds to each digit, the ten logits, and their softmax.

import { formatSigned } from "./cells.js";
import { argmax } from "./convolution.js";
import { DIGITS, UNITS } from "./dense.js";
import { setText } from "../dom.js";
import { formatProbability } from "../format.js";
import { peakOf } from "./paint.js";
import { showBar } from "./sources.js";
import { Tiles } from "./tiles.js";

export class UnitsStep {
  #status;
  #buttons;
  #rows;
  #tiles;
  #data;
  #set;
  #chosen = null; // a unit, or null to follow the answer's top contributor

  constructor(root) {
    this.#set = (hook, text) => setText(root.querySelector(`[data-${hook}]`), text);
    this.#status = root.querySelector("[data-status]");
    this.#rows = [...root.querySelectorAll("[data-digit]")];
    this.#buttons = [...root.querySelectorAll("button")];
    this.#tiles = new Tiles(root.querySelector("canvas"), { maps: UNITS, side: 1, columns: 32, scale: 8 }, (unit) => this.#choose(unit));
    for (const button of this.#buttons) button.addEventListener("click", () => this.#choose(Number(button.value)));
  }

  /** Show what computeAnswer() returned, the `temperature`, and the digit that the server `opened`. */
  show(data) {
    const { units, added, logits, probabilities, temperature, opened } = data;
    const best = argmax(probabilities);
    const toBest = Array.from(units, (_, unit) => added[unit * DIGITS + best]);
    const order = [...toBest.keys()].sort((a, b) => toBest[b] - toBest[a]);
    this.#data = data;
    this.#tiles.show(units);
    this.#buttons.forEach((button, rank) => {
      button.value = order[rank];
      setText(button, `Unit ${order[rank] + 1}: ${formatSigned(toBest[order[rank]], "+")}`);
    });
    this.#column(1, logits, formatSigned);
    this.#column(2, probabilities, formatProbability, 1);
    this.#rows.forEach((row, digit) => row.toggleAttribute("data-best", digit === best));
    this.#set("top-digit", best);
    this.#set("result-digit", best);
    this.#set("temperature", temperature.toFixed(2));
    const server = opened.probabilities;
    const agrees = opened.prediction === best && server.every((value, digit) => Math.abs(value - probabilities[digit]) < 0.01);
    const [here, there] = [[best, probabilities], [opened.prediction, server]].map(([digit, values]) => `${digit},\u00a0${formatProbability(values[digit])}`);
    this.#set("agreement", `Computed on this page: ${here}. The server’s answer: ${there}.${agrees ? "" : " They differ: the model may have changed."}`);
    this.#status.ariaLive = "off"; // while drawing, only the answer is announced
    this.#select(this.#chosen ?? order[0]);
  }

  #choose(unit) {
    if (!this.#data) return;
    this.#chosen = unit;
    this.#status.ariaLive = "polite";
    this.#select(unit);
  }

  #select(unit) {
    const added = [...this.#data.added.subarray(unit * DIGITS, (unit + 1) * DIGITS)];
    const activation = this.#data.units[unit];
    const name = `Unit ${unit + 1}`;
    const [most, least] = [argmax(added), argmax(added.map((value) => -value))].map((digit) => `${digit} (${formatSigned(added[digit], "+")})`);
    this.#tiles.select(unit);
    this.#set("unit", name);
    for (const button of this.#buttons) button.ariaPressed = Number(button.value) === unit;
    this.#column(0, added, (value) => formatSigned(value, "+"), peakOf(this.#data.added));
    setText(this.#status, activation
      ? `${name}: activation ${formatSigned(activation)}. It adds most to ${most} and least to ${least}.`
      : `${name} is silent: its activation is 0, so it adds nothing to any digit.`);
  }

  #column(index, values, format, peak = peakOf(values)) {
    this.#rows.forEach((row, digit) => {
      const [bar, text] = row.cells[index + 1].children;
      showBar(bar, values[digit] / peak);
      setText(text, format(values[digit]));
    });
  }
}
