// A run's own page: live while the run is active, then all its results.

import { button, finder, h, listen, setText } from "../../../recognition/js/dom.js";
import { ComparisonSection } from "./comparison.js";
import { RunDescription, cancelButton } from "./description.js";
import { TestDigits } from "./digits.js";
import { get, getWithRetry, describeError } from "../../../recognition/js/http.js";
import { RunView } from "./view.js";
import { LiveSocket } from "../live/socket.js";
import { isActive, EMPTY } from "../live/state.js";
import { RunWatcher } from "../live/watcher.js";
import { describeStop, formatCount, formatDuration, formatFullTime, formatName, formatPercent, formatRequester, formatRunTime } from "../../../recognition/js/format.js";

const LABELS = { lock_sha256: "lock file's SHA-256", tensorflow_flags: "TensorFlow's flags" };
const PRODUCTS = { tensorflow: "TensorFlow", numpy: "NumPy", onnx: "ONNX" };
const HASH = /^([0-9a-f]{12})[0-9a-f]{28,}/;
const WAITING_MS = 5000; // until a waiting run is looked at again
const main = document.getElementById("main");
const one = finder(main);
const mistakes = new TestDigits(one("mistakes"), main.dataset.digitsUrl);
const comparison = new ComparisonSection(one("comparison"), main.dataset.comparisonUrl);
const view = new RunView(one("run"));
const description = new RunDescription(one("description"), main.dataset.runUrl, main.dataset.runPages);

function showPairs(list, facts) {
  const known = facts.filter(([, value]) => (value ?? "") !== "");
  const format = (value) => ({ true: "yes", false: "no" })[value] ?? String(value);
  list.replaceChildren(...known.map(([name, value]) => h("div", {}, h("dt", {}, PRODUCTS[name] ?? formatName(name)), h("dd", {}, value instanceof Node ? value : format(value)))));
}

const linkTo = (id) => h("a", { href: `${main.dataset.runPages}${id}/` }, `run ${id}`);

function showDetails(run) {
  description.show(run);
  const waited = run.started_at && formatDuration((Date.parse(run.started_at) - Date.parse(run.queued_at)) / 1000);
  showPairs(one("parameters"), [["preset", run.preset], ...Object.entries(run.parameters).map(([name, value]) => [name, name.endsWith("samples") ? formatCount(value) : value])]);
  showPairs(one("times"), [
    ["requested by", formatRequester(run.requested_by)], ["requested", formatFullTime(run.queued_at)], ["attempts", run.attempt],
    ["waited", waited], ["duration", run.finished_at && run.started_at ? formatRunTime(run) : null],
    ["stopped by", describeStop(run)], ["calibration error", run.calibration_error === null ? null : formatPercent(run.calibration_error)], ["error code", run.error_code],
    ["continues", run.continues && linkTo(run.continues)],
  ]);
  one("origin").hidden = !run.continues;
  one("origin").replaceChildren("Continues ", linkTo(run.continues));
  showPairs(one("versions"), Object.entries(run.versions ?? {}));
  showPairs(one("environment"), Object.entries(run.environment ?? {}).map(([name, value]) => [LABELS[name] ?? name, h("span", { title: value }, value.replace(HASH, "$1"))]));
  showContinue(run);
  const again = new URLSearchParams({ preset: run.preset, ...run.parameters });
  one("again").href = `${main.dataset.homeUrl}?${again}#train`;
  if (run.corrections) showCorrections(run, again);
}

/** Offer to continue after the last epoch, and to compare with the baseline. */
async function showContinue(run) {
  const canContinue = !isActive(run) && run.status !== "waiting" && run.epochs.length > 0 && !run.corrections && run.requested_by !== "shipped";
  one("continue").hidden = !canContinue;
  const epochs = run.epochs.length < run.max_epochs ? run.max_epochs : 2 * run.max_epochs;
  one("continue").href = `${main.dataset.homeUrl}?${new URLSearchParams({ preset: run.preset, ...run.parameters, activate: false, epochs, from_run: run.id, from_epoch: run.epochs.at(-1)?.epoch })}#train`;
  const [baseline] = (await get(`${main.dataset.runsUrl}?baseline=true`).catch(() => ({ results: [] }))).results;
  const link = one("compare-baseline");
  link.hidden = !baseline || baseline.id === run.id || !run.epochs.length;
  if (!baseline) return;
  setText(link, `Compare with the baseline, run ${baseline.id}`);
  link.href = `${link.dataset.compareBaseline}?${new URLSearchParams([["run", baseline.id], ["run", run.id]])}`;
}

