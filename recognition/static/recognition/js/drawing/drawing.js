// The upper half of the page: pad, tools, upload, and the answer beside them.

import { AnswerView } from "./prediction.js";
import { say } from "../dom.js";
import { inPlainWords } from "../http.js";
import { drawWithKeyboard } from "./keyboard.js";
import { Pad } from "./pad.js";
import { firstPicture, openPicture } from "./picture.js";
import { drawWithPointer } from "./pointer.js";
import { Reader } from "./predictor.js";

function wireTools(main, pad) {
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
    // A button that had the focus and goes dead would drop a keyboard user at the top of the page.
    const focused = document.activeElement;
    undo.disabled = !pad.canUndo;
    redo.disabled = !pad.canRedo;
    clear.disabled = pad.isBlank;
    if (focused.disabled) pad.canvas.focus({ preventScroll: true });
  });
}

function wirePictures(main, pad) {
  const input = main.querySelector("[data-upload]");
  const take = async (file) => {
    const act = pad.nextAct();
    const picture = await openPicture(file);
    // A large file takes its time; what was done since then stands.
    if (pad.isNewest(act)) pad.show(picture);
    else picture.bitmap?.close();
  };
  input.addEventListener("change", () => {
    if (input.files[0]) take(input.files[0]);
    input.value = "";
  });
  // Anywhere on the page: a file that misses the pad would otherwise take the place of the page.
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
    if (file) take(file);
  });
  document.addEventListener("paste", (event) => {
    const file = firstPicture(event.clipboardData);
    if (file) take(file);
  });
}

/** `reader` tells whoever wants to know: "answer" with the server's answer in `detail`, "blank" and "problem". */
export function startDrawing(main) {
  const pad = new Pad(main.querySelector("[data-pad]"));
  const reader = new Reader(main.dataset.drawingUrl);
  const view = new AnswerView(main.querySelector("[data-answer]"));
  const problem = main.querySelector("[data-drawing-problem]");

  drawWithPointer(pad);
  drawWithKeyboard(pad, main.querySelector("[data-pen-words]"));
  wireTools(main, pad);
  wirePictures(main, pad);

  pad.addEventListener("ink", () => reader.guess(() => pad.current));
  pad.addEventListener("change", () => reader.read(pad.drawing));
  reader.addEventListener("reading", () => view.reading());
  reader.addEventListener("blank", () => {
    say(problem, "");
    view.clear(pad.isBlank ? "Nothing drawn yet." : "Nothing to read in it yet.");
  });
  reader.addEventListener("answer", (event) => {
    say(problem, "");
    view.show(event.detail);
  });
  reader.addEventListener("problem", (event) => {
    say(problem, inPlainWords(event.detail));
    view.clear("No answer.");
  });

  return { reader, readAgain: () => !pad.isBlank && reader.read(pad.drawing, { again: true }) };
}
