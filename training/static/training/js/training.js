// The training section: start a run, watch it, list the runs.

import { setText } from "../../recognition/js/dom.js";
import { RunTable } from "./runs/table.js";
import { get } from "../../recognition/js/http.js";
import { RunView } from "./run/view.js";
import { TrainingForm } from "./form.js";
import { isActive } from "./live/state.js";
import { RunWatcher } from "./live/watcher.js";
import { formatPercent } from "../../recognition/js/format.js";

const JITTER_MS = 5000; // every open page learns of a run's end at the same moment

function showAccuracy(main, accuracy) {
  const known = Number.isFinite(accuracy);
  setText(main.querySelector("[data-accuracy]"), known ? `The latest trained model reads ${formatPercent(accuracy)} of the 10,000 test digits correctly.` : "");
}

async function fetchAccuracy(main) {
  // Without a model there is no accuracy to show.
  const answer = await get(main.dataset.accuracyUrl).catch(() => null);
  showAccuracy(main, answer?.accuracy);
}

/** Connect the training section. When a run puts a new model into service, `drawing` is predicted again. */
export function startTraining(main, drawing) {
  const history = new RunTable(main.querySelector("[data-history]"), main.dataset);
  const form = new TrainingForm(main.querySelector("[data-train-form]"), main.dataset);
  const watcher = new RunWatcher(main, new RunView(main.querySelector("[data-run]")));
  const showRun = () => {
    form.busy = watcher.run !== null && isActive(watcher.run);
    if (watcher.run) history.update(watcher.run);
  };

  watcher.addEventListener("change", ({ detail }) => {
    showRun();
    if (detail.missed) history.refresh();
  });
  watcher.addEventListener("ended", () => {
    showRun();
    if (watcher.run.status === "completed") showAccuracy(main, watcher.run.test_accuracy);
    setTimeout(() => form.loadEstimates(), Math.random() * JITTER_MS);
    if (watcher.run.in_service) drawing.predictAgain();
  });
  form.form.addEventListener("requested", (event) => {
    // On a phone the run is shown below the form.
    main.querySelector("[data-run]").scrollIntoView({ block: "nearest" });
    // Without a socket no event says that the run began: enable the form again and reload the list.
    setTimeout(() => {
      if (watcher.run?.id >= event.detail) return;
      showRun();
      history.refresh();
    }, 3000);
  });

  history.refresh();
  fetchAccuracy(main);
}
