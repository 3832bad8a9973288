// The page: drawing above, training below, past runs at the end. Addresses come from the template's data attributes.

import { say } from "./dom.js";
import { startDrawing } from "./drawing.js";
import { History } from "./history.js";
import { get } from "./http.js";
import { Settings } from "./settings.js";
import { NetworkView } from "./network.js";
import { RunView } from "./runview.js";
import { isActive } from "./state.js";
import { Watch } from "./watch.js";
import { percent } from "./words.js";

const main = document.getElementById("main");

async function showAccuracy() {
  // Before there is any model there is no accuracy, and that is no news.
  const answer = await get(main.dataset.accuracyUrl).catch(() => null);
  const known = Number.isFinite(answer?.accuracy);
  say(main.querySelector("[data-accuracy]"), known ? `The latest one trained reads ${percent(answer.accuracy)} of 10,000 test digits correctly.` : "");
}

const drawing = startDrawing(main);
const network = new NetworkView(main.querySelector("[data-network]"), main.dataset.modelsUrl);
const history = new History(main.querySelector("[data-history]"), main.dataset);
const settings = new Settings(main.querySelector("[data-train-form]"), main.dataset);
const watch = new Watch(main, new RunView(main.querySelector("[data-run]")));

drawing.reader.addEventListener("answer", (event) => network.show(event.detail));
drawing.reader.addEventListener("blank", () => network.clear());

const showBusy = () => {
  settings.busy = watch.run !== null && isActive(watch.run);
};

watch.addEventListener("change", () => {
  showBusy();
  history.refresh();
});
watch.addEventListener("ended", () => {
  showBusy();
  history.refresh();
  showAccuracy();
  settings.learnPace();
  // The run may have put another network into service, and that one may read the drawing differently.
  if (watch.run.in_service) drawing.readAgain();
});
settings.form.addEventListener("asked", (event) => {
  // On a phone the run stands below the form.
  main.querySelector("[data-run]").scrollIntoView({ block: "nearest" });
  // With the socket down nothing tells that the run began, and the form would wait for ever; the history knows.
  setTimeout(() => {
    if (watch.run?.id >= event.detail) return;
    showBusy();
    history.refresh();
  }, 3000);
});

history.refresh();
showAccuracy();
