// The upper half of the page: pad, tools, upload, and the answer beside them.

import { AnswerView } from "./answer.js";
import { say } from "./dom.js";
import { inPlainWords } from "./http.js";
import { drawWithKeyboard } from "./keyboard.js";
import { Pad } from "./pad.js";
import { firstPicture, openPicture } from "./picture.js";
import { drawWithPointer } from "./pointer.js";
import { Reader } from "./reader.js";

function wireTools(main, pad) {
  const undo = main.querySelector("[data-undo]");
  const clear = main.querySelector("[data-clear]");
  const brush = main.querySelector("[data-brush]");
  const setWidth = () => {
    pad.width = Number(brush.value) / 100;
    pad.repaint();
  };
  undo.addEventListener("click", () => pad.undo());
  clear.addEventListener("click", () => pad.clear());
  brush.addEventListener("input", setWidth);
  setWidth();
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches?.('input:not([type="range"], [type="checkbox"], [type="file"]), select');
    if (typing || event.shiftKey || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    pad.undo();
  });
  pad.addEventListener("change", () => {
    // A button that had the focus and goes dead would drop a keyboard user at the top of the page.
    const focused = document.activeElement;
    undo.disabled = !pad.canUndo;
    clear.disabled = pad.isBlank;
    if (focused.disabled) pad.canvas.focus({ preventScroll: true });
  });
}

function wirePictures(main, pad) {
  const input = main.querySelector("[data-upload]");
  const take = async (file) => pad.show(await openPicture(file));
  input.addEventListener("change", () => {
    if (input.files[0]) take(input.files[0]);
    input.value = "";
  });
  pad.canvas.addEventListener("dragover", (event) => event.preventDefault());
  pad.canvas.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => {
    const file = firstPicture(event.clipboardData);
    if (file) take(file);
  });
}

export function startDrawing(main) {
  const pad = new Pad(main.querySelector("[data-pad]"));
  const reader = new Reader(main.dataset.drawingUrl);
  const view = new AnswerView(main.querySelector("[data-answer]"));
  const problem = main.querySelector("[data-drawing-problem]");

  drawWithPointer(pad);
  drawWithKeyboard(pad, main.querySelector("[data-pen-words]"));
  wireTools(main, pad);
  wirePictures(main, pad);

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

  return { readAgain: () => !pad.isBlank && reader.read(pad.drawing) };
}
