// The network's end: 1024 values -> 128 units -> ReLU -> 10 logits -> softmax at the model's temperature.

import { SECOND, splitFloats } from "./convolution.js";

export const UNITS = 128;
export const DIGITS = 10;
const PLACES = 16; // of each pooled map
const INPUTS = PLACES * SECOND.maps;

/** Parse the body of /api/models/<id>/dense/. */
export function parseDense(buffer) {
  const [weights, bias, outputWeights, outputBias] = splitFloats(buffer, [INPUTS * UNITS, UNITS, UNITS * DIGITS, DIGITS]);
  return { weights, bias, outputWeights, outputBias };
}

/** Return what each unit adds to each logit (`added[unit * 10 + digit]`), the logits and the probabilities. */
export function computeAnswer({ secondPooled }, { weights, bias, outputWeights, outputBias }, temperature) {
  const units = Float32Array.from(bias);
  for (let input = 0; input < INPUTS; input += 1) {
    // The network flattens place after place, all maps of each.
    const value = secondPooled[(input % SECOND.maps) * PLACES + Math.floor(input / SECOND.maps)];
    if (value) for (let unit = 0; unit < UNITS; unit += 1) units[unit] += value * weights[input * UNITS + unit];
  }
  for (let unit = 0; unit < UNITS; unit += 1) if (units[unit] < 0) units[unit] = 0;
  const added = outputWeights.map((weight, index) => weight * units[Math.floor(index / DIGITS)]);
  const logits = Array.from(outputBias);
  added.forEach((value, index) => { logits[index % DIGITS] += value; });
  const peak = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp((logit - peak) / temperature));
  const sum = powers.reduce((total, power) => total + power);
  return { units, added, logits, probabilities: powers.map((power) => power / sum) };
}
