// The two things a run is judged by, as charts write and scale them.

import { percent } from "../../../recognition/js/format.js";

function accuracyRange(values) {
  const low = values.length ? Math.min(...values) : 0;
  return [Math.max(0, low - Math.max(0.002, (1 - low) * 0.15)), 1];
}

const written = (value, axis) => (axis ? String(Number(value.toFixed(3))) : value.toFixed(4));
const fromZero = (values) => [0, Math.max(0.01, ...values) * 1.08];

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
    label: written,
    range: fromZero,
  },
];

/** What training minimised. With smoothed labels or pictures of no digit it is no cross-entropy of the digits. */
export const OBJECTIVE = { title: "Objective", name: "objective", label: written, range: fromZero };
