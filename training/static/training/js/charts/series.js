// The points of a chart: a run's series, smoothing, and which points set the axis. Pure.

const LONG_RUN = 10; // epochs
const FIRST_SHARE = 0.1;
// A batch's metrics are means since the epoch began: the first few jump, and each epoch is a line of its own.
const SETTLED = 0.1;

const pointsOf = (epochs, key) => epochs.filter((epoch) => Number.isFinite(epoch[key])).map((epoch) => [epoch.epoch, epoch[key]]);

/** Return a run's training and validation series of the metric `name`; the second while it is expected, or there. */
export function runSeries({ epochs, parameters }, name, isActive = false) {
  const validation = pointsOf(epochs, `val_${name}`);
  const hasValidation = validation.length > 0 || (isActive && name !== "objective" && parameters?.validation_samples > 0);
  return [
    { name: "training", style: "", points: pointsOf(epochs, name) },
    ...(hasValidation ? [{ name: "validation", style: "validation", points: validation }] : []),
  ];
}

/** Return the points of the metric `name` of the batches {at, loss, accuracy}. */
export const batchPoints = (batches, name) => batches.map((point) => [point.at, point[name]]).filter(([, value]) => Number.isFinite(value));

/** Split batches into a line for each epoch. */
export function splitByEpoch(points) {
  const lines = new Map();
  for (const point of points) {
    const [at] = point;
    if (at % 1 !== 0 && at % 1 <= SETTLED) continue;
    const epoch = Math.ceil(at);
    if (lines.has(epoch)) lines.get(epoch).push(point);
    else lines.set(epoch, [point]);
  }
  return [...lines.values()];
}

/** Return an exponential moving average, with the start corrected as in Adam (Kingma and Ba, 2015). */
export function smooth(points, weight) {
  let mean = 0;
  let sum = 0;
  return points.map(([at, value]) => {
    mean = weight * mean + (1 - weight) * value;
    sum = weight * sum + (1 - weight);
    return [at, mean / sum];
  });
}

/** Return the values that set the axis: those in the zoomed range, else all but the steep start of a long run. */
export function scalingValues(points, range) {
  const last = points.at(-1)?.[0] ?? 0;
  const isIn = range ? ([at]) => at >= range[0] && at <= range[1] : ([at]) => last < LONG_RUN || at > last * FIRST_SHARE;
  return points.filter(isIn).map(([, value]) => value);
}

/** Return the position among the sorted `positions` that is nearest to `at`; null if there is none. */
export function nearest(positions, at) {
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (positions[middle] < at) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [positions[low - 1], positions[low]];
  if (before === undefined || after === undefined) return before ?? after ?? null;
  return at - before < after - at ? before : after;
}
