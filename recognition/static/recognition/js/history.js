// Past runs in a table, a page at a time: sorted, filtered, each with its own page, and picked to be compared.

import { h, say } from "./dom.js";
import { get, inPlainWords } from "./http.js";
import { moment, momentInFull, percent, STATES, took } from "./words.js";

const FEWEST = 2;
const MOST = 6;
const TEXTS = ["status", "preset", "requested_by"]; // read from A first; numbers from the largest

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

export class History {
  #asked = 0;
  #picked = new Set();
  #state = { page: 1, ordering: "-queued_at", status: "" };

  /** With `remember` the address says what is shown, so that going back finds it again. */
  constructor(root, { runsUrl, runPages }, { remember = false } = {}) {
    const one = (hook) => root.querySelector(`[data-history-${hook}]`);
    Object.assign(this, { root, url: runsUrl, pages: runPages, remember });
    this.parts = Object.fromEntries(
      ["rows", "status", "problem", "empty", "pages", "page", "newer", "older", "compare"].map((name) => [name, one(name)]));
    if (remember) this.#recall();
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
    try {
      const page = await get(`${this.url}?${query}`);
      if (asked !== this.#asked) return;
      say(this.parts.problem, "");
      this.#show(page);
    } catch (error) {
      if (asked !== this.#asked) return;
      if (error.status === 404 && this.#state.page > 1) this.#turn({ page: 1 });
      else say(this.parts.problem, `The runs could not be fetched. ${inPlainWords(error)}`);
    }
  }

  #recall() {
    const given = new URLSearchParams(location.search);
    const page = Number.parseInt(given.get("page"), 10);
    const known = [...this.root.querySelectorAll("[data-order]")].map((head) => head.dataset.order);
    const ordering = given.get("ordering") ?? "";
    if (page > 0) this.#state.page = page;
    if (known.includes(ordering.replace(/^-/, ""))) this.#state.ordering = ordering;
    this.parts.status.value = given.get("status") ?? "";
    this.#state.status = this.parts.status.value;
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

  #show({ count, next, previous, results }) {
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
