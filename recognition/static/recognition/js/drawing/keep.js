// Keep the drawing while the tab shows another page, in sessionStorage, which ends with the tab.

import { BLANK } from "./ink.js";
import { encodeBitmap, fromDataUrl, openPicture, toDataUrl } from "./picture.js";

const KEY = "drawing";
const MAX_FILE_BYTES = 1_000_000; // of a picture; browsers take about 5 MB
const MAX_UNITS = 10; // from the pad's middle: more than any pad has
const PRECISION = 1e6; // for each unit
const LOST = "The picture was too large to keep. Choose it again.";

/** Return whether a stroke can be painted: an earlier version of the page may have stored another kind. Throws for some that can't. */
const isStroke = ({ points, width }) => width > 0 && points.length > 0 && points.every((point) => point.every((number) => Math.abs(number) < MAX_UNITS));

function restore(pad, { strokes, area, picture, isLost }) {
  if (isLost) pad.say(LOST);
  if (!picture) {
    if (strokes.length) pad.restore({ ...BLANK, strokes });
    return;
  }
  const action = pad.nextAction();
  openPicture(new File([fromDataUrl(picture.url)], picture.name)).then((opened) => {
    if (pad.isLatest(action)) pad.restore({ strokes, area, picture: opened });
  });
}

function store(value) {
  const round = (key, number) => (typeof number === "number" ? Math.round(number * PRECISION) / PRECISION : number);
  sessionStorage.setItem(KEY, JSON.stringify(value, round));
}

/** Return a file for a picture that is small enough to keep, or null. */
async function smallFile({ file, bitmap }) {
  if (file.size <= MAX_FILE_BYTES) return file;
  return bitmap && encodeBitmap(bitmap);
}

export function keepDrawing(pad) {
  let kept = {}; // {picture, url}: reading a file takes longer than the page has when it is left

  pad.addEventListener("change", async () => {
    const { picture } = pad.drawing;
    if (!picture || picture === kept.picture) return;
    const file = await smallFile(picture);
    const url = file && (await toDataUrl(file));
    kept = { picture, url };
  });

  function save() {
    const { strokes, area, picture } = pad.drawing;
    const url = picture && picture === kept.picture ? kept.url : null;
    try {
      store(picture && !url ? { strokes: [], isLost: true } : { strokes, area, picture: url && { name: picture.name, url } });
    } catch { // storage is full, or not allowed
      try {
        store({ strokes: [], isLost: true });
      } catch {}
    }
  }
  addEventListener("pagehide", save);
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && save());

  try {
    const value = JSON.parse(sessionStorage.getItem(KEY));
    if (value?.strokes.every(isStroke)) restore(pad, value);
  } catch {} // storage is not allowed, or holds something else
}
