// The drawing section: pad, tools, upload, and the prediction beside them.

import { CorrectionView } from "./correction.js";
import { PredictionView } from "./prediction.js";
import { setText } from "../dom.js";
import { describeError } from "../http.js";
import { drawWithKeyboard } from "./keyboard.js";
import { Pad } from "./pad.js";
import { firstPicture, openPicture } from "./picture.js";
import { drawWithPointer } from "./pointer.js";
import { keyOf, Predictor } from "./predictor.js";
import { SegmentationView } from "./segmentation.js";

function connectTools(main, pad) {
  const undo = main.querySelector("[data-undo]");
  const redo = main.querySelector("[data-redo]");
  const clear = main.querySelector("[data-clear]");
  const brush = main.querySelector("[data-brush]");
  const setWidth = () => {
    pad.width = Number(brush.value) / 100;
    pad.repaint();
  };
  undo.addEventListener("click", () => pad.undo());
  redo.addEventListener("click", () => pad.redo());
  clear.addEventListener("click", () => pad.clear());
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
  pad.addEventListener("change", () => {
    // Disabling the focused button would move the focus to the top of the page.
    const focused = document.activeElement;
    undo.disabled = !pad.canUndo;
    redo.disabled = !pad.canRedo;
    clear.disabled = pad.isBlank;
    if (focused.disabled) pad.canvas.focus({ preventScroll: true });
  });
}

function connectPictures(main, pad) {
  const input = main.querySelector("[data-upload]");
  const showFile = async (file) => {
    const action = pad.nextAction();
    const picture = await openPicture(file);
    // Decoding takes time; a later action of the user wins.
    if (pad.isLatest(action)) pad.show(picture);
    else picture.bitmap?.close();
  };
  input.addEventListener("change", () => {
    if (input.files[0]) showFile(input.files[0]);
    input.value = "";
  });
  // On the whole document: otherwise the browser opens a file that misses the pad.
  const carriesFile = (event) => event.dataTransfer?.types.includes("Files");
  const showTarget = (shown) => pad.canvas.parentElement.toggleAttribute("data-target", shown);
  document.addEventListener("dragover", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    showTarget(true);
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget || showTarget(false));
  document.addEventListener("drop", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    showTarget(false);
    const [file] = event.dataTransfer.files;
    if (file) showFile(file);
  });
  document.addEventListener("paste", (event) => {
    const file = firstPicture(event.clipboardData);
    if (file) showFile(file);
  });
}

/** Connect the corrections. The page has none where the site does not take them. */
function connectCorrections(main, pad, predictor) {
  const root = main.querySelector("[data-correction]");
  if (!root) return;
  const view = new CorrectionView(root, main.dataset.correctionsUrl, pad);
  for (const type of ["ink", "change"]) pad.addEventListener(type, () => view.hide());
  for (const type of ["blank", "problem"]) predictor.addEventListener(type, () => view.hide());
  predictor.addEventListener("prediction", ({ detail: { drawing, final } }) => {
    if (final && keyOf(drawing) === keyOf(pad.current)) view.ask(drawing);
  });
}

/** Connect the drawing section. The returned `predictor` dispatches "prediction", "blank" and "problem". */
export function startDrawing(main) {
  const pad = new Pad(main.querySelector("[data-pad]"));
  const predictor = new Predictor(main.dataset.drawingUrl);
  const view = new PredictionView(main.querySelector("[data-answer]"));
  const segmentation = new SegmentationView(pad, main.querySelector("[data-segmentation]"), main.querySelector("[data-segmentation-note]"));
  const problem = main.querySelector("[data-drawing-problem]");

  drawWithPointer(pad);
  drawWithKeyboard(pad, main.querySelector("[data-pen-status]"));
  connectTools(main, pad);
  connectPictures(main, pad);
  connectCorrections(main, pad, predictor);

  pad.addEventListener("ink", () => {
    segmentation.clear();
    predictor.guess(() => pad.current);
  });
  pad.addEventListener("change", () => {
    segmentation.clear();
    predictor.predict(pad.drawing);
  });
  predictor.addEventListener("pending", () => view.showPending());
  predictor.addEventListener("blank", () => {
    setText(problem, "");
    view.clear(pad.isBlank ? "Nothing drawn yet." : `No digit found in this ${pad.drawing.picture ? "picture" : "drawing"}.`);
  });
  predictor.addEventListener("prediction", (event) => {
    setText(problem, "");
    view.show(event.detail);
    const { drawing, final } = event.detail;
    if (final && keyOf(drawing) === keyOf(pad.current)) segmentation.show(drawing, event.detail.segmentation);
  });
  predictor.addEventListener("problem", (event) => {
    segmentation.clear();
    setText(problem, describeError(event.detail));
    view.clear("No prediction.");
  });

  return { predictor, predictAgain: () => !pad.isBlank && predictor.predict(pad.drawing, { again: true }) };
}
