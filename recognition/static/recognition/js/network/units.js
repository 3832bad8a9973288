// The 128 units, what one of them adds to each digit, the ten logits, and their softmax.

import { formatSigned } from "./cells.js";
import { argmax } from "./convolution.js";
import { UNITS } from "./dense.js";
import { h, setText } from "../dom.js";
import { formatProbability } from "../format.js";
import { peakOf } from "./paint.js";
import { showBar } from "./sources.js";
import { Tiles } from "./tiles.js";

const TOP = 6;
const DIGITS = 10;

export class UnitsStep {
  #chosen = null; // a unit, or null to follow the answer's top contributor

  constructor(root) {
    const one = (hook) => root.querySelector(`[data-${hook}]`);
    Object.assign(this, { status: one("status"), agreement: one("agreement"), temperature: one("temperature"), unitName: one("unit"), answerName: one("top-digit"), answer: one("answer") });
    this.rows = [...root.querySelectorAll("[data-digit]")].map((row) => ({ row, cells: [...row.querySelectorAll("td")] }));
    this.tiles = new Tiles(one("units"), { maps: UNITS, side: 1, columns: 32, scale: 8 }, (unit) => this.#choose(unit));
    this.buttons = Array.from({ length: TOP }, () => {
      const button = h("button", { type: "button", disabled: true });
      button.addEventListener("click", () => this.#choose(Number(button.dataset.unit)));
      return button;
    });
    one("top").append(...this.buttons);
  }

  /** Show the end of the network: what computeAnswer() returned, `temperature`, and the server's `opened` digit. */
  show(data) {
    this.data = data;
    const { units, added, logits, probabilities, temperature, opened } = data ?? {};
    this.tiles.show(units ?? null);
    const best = data ? argmax(probabilities) : 0;
    const toBest = Array.from({ length: UNITS }, (_, unit) => added?.[unit * DIGITS + best] ?? 0);
    const order = [...toBest.keys()].sort((a, b) => toBest[b] - toBest[a]);
    this.buttons.forEach((button, rank) => {
      button.disabled = !data;
      button.dataset.unit = order[rank];
      setText(button, data ? `Unit ${order[rank] + 1}: ${formatSigned(toBest[order[rank]], "+")}` : "–");
    });
    setText(this.answerName, data ? String(best) : "the answer");
    this.#column(1, logits, (value) => formatSigned(value));
    this.#column(2, probabilities, formatProbability, 1);
    this.rows.forEach(({ row }, digit) => row.toggleAttribute("data-best", Boolean(data) && digit === best));
    setText(this.temperature, data ? temperature.toFixed(2) : "T");
    setText(this.answer, data ? String(best) : "");
    setText(this.agreement, data ? this.#compare(best, probabilities, opened) : "");
    this.status.ariaLive = "off"; // while drawing, only the answer is announced
    this.#select(this.#chosen ?? order[0]);
  }

  #compare(best, probabilities, { prediction, probabilities: server }) {
    const agrees = prediction === best && server.every((value, digit) => Math.abs(value - probabilities[digit]) < 0.01);
    const here = `Computed on this page: ${best},\u00a0${formatProbability(probabilities[best])}.`;
    return `${here} The server’s answer: ${prediction},\u00a0${formatProbability(server[prediction])}.${agrees ? "" : " They differ: the model may have changed."}`;
  }

  #choose(unit) {
    this.#chosen = unit;
    this.status.ariaLive = "polite";
    this.#select(unit);
  }

  #select(unit) {
    this.tiles.select(unit);
    setText(this.unitName, `Unit ${unit + 1}`);
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(Number(button.dataset.unit) === unit));
    setText(this.status, this.data ? this.#describe(unit) : "Draw a digit first.");
    this.#column(0, this.data && this.#added(unit), (value) => formatSigned(value, "+"), peakOf(this.data?.added));
  }

  #added(unit) {
    return [...this.data.added.subarray(unit * DIGITS, (unit + 1) * DIGITS)];
  }

  #describe(unit) {
    const activation = this.data.units[unit];
    if (!activation) return `Unit ${unit + 1} is silent: its activation is 0, so it adds nothing to any digit.`;
    const added = this.#added(unit);
    const [most, least] = [argmax(added), argmax(added.map((value) => -value))];
    return `Unit ${unit + 1}: activation ${formatSigned(activation)}. It adds most to ${most} (${formatSigned(added[most], "+")}) and least to ${least} (${formatSigned(added[least], "+")}).`;
  }

  #column(index, values, format, peak = peakOf(values)) {
    this.rows.forEach(({ cells }, digit) => {
      const [bar, text] = cells[index].children;
      showBar(bar, (values?.[digit] ?? 0) / (peak || 1));
      setText(text, values ? format(values[digit]) : "");
    });
  }
}
