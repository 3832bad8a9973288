// A table of runs: paginated, sorted, filtered, with checkboxes to select runs for comparison.

import { button, finder, h, listen, setText, th } from "../../../recognition/js/dom.js";
import { getWithRetry, describeError } from "../../../recognition/js/http.js";
import { cancelButton } from "../run/description.js";
import { cells, titleOf } from "./row.js";
import { STATUSES, describeZone, formatCount } from "../../../recognition/js/format.js";

const PAGE_SIZE = 20;
const MIN_COMPARED = 2;
const MAX_COMPARED = 6;
const TEXTS = ["status", "preset", "requested_by"]; // sorted ascending first; numbers descending
const NEWEST_FIRST = "-queued_at"; // not by id: the shipped run may be older than its id
const SEARCH_DELAY_MS = 300;
const LINKED = ["tag", "baseline"]; // filters that only a link sets
const queuedAt = (run) => Date.parse(run.queued_at);

/** Convert a run of the socket to a row of the list. */
function summarize({ epochs, ...run }) {
  return { ...run, finished_epochs: epochs.length };
}

/** Return "5 completed runs", "1 run" or "No queued runs". */
const countRuns = (count, kind) => [count ? formatCount(count) : "No", kind, count === 1 ? "run" : "runs"].filter(Boolean).join(" ");

/** The checkbox, the link to the run, and what else a row has. */
const controls = (row) => [...row.querySelectorAll("a, button, input")];
const nameOf = (control) => control.href ?? control.ariaLabel;

export class RunTable {
  #parts;
  #requests = 0;
  #page = null;
  #latest = null;
  #say = null; // a request that an event repeats is still to be announced
  #selected = new Set();
  #state = { page: 1, ordering: NEWEST_FIRST, status: "", search: "", tag: [], baseline: [] };

