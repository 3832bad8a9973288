// Choose the model that reads: the one in service, or any that is kept. The list is loaded once it may be needed.

import { finder, h, setText } from "../dom.js";
import { formatPercent } from "../format.js";
import { get } from "../http.js";
import { SideBySide } from "./sides.js";

const FRESH_MS = 10_000;

const nameOf = ({ id, name, test_accuracy: accuracy, run, in_service: serves }) =>
  `${serves ? `Model in service (${id})` : `Model ${id}`}: ${formatPercent(accuracy)}${run ? `, run ${run}` : ""}${name && `, ${name}`}`;

export class ModelChoice {
  #select;
  #compare;
  #problem;
  #url;
  #drawing;
  #sides;
  #models = []; // as the API lists them, newest first
  #loadedAt = -Infinity;
  #serving = null; // the ID of the model that has answered for the one in service

  /** `drawing` is what startDrawing returned. */
  constructor(root, url, drawing) {
    const one = finder(root, "models-");
    this.#url = url;
    this.#drawing = drawing;
    this.#select = one("select");
    this.#compare = one("compare");
    this.#problem = one("problem");
    this.#sides = new SideBySide(one("sides"), one("verdict"), drawing, (id) => this.#nameOf(id), (id) => this.#noteServing(id));
    this.#select.addEventListener("change", () => this.#choose(this.#select.value ? Number(this.#select.value) : null));
    this.#compare.addEventListener("change", () => this.#show());
    for (const type of ["focus", "pointerenter"]) this.#select.addEventListener(type, () => this.#refresh());
    drawing.answer.onChange(() => this.#follow());
    if (this.#chosen !== null) this.#refresh();
    this.#follow();
  }

  get #chosen() {
    return this.#drawing.predictor.model;
  }

  #nameOf(id) {
    const model = this.#models.find((one) => one.id === id);
    return model ? nameOf(model) : `Model ${id}`;
  }

  #follow() {
    const { shown, isSettled } = this.#drawing.answer;
    if (isSettled && shown.chosen === null) this.#noteServing(shown.model);
  }

  /** Load the list with the first answer, and again when another model is in service. */
  #noteServing(id) {
    if (id === this.#serving) return;
    this.#serving = id;
    this.#loadedAt = -Infinity;
    this.#refresh();
  }

  async #refresh() {
    if (performance.now() < this.#loadedAt + FRESH_MS) return;
    this.#loadedAt = performance.now();
    try {
      this.#models = (await get(this.#url)).results;
      await this.#addChosen();
    } catch {
      this.#loadedAt = -Infinity; // the next focus or answer loads it
    }
    this.#show();
  }

  /** Add the chosen model if it is too old for the list. If it does not exist, the one in service reads. */
  async #addChosen() {
    const id = this.#chosen;
    if (id === null || this.#models.some((model) => model.id === id)) return;
    try {
      this.#models.push(await get(`${this.#url}${id}/`));
    } catch (error) {
      if (error.status !== 404) throw error;
      this.#choose(null);
      setText(this.#problem, `There is no model ${id}. The model in service reads.`);
    }
  }

  #choose(id) {
    this.#drawing.predictor.model = id;
    const address = new URL(location.href);
    if (id === null) address.searchParams.delete("model");
    else address.searchParams.set("model", id);
    history.replaceState(history.state, "", address);
    setText(this.#problem, "");
    this.#show();
    this.#drawing.predictAgain();
  }

  #show() {
    const serving = this.#models.find((model) => model.in_service);
    const id = this.#chosen === serving?.id ? null : this.#chosen;
    const others = this.#models.filter((model) => model !== serving);
    if (id !== null && !others.some((model) => model.id === id)) others.push({ id });
    const options = [["", serving ? nameOf(serving) : "Model in service"], ...others.map((model) => [model.id, this.#nameOf(model.id)])];
    // Replacing the options of an open list would close it.
    if (options.join() !== [...this.#select.options].map(({ value, text }) => [value, text]).join()) {
      this.#select.replaceChildren(...options.map(([value, text]) => h("option", { value }, text)));
    }
    this.#select.value = id ?? "";
    this.#compare.hidden = id === null;
    this.#sides.show(id !== null && this.#compare.querySelector("input").checked);
  }
}
