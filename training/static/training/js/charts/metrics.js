// The metrics of a run, and how charts label and scale them.

import { formatPercent } from "../../../recognition/js/format.js";

function accuracyRange(values) {
  const low = values.length ? Math.min(...values) : 0;
  return [Math.max(0, low - Math.max(0.002, (1 - low) * 0.15)), 1];
}

const formatLoss = (value, axis) => (axis ? String(Number(value.toFixed(3))) : value.toFixed(4));
const rangeFromZero = (values) => [0, Math.max(0.01, ...values) * 1.08];

export const METRICS = [
  {
    title: "Accuracy",
    name: "accuracy",
    label: (value, axis) => (axis ? `${Number((value * 100).toFixed(2))}%` : formatPercent(value)),
    range: accuracyRange,
  },
  {
    title: "Loss",
    name: "loss",
    label: formatLoss,
    range: rangeFromZero,
  },
];

/** What training minimised. With label smoothing or non-digit images it differs from the cross-entropy of the digits. */
export const OBJECTIVE = { title: "Objective", name: "objective", label: formatLoss, range: rangeFromZero };
