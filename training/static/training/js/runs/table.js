// Past runs in a table, a page at a time: sorted, filtered, each with its own page, and picked to be compared.

import { h, say } from "../../../recognition/js/dom.js";
import { getWithRetry, inPlainWords } from "../../../recognition/js/http.js";
import { moment, momentInFull, percent, STATES, took } from "../../../recognition/js/format.js";

const PAGE_SIZE = 20;
const FEWEST = 2;
const MOST = 6;
const TEXTS = ["status", "preset", "requested_by"]; // read from A first; numbers from the largest

const NEWEST_FIRST = "-queued_at"; // as the server means it: an upgrade may add an older run with a higher number
const queued = (run) => Date.parse(run.queued_at);

function cells(run) {
  const state = h("span", { class: "chip", "data-status": run.status }, STATES[run.status] ?? run.status);
  const service = run.in_service ? h("span", { class: "tag" }, "in service") : null;
  const when = h("time", { datetime: run.queued_at, title: momentInFull(run.queued_at) }, moment(run.queued_at));
  return [
    h("td", {}, state),
    h("td", { class: "number" }, percent(run.test_accuracy), service),
    h("td", { class: "number roomy" }, `${run.finished_epochs} of ${run.max_epochs}`),
    h("td", { class: "roomy" }, run.preset),
    h("td", { class: "roomy" }, run.requested_by),
    h("td", { class: "airy" }, when),
    h("td", { class: "number roomy" }, took(run)),
  ];
}

/** A run as the socket tells it, in the form of the list. */
function summary({ epochs, ...run }) {
  return { ...run, finished_epochs: epochs.length };
}

export class History {
  #asked = 0;
  #page = null;
  #latest = null;
  #picked = new Set();
  #state = { page: 1, ordering: NEWEST_FIRST, status: "" };

