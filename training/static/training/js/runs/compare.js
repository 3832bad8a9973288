// Compare runs: a chart for each metric, and a table with the differences in bold.

import { ChartGroup } from "../charts/group.js";
import { finder, h, setText, table, th } from "../../../recognition/js/dom.js";
import { get, describeError } from "../../../recognition/js/http.js";
import { METRICS } from "../charts/metrics.js";
import { titleOf } from "./row.js";
import { STATUSES, describeZone, formatCount, formatDuration, formatPercent, formatRate, formatRequester, formatTime } from "../../../recognition/js/format.js";

const MAX_RUNS = 6;
const main = document.getElementById("main");
const one = finder(main);
const ids = [...new Set(new URLSearchParams(location.search).getAll("run"))].filter((id) => /^\d{1,18}$/.test(id)).slice(0, MAX_RUNS);

const trainingSeconds = (run) => run.epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);

const FACTS = [
  ["Status", (run) => STATUSES[run.status] ?? run.status],
  ["Test accuracy", (run) => formatPercent(run.test_accuracy)],
  ["Calibration error", (run) => formatPercent(run.calibration_error)],
  ["Finished epochs", (run) => `${run.epochs.length} of ${run.max_epochs}`],
  ["Training time", (run) => formatDuration(trainingSeconds(run))],
  ["Preset", (run) => run.preset],
  ["Batch size", (run) => String(run.parameters.batch_size)],
  ["Learning rate", (run) => formatRate(run.parameters.learning_rate)],
  ["Samples", (run) => formatCount(run.parameters.samples)],
  ["Validation samples", (run) => formatCount(run.parameters.validation_samples)],
  ["Seed", (run) => String(run.parameters.seed)],
  ["Continues", (run) => (run.continues ? `run ${run.continues}` : "–")],
  ["Requested by", (run) => formatRequester(run.requested_by)],
  ["Requested", (run) => formatTime(run.queued_at)],
];

function comparisonTable(runs) {
  const head = runs.map((run, index) => th("col", ...titleOf(run, main.dataset.runPages, `key run-${index}`)));
  const rows = FACTS.map(([name, write]) => {
    const values = runs.map(write);
    const differs = new Set(values).size > 1;
    return [h("th", { scope: "row", class: differs && "differs" }, name), ...values.map((value) => h("td", {}, value))];
  });
  return table("compare", null, [h("td", {}), ...head], rows);
}

/** Return the validation curves if all runs have one, else each run's own kind, named in the key. */
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
  const title = `Compare runs ${new Intl.ListFormat("en-GB").format(runs.map((run) => String(run.id)))}`;
  setText(one("title"), title);
  document.title = `${title} · Digits`;
  const maxEpochs = Math.max(1, ...runs.map((run) => run.epochs.at(-1)?.epoch ?? 0));
  const found = METRICS.map((metric) => ({ metric, ...series(runs, metric.name) })).filter(({ lines }) => lines.length);
  const group = new ChartGroup(found.map(({ metric, kind }) => ({ ...metric, title: kind ? `${metric.title}, ${kind}` : metric.title })), title.replace("Compare r", "R"));
  if (found.length) one("charts").replaceChildren(group.element);
  group.charts.forEach((chart, index) => chart.draw({ series: found[index].lines, maxEpochs }));
  setText(one("zone"), `Differences in bold. ${describeZone()}.`);
  one("table").replaceChildren(comparisonTable(runs));
}

async function start() {
  const problem = one("problem");
  if (ids.length < 2) {
    setText(problem, "Select two or more runs in the list of runs to compare them.");
    return;
  }
  try {
    show(await Promise.all(ids.map((id) => get(`${main.dataset.runsUrl}${id}/`))));
  } catch (error) {
    setText(problem, error.status === 404 ? "One of these runs does not exist." : describeError(error));
  }
}

start();
