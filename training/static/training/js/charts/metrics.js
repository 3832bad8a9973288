// The metrics of a run, and how charts label and scale them.

import { formatPercent } from "../../../recognition/js/format.js";

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const LARGE = 10_000;

/** Return the ends of an axis that shows the values with some room; the whole run's ends at `best`. */
function accuracyRange(values, isZoomed) {
  if (!values.length) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (isZoomed) return [Math.max(0, low - padding(low, high)), Math.min(1, high + padding(low, high))];
  return [Math.max(0, low - Math.max(0.002, (1 - low) * 0.15)), 1];
}

const padding = (low, high) => Math.max((high - low) * 0.1, high * 0.0005, 1e-6);

function lossRange(values, isZoomed) {
  if (!values.length) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return isZoomed ? [Math.max(0, low - padding(low, high)), high + padding(low, high)] : [0, Math.max(0.01, high) * 1.08];
}

function formatLoss(value, isAxis) {
  if (value >= LARGE) return compact.format(value);
  if (isAxis) return String(Number(value.toPrecision(4)));
  return value < 10 ? value.toFixed(4) : value.toPrecision(5);
}

export const METRICS = [
  {
    title: "Accuracy",
    name: "accuracy",
    label: (value, isAxis) => (isAxis ? `${Number((value * 100).toFixed(3))}%` : formatPercent(value)),
    range: accuracyRange,
    best: Math.max,
  },
  {
    title: "Loss",
    name: "loss",
    label: formatLoss,
    range: lossRange,
    best: Math.min,
    canBeLog: true,
  },
];

/** What training minimised. With label smoothing or non-digit images it differs from the cross-entropy of the digits. */
export const OBJECTIVE = { ...METRICS[1], title: "Objective", name: "objective" };
