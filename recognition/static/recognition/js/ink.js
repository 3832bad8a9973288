// A drawing as data: strokes in units of the pad's side, so it can be drawn again at any size.
// A drawing is {strokes, picture} and is never changed, only replaced: undo is going back to the one before.

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
  // Through the middles of the segments, so that a fast hand leaves a curve and not a polygon.
  for (let index = 1; index < points.length - 1; index += 1) {
    const [x, y] = at(index);
    const [nextX, nextY] = at(index + 1);
    context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  context.lineTo(...at(points.length - 1));
}

function paintPicture(context, bitmap, side) {
  const scale = Math.min(side / bitmap.width, side / bitmap.height);
  const width = bitmap.width * scale;
  const height = bitmap.height * scale;
  context.drawImage(bitmap, (side - width) / 2, (side - height) / 2, width, height);
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

const SENT_SIDE = 280;

/** What is sent is always black on white and of one size, whatever the screen and its colours. */
export function toDataUrl(drawing) {
  const canvas = document.createElement("canvas");
  canvas.width = SENT_SIDE;
  canvas.height = SENT_SIDE;
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, SENT_SIDE, SENT_SIDE);
  paint(context, drawing, SENT_SIDE, "#000");
  return canvas.toDataURL("image/png");
}
