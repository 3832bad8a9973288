// The two things a run is judged by, as charts write and scale them.

import { percent } from "./words.js";

function accuracyRange(values) {
  const low = values.length ? Math.min(...values) : 0;
  return [Math.max(0, low - Math.max(0.002, (1 - low) * 0.15)), 1];
}

export const MEASURES = [
  {
    title: "Accuracy",
    name: "accuracy",
    label: (value, axis) => (axis ? `${Number((value * 100).toFixed(2))}%` : percent(value)),
    range: accuracyRange,
  },
  {
    title: "Loss",
    name: "loss",
    label: (value, axis) => (axis ? String(Number(value.toFixed(3))) : value.toFixed(4)),
    range: (values) => [0, Math.max(0.01, ...values) * 1.08],
  },
];
