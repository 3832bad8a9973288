// Past runs in a table, a page at a time; each opens in place to show its curves, epochs and mistakes.

import { h, say } from "./dom.js";
import { get, inPlainWords } from "./http.js";
import { Record } from "./record.js";
import { duration, moment, momentInFull, percent, STATES, took } from "./words.js";

const COLUMNS = 8;

function cells(run) {
  const state = h("span", { class: "chip", "data-status": run.status }, STATES[run.status] ?? run.status);
  const service = run.in_service ? h("span", { class: "tag" }, "in service") : null;
  const when = h("time", { datetime: run.queued_at, title: momentInFull(run.queued_at) }, moment(run.queued_at));
  return [
    h("td", {}, state),
    h("td", { class: "number" }, percent(run.test_accuracy), service),
    h("td", { class: "number roomy" }, `${run.epochs.length} of ${run.max_epochs}`),
    h("td", { class: "roomy" }, run.preset),
    h("td", { class: "roomy" }, run.requested_by),
    h("td", { class: "airy" }, when),
    h("td", { class: "number roomy" }, took(run)),
  ];
}

function aside(run) {
  const took = run.epochs.length ? ` Its epochs took ${duration(run.epochs.reduce((sum, epoch) => sum + epoch.seconds, 0))}.` : "";
  const failed = run.error ? ` It failed: ${run.error}` : "";
  return `Preset ${run.preset}, ${run.epochs.length} of ${run.max_epochs} epochs, asked for by ${run.requested_by} on ${moment(run.queued_at)}.${took}${failed}`;
}

function row(run, open, toggle) {
  const id = `run-${run.id}-detail`;
  const button = h("button", { type: "button", "aria-expanded": String(open), "aria-controls": id }, `Run ${run.id}`);
  const detail = h("tr", { class: "detail", id, hidden: !open });
  const fill = () => {
    const root = h("div", { class: "record" });
    detail.replaceChildren(h("td", { colspan: COLUMNS }, h("p", { class: "soft" }, aside(run)), root));
    new Record(root).show(run);
  };
  button.addEventListener("click", () => {
    const opening = detail.hidden;
    detail.hidden = !opening;
    button.setAttribute("aria-expanded", String(opening));
    if (opening) fill();
    toggle(run.id, opening);
  });
  if (open) fill();
  return [h("tr", {}, h("th", { scope: "row" }, button), ...cells(run)), detail];
}

export class History {
  #page = 1;
  #asked = 0;
  #open = new Set();

  constructor(root, url) {
    const one = (hook) => root.querySelector(`[data-history-${hook}]`);
    this.url = url;
    this.parts = Object.fromEntries(
      ["rows", "status", "problem", "empty", "pages", "page", "newer", "older"].map((name) => [name, one(name)]));
    this.parts.status.addEventListener("change", () => this.#turn(1));
    this.parts.newer.addEventListener("click", () => this.#turn(this.#page - 1));
    this.parts.older.addEventListener("click", () => this.#turn(this.#page + 1));
  }

  async refresh() {
    this.#asked += 1;
    const asked = this.#asked;
    const query = new URLSearchParams({ page: this.#page });
    if (this.parts.status.value) query.set("status", this.parts.status.value);
    try {
      const page = await get(`${this.url}?${query}`);
      if (asked !== this.#asked) return;
      say(this.parts.problem, "");
      this.#show(page);
    } catch (error) {
      if (asked !== this.#asked) return;
      if (error.status === 404 && this.#page > 1) this.#turn(1);
      else say(this.parts.problem, `The runs could not be fetched. ${inPlainWords(error)}`);
    }
  }

  #turn(page) {
    this.#page = page;
    this.refresh();
  }

  #show({ count, next, previous, results }) {
    const { rows, empty, pages, page, newer, older } = this.parts;
    const toggle = (id, open) => (open ? this.#open.add(id) : this.#open.delete(id));
    const focused = document.activeElement?.getAttribute("aria-controls");
    rows.replaceChildren(...results.flatMap((run) => row(run, this.#open.has(run.id), toggle)));
    if (focused) rows.querySelector(`[aria-controls="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    empty.hidden = results.length > 0;
    pages.hidden = !next && !previous;
    newer.disabled = !previous;
    older.disabled = !next;
    say(page, `${count} runs, page ${this.#page}`);
  }
}
