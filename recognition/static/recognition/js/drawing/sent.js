// The picture that is sent of a drawing, and where on the pad it lies.

import { boundingBox, createContext, inkBox, paint, pixelsOf, placePicture } from "./ink.js";
import { encode } from "./picture.js";
import { encodeGrey } from "./png.js";
import { viewOf } from "./view.js";

const INK_SIDE = 80; // pixels of a digit's longer side, as the server scales it
const WIDE = 1.5; // width for each height: wider ink may be several digits, of which INK_SIDE is the height
const MAX_INK_WIDTH = 640; // pixels
const MAX_PEN = 14; // pixels of the pen's width in wide ink: more would enlarge a mere dash
const MARGIN = 10; // pixels of background around the ink
const MIN_SIDE = 1 / 28; // of the pad's height: smaller ink is not enlarged further
const MIN_COMPOSED = 640; // pixels of the longer side of a picture with strokes on it

/** Return the longer side of the pen's center lines, in units of the pad's height; 0 if all ink is erased. */
export function extent({ strokes }) {
  const isErased = strokes.some(({ erases }) => erases);
  const box = isErased ? inkBox(strokes) : boundingBox(strokes, 0);
  return box ? Math.max(box.right - box.left, box.bottom - box.top, 0) : 0;
}

const crops = new WeakMap(); // views by strokes: measuring what an eraser has left takes time

/** Return the view of the strokes that `toPng` makes a picture of. */
function cropView(strokes) {
  if (!crops.has(strokes)) crops.set(strokes, computeCrop(strokes));
  return crops.get(strokes);
}

function computeCrop(strokes) {
  const box = inkBox(strokes) ?? boundingBox(strokes);
  const [width, height] = [box.right - box.left, box.bottom - box.top];
  const ofDigit = INK_SIDE / Math.max(width, height, MIN_SIDE);
  if (width <= WIDE * height) return viewOf(box, ofDigit, MARGIN);
  const pen = Math.max(...strokes.map(({ width: wide, erases }) => (erases ? 0 : wide)));
  const ofLine = Math.min(INK_SIDE / height, MAX_INK_WIDTH / width, MAX_PEN / pen);
  return viewOf(box, Math.max(ofLine, ofDigit), MARGIN);
}

/** Return the strokes as a PNG Blob: cropped, black on white, the same size on every screen. */
function toPng({ strokes }) {
  const view = cropView(strokes);
  const { width, height } = view;
  const context = createContext(width, height, { alpha: false });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  paint(context, { strokes, picture: null }, view, "#000", "#fff");
  const data = pixelsOf(context);
  return encodeGrey((index) => data[4 * index], width, height);
}

/** Return the size of a picture with strokes on it. */
function composedSize({ width, height }) {
  const scale = Math.max(1, MIN_COMPOSED / Math.max(width, height));
  return { width: Math.round(width * scale), height: Math.round(height * scale) };
}

/** Resolve to the picture with the strokes on it, as a Blob. */
function compose(drawing) {
  const { picture, area } = drawing;
  const { width, height } = composedSize(picture.bitmap);
  const context = createContext(width, height);
  paint(context, drawing, { ...area, width, height, scale: width / area.width });
  return encode(context.canvas);
}

/** Return the picture to send of a drawing: a Blob, or the promise of one where strokes are on a picture. */
export function pictureFile(drawing) {
  const { strokes, picture } = drawing;
  if (!picture) return toPng(drawing);
  return strokes.length ? compose(drawing) : picture.file;
}

/** Return the size of the picture that is sent, in pixels, or null if the browser can't decode it. */
export function sentSize({ strokes, picture }) {
  if (picture) return strokes.length ? composedSize(picture.bitmap) : picture.size;
  const { width, height } = cropView(strokes);
  return { width, height };
}

/** Return where on the pad lies what was sent of a drawing, in units of the pad's height. `size` has its proportions. */
export function sentArea({ strokes, picture, area }, size, padView) {
  if (picture) return area ?? placePicture(size, padView);
  const { scale, left, top, width, height } = cropView(strokes);
  return { left, top, width: width / scale, height: height / scale };
}