  /** With `remember` the address says what is shown, so that going back finds it again. */
  constructor(root, { runsUrl, runPages }, { remember = false } = {}) {
    const one = (hook) => root.querySelector(`[data-history-${hook}]`);
    Object.assign(this, { root, url: runsUrl, pages: runPages, remember });
    this.parts = Object.fromEntries(
      ["rows", "status", "problem", "empty", "pages", "page", "newer", "older", "compare"].map((name) => [name, one(name)]));
    if (remember) this.#recall();
    this.#state.status = this.parts.status.value; // it may have been chosen before this module was loaded
    this.parts.status.addEventListener("change", () => this.#turn({ status: this.parts.status.value }));
    this.parts.newer.addEventListener("click", () => this.#turn({ page: this.#state.page - 1 }));
    this.parts.older.addEventListener("click", () => this.#turn({ page: this.#state.page + 1 }));
    this.#makeSortable();
    this.#showPicked();
  }

  async refresh() {
    this.#asked += 1;
    const asked = this.#asked;
    const { status, ...rest } = this.#state;
    const query = new URLSearchParams(status ? { ...rest, status } : rest);
    if (this.remember) history.replaceState(null, "", `?${query}`);
    query.set("page_size", PAGE_SIZE);
    const known = this.#latest;
    const sayProblem = (error) => asked === this.#asked && say(this.parts.problem, `The runs could not be fetched. ${inPlainWords(error)}`);
    try {
      const page = await getWithRetry(`${this.url}?${query}`, sayProblem);
      if (asked !== this.#asked) return;
      say(this.parts.problem, "");
      this.#page = page;
      // What was told meanwhile may be newer than the answer.
      if (this.#latest === known || !this.#place(this.#latest)) this.#show();
    } catch (error) {
      if (asked !== this.#asked) return;
      if (error.status === 404 && this.#state.page > 1) this.#turn({ page: 1 });
      else sayProblem(error);
    }
  }

  /** Show what the socket tells of a run. The server is asked only when its place in the list may have changed. */
  update(run) {
    const before = this.#latest;
    this.#latest = summary(run);
    const changed = run.id !== before?.id || run.status !== before.status;
    if (!this.#page) {
      if (before && changed) this.refresh(); // the first answer has yet to come, or never came
      return;
    }
    if (changed && !this.#isNewestFirst) this.refresh();
    else if (!this.#place(this.#latest) && changed) this.refresh();
  }

  get #isNewestFirst() {
    return this.#state.ordering === NEWEST_FIRST && !this.#state.status;
  }

  /** Put a run into the page that is shown. False when it has no place there. */
  #place(run) {
    const { results, count, next } = this.#page;
    const known = results.some(({ id }) => id === run.id);
    const begins = this.#isNewestFirst && this.#state.page === 1 && !(results.length && queued(results[0]) >= queued(run));
    if (!known && !begins) return false;
    const others = run.in_service ? results.map((other) => ({ ...other, in_service: false })) : results;
    if (known) this.#page = { ...this.#page, results: others.map((other) => (other.id === run.id ? { ...other, ...run } : other)) };
    else {
      const longer = [run, ...others];
      this.#page = { ...this.#page, count: count + 1, next: next || longer.length > PAGE_SIZE, results: longer.slice(0, PAGE_SIZE) };
    }
    this.#show();
    return true;
  }

  #recall() {
    const given = new URLSearchParams(location.search);
    const page = Number.parseInt(given.get("page"), 10);
    const known = [...this.root.querySelectorAll("[data-order]")].map((head) => head.dataset.order);
    const ordering = given.get("ordering") ?? "";
    if (page > 0) this.#state.page = page;
    if (known.includes(ordering.replace(/^-/, ""))) this.#state.ordering = ordering;
    this.parts.status.value = given.get("status") ?? "";
  }

  #turn(change) {
    this.#state = { ...this.#state, page: 1, ...change };
    this.refresh();
  }

  #makeSortable() {
    for (const head of this.root.querySelectorAll("[data-order]")) {
      const button = h("button", { type: "button" }, head.textContent);
      button.addEventListener("click", () => this.#sortBy(head.dataset.order));
      head.replaceChildren(button);
    }
    this.#showOrder();
  }

  #sortBy(name) {
    const first = TEXTS.includes(name) ? name : `-${name}`;
    const turned = first.startsWith("-") ? name : `-${name}`;
    this.#turn({ ordering: this.#state.ordering === first ? turned : first });
    this.#showOrder();
  }

  #showOrder() {
    const { ordering } = this.#state;
    for (const head of this.root.querySelectorAll("[data-order]")) {
      if (ordering.replace(/^-/, "") !== head.dataset.order) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", ordering.startsWith("-") ? "descending" : "ascending");
    }
  }

  #row(run) {
    const pick = h("input", { type: "checkbox", "aria-label": `Compare run ${run.id}` });
    pick.checked = this.#picked.has(run.id);
    pick.addEventListener("change", () => {
      if (pick.checked) this.#picked.add(run.id);
      else this.#picked.delete(run.id);
      this.#showPicked();
    });
    const link = h("a", { href: `${this.pages}${run.id}/` }, `Run ${run.id}`);
    return h("tr", {}, h("td", { class: "pick" }, pick), h("th", { scope: "row" }, link), ...cells(run));
  }

  #showPicked() {
    const { compare } = this.parts;
    const runs = [...this.#picked].sort((a, b) => a - b);
    const ready = runs.length >= FEWEST && runs.length <= MOST;
    compare.setAttribute("aria-disabled", String(!ready));
    if (ready) compare.href = `${compare.dataset.historyCompare}?${new URLSearchParams(runs.map((run) => ["run", run]))}`;
    else compare.removeAttribute("href");
    const more = runs.length === 1 ? "Pick one more to compare" : "Pick two or more to compare";
    say(compare, ready ? `Compare ${runs.length} runs` : runs.length > MOST ? `At most ${MOST} can be compared` : more);
  }

  #show() {
    const { count, next, previous, results } = this.#page;
    const { rows, empty, pages, page, newer, older } = this.parts;
    const focused = document.activeElement?.closest("tr")?.querySelector("a")?.getAttribute("href");
    const inPick = document.activeElement?.matches("input");
    rows.replaceChildren(...results.map((run) => this.#row(run)));
    const again = focused && rows.querySelector(`a[href="${CSS.escape(focused)}"]`);
    if (again) (inPick ? again.closest("tr").querySelector("input") : again).focus({ preventScroll: true });
    empty.hidden = results.length > 0;
    pages.hidden = !next && !previous;
    newer.disabled = !previous;
    older.disabled = !next;
    say(page, `${count} runs, page ${this.#state.page}`);
  }
}
