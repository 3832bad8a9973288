// Take a photo with the computer's camera. Telephones have their own program for that: see files.js.

import { button, h, setText } from "../dom.js";
import { openDialog } from "./dialog.js";
import { encode } from "./picture.js";

const PROBLEMS = {
  NotAllowedError: "The browser doesn't let this page use the camera. Allow it in the browser's address bar and try again.",
  NotFoundError: "No camera was found. Connect one and try again.",
  NotReadableError: "The camera is in use. Close the other program and try again.",
};

const stop = (stream) => stream?.getTracks().forEach((track) => track.stop());

async function toFile(video) {
  const canvas = h("canvas", { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  const blob = await encode(canvas, "image/jpeg");
  return new File([blob], "camera.jpg", { type: blob.type });
}

/** Show what the camera sees. `use` gets the photo as a file. */
export async function openCamera(use) {
  const video = h("video", { "aria-label": "What the camera sees", playsinline: true });
  const problem = h("p", { class: "notice", role: "alert" });
  const shutter = button("Take photo", async () => {
    if (!video.videoWidth) return;
    const file = await toFile(video);
    dialog.close();
    use(file);
  }, { class: "primary", "aria-disabled": "true" });
  const hint = h("p", { class: "soft" }, "Hold up the paper so that the digits fill the picture.");
  const dialog = openDialog("Camera", [video, hint, problem], [shutter]);
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
    dialog.addEventListener("close", () => stop(stream));
    if (!dialog.open) stop(stream);
    video.srcObject = stream;
    await video.play();
    shutter.ariaDisabled = null;
    shutter.focus();
  } catch (error) {
    setText(problem, PROBLEMS[error.name] ?? `The camera can't be used: ${error.message}`);
  }
}
