// What feeds one filter of the second convolution: the pooled maps that add most where its sum is largest.

import { formatSigned } from "./cells.js";
import { computeSources, FIRST, KERNEL, SECOND, WEIGHTS } from "./convolution.js";
import { finder, setText } from "../dom.js";
import { peakOf, Picture } from "./paint.js";

const POOLED = FIRST.side / 2;

export class SourcesStep {
  constructor(root) {
    const one = finder(root);
    this.large = new Picture(one("large"), SECOND.side);
    this.lit = one("large").nextElementSibling;
    this.lit.style.width = this.lit.style.height = `${100 / SECOND.side}%`;
    [this.place, this.total] = [one("place"), one("total")];
    this.rows = [...root.querySelectorAll("li")].map((row) => {
      const [map, kernel] = row.querySelectorAll("canvas");
      return { row, map: new Picture(map, POOLED), kernel: new Picture(kernel, KERNEL) };
    });
  }

  /** Show the maps, `filter`, its weights, and `peak`, the layer's largest activation. */
  show(data) {
    const { second, firstPooled, secondWeights, secondBias, filter, peak } = data;
    const { at, sum, parts } = computeSources(data, data, filter);
    const [x, y] = [at % SECOND.side, Math.floor(at / SECOND.side)];
    this.large.draw(second, filter * SECOND.side ** 2, SECOND.side, peak).show();
    this.lit.style.transform = `translate(${100 * x}%, ${100 * y}%)`;
    setText(this.place, `row ${y + 1}, column ${x + 1}`);
    const order = [...parts.keys()].sort((a, b) => parts[b] - parts[a]);
    const weights = secondWeights.subarray(filter * FIRST.maps * WEIGHTS, (filter + 1) * FIRST.maps * WEIGHTS);
    const peaks = [firstPooled, weights, parts].map(peakOf);
    this.rows.forEach(({ row, map, kernel }, rank) => {
      const input = order[rank];
      map.draw(firstPooled, input * POOLED ** 2, POOLED, peaks[0]).show();
      kernel.draw(weights, input * WEIGHTS, KERNEL, peaks[1]).show();
      setText(row.querySelector("span"), `Map ${input + 1}`);
      setText(row.querySelector("b"), formatSigned(parts[input], "+"));
      showBar(row.querySelector("i"), parts[input] / peaks[2]);
    });
    const rest = order.slice(this.rows.length);
    const added = rest.reduce((total, input) => total + parts[input], 0);
    const [others, bias, total, result] = [added, secondBias[filter], sum, Math.max(0, sum)].map((value) => formatSigned(value));
    setText(this.total, `The other ${rest.length} maps add ${others}, the bias ${bias}. Sum ${total}, after ReLU ${result}.`);
  }
}

/** Show a share from -1 to 1 as a bar that grows from zero. */
export function showBar(bar, share) {
  bar.style.transform = `scaleX(${share || 0})`;
  bar.toggleAttribute("data-negative", share < 0);
}
