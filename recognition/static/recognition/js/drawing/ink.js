// A drawing is {strokes, picture}. Strokes are in units of the pad's side, so that they scale to any size.
// Drawings are immutable: undo returns to an earlier one.

import { encodeGrey } from "./png.js";

export const BLANK = Object.freeze({ strokes: Object.freeze([]), picture: null });

export const isBlank = (drawing) => drawing.strokes.length === 0 && drawing.picture === null;

function trace(context, points, side) {
  const at = (index) => [points[index][0] * side, points[index][1] * side];
  context.beginPath();
  context.moveTo(...at(0));
  if (points.length < 3) {
    context.lineTo(...at(points.length - 1));
    return;
  }
  // Curves through the midpoints of the segments smooth a fast stroke.
  for (let index = 1; index < points.length - 1; index += 1) {
    const [x, y] = at(index);
    const [nextX, nextY] = at(index + 1);
    context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  context.lineTo(...at(points.length - 1));
}

/** Return where a picture lies on the pad, in units of the pad's side. */
function placePicture(picture) {
  const longer = Math.max(picture.width, picture.height);
  const [width, height] = [picture.width / longer, picture.height / longer];
  return { left: (1 - width) / 2, top: (1 - height) / 2, width, height };
}

function paintPicture(context, bitmap, side) {
  const { left, top, width, height } = placePicture(bitmap);
  context.drawImage(bitmap, left * side, top * side, width * side, height * side);
}

export function paint(context, drawing, side, color) {
  if (drawing.picture?.bitmap) paintPicture(context, drawing.picture.bitmap, side);
  context.strokeStyle = color;
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const stroke of drawing.strokes) {
    context.lineWidth = stroke.width * side;
    trace(context, stroke.points, side);
    context.stroke();
  }
}

const INK_SIDE = 80; // pixels of the ink's longer side, as the server scales it
const MARGIN = 10; // pixels of background around the ink
const MIN_SIDE = 1 / 28; // of the pad: smaller ink is not enlarged further

/** Return the bounding box of the strokes, in units of the pad's side. */
function boundingBox(strokes) {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const { points, width } of strokes) {
    for (const [x, y] of points) {
      box.left = Math.min(box.left, x - width / 2);
      box.top = Math.min(box.top, y - width / 2);
      box.right = Math.max(box.right, x + width / 2);
      box.bottom = Math.max(box.bottom, y + width / 2);
    }
  }
  return box;
}

/** Return the longer side of the strokes' center lines, in units of the pad's side. */
export function extent({ strokes }) {
  const { left, top, right, bottom } = boundingBox(strokes.map(({ points }) => ({ points, width: 0 })));
  return Math.max(right - left, bottom - top, 0);
}

function createContext(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas.getContext("2d", { alpha: false, willReadFrequently: true });
}

/** Return the part of the pad that `toPng` makes a picture of, in pixels, and the pixels of the whole pad's side. */
function crop(strokes) {
  const { left, top, right, bottom } = boundingBox(strokes);
  const side = INK_SIDE / Math.max(right - left, bottom - top, MIN_SIDE);
  return {
    side,
    left: left * side - MARGIN,
    top: top * side - MARGIN,
    width: Math.ceil((right - left) * side) + 2 * MARGIN,
    height: Math.ceil((bottom - top) * side) + 2 * MARGIN,
  };
}

/** Return where on the pad lies what was sent of a drawing, in units of the pad's side. `mask` has its proportions. */
export function sentArea({ strokes, picture }, mask) {
  if (picture) return placePicture(picture.bitmap ?? mask);
  const { side, left, top, width, height } = crop(strokes);
  return { left: left / side, top: top / side, width: width / side, height: height / side };
}

/** Return the strokes as a PNG Blob: cropped, black on white, the same size on every screen. */
export function toPng({ strokes }) {
  const { side, left, top, width, height } = crop(strokes);
  const context = createContext(width, height);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.translate(-left, -top);
  paint(context, { strokes, picture: null }, side, "#000");
  const { data } = context.getImageData(0, 0, width, height);
  return encodeGrey((index) => data[4 * index], width, height);
}
