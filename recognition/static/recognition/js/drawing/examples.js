// Examples for people who can't draw. A chosen one is on the pad as strokes, to be erased, undone and drawn on.

import { button, h } from "../dom.js";
import { openDialog } from "./dialog.js";
import { paint } from "./ink.js";
import { wholeView } from "./view.js";

// Of each digit the strokes: x and y of each point, from 00 to 99. A point that is there twice is a corner.
const DIGITS = [
  "62144912362027402866368450896384726672446524541551134320",
  "3630471954105335526051745088",
  "3031341946115912682166365650426628842886288641825686658775857784",
  "3120421257126622633552454347434757486959707360854489298227",
  "581047303452256525653464556276597658 61395960589056905691",
  "361435303246324646416045695767735686418929822780 36145214691068106810",
  "62115020393832583375428755886679676558564558346834693469",
  "281845177113711370146235526045894589",
  "6322521239163528434058506765658053893884327041565544653362216018",
  "66275613431434263541464758426627672765506270588958895990",
];
const NUMBER = "2048";
const SPACE = 0.46; // between the middles of its digits, in units of the pad's height
const SIZE = 0.62; // of its digits
const THUMBNAIL = 64; // pixels of the height

/** Return the strokes of a digit around `middle`. */
function strokesOf(digit, width, size = 0.92, middle = 0) {
  return DIGITS[digit].split(" ").map((stroke) => {
    const points = stroke.match(/\d{4}/g).map((pair) => [pair.slice(0, 2), pair.slice(2)].map((value) => Number(value) / 100 - 0.5));
    return { width, erases: false, points: points.map(([x, y]) => [middle + x * size, 0.5 + y * size]) };
  });
}

function strokesOfNumber(width) {
  const digits = [...NUMBER];
  return digits.flatMap((digit, index) => strokesOf(digit, width, SIZE, (index - (digits.length - 1) / 2) * SPACE));
}

function paintThumbnail(canvas, strokes) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((side) => side * devicePixelRatio);
  Object.assign(canvas, { width, height });
  paint(canvas.getContext("2d"), { strokes, picture: null }, wholeView(width, height), getComputedStyle(canvas).color);
}

export function openExamples(pad) {
  const examples = [...DIGITS.keys()].map((digit) => [String(digit), (width) => strokesOf(digit, width)]);
  examples.push([NUMBER, strokesOfNumber]);
  const buttons = examples.map(([name, strokes]) => {
    const draw = () => {
      dialog.close();
      pad.show({ strokes: strokes(pad.width) });
    };
    return button(h("canvas"), draw, { "aria-label": `Draw ${name}` });
  });
  const dialog = openDialog("Examples", [h("div", { class: "examples" }, ...buttons)]);
  buttons.forEach(({ firstChild }, index) => paintThumbnail(firstChild, examples[index][1](0.08)));
}
