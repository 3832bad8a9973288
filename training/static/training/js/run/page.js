// The page of one run: live while it is active, and afterwards everything that is known of it.

import { h, say } from "../../../recognition/js/dom.js";
import { Digits } from "./digits.js";
import { getWithRetry, inPlainWords } from "../../../recognition/js/http.js";
import { RunView } from "./view.js";
import { isActive, NOTHING } from "../live/state.js";
import { Watch } from "../live/watcher.js";
import { duration, momentInFull, percent, took } from "../../../recognition/js/format.js";

const main = document.getElementById("main");
const one = (hook) => main.querySelector(`[data-${hook}]`);
const digits = new Digits(one("cell"), main.dataset.digitsUrl);
const mistakes = new Digits(one("mistakes"), main.dataset.digitsUrl);
const view = new RunView(one("run"), { openCell, beside: one("cell") });

async function openCell(label, predicted) {
  const title = label === predicted ? `${label} read rightly` : `${label} read as ${predicted}`;
  await digits.show({ title, label, predicted });
  one("cell").scrollIntoView({ block: "nearest" });
}

function pairs(list, facts) {
  const known = facts.filter(([, value]) => value !== null && value !== undefined && value !== "");
  list.replaceChildren(...known.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, String(value)))));
}

function showFacts(run) {
  const waited = run.started_at ? (Date.parse(run.started_at) - Date.parse(run.queued_at)) / 1000 : null;
  pairs(one("parameters"), [["preset", run.preset], ...Object.entries(run.parameters)]);
  pairs(one("times"), [
    ["asked by", run.requested_by], ["queued", momentInFull(run.queued_at)], ["waited", waited === null ? null : duration(waited)],
    ["ran", run.finished_at && run.started_at ? took(run) : null], ["attempts", run.attempt],
    ["calibration error", run.calibration_error === null ? null : percent(run.calibration_error)], ["error", run.error_code],
  ]);
  pairs(one("versions"), Object.entries(run.versions ?? {}));
  const again = new URLSearchParams({ preset: run.preset, ...run.parameters });
  one("again").href = `${main.dataset.homeUrl}?${again}#train`;
}

async function showModel(run) {
  if (run.model === null) return;
  try {
    const model = await getWithRetry(`${main.dataset.modelsUrl}${run.model}/`);
    const names = { onnx: "ONNX file", keras: "Keras file" };
    const links = Object.entries(model.files).map(([kind, url]) => h("a", { class: "button", href: url, download: true }, names[kind]));
    one("downloads").replaceChildren(h("span", { class: "soft" }, `Model ${model.id}`), ...links);
  } catch (error) {
    one("downloads").replaceChildren(h("span", { class: "soft" }, `Model ${run.model}: its files could not be listed. ${inPlainWords(error)}`));
  }
}

function showAll(run) {
  one("connection").hidden = true;
  view.show({ ...NOTHING, run });
  showFacts(run);
  showModel(run);
  if (run.confusion) mistakes.show({ title: "Misread test digits, the surest first" });
}

/** Fetch the run. What goes wrong is said as `problem`, and after the last try a button asks once more. */
async function fetchRun(problem, show) {
  const box = one("run-problem");
  try {
    const run = await getWithRetry(main.dataset.runUrl, (error) => say(box, `${problem} ${inPlainWords(error)} Trying again…`));
    say(box, "");
    show(run);
  } catch (error) {
    const again = h("button", { type: "button" }, "Try again");
    again.addEventListener("click", () => {
      one("run-title").focus({ preventScroll: true });
      fetchRun(problem, show);
    });
    box.replaceChildren(`${problem} ${inPlainWords(error)} `, again);
  }
}

function follow(run) {
  showFacts(run);
  const watch = new Watch(main, view, { only: run.id });
  let finished = false;
  const finish = () => {
    if (finished) return;
    finished = true;
    watch.close();
    fetchRun("The results of this run could not be loaded.", showAll);
  };
  watch.addEventListener("ended", finish);
  // Ended before the first snapshot came.
  watch.addEventListener("change", () => isActive(watch.run) || finish());
}

fetchRun("This run could not be loaded.", (run) => (isActive(run) ? follow(run) : showAll(run)));
