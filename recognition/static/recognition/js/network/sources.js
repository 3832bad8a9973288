// What feeds one filter of the second convolution: the pooled maps that add most where its sum is largest.

import { formatSigned } from "./cells.js";
import { computeSources, FIRST, KERNEL, SECOND, WEIGHTS } from "./convolution.js";
import { h, setText } from "../dom.js";
import { onScheme, peakOf, Picture } from "./paint.js";

const SHOWN = 5;
const POOLED = FIRST.side / 2;

export class SourcesStep {
  constructor(root) {
    const one = (hook) => root.querySelector(`[data-${hook}]`);
    this.large = new Picture(one("large"), SECOND.side);
    this.lit = one("large").nextElementSibling;
    this.lit.style.width = this.lit.style.height = `${100 / SECOND.side}%`;
    [this.place, this.total] = [one("place"), one("total")];
    this.rows = Array.from({ length: SHOWN }, () => {
      const [map, kernel] = [h("canvas", { role: "img" }), h("canvas", { role: "img" })];
      const row = { map, kernel, name: h("span"), bar: h("i"), value: h("b"), pictures: [new Picture(map, POOLED), new Picture(kernel, KERNEL)] };
      one("sources").append(h("li", {}, row.name, map, " × ", kernel, h("span", { class: "network-bar" }, row.bar), row.value));
      return row;
    });
    onScheme(() => this.show());
  }

  show(data = this.data) {
    this.data = data;
    const { maps, filters, filter, peak } = data ?? {};
    this.large.draw(maps?.second, filter * SECOND.side ** 2, SECOND.side, peak);
    this.large.show();
    this.lit.hidden = !data;
    const { at, sum, parts } = data ? computeSources(maps, filters, filter) : { at: 0, sum: 0, parts: new Array(FIRST.maps).fill(0) };
    const [x, y] = [at % SECOND.side, Math.floor(at / SECOND.side)];
    this.lit.style.transform = `translate(${100 * x}%, ${100 * y}%)`;
    setText(this.place, data ? `row ${y + 1}, column ${x + 1}` : "–");
    const order = [...parts.keys()].sort((a, b) => parts[b] - parts[a]);
    const weights = filters?.secondWeights.subarray(filter * FIRST.maps * WEIGHTS, (filter + 1) * FIRST.maps * WEIGHTS);
    this.rows.forEach((row, rank) => this.#fill(row, order[rank], parts, weights));
    const rest = order.slice(SHOWN).reduce((total, input) => total + parts[input], 0);
    const bias = filters?.secondBias[filter] ?? 0;
    setText(this.total, `The other ${FIRST.maps - SHOWN} maps add ${formatSigned(rest)}, the bias ${formatSigned(bias)}. Sum ${formatSigned(sum)}, after ReLU ${formatSigned(Math.max(0, sum))}.`);
  }

  #fill({ map, kernel, name, bar, value, pictures }, input, parts, weights) {
    setText(name, `Map ${input + 1}`);
    map.setAttribute("aria-label", `Pooled map ${input + 1}`);
    kernel.setAttribute("aria-label", `Kernel for map ${input + 1}`);
    setText(value, formatSigned(parts[input], "+"));
    pictures[0].draw(this.data?.maps.firstPooled, input * POOLED ** 2, POOLED, peakOf(this.data?.maps.firstPooled));
    pictures[1].draw(weights, input * WEIGHTS, KERNEL, peakOf(weights));
    for (const picture of pictures) picture.show();
    showBar(bar, parts[input] / (peakOf(parts) || 1));
  }
}

/** Show a share from -1 to 1 as a bar that grows from zero. */
export function showBar(bar, share) {
  bar.style.transform = `scaleX(${share})`;
  bar.toggleAttribute("data-negative", share < 0);
}
