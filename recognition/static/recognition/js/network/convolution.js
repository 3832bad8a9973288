// The network up to its dense layers, computed in the browser.
// 28x28 -> 5x5 -> 32 maps of 24x24 -> ReLU -> 2x2 max-pooling -> 5x5 -> 64 maps of 8x8 -> ReLU -> 2x2 max-pooling.

export const SIDE = 28;
export const KERNEL = 5;
export const WEIGHTS = KERNEL ** 2;
export const FIRST = { maps: 32, side: 24 };
export const SECOND = { maps: 64, side: 8 };
const POOLED = FIRST.side / 2;
const LENGTHS = [FIRST.maps * WEIGHTS, FIRST.maps, SECOND.maps * FIRST.maps * WEIGHTS, SECOND.maps];

/** Split an ArrayBuffer of little-endian float32 into arrays of these lengths. */
export function splitFloats(buffer, lengths) {
  const values = new Float32Array(buffer);
  if (values.length !== lengths.reduce((sum, length) => sum + length)) throw new RangeError("The weights do not have the shape of this network.");
  let at = 0;
  return lengths.map((length) => values.subarray(at, (at += length)));
}

/** Parse the body of /api/models/<id>/filters/. */
export function parseFilters(buffer) {
  const [firstWeights, firstBias, secondWeights, secondBias] = splitFloats(buffer, LENGTHS);
  return { firstWeights, firstBias, secondWeights, secondBias };
}

/** Add one kernel convolved with one picture of `width` to `out`, whose side is `width` - 4. */
function addConvolved(out, outAt, picture, pictureAt, width, weights, weightsAt) {
  const side = width - KERNEL + 1;
  for (let ky = 0; ky < KERNEL; ky += 1) {
    for (let kx = 0; kx < KERNEL; kx += 1) {
      const weight = weights[weightsAt + ky * KERNEL + kx];
      for (let y = 0; y < side; y += 1) {
        const from = pictureAt + (y + ky) * width + kx;
        const to = outAt + y * side;
        for (let x = 0; x < side; x += 1) out[to + x] += weight * picture[from + x];
      }
    }
  }
}

function convolve(pictures, count, width, weights, bias) {
  const size = (width - KERNEL + 1) ** 2;
  const out = new Float32Array(bias.length * size);
  for (let map = 0; map < bias.length; map += 1) {
    out.fill(bias[map], map * size, (map + 1) * size);
    for (let input = 0; input < count; input += 1) {
      addConvolved(out, map * size, pictures, input * width * width, width, weights, (map * count + input) * WEIGHTS);
    }
  }
  for (let index = 0; index < out.length; index += 1) if (out[index] < 0) out[index] = 0;
  return out;
}

function pool(maps, count, side) {
  const half = side / 2;
  const out = new Float32Array(count * half * half);
  for (let map = 0; map < count; map += 1) {
    for (let y = 0; y < half; y += 1) {
      for (let x = 0; x < half; x += 1) {
        const at = (map * side + 2 * y) * side + 2 * x;
        out[(map * half + y) * half + x] = Math.max(maps[at], maps[at + 1], maps[at + side], maps[at + side + 1]);
      }
    }
  }
  return out;
}

/** Return both layers' activations after ReLU, and what pooling keeps of them. `picture`: 784 floats, ink 1 on 0. */
export function computeFeatureMaps(picture, { firstWeights, firstBias, secondWeights, secondBias }) {
  const first = convolve(picture, 1, SIDE, firstWeights, firstBias);
  const firstPooled = pool(first, FIRST.maps, FIRST.side);
  const second = convolve(firstPooled, FIRST.maps, POOLED, secondWeights, secondBias);
  return { picture, first, firstPooled, second, secondPooled: pool(second, SECOND.maps, SECOND.side) };
}

/** Return the index of the largest of `length` values from `at`, relative to `at`. */
export function argmax(values, at = 0, length = values.length) {
  let best = 0;
  for (let index = 1; index < length; index += 1) if (values[at + index] > values[at + best]) best = index;
  return best;
}

/** Return what each pooled map adds to filter `map` of the second convolution where that filter's sum is largest. */
export function computeSources({ firstPooled }, { secondWeights, secondBias }, map) {
  const size = SECOND.side ** 2;
  const sums = new Float32Array(size).fill(secondBias[map]);
  const parts = new Float32Array(FIRST.maps * size);
  for (let input = 0; input < FIRST.maps; input += 1) {
    addConvolved(parts, input * size, firstPooled, input * POOLED ** 2, POOLED, secondWeights, (map * FIRST.maps + input) * WEIGHTS);
    for (let index = 0; index < size; index += 1) sums[index] += parts[input * size + index];
  }
  const at = argmax(sums);
  return { at, sum: sums[at], parts: Array.from({ length: FIRST.maps }, (_, input) => parts[input * size + at]) };
}
