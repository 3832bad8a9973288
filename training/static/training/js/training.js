// The training section: start a run, watch it, list the runs.

import { finder, listen, setText } from "../../recognition/js/dom.js";
import { RunTable } from "./runs/table.js";
import { get } from "../../recognition/js/http.js";
import { RunView } from "./run/view.js";
import { TrainingForm } from "./form.js";
import { isActive } from "./live/state.js";
import { RunWatcher } from "./live/watcher.js";
import { formatPercent } from "../../recognition/js/format.js";

const JITTER_MS = 5000; // every open page learns of a run's end, or of another model, at the same moment
const SERVICE_MS = 500; // until every process answers by another model

/** Says which model is in service and how accurate it is. */
class ServiceView {
  #model = null;

  constructor(main) {
    this.text = main.querySelector("[data-accuracy]");
    this.url = main.dataset.modelsUrl;
  }

  /** `run` may be the one that trained the model, and has then its accuracy. */
  async show(model, run, delay) {
    this.#model = model;
    if (model === null) {
      setText(this.text, "No model is in service.");
      return;
    }
    if (run?.model === model && Number.isFinite(run.test_accuracy)) {
      this.#write(run.test_accuracy);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, delay));
    const answer = await get(`${this.url}${model}/`).catch(() => null);
    if (this.#model === model) this.#write(answer?.test_accuracy);
  }

  #write(accuracy) {
    const known = Number.isFinite(accuracy);
    setText(this.text, known
      ? `Model ${this.#model}, in service, reads ${formatPercent(accuracy)} of the 10,000 test digits correctly.`
      : `Model ${this.#model} is in service.`);
  }
}

/** Connect the training section. When another model is in service, `drawing` is predicted again. */
export function startTraining(main, drawing) {
  const one = finder(main);
  const history = new RunTable(one("history"), main.dataset);
  const form = new TrainingForm(one("train-form"), main.dataset);
  const service = new ServiceView(main);
  const watcher = new RunWatcher(main, new RunView(one("run")));
  const showRun = () => { form.busy = isActive(watcher.run); };

  history.follow(watcher);
  listen(watcher, {
    change: showRun,
    ended: () => {
      showRun();
      form.clearPassing();
      setTimeout(() => form.loadEstimates(), Math.random() * JITTER_MS);
    },
    activated: ({ detail: { model, isNews } }) => {
      service.show(model, watcher.run, isNews ? Math.random() * JITTER_MS : 0);
      if (isNews) setTimeout(() => drawing.predictAgain(), SERVICE_MS * (1 + Math.random()));
    },
    reconnected: () => {
      form.clearPassing();
      form.loadEstimates();
      drawing.retry?.();
    },
  });
  form.form.addEventListener("requested", ({ detail }) => {
    if (detail.waits) {
      history.refresh();
      return;
    }
    // On a phone the run is shown below the form.
    one("run").scrollIntoView({ block: "nearest" });
    // Without a socket no event says that the run began: enable the form again and reload the list.
    setTimeout(() => {
      if (watcher.run?.id >= detail.run) return;
      showRun();
      history.refresh();
    }, 3000);
  });

  history.refresh();
}
