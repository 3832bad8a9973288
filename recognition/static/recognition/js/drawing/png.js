// Encode an uncompressed PNG with sixteen levels of grey: small, ready before the next frame and cheap to decode.
// A canvas can only write four channels of 256 levels.
// PNG: W3C Recommendation, Third Edition, 2025: signature, IHDR, IDAT (zlib, filter 0 before each row), IEND.
// zlib, RFC 1950, holding one stored block of deflate, RFC 1951.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const DEPTH = 4; // bits per pixel
const GREYSCALE = 0;
const ZLIB = [0x78, 0x01];
const ADLER = 65521;

const CRCS = Uint32Array.from({ length: 256 }, (_, value) => {
  let crc = value;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRCS[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const bigEndian = (value) => [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
const littleEndian = (value) => [value & 0xff, value >>> 8];

function chunk(type, data) {
  const named = [...type].map((letter) => letter.charCodeAt(0)).concat(data);
  return [...bigEndian(data.length), ...named, ...bigEndian(crc32(named))];
}

/** Wrap at most 65,535 bytes in one stored block. */
function store(bytes) {
  let [low, high] = [1, 0];
  for (const byte of bytes) {
    low = (low + byte) % ADLER;
    high = (high + low) % ADLER;
  }
  const length = bytes.length;
  return [...ZLIB, 1, ...littleEndian(length), ...littleEndian(length ^ 0xffff), ...bytes, ...bigEndian(high * 65536 + low)];
}

/** Return a PNG Blob of up to 128,000 pixels. `grey(index)` returns a pixel's level, 0 to 255, row by row. */
export function encodeGrey(grey, width, height) {
  const rows = [];
  for (let row = 0; row < height; row += 1) {
    rows.push(0);
    for (let column = 0; column < width; column += 2) {
      const at = row * width + column;
      const right = column + 1 < width ? grey(at + 1) >> DEPTH : 0;
      rows.push(((grey(at) >> DEPTH) << DEPTH) | right);
    }
  }
  const header = [...bigEndian(width), ...bigEndian(height), DEPTH, GREYSCALE, 0, 0, 0];
  const parts = [SIGNATURE, chunk("IHDR", header), chunk("IDAT", store(rows)), chunk("IEND", [])];
  return new Blob([new Uint8Array(parts.flat())], { type: "image/png" });
}
