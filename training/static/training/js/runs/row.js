// One run as a row of the table of runs.

import { h } from "../../../recognition/js/dom.js";
import { STATUSES, formatFullTime, formatPercent, formatRequester, formatRunTime, formatTime } from "../../../recognition/js/format.js";

/** Return links to the baseline and to the runs with the same tag; `pages` is the URL of the runs' pages. */
export function labelsOf({ baseline, tags = [] }, pages) {
  const label = (text, query, kind = "") => h("a", { class: `label ${kind}`, href: `${pages}?${query}` }, text);
  return [...(baseline ? [label("baseline", "baseline=true", "baseline")] : []), ...tags.map((tag) => label(tag, `tag=${tag}`))];
}

/** Return the link to the run's page, and what people wrote on it. */
export function titleOf(run, pages, kind) {
  const name = run.name ? h("span", { class: "run-name", title: run.name }, run.name) : null;
  return [h("a", { class: kind, href: `${pages}${run.id}/` }, `Run ${run.id}`), h("div", { class: "written" }, name, ...labelsOf(run, pages))];
}

/** Return the other cells; `cancel` is a button for a run that waits. */
export function cells(run, cancel) {
  const place = run.queue_position ? ` (${run.queue_position})` : "";
  const state = h("span", { class: "chip", "data-status": run.status }, `${STATUSES[run.status] ?? run.status}${place}`);
  const service = run.in_service ? h("span", { class: "tag" }, "in service") : null;
  const when = h("time", { datetime: run.queued_at, title: formatFullTime(run.queued_at) }, formatTime(run.queued_at));
  return [
    h("td", {}, state, run.status === "waiting" ? cancel : null),
    h("td", { class: "number" }, formatPercent(run.test_accuracy), service),
    h("td", { class: "number roomy" }, `${run.finished_epochs} of ${run.max_epochs}`),
    h("td", { class: "roomy" }, run.preset),
    h("td", { class: "roomy who" }, formatRequester(run.requested_by)),
    h("td", { class: "airy" }, when),
    h("td", { class: "number roomy" }, formatRunTime(run)),
  ];
}
