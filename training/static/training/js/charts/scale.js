// Axes: the values of ticks, and the positions of values, linear or logarithmic. Pure.

const MULTIPLES = [1, 2, 2.5, 5, 10];
const LOG_FACTORS = [[1, 2, 5], [1, 3], [1]];

/** Return round values between low and high, about `count` of them. */
export function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (MULTIPLES.find((factor) => factor * power >= rough) ?? 10);
  const values = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-6; at += 1) values.push(at * step);
  return values;
}

/** Return multiples of powers of ten, at most twice `count`; in a narrow range the values of a linear axis. */
export function logTicks(low, high, count) {
  const powers = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power += 1) powers.push(10 ** power);
  const candidates = LOG_FACTORS.map((factors) =>
    powers.flatMap((power) => factors.map((factor) => factor * power)).filter((value) => value >= low && value <= high));
  const fitting = candidates.find(({ length }) => length <= count * 2) ?? candidates.at(-1);
  const every = Math.ceil(fitting.length / (count * 2));
  return candidates[0].length < 3 ? ticks(low, high, count) : fitting.filter((_, index) => index % every === 0);
}

/** Return the function that maps values from low to high to positions from `start` to `end`. */
export function scaleBetween(low, high, start, end, isLog = false) {
  if (!isLog) return (value) => start + ((value - low) / (high - low)) * (end - start);
  const span = Math.log(high / low);
  return (value) => start + (Math.log(Math.max(value, low / 1e3) / low) / span) * (end - start);
}

/** Convert [x, y] points to the `d` of an SVG path. */
export const toPath = (points) => points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/** Keep labels {at, text, width} that do not touch the one before, moved inside of [low, high]. */
export function spread(labels, low, high, gap = 8) {
  let free = low;
  return labels.flatMap(({ at, text, width }) => {
    const middle = Math.min(Math.max(at, low + width / 2), high - width / 2);
    if (middle - width / 2 < free) return [];
    free = middle + width / 2 + gap;
    return [{ at: middle, text }];
  });
}
