// The network's two convolutions, computed in the browser.
// 28x28 -> 5x5 -> 32 maps of 24x24 -> ReLU -> 2x2 max-pooling -> 5x5 -> 64 maps of 8x8 -> ReLU.

export const FIRST = { maps: 32, side: 24 };
export const SECOND = { maps: 64, side: 8 };
const KERNEL = 5;
const SIDE = 28;
const POOLED = FIRST.side / 2;
const LENGTHS = [FIRST.maps * KERNEL ** 2, FIRST.maps, SECOND.maps * FIRST.maps * KERNEL ** 2, SECOND.maps];

/** Split an ArrayBuffer of little-endian float32, as /api/models/<id>/filters/ returns it. */
export function parseFilters(buffer) {
  const values = new Float32Array(buffer);
  if (values.length !== LENGTHS.reduce((sum, length) => sum + length)) throw new RangeError("The filters do not have the shape of the two convolutions.");
  const parts = [];
  let at = 0;
  for (const length of LENGTHS) {
    parts.push(values.subarray(at, at + length));
    at += length;
  }
  const [firstWeights, firstBias, secondWeights, secondBias] = parts;
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
      addConvolved(out, map * size, pictures, input * width * width, width, weights, (map * count + input) * KERNEL ** 2);
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

/** Return both layers' activations, after ReLU and before pooling. `picture`: 784 floats, ink 1 on 0. */
export function computeFeatureMaps(picture, { firstWeights, firstBias, secondWeights, secondBias }) {
  const first = convolve(picture, 1, SIDE, firstWeights, firstBias);
  const second = convolve(pool(first, FIRST.maps, FIRST.side), FIRST.maps, POOLED, secondWeights, secondBias);
  return { first, second };
}
