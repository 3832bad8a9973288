// The lower half of the page: starting a run, watching it, past runs.

import { say } from "./dom.js";
import { History } from "./history.js";
import { get } from "./http.js";
import { RunView } from "./runview.js";
import { Settings } from "./settings.js";
import { isActive } from "./state.js";
import { Watch } from "./watch.js";
import { percent } from "./words.js";

async function showAccuracy(main) {
  // Before there is any model there is no accuracy, and that is no news.
  const answer = await get(main.dataset.accuracyUrl).catch(() => null);
  const known = Number.isFinite(answer?.accuracy);
  say(main.querySelector("[data-accuracy]"), known ? `The latest one trained reads ${percent(answer.accuracy)} of 10,000 test digits correctly.` : "");
}

/** `drawing` is what startDrawing returned: a run may put another network into service, and that one reads again. */
export function startLearning(main, drawing) {
  const history = new History(main.querySelector("[data-history]"), main.dataset);
  const settings = new Settings(main.querySelector("[data-train-form]"), main.dataset);
  const watch = new Watch(main, new RunView(main.querySelector("[data-run]")));
  const showNews = () => {
    settings.busy = watch.run !== null && isActive(watch.run);
    history.refresh();
  };

  watch.addEventListener("change", showNews);
  watch.addEventListener("ended", () => {
    showNews();
    showAccuracy(main);
    settings.learnPace();
    if (watch.run.in_service) drawing.readAgain();
  });
  settings.form.addEventListener("asked", (event) => {
    // On a phone the run stands below the form.
    main.querySelector("[data-run]").scrollIntoView({ block: "nearest" });
    // With the socket down nothing tells that the run began, and the form would wait for ever; the history knows.
    setTimeout(() => watch.run?.id >= event.detail || showNews(), 3000);
  });

  history.refresh();
  showAccuracy(main);
}
