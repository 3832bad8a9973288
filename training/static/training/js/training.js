// The lower half of the page: starting a run, watching it, past runs.

import { say } from "../../recognition/js/dom.js";
import { History } from "./runs/table.js";
import { get } from "../../recognition/js/http.js";
import { RunView } from "./run/view.js";
import { Settings } from "./form.js";
import { isActive } from "./live/state.js";
import { Watch } from "./live/watcher.js";
import { percent } from "../../recognition/js/format.js";

const SPREAD = 5000; // ms: every open page hears of a run's end in the same instant

function showAccuracy(main, accuracy) {
  const known = Number.isFinite(accuracy);
  say(main.querySelector("[data-accuracy]"), known ? `The latest one trained reads ${percent(accuracy)} of 10,000 test digits correctly.` : "");
}

async function fetchAccuracy(main) {
  // Before there is any model there is no accuracy, which is no problem.
  const answer = await get(main.dataset.accuracyUrl).catch(() => null);
  showAccuracy(main, answer?.accuracy);
}

/** `drawing` is what startDrawing returned: a run may put another network into service, and that one reads again. */
export function startLearning(main, drawing) {
  const history = new History(main.querySelector("[data-history]"), main.dataset);
  const settings = new Settings(main.querySelector("[data-train-form]"), main.dataset);
  const watch = new Watch(main, new RunView(main.querySelector("[data-run]")));
  const showRun = () => {
    settings.busy = watch.run !== null && isActive(watch.run);
    if (watch.run) history.update(watch.run);
  };

  watch.addEventListener("change", ({ detail }) => {
    showRun();
    if (detail.missed) history.refresh();
  });
  watch.addEventListener("ended", () => {
    showRun();
    if (watch.run.status === "completed") showAccuracy(main, watch.run.test_accuracy);
    setTimeout(() => settings.learnPace(), Math.random() * SPREAD);
    if (watch.run.in_service) drawing.readAgain();
  });
  settings.form.addEventListener("asked", (event) => {
    // On a phone the run stands below the form.
    main.querySelector("[data-run]").scrollIntoView({ block: "nearest" });
    // With the socket down nothing tells that the run began, and the form would wait for ever; the list knows.
    setTimeout(() => {
      if (watch.run?.id >= event.detail) return;
      showRun();
      history.refresh();
    }, 3000);
  });

  history.refresh();
  fetchAccuracy(main);
}
