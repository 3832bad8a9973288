// The drawing section: pad, tools, upload, and the prediction beside them.

import { Answer } from "./answer.js";
import { BoxesView } from "./boxes.js";
import { CorrectionView } from "./correction.js";
import { NumberView } from "./number.js";
import { PredictionView } from "./prediction.js";
import { finder, listen, setText } from "../dom.js";
import { connectPictures } from "./files.js";
import { connectFullScreen } from "./fullscreen.js";
import { keepDrawing } from "./keep.js";
import { drawWithKeyboard } from "./keyboard.js";
import { Pad } from "./pad.js";
import { drawWithPointer } from "./pointer.js";
import { keyOf, modelInAddress, Predictor } from "./predictor.js";
import { ProblemView } from "./problem.js";
import { SegmentationView } from "./segmentation.js";

function connectTools(one, pad) {
  const undo = one("undo");
  const redo = one("redo");
  const clear = one("clear");
  const eraser = one("eraser");
  const brush = one("brush");
  const setWidth = () => {
    pad.width = Number(brush.value) / 100;
    pad.repaint();
  };
  const actions = { undo: () => pad.undo(), redo: () => pad.redo(), clear: () => pad.clear(), eraser: () => { pad.erases = !pad.erases; } };
  for (const [name, act] of Object.entries(actions)) one(name).addEventListener("click", act);
  brush.addEventListener("input", setWidth);
  setWidth();
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches?.('input:not([type="range"], [type="checkbox"], [type="file"]), select');
    if (typing || event.altKey || !(event.ctrlKey || event.metaKey)) return;
    const key = `${event.shiftKey ? "shift " : ""}${event.key.toLowerCase()}`;
    if (key === "z") pad.undo();
    else if (key === "shift z" || key === "y") pad.redo();
    else return;
    event.preventDefault();
  });
  listen(pad, {
    change: () => {
      // Disabling the focused button would move the focus to the top of the page.
      const focused = document.activeElement;
      undo.disabled = !pad.canUndo;
      redo.disabled = !pad.canRedo;
      clear.disabled = pad.isBlank;
      eraser.disabled = !pad.canErase;
      if (focused.disabled) pad.canvas.focus({ preventScroll: true });
    },
    tool: () => {
      eraser.ariaPressed = pad.erases;
      pad.canvas.toggleAttribute("data-erases", pad.erases);
      if (!pad.erases) pad.cursor = null;
    },
  });
}

/** Show what the predictor says of the pad's drawing. */
function connectAnswer(one, pad, predictor, answer, problem) {
  const view = new PredictionView(one("answer"), answer);
  const clear = (text) => {
    answer.clear();
    view.clear(text);
  };
  for (const type of ["ink", "change"]) pad.addEventListener(type, () => answer.unsettle());
  listen(predictor, {
    pending: () => view.showPending(),
    blank: () => {
      problem.clear();
      clear(pad.isBlank ? "Nothing drawn yet." : `No digit found in this ${pad.drawing.picture ? "picture" : "drawing"}.`);
    },
    prediction: ({ detail }) => {
      problem.clear();
      answer.show(detail, detail.final && keyOf(detail.drawing) === keyOf(pad.current));
    },
    problem: ({ detail: { error, wait } }) => {
      problem.show(error, wait);
      clear("No prediction.");
    },
  });
}

/**
 * Connect the drawing section. The returned `answer` holds the prediction that is shown and dispatches "change";
 * `predictAgain` asks again, as after an activation, and `retry` only while a problem is shown.
 */
export function startDrawing(main) {
  const one = finder(main);
  const pad = new Pad(one("pad"));
  const predictor = new Predictor(main.dataset.numberUrl, modelInAddress());
  const answer = new Answer();
  const problem = new ProblemView(one("drawing-problem"));
  const boxes = new BoxesView(pad, one("boxes"), answer);

  drawWithPointer(pad, boxes);
  drawWithKeyboard(pad, one("pen-status"));
  connectTools(one, pad);
  connectPictures(one, pad, predictor, problem);
  connectFullScreen(main.querySelector(".draw"), one("full-screen"), pad);
  one("examples").addEventListener("click", async () => (await import("./examples.js")).openExamples(pad));
  new NumberView(one("number"), answer, pad);
  new SegmentationView(pad, one("segmentation"), one("segmentation-note"), answer);
  connectAnswer(one, pad, predictor, answer, problem);
  // The page has no corrections where the site does not take them.
  if (one("correction")) new CorrectionView(one("correction"), main.dataset.correctionsUrl, pad, answer, [pad.canvas, one("number")]);

  listen(pad, {
    note: () => setText(one("segmentation-note"), pad.note),
    ink: () => predictor.guess(() => pad.current),
    change: () => predictor.predict(pad.drawing),
  });

  keepDrawing(pad);

  const predictAgain = () => !pad.isBlank && predictor.predict(pad.drawing, { again: true });
  return { pad, answer, predictor, predictAgain, retry: () => predictor.retry() };
}
