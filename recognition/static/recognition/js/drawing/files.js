// Pictures for the pad: chosen, dropped, pasted or photographed.

import { listen, setText } from "../dom.js";
import { BLANK } from "./ink.js";
import { firstPicture, isTooSmall, openPicture, reencode } from "./picture.js";

const UNREADABLE = [400, 413, 415]; // statuses of a file that the browser may have decoded all the same
const NOTICE_MS = 300;
const OPENING = "Opening the picture…";

/** Resolve to the refusal of a picture, or null if the server has read it or answered that it found no digit. */
async function check(predictor, picture, isLatest) {
  if (isTooSmall(picture)) return { code: "image_too_small" };
  const error = await predictor.probe({ ...BLANK, picture }, isLatest);
  if (!picture.bitmap) return error;
  if (!UNREADABLE.includes(error?.status)) return null; // the predictor says what it is, and asks again
  await reencode(picture);
  return (await predictor.probe({ ...BLANK, picture }, isLatest)) ? error : null;
}

/** Return a function that shows a picture file. If it can't be read, the drawing stays and `problem` says why; `note` is as before. */
function createOpener(pad, predictor, note, problem) {
  let noted = "";
  return async (file) => {
    const action = pad.nextAction();
    const isLatest = () => pad.isLatest(action); // opening takes time; a later action of the user wins
    if (note.textContent !== OPENING) noted = note.textContent;
    const notice = setTimeout(() => isLatest() && setText(note, OPENING), NOTICE_MS);
    const picture = await openPicture(file);
    const refusal = isLatest() && (await check(predictor, picture, isLatest));
    clearTimeout(notice);
    if (isLatest() && !refusal) {
      pad.show({ picture });
      return;
    }
    picture.bitmap?.close();
    if (!isLatest()) return;
    if (note.textContent === OPENING) setText(note, noted);
    problem.show(refusal, null);
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

export function connectPictures(one, pad, predictor, problem) {
  const input = one("upload");
  const open = createOpener(pad, predictor, one("segmentation-note"), problem);
  input.addEventListener("change", () => {
    if (input.files[0]) open(input.files[0]);
    input.value = "";
  });
  connectCamera(one("camera"), input, open);
  // On the whole document: otherwise the browser opens a file that misses the pad.
  const carriesFile = (event) => event.dataTransfer?.types.includes("Files");
  const showTarget = (shown) => pad.canvas.parentElement.toggleAttribute("data-target", shown);
  listen(document, {
    dragover: (event) => {
      if (!carriesFile(event)) return;
      event.preventDefault();
      showTarget(true);
    },
    dragleave: (event) => event.relatedTarget || showTarget(false),
    drop: (event) => {
      if (!carriesFile(event)) return;
      event.preventDefault();
      showTarget(false);
      const [file] = event.dataTransfer.files;
      if (file) open(file);
    },
    paste: (event) => {
      const file = firstPicture(event.clipboardData);
      if (file) open(file);
    },
  });
}
