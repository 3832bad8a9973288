// Open a picture file: a bitmap for the pad and a file to send.

import { listen, loadImage } from "../dom.js";
import { createContext, pixelsOf } from "./ink.js";

const MAX_SIDE = 1024; // pixels of the longer side: more than pad and server need
const MIN_SIDE = 8; // pixels of the shorter side that the server reads
const UPLOAD_LIMIT_BYTES = 900_000;
const SERVER_MAX_SIDE = 4096; // pixels
const SAMPLE = 64; // pixels of the side at which a picture's tone is measured

/** Return the scale that reduces a picture to at most MAX_SIDE. */
const reduction = (width, height) => Math.min(1, MAX_SIDE / Math.max(width, height));

/** Return the bitmap reduced, and close the larger one: a decoded photo takes 50 MB. */
async function shrink(bitmap) {
  const scale = reduction(bitmap.width, bitmap.height);
  if (scale === 1) return bitmap;
  const [resizeWidth, resizeHeight] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  try {
    return await createImageBitmap(bitmap, { resizeWidth, resizeHeight, resizeQuality: "high" });
  } finally {
    bitmap.close();
  }
}

/** Decode what is a picture only for an <img> element, such as SVG. */
async function decodeElement(file) {
  const url = URL.createObjectURL(file);
  try {
    const image = await loadImage(url);
    const [width, height] = [image.naturalWidth || MAX_SIDE, image.naturalHeight || MAX_SIDE]; // an SVG may have no size
    const scale = reduction(width, height);
    const context = createContext(Math.ceil(width * scale), Math.ceil(height * scale));
    const { canvas } = context;
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return { bitmap: await createImageBitmap(canvas), width, height, isForeign: true };
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function decode(file) {
  const decoded = await createImageBitmap(file).catch(() => null);
  if (!decoded) return decodeElement(file).catch(() => null);
  const { width, height } = decoded; // closing it sets them to 0
  return { bitmap: await shrink(decoded), width, height };
}

/** Resolve to a canvas as a file. */
export const encode = (canvas, type = "image/webp") => new Promise((resolve) => canvas.toBlob(resolve, type, 0.9));

/** Resolve to a bitmap as a file. */
export function encodeBitmap(bitmap) {
  const context = createContext(bitmap.width, bitmap.height);
  context.drawImage(bitmap, 0, 0);
  return encode(context.canvas);
}

/** Return a colour for strokes on a picture: dark on paper, light on a board, and that of the ink on a transparent one. */
function inkFor(bitmap) {
  const context = createContext(SAMPLE, SAMPLE);
  context.drawImage(bitmap, 0, 0, SAMPLE, SAMPLE);
  const data = pixelsOf(context);
  const levels = data.filter((level, at) => at % 4 === 1 && data[at + 2] > 127).sort(); // green, where it is opaque
  const middle = levels[levels.length >> 1] ?? 0;
  const isTransparent = levels.length < data.length / 8;
  const contrast = middle - levels[0] - (levels.at(-1) - middle); // above 0: its ink is darker than its ground
  return (isTransparent ? middle > 127 : (contrast || middle - 127.5) < 0) ? "#fff" : "#111";
}

/** Replace the file by one of the bitmap, which the server reads for certain. */
export async function reencode(picture) {
  const { bitmap } = picture;
  picture.file = await encodeBitmap(bitmap);
  picture.size = { width: bitmap.width, height: bitmap.height };
}

/** Resolve to a file as a data URL. */
export function toDataUrl(file) {
  return new Promise((resolve) => {
    const reader = new FileReader();
    listen(reader, {
      load: () => resolve(reader.result),
      error: () => resolve(null),
    });
    reader.readAsDataURL(file);
  });
}

/** Decode a data URL: a content security policy may forbid to fetch it. */
export function fromDataUrl(url) {
  const [head, data] = url.split(",");
  return new Blob([Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))], { type: head.slice("data:".length).split(";")[0] });
}

let count = 0;

/**
 * Resolve to {key, bitmap, file, name, size, ink}: the size of the file's picture in pixels. The caller closes the bitmap.
 * Of a file that the browser can't decode `bitmap` is null: the server may read it, or reports what is wrong with it.
 */
export async function openPicture(file) {
  count += 1;
  const name = file.name || "picture";
  const picture = { key: count, bitmap: null, file, name, size: null, ink: "#111" };
  const decoded = await decode(file);
  if (!decoded) return picture;
  const { bitmap, width, height, isForeign } = decoded;
  Object.assign(picture, { bitmap, size: { width, height }, ink: inkFor(bitmap) });
  if (isForeign || file.size > UPLOAD_LIMIT_BYTES || Math.max(width, height) > SERVER_MAX_SIDE) await reencode(picture);
  return picture;
}

export const isTooSmall = ({ size }) => size !== null && Math.min(size.width, size.height) < MIN_SIDE;

export const firstPicture = (transfer) => [...(transfer?.files ?? [])].find((file) => file.type.startsWith("image/"));
