// The training form: the presets' defaults, an estimate of the duration, and validation errors.

import { finder, h, listen, setText } from "../../recognition/js/dom.js";
import { get, describeError, isTransient, post } from "../../recognition/js/http.js";
import { formatCount, formatDuration } from "../../recognition/js/format.js";
import { splitWords } from "./run/description.js";

const NUMBERS = ["epochs", "batch_size", "learning_rate", "samples", "validation_samples", "seed"];
const SETTINGS = ["preset", ...NUMBERS];
const PRECISION = 0.1; // of the leading digit
const KEPT = "training-settings"; // in sessionStorage, while the visitor signs in

export class TrainingForm {
  #start;
  #problem;
  #presetsUrl;
  #summaryUrl;
  #one;
  #url;
  #signInUrl;
  #busy = false;
  #fromRun = null;
  #fromEpoch = 0;
  #given = new URLSearchParams(location.search);
  #isPassing = false;
  #presets = {};
  #correctionsOf = null;

  constructor(form, { retrainUrl, signInUrl, presetsUrl, correctionsSummaryUrl }) {
    this.form = form;
    this.#one = finder(form);
    this.#url = retrainUrl;
    this.#signInUrl = signInUrl;
    this.#start = this.#one("start");
    this.#problem = this.#one("train-problem");
    this.#summaryUrl = correctionsSummaryUrl;
    listen(form, {
      change: ({ target: { name } }) => {
        if (name === "preset") this.#clearHidden();
        if (name === "preset" || name === "from_run") this.#showDefaults();
      },
      input: (event) => {
        this.#clearFieldError(event.target);
        this.#showFromRun();
        this.#showEstimate();
      },
      submit: (event) => {
        event.preventDefault();
        this.#submit();
      },
    });
    this.#start.disabled = false; // before, a click would submit the form without JavaScript
    this.#showDefaults();
    this.#fillFromUrl();
    this.#restore();
    document.addEventListener("click", ({ target }) => target.closest?.(`a[href^="${signInUrl}"]`) && this.#keep());
    this.loadEstimates(presetsUrl);
  }

  /** Load how long each preset takes on this machine. The form works without it. */
  async loadEstimates(url = this.#presetsUrl) {
    this.#presetsUrl = url;
    const answer = await get(url).catch(() => null);
    for (const preset of answer?.results ?? []) this.#presets[preset.name] = preset;
    this.#showEstimate();
  }

  /** Fill in the parameters that a run's page passes in the URL. */
  #fillFromUrl() {
    const { elements } = this.form;
    const number = (name) => Number(this.#given.get(name)) || null;
    if (![...elements.preset.options].some(({ value }) => value === this.#given.get("preset"))) return;
    for (const name of SETTINGS) elements[name].value = this.#given.get(name) ?? "";
    elements.activate.checked = this.#given.get("activate") === "true";
    [this.#correctionsOf, this.#fromRun, this.#fromEpoch] = ["corrections_of", "from_run", "from_epoch"].map(number);
    this.#showDefaults();
  }

  /** Keep the settings while the visitor signs in. */
  #keep() {
    const fields = [...this.form.elements].filter(({ name }) => name).map(({ name, value, checked }) => [name, value, checked]);
    try {
      sessionStorage.setItem(KEPT, JSON.stringify({ fields, correctionsOf: this.#correctionsOf }));
    } catch {} // storage may be blocked or full
  }

  #restore() {
    try {
      const { fields, correctionsOf } = JSON.parse(sessionStorage.getItem(KEPT));
      sessionStorage.removeItem(KEPT);
      for (const [name, value, checked] of fields) Object.assign(this.form.elements[name], { value, checked });
      this.#correctionsOf = correctionsOf;
      this.#showDefaults();
    } catch {} // nothing was kept
  }

  /** Only for the preset's batch size, which was measured: smaller batches take longer. */
  #showEstimate() {
    const known = this.#presets[this.form.elements.preset.value];
    const given = { ...known, ...this.#numbers() };
    const left = given.epochs - (this.#continues ? this.#fromEpoch : 0);
    setText(this.#one("estimate"), "");
    if (!known?.estimate || given.batch_size !== known.batch_size || left < 1) return;
    const { fixed_seconds, seconds_per_sample, seconds_per_sample_epoch } = known.estimate;
    const seconds = fixed_seconds + given.samples * (seconds_per_sample + left * seconds_per_sample_epoch);
    const step = 10 ** Math.floor(Math.log10(seconds)) * PRECISION;
    setText(this.#one("estimate"), `About ${formatDuration(Math.max(1, Math.round(seconds / step) * step))} on this machine.`);
  }

  set busy(busy) {
    this.#busy = busy;
    setText(this.#start, busy ? "Train after the run in progress" : "Start training");
  }

  /** Clear a problem that was the server's or another run's: it may be over. */
  clearPassing() {
    if (this.#isPassing) setText(this.#problem, "");
  }

  #showDefaults() {
    const option = this.form.elements.preset.selectedOptions[0];
    for (const name of NUMBERS) {
      this.form.elements[name].placeholder = option.getAttribute(`data-${name}`) ?? (name === "seed" ? "random" : "preset’s");
    }
    setText(this.#one("preset-title"), option.title);
    this.#showFromRun();
    this.#showAdapting();
    this.#showEstimate();
  }

  get #continues() {
    return this.#fromRun !== null && this.form.elements.from_run.checked;
  }

  /** A continued run keeps its settings: only the number of epochs can be chosen. */
  #showFromRun() {
    const { elements } = this.form;
    this.#one("from-run").hidden = !this.#fromRun;
    this.#one("fresh").hidden = this.#continues;
    setText(this.#one("from-run-text"), `Continues run ${this.#fromRun} from epoch ${this.#fromEpoch}, with its settings. “Epochs” counts the earlier ones too.`);
    for (const name of SETTINGS) {
      if (name === "epochs") continue;
      elements[name].disabled = this.#continues;
      if (this.#continues) elements[name].value = this.#given.get(name);
    }
  }

  get #adapts() {
    return "adapts" in this.form.elements.preset.selectedOptions[0].dataset;
  }

  /** A preset that learns corrections has fewer fields, and says how many corrections there are. */
  #showAdapting() {
    const adapts = this.#adapts;
    for (const part of this.form.querySelectorAll("[data-not-adapting]")) part.hidden = adapts;
    this.#one("same-corrections").hidden = !adapts || !this.#correctionsOf;
    setText(this.#one("same-corrections-text"), `Learn the corrections of run ${this.#correctionsOf} again, instead of all accepted ones`);
    for (const text of this.form.querySelectorAll("[data-adapting]")) text.hidden = !adapts;
    this.#one("corrections-count").hidden = !adapts;
    if (adapts) this.#countCorrections(this.#one("corrections-count"));
  }

  async #countCorrections(element) {
    const summary = await get(this.#summaryUrl).catch(() => null);
    if (!summary) return;
    const accepted = Object.values(summary.accepted).reduce((sum, count) => sum + count, 0);
    const few = accepted < Number(element.dataset.min) ? ` At least ${element.dataset.min} are needed.` : "";
    setText(element, `${formatCount(accepted)} accepted corrections, ${formatCount(summary.since_model)} since the model in service was trained.${few}`);
  }

  /** Empty the fields that the chosen preset hides, so that no value is sent unseen. */
  #clearHidden() {
    if (!this.#adapts) return;
    for (const field of this.form.querySelectorAll("[data-not-adapting] input")) field.value = "";
  }

  #values() {
    const { elements } = this.form;
    const name = elements.name.value.trim();
    const tags = splitWords(elements.tags.value);
    const common = { activate: elements.activate.checked, ...(name && { name }), ...(tags.length && { tags }) };
    if (this.#continues) return { from_run: this.#fromRun, epochs: this.#numbers().epochs, ...common };
    const same = this.#adapts && this.#correctionsOf && elements.corrections_of.checked && { corrections_of: this.#correctionsOf };
    return { preset: elements.preset.value, ...this.#numbers(), ...common, ...same };
  }

  /** The numbers in the fields that are not empty. */
  #numbers() {
    const { elements } = this.form;
    return Object.fromEntries(NUMBERS.filter((name) => elements[name].value !== "").map((name) => [name, Number(elements[name].value)]));
  }

  async #submit() {
    if (this.#start.ariaDisabled === "true") return;
    setText(this.#problem, "");
    setText(this.#one("queued"), "");
    for (const field of this.form.elements) this.#clearFieldError(field);
    this.#start.ariaDisabled = true; // not `disabled`: the button would lose the focus
    try {
      const { run, queue_position: place } = await post(this.#url, { ...this.#values(), ...(this.#busy ? { queue: true } : {}) });
      if (place) setText(this.#one("queued"), `Run ${run} waits for other runs, number ${place} in line.`);
      else this.busy = true;
      this.form.dispatchEvent(new CustomEvent("requested", { detail: { run, waits: Boolean(place) } }));
    } catch (error) {
      this.#showError(error);
    }
    this.#start.ariaDisabled = false;
  }

  #showError(error) {
    this.#isPassing = isTransient(error) || error.code === "run_active";
    if (error.retryAfter) setTimeout(() => this.clearPassing(), error.retryAfter * 1000);
    const field = error.field && this.form.elements[error.field];
    if (field) this.#showFieldError(field, error);
    else if (error.code === "run_active") {
      setText(this.#problem, `${error.run ? `Run ${error.run}` : "A run"} is already training. Wait for it to finish, or stop it.`);
    } else if ((error.status === 401 || error.status === 403) && error.field !== "queue") {
      this.#showForbidden(error);
    } else setText(this.#problem, describeError(error));
  }

  #showForbidden({ status }) {
    const { account } = this.form.dataset;
    if (account && status === 403) {
      setText(this.#problem, `${account} has no permission to train here. Ask the operator.`);
      return;
    }
    const here = encodeURIComponent(`${location.pathname}${location.search}#train`);
    const link = h("a", { href: `${this.#signInUrl}?next=${here}` }, "Sign in");
    this.#problem.replaceChildren("You need permission to train here. ", link, " and try again.");
  }

  #showFieldError(field, error) {
    const id = `problem-${field.name}`;
    const message = error.message.replace(`${field.name}: `, "");
    field.ariaInvalid = true;
    field.setAttribute("aria-describedby", id);
    field.closest(".field").append(h("span", { class: "field-problem", id, role: "alert" }, message));
    field.focus();
  }

  #clearFieldError(field) {
    if (!field.ariaInvalid) return;
    field.ariaInvalid = null;
    field.removeAttribute("aria-describedby");
    field.closest(".field").querySelector(".field-problem")?.remove();
  }
}
