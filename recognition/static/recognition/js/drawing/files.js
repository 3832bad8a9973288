// Pictures for the pad: chosen, dropped, pasted or photographed.

import { setText } from "../dom.js";
import { describeError } from "../http.js";
import { BLANK } from "./ink.js";
import { firstPicture, isTooSmall, openPicture } from "./picture.js";

/** Return a function that shows a picture file. If it can't be read, the drawing stays and `problem` says why; `note` is as before. */
function createOpener(pad, predictor, note, problem) {
  return async (file) => {
    const action = pad.nextAction();
    const isLatest = () => pad.isLatest(action); // opening takes time; a later action of the user wins
    const picture = await openPicture(file);
    const noted = note.textContent;
    let error = isTooSmall(picture) ? { code: "image_too_small" } : null;
    if (!picture.bitmap && isLatest()) {
      pad.say("Opening the picture…");
      error = await predictor.probe({ ...BLANK, picture }, isLatest).catch((refusal) => refusal);
    }
    if (!isLatest()) picture.bitmap?.close();
    else if (!error) pad.show({ picture });
    else {
      picture.bitmap?.close();
      setText(note, noted);
      setText(problem, describeError(error));
    }
  };
}

/** Show the button only where there is a camera. Without a secure origin or permission by policy, the browser lists none. */
async function connectCamera(button, input, open) {
  const isTelephone = matchMedia("(pointer: coarse)").matches;
  button.addEventListener("click", async () => {
    if (!isTelephone) {
      (await import("./camera.js")).openCamera(open);
      return;
    }
    input.setAttribute("capture", "environment");
    input.click();
    input.removeAttribute("capture");
  });
  const devices = isTelephone ? [] : await navigator.mediaDevices?.enumerateDevices().catch(() => []);
  button.toggleAttribute("data-ready", isTelephone || Boolean(devices?.some(({ kind }) => kind === "videoinput")));
}

export function connectPictures(main, pad, predictor) {
  const one = (hook) => main.querySelector(`[data-${hook}]`);
  const input = one("upload");
  const open = createOpener(pad, predictor, one("segmentation-note"), one("drawing-problem"));
  input.addEventListener("change", () => {
    if (input.files[0]) open(input.files[0]);
    input.value = "";
  });
  connectCamera(one("camera"), input, open);
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
    if (file) open(file);
  });
  document.addEventListener("paste", (event) => {
    const file = firstPicture(event.clipboardData);
    if (file) open(file);
  });
}