/** What the run began with and learned, and a link to learn the same again. */
function showCorrections({ id, base, corrections }, again) {
  const { count, held_out, sha256 } = corrections;
  const model = h("span", {}, `model ${base}`);
  showPairs(one("corrections"), [["begins with", model], ["learned", formatCount(count)], ["held out", formatCount(held_out)], ["SHA-256", sha256]]);
  one("same").hidden = false;
  one("same").href = `${main.dataset.homeUrl}?${again}&corrections_of=${id}#train`;
  get(`${main.dataset.modelsUrl}${base}/`).then(({ run, files }) => {
    const href = run ? `${main.dataset.runPages}${run}/` : files.onnx;
    model.replaceChildren(h("a", { href, download: !run }, `model ${base}`), run ? ` (run ${run})` : "");
  }, () => {}); // without the link, the name stays
}

const showDownloads = (text, ...links) => one("downloads").replaceChildren(h("span", { class: "soft" }, text), ...links);

async function showModel(run) {
  if (run.model === null) return;
  one("try").href = `${main.dataset.homeUrl}?model=${run.model}#draw-title`;
  one("try").hidden = false;
  try {
    const model = await getWithRetry(`${main.dataset.modelsUrl}${run.model}/`);
    const names = { onnx: "ONNX file", keras: "Keras file" };
    const links = Object.entries(model.files).map(([kind, url]) => h("a", { class: "button", href: url, download: true }, names[kind]));
    showDownloads(`Model ${model.id}`, ...links);
  } catch (error) {
    showDownloads(`Model ${run.model}: the files could not be listed. ${describeError(error)}`);
  }
}

function showAll(run) {
  one("connection").dataset.state = "closed";
  view.show({ ...EMPTY, run });
  showDetails(run);
  showModel(run);
  comparison.show(run);
  if (run.confusion) mistakes.show();
}

/** Call `retry` when the server is back after it was away. */
function onReconnection(retry) {
  const live = new LiveSocket(main.dataset.socketPath);
  let isLost = false;
  live.addEventListener("state", ({ detail }) => {
    if (detail.state === "live" && isLost) retry();
    isLost = detail.state === "lost";
  });
  live.open();
  return live;
}

/** Load the run. Show errors after `problem`; once the retries are used up, try again when asked or reconnected. */
async function fetchRun(problem, show) {
  const box = one("run-problem");
  try {
    const run = await getWithRetry(main.dataset.runUrl, (error) => setText(box, `${problem} ${describeError(error)} Retrying…`));
    setText(box, "");
    show(run);
  } catch (error) {
    const tryAgain = () => {
      live.close();
      fetchRun(problem, show);
    };
    const live = onReconnection(tryAgain);
    const again = button("Try again", () => {
      one("run-title").focus({ preventScroll: true });
      tryAgain();
    });
    box.replaceChildren(`${problem} ${describeError(error)} `, again);
  }
}

function follow(run) {
  showDetails(run);
  const watcher = new RunWatcher(main, view, { only: run.id });
  let finished = false;
  const finish = () => {
    if (finished) return;
    finished = true;
    watcher.close();
    fetchRun("The results of this run could not be loaded.", (ended) => {
      watcher.announceEnd(ended);
      showAll(ended);
    });
  };
  listen(watcher, {
    ended: finish,
    // The run may have ended before the first snapshot.
    change: () => isActive(watcher.run) || finish(),
  });
}

/** Its model may go into service, or another one, while nobody looks. */
async function refreshService() {
  if (document.hidden || one("connection").dataset.state !== "closed" || one("run-problem").firstElementChild) return;
  const run = await get(main.dataset.runUrl).catch(() => null);
  if (run) view.show({ ...EMPTY, run });
}

document.addEventListener("visibilitychange", refreshService);

let timer = 0;

/** A waiting run has no events. Look at it again until it is queued or cancelled. */
function wait(run) {
  showAll(run);
  const again = async (problem = "") => {
    clearTimeout(timer);
    await fetchRun("This run could not be loaded.", start);
    if (problem) view.showProblem(problem);
  };
  timer = setTimeout(again, WAITING_MS);
  if (main.querySelector(".cancel")) return; // it may have the focus
  const cancel = cancelButton(run, main.dataset.stopUrl, again);
  cancel.className = "cancel";
  one("stop").before(cancel);
}

function start(run) {
  if (run.status !== "waiting") main.querySelector(".cancel")?.remove();
  if (run.status === "waiting") wait(run);
  else if (isActive(run)) follow(run);
  else showAll(run);
}

fetchRun("This run could not be loaded.", start);