  /** The history entry keeps page, order, filters and what is selected; with `remember`, the URL has the first three too. */
  constructor(root, { runsUrl, runPages, stopUrl }, { remember = false } = {}) {
    const one = finder(root, "history-");
    Object.assign(this, { heads: [...root.querySelectorAll("[data-order]")], url: runsUrl, pages: runPages, stopUrl, remember });
    this.#parts = Object.fromEntries(
      ["rows", "status", "search", "problem", "empty", "pages", "page", "newer", "older", "compare", "said", "filters"].map((name) => [name, one(name)]));
    if (remember) this.#restoreFromUrl();
    const { search, status } = this.#parts;
    Object.assign(this.#state, { search: search.value, status: status.value }); // they may have changed before this module was loaded
    this.#restore();
    let typing = 0;
    search.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.#filter({ search: search.value }), SEARCH_DELAY_MS);
    });
    status.addEventListener("change", () => this.#filter({ status: status.value }));
    const turn = (pages) => () => this.#load({ page: this.#state.page + pages }, () => `Page ${this.#state.page}.`);
    this.#parts.newer.addEventListener("click", turn(-1));
    this.#parts.older.addEventListener("click", turn(1));
    this.#makeSortable();
    this.#showSelected();
    setText(one("zone"), describeZone());
  }

  /** Show what a RunWatcher tells of the runs. */
  follow(watcher) {
    listen(watcher, {
      change: ({ detail }) => {
        if (watcher.run) this.update(watcher.run);
        if (detail.missed) this.refresh();
      },
      ended: () => watcher.run && this.update(watcher.run),
      activated: ({ detail }) => this.#showService(detail.model),
      reconnected: () => this.#parts.problem.textContent && this.refresh(),
    });
  }

  /** Load the list. `say()` returns what screen readers announce then. */
  async refresh(say = this.#say) {
    this.#say = say;
    this.#requests += 1;
    const request = this.#requests;
    const query = new URLSearchParams(Object.entries(this.#state).flatMap(([name, value]) => [value].flat().filter(Boolean).map((each) => [name, each])));
    this.#showFilters();
    this.#remember(this.remember ? `?${query}` : undefined);
    query.set("page_size", PAGE_SIZE);
    const before = this.#latest;
    const showProblem = (error) => request === this.#requests && setText(this.#parts.problem, `The runs could not be loaded. ${describeError(error)}`);
    try {
      const page = await getWithRetry(`${this.url}?${query}`, showProblem);
      if (request !== this.#requests) return;
      setText(this.#parts.problem, "");
      this.#page = page;
      // An event that arrived meanwhile may be newer than the response.
      if (this.#latest === before || !this.#place(this.#latest)) this.#show();
      if (say) setText(this.#parts.said, say());
      this.#say = null;
    } catch (error) {
      if (request !== this.#requests) return;
      if (error.status === 404 && this.#state.page > 1) this.#load({ page: 1 });
      else showProblem(error);
    }
  }

  /** Show a run of the socket. Reload the list only when the run's place in it may have changed. */
  update(run) {
    const before = this.#latest;
    this.#latest = summarize(run);
    const changed = run.id !== before?.id || run.status !== before.status;
    if (!this.#page) {
      if (before && changed) this.refresh(); // the first response is pending or failed
      return;
    }
    if ((changed && !this.#isNewestFirst) || (!this.#place(this.#latest) && changed)) this.refresh();
  }

  get #isFiltered() {
    return ["status", "search", ...LINKED].some((name) => this.#state[name].length);
  }

  get #isNewestFirst() {
    return this.#state.ordering === NEWEST_FIRST && !this.#isFiltered;
  }

  /** Update or insert a run on the current page. Return false when it does not belong there. */
  #place(run) {
    const { results, count, next } = this.#page;
    const known = results.some(({ id }) => id === run.id);
    const isFirst = this.#isNewestFirst && this.#state.page === 1 && !(results.length && queuedAt(results[0]) >= queuedAt(run));
    if (!known && !isFirst) return false;
    const others = run.in_service ? results.map((other) => ({ ...other, in_service: false })) : results;
    const change = known
      ? { results: others.map((other) => (other.id === run.id ? { ...other, ...run } : other)) }
      : { count: count + 1, next: next || others.length === PAGE_SIZE, results: [run, ...others].slice(0, PAGE_SIZE) };
    this.#page = { ...this.#page, ...change };
    this.#show();
    return true;
  }

  /** Move the mark of the model in service. */
  #showService(model) {
    const isServing = (run) => model !== null && run.model === model;
    if (!this.#page?.results.some((run) => run.in_service !== isServing(run))) return;
    this.#page = { ...this.#page, results: this.#page.results.map((run) => ({ ...run, in_service: isServing(run) })) };
    this.#show();
  }

  /** Keep in the history entry what the way back from another page brings again. */
  #remember(url) {
    history.replaceState({ ...history.state, runs: { ...this.#state, selected: [...this.#selected] } }, "", url);
  }

  #restore() {
    const { selected, ...state } = history.state?.runs ?? { selected: [] };
    this.#selected = new Set(selected);
    this.#state = { ...this.#state, ...state };
    this.#parts.status.value = this.#state.status;
    this.#parts.search.value = this.#state.search;
  }

  #restoreFromUrl() {
    const given = new URLSearchParams(location.search);
    const page = Number.parseInt(given.get("page"), 10);
    const known = this.heads.map((head) => head.dataset.order);
    const ordering = given.get("ordering") ?? "";
    if (page > 0) this.#state.page = page;
    if (known.includes(ordering.replace(/^-/, ""))) this.#state.ordering = ordering;
    this.#parts.status.value = given.get("status") ?? "";
    this.#parts.search.value = given.get("search") ?? "";
    for (const name of LINKED) this.#state[name] = given.getAll(name);
  }

  /** Show the filters that a link has set, as buttons that remove them. */
  #showFilters() {
    const { filters, status } = this.#parts;
    filters.replaceChildren(...LINKED.flatMap((name) => this.#state[name].map((value) => button(`${name}: ${value} ×`, () => {
      status.focus(); // not the search: that would open a phone’s keyboard
      this.#filter({ [name]: this.#state[name].filter((other) => other !== value) });
    }, { "aria-label": `Remove filter ${name}: ${value}` }))));
  }

  #load(change, say) {
    this.#state = { ...this.#state, page: 1, ...change };
    this.refresh(say);
  }

  /** Load the list, and say "5 completed runs." or "No queued runs." */
  #filter(change) {
    this.#load(change, () => `${countRuns(this.#page.count, STATUSES[this.#state.status])}.`);
  }

  #makeSortable() {
    for (const head of this.heads) {
      head.replaceChildren(button(head.textContent, () => this.#sortBy(head.dataset.order)));
    }
    this.#showOrder();
  }

  #sortBy(name) {
    const both = TEXTS.includes(name) ? [name, `-${name}`] : [`-${name}`, name];
    const ordering = both.find((each) => each !== this.#state.ordering);
    const title = this.heads.find((head) => head.dataset.order === name).textContent.toLowerCase();
    this.#load({ ordering }, () => `Sorted by ${title}, ${ordering.startsWith("-") ? "descending" : "ascending"}.`);
    this.#showOrder();
  }

  #showOrder() {
    const { ordering } = this.#state;
    const direction = ordering.startsWith("-") ? "descending" : "ascending";
    for (const head of this.heads) {
      head.ariaSort = ordering.replace(/^-/, "") === head.dataset.order ? direction : null;
    }
  }

  #row(run) {
    const checkbox = h("input", { type: "checkbox", "aria-label": `Compare run ${run.id}` });
    checkbox.checked = this.#selected.has(run.id);
    checkbox.addEventListener("change", () => {
      if (checkbox.checked) this.#selected.add(run.id);
      else this.#selected.delete(run.id);
      this.#showSelected();
      this.#remember();
      setText(this.#parts.said, `${countRuns(this.#selected.size)} selected.`);
    });
    const cancel = cancelButton(run, this.stopUrl, async (problem) => {
      await this.refresh();
      if (problem) setText(this.#parts.problem, problem);
    });
    return h("tr", {}, h("td", { class: "pick" }, checkbox), th("row", ...titleOf(run, this.pages)), ...cells(run, cancel));
  }

  #showSelected() {
    const { compare } = this.#parts;
    const runs = [...this.#selected].sort((a, b) => a - b);
    const ready = runs.length >= MIN_COMPARED && runs.length <= MAX_COMPARED;
    compare.ariaDisabled = !ready;
    if (ready) compare.href = `${compare.dataset.historyCompare}?${new URLSearchParams(runs.map((run) => ["run", run]))}`;
    else compare.removeAttribute("href");
    const hint = runs.length === 1 ? "Select one more to compare" : "Select two or more to compare";
    setText(compare, ready ? `Compare ${runs.length} runs` : runs.length > MAX_COMPARED ? `Compare at most ${MAX_COMPARED} runs` : hint);
  }

  #show() {
    const { count, next, previous, results } = this.#page;
    const { rows, empty, pages, page, newer, older } = this.#parts;
    const { activeElement } = document;
    const focused = rows.contains(activeElement) ? controls(activeElement.closest("tr")) : [];
    rows.replaceChildren(...results.map((run) => this.#row(run)));
    const again = [...rows.rows].map(controls).find(([, link]) => link.href === focused[1]?.href);
    if (again) (again.find((one) => nameOf(one) === nameOf(activeElement)) ?? again[1]).focus({ preventScroll: true });
    empty.hidden = results.length > 0;
    setText(empty, this.#isFiltered ? "No run matches." : "No runs yet.");
    pages.hidden = !next && !previous;
    newer.disabled = !previous;
    older.disabled = !next;
    setText(page, `${formatCount(count)} runs, page ${this.#state.page}`);
  }
}
