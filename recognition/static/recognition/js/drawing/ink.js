// A drawing is {strokes, picture, area}. Strokes are in units of the pad's height, x from the pad's middle and y from its top,
// so that they scale to any size. `area` is where a picture lies on which strokes were drawn; a picture alone is centered.
// Drawings are immutable: undo returns to an earlier one.

import { viewOf } from "./view.js";

export const BLANK = Object.freeze({ strokes: Object.freeze([]), picture: null });

export const isBlank = (drawing) => drawing.strokes.length === 0 && drawing.picture === null;

const HAIR = 1e-4; // units; a path without any length, as of a tap, would be drawn without its round caps

function trace(context, points) {
  context.beginPath();
  context.moveTo(...points[0]);
  // Curves through the midpoints of the segments smooth a fast stroke.
  for (let index = 1; index < points.length - 1; index += 1) {
    const [x, y] = points[index];
    const [nextX, nextY] = points[index + 1];
    context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  const [x, y] = points.at(-1);
  context.lineTo(x + HAIR, y);
}

/** Return where a picture of some size lies on the pad: centered, as large as it fits, in units of the pad's height. */
export function placePicture({ width, height }, view) {
  const [across, down] = [view.width / view.scale, view.height / view.scale];
  const scale = Math.min(across / width, down / height);
  const [placedWidth, placedHeight] = [width * scale, height * scale];
  return {
    left: view.left + (across - placedWidth) / 2,
    top: view.top + (down - placedHeight) / 2,
    width: placedWidth,
    height: placedHeight,
  };
}

/** Return where the picture of a drawing lies on the pad. */
export const areaOfPicture = ({ picture, area }, view) => area ?? placePicture(picture.bitmap, view);

export function isOnPicture(drawing, [x, y], view) {
  const { left, top, width, height } = areaOfPicture(drawing, view);
  return x >= left && y >= top && x <= left + width && y <= top + height;
}

/** Paint a drawing. The eraser paints in the colour `paper`, or makes transparent; a picture stays. */
export function paint(context, drawing, view, color, paper = null) {
  const { strokes, picture } = drawing;
  if (!picture) paintStrokes(context, strokes, view, color, paper);
  else if (picture.bitmap) paintPicture(context, drawing, view);
}

function paintPicture(context, drawing, view) {
  const { strokes, picture } = drawing;
  const area = areaOfPicture(drawing, view);
  const corner = [area.left - view.left, area.top - view.top];
  const place = [...corner, area.width, area.height].map((length) => length * view.scale);
  context.drawImage(picture.bitmap, ...place);
  if (!strokes.length) return;
  // On a layer of their own, so that the eraser erases strokes only.
  const layer = createLayer(view);
  paintStrokes(layer, strokes, view, picture.ink);
  context.save();
  context.beginPath();
  context.rect(...place);
  context.clip();
  context.drawImage(layer.canvas, 0, 0);
  context.restore();
}

function paintStrokes(context, strokes, view, color, paper = null) {
  context.save();
  context.scale(view.scale, view.scale);
  context.translate(-view.left, -view.top);
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const { points, width, erases } of strokes) {
    context.globalCompositeOperation = erases && !paper ? "destination-out" : "source-over";
    context.strokeStyle = erases ? (paper ?? "#000") : color;
    context.lineWidth = width;
    trace(context, points);
    context.stroke();
  }
  context.restore();
}

/** Paint the keyboard's pen, or the eraser under a pointer, as a ring; filled if the pen is down. */
export function paintCursor(context, { x, y, down }, width, view, color) {
  const { scale, left, top } = view;
  context.beginPath();
  context.arc((x - left) * scale, (y - top) * scale, Math.max((width * scale) / 2, 5 * devicePixelRatio), 0, 2 * Math.PI);
  context.lineWidth = 2 * devicePixelRatio;
  context.strokeStyle = color;
  context.stroke();
  if (!down) return;
  context.fillStyle = color;
  context.fill();
}

export function createContext(width, height, options = {}) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas.getContext("2d", { willReadFrequently: true, ...options });
}

/** Return the four bytes of each pixel. */
export const pixelsOf = (context) => context.getImageData(0, 0, context.canvas.width, context.canvas.height).data;

/** Return the channels of a colour in CSS, such as #d55e00. */
export function channelsOf(color) {
  const context = createContext(1, 1);
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  return pixelsOf(context);
}

/** Return the context of a canvas that is only painted. */
export const createLayer = ({ width, height }) => createContext(width, height, { willReadFrequently: false });

/** Return the bounding box of the pen's strokes. `reach` is how much of a stroke's width it includes, 0 to 1. */
export function boundingBox(strokes, reach = 1) {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const { points, width, erases } of strokes) {
    if (erases) continue;
    const margin = (width * reach) / 2;
    for (const [x, y] of points) {
      box.left = Math.min(box.left, x - margin);
      box.top = Math.min(box.top, y - margin);
      box.right = Math.max(box.right, x + margin);
      box.bottom = Math.max(box.bottom, y + margin);
    }
  }
  return box;
}

/** Return the box of a drawing that must be visible: of the picture under strokes, or of the strokes. */
export function boxOf({ strokes, area }) {
  if (!area) return boundingBox(strokes, 0);
  return { ...area, right: area.left + area.width, bottom: area.top + area.height };
}

const MEASURE_SCALE = 100; // pixels for each unit

/** Return the bounding box of the ink that the eraser has left, or null, and how many pixels of it there are. */
export function measureInk(strokes) {
  const view = viewOf(boundingBox(strokes), MEASURE_SCALE);
  const context = createContext(view.width, view.height);
  paint(context, { strokes, picture: null }, view, "#000");
  const data = pixelsOf(context);
  const edges = { left: view.width, top: view.height, right: -1, bottom: -1 };
  let amount = 0;
  for (let at = 0; at < view.width * view.height; at += 1) {
    if (data[4 * at + 3] < 128) continue;
    amount += 1;
    const [x, y] = [at % view.width, Math.floor(at / view.width)];
    edges.left = Math.min(edges.left, x);
    edges.top = Math.min(edges.top, y);
    edges.right = Math.max(edges.right, x + 1);
    edges.bottom = Math.max(edges.bottom, y + 1);
  }
  if (!amount) return { box: null, amount };
  const unit = (pixels, from) => pixels / MEASURE_SCALE + from;
  const [left, right] = [unit(edges.left, view.left), unit(edges.right, view.left)];
  const [top, bottom] = [unit(edges.top, view.top), unit(edges.bottom, view.top)];
  return { box: { left, top, right, bottom }, amount };
}

/** Return the bounding box of the visible ink, in units of the pad's height, or null. */
export function inkBox(strokes) {
  if (strokes.some(({ erases }) => erases)) return measureInk(strokes).box;
  return strokes.length ? boundingBox(strokes) : null;
}
