// Two or more runs side by side: their curves in one chart for each measure, and what differs in how they were made.

import { Chart } from "../charts/chart.js";
import { h, say } from "../../../recognition/js/dom.js";
import { get, inPlainWords } from "../../../recognition/js/http.js";
import { MEASURES } from "../charts/metrics.js";
import { duration, moment, percent, rate, STATES } from "../../../recognition/js/format.js";

const MOST = 6;
const main = document.getElementById("main");
const wanted = [...new Set(new URLSearchParams(location.search).getAll("run"))].filter((id) => /^\d{1,18}$/.test(id)).slice(0, MOST);

const seconds = (run) => run.epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);

const FACTS = [
  ["state", (run) => STATES[run.status] ?? run.status],
  ["test accuracy", (run) => percent(run.test_accuracy)],
  ["calibration error", (run) => percent(run.calibration_error)],
  ["epochs finished", (run) => `${run.epochs.length} of ${run.max_epochs}`],
  ["time of the epochs", (run) => duration(seconds(run))],
  ["preset", (run) => run.preset],
  ["batch size", (run) => String(run.parameters.batch_size)],
  ["learning rate", (run) => rate(run.parameters.learning_rate)],
  ["samples", (run) => String(run.parameters.samples)],
  ["seed", (run) => String(run.parameters.seed)],
  ["asked by", (run) => run.requested_by],
  ["queued", (run) => moment(run.queued_at)],
];

function table(runs) {
  const head = runs.map((run, index) =>
    h("th", { scope: "col" }, h("a", { class: `key run-${index}`, href: `${main.dataset.runPages}${run.id}/` }, `Run ${run.id}`)));
  const rows = FACTS.map(([name, write]) => {
    const values = runs.map(write);
    const differs = new Set(values).size > 1;
    return h("tr", { class: differs && "differs" }, h("th", { scope: "row" }, name), ...values.map((value) => h("td", {}, value)));
  });
  return h("table", { class: "compare" },
    h("caption", { class: "soft" }, "What differs stands out."),
    h("thead", {}, h("tr", {}, h("td", {}), ...head)),
    h("tbody", {}, ...rows));
}

/** A validation curve says more than a training curve. Where not every run has the same kind, each line names its own. */
function series(runs, name) {
  const has = (run, key) => run.epochs.some((epoch) => Number.isFinite(epoch[key]));
  const kinds = { validation: `val_${name}`, training: name };
  const common = Object.keys(kinds).find((kind) => runs.every((run) => has(run, kinds[kind])));
  const lines = runs.map((run, index) => {
    const kind = common ?? Object.keys(kinds).find((each) => has(run, kinds[each]));
    const points = run.epochs.map((epoch) => [epoch.epoch, epoch[kinds[kind]]]).filter(([, value]) => Number.isFinite(value));
    return { name: `run ${run.id}${common ? "" : `, ${kind}`}`, style: `run-${index}`, points };
  });
  return { kind: common, lines: lines.filter(({ points }) => points.length) };
}

function show(runs) {
  const title = `Runs ${runs.map((run) => run.id).join(", ")} compared`;
  say(main.querySelector("[data-title]"), title);
  document.title = `${title} · Digits`;
  const maxEpochs = Math.max(1, ...runs.map((run) => run.epochs.at(-1)?.epoch ?? 0));
  for (const measure of MEASURES) {
    const { kind, lines } = series(runs, measure.name);
    if (!lines.length) continue;
    const chart = new Chart({ ...measure, title: kind ? `${measure.title}, ${kind}` : measure.title });
    main.querySelector("[data-charts]").append(chart.element);
    chart.draw({ series: lines, maxEpochs });
  }
  main.querySelector("[data-table]").replaceChildren(table(runs));
}

async function start() {
  const problem = main.querySelector("[data-problem]");
  if (wanted.length < 2) {
    say(problem, "Pick two or more runs in the history to compare them.");
    return;
  }
  try {
    show(await Promise.all(wanted.map((id) => get(`${main.dataset.runsUrl}${id}/`))));
  } catch (error) {
    say(problem, error.status === 404 ? "One of these runs does not exist." : inPlainWords(error));
  }
}

start();
