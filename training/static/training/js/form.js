// The training form: what each preset would do, what is sent, and what the server found wrong with it.

import { h, say } from "../../recognition/js/dom.js";
import { get, inPlainWords, post } from "../../recognition/js/http.js";
import { duration } from "../../recognition/js/format.js";

const NUMBERS = ["epochs", "batch_size", "learning_rate", "samples", "seed"];
const PRECISION = 0.1; // of the leading digit: an estimate is not better than that

export class Settings {
  #url;
  #signIn;
  #busy = false;
  #presets = {};

  constructor(form, { retrainUrl, signInUrl, presetsUrl }) {
    this.form = form;
    this.#url = retrainUrl;
    this.#signIn = signInUrl;
    this.start = form.querySelector("[data-start]");
    this.problem = form.querySelector("[data-train-problem]");
    form.elements.preset.addEventListener("change", () => this.#showDefaults());
    form.addEventListener("input", (event) => {
      this.#forgive(event.target);
      this.#showEstimate();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.start.disabled = false; // until now a click would have sent the form to nowhere
    this.#showDefaults();
    this.#prefill();
    this.learnPace(presetsUrl);
  }

  /** How long runs take here. Without an answer the form works as well, and promises nothing. */
  async learnPace(url = this.pacesUrl) {
    this.pacesUrl = url;
    const answer = await get(url).catch(() => null);
    for (const preset of answer?.results ?? []) this.#presets[preset.name] = preset;
    this.#showEstimate();
  }

  /** A run's page links here with its parameters. */
  #prefill() {
    const given = new URLSearchParams(location.search);
    const { preset } = this.form.elements;
    if (![...preset.options].some((option) => option.value === given.get("preset"))) return;
    preset.value = given.get("preset");
    for (const name of NUMBERS) this.form.elements[name].value = given.get(name) ?? "";
    this.form.elements.activate.checked = given.get("activate") === "true";
    this.#showDefaults();
  }

  /** Only for the batch size that was measured: smaller batches take longer for the same digits. */
  #showEstimate() {
    const { preset, ...given } = this.#values();
    const known = this.#presets[preset];
    const words = this.form.querySelector("[data-estimate]");
    const { epochs, samples, batch_size } = { ...known, ...given };
    if (!known?.estimate || batch_size !== known.batch_size) {
      say(words, "");
      return;
    }
    const { fixed_seconds, seconds_per_sample, seconds_per_sample_epoch } = known.estimate;
    const seconds = fixed_seconds + samples * (seconds_per_sample + epochs * seconds_per_sample_epoch);
    const step = 10 ** Math.floor(Math.log10(seconds)) * PRECISION;
    say(words, `About ${duration(Math.max(1, Math.round(seconds / step) * step))} on this machine.`);
  }

  set busy(busy) {
    this.#busy = busy;
    // Not `disabled`: that would drop the focus of whoever has just pressed it.
    this.start.setAttribute("aria-disabled", String(busy));
    say(this.start, busy ? "A run is in progress" : "Start training");
  }

  #showDefaults() {
    const option = this.form.elements.preset.selectedOptions[0];
    for (const name of NUMBERS) {
      this.form.elements[name].placeholder = option.getAttribute(`data-${name}`) ?? (name === "seed" ? "random" : "preset’s");
    }
    say(this.form.querySelector("[data-preset-title]"), option.title);
    this.#showEstimate();
  }

  #values() {
    const { elements } = this.form;
    const given = NUMBERS.filter((name) => elements[name].value !== "").map((name) => [name, Number(elements[name].value)]);
    return { preset: elements.preset.value, ...Object.fromEntries(given), activate: elements.activate.checked };
  }

  async #submit() {
    if (this.#busy) return;
    say(this.problem, "");
    for (const field of this.form.elements) this.#forgive(field);
    this.busy = true;
    try {
      const { run } = await post(this.#url, this.#values());
      this.form.dispatchEvent(new CustomEvent("asked", { detail: run }));
    } catch (error) {
      this.busy = false;
      this.#show(error);
    }
  }

  #show(error) {
    const field = error.field && this.form.elements[error.field];
    if (field) this.#blame(field, error);
    else if (error.code === "run_active" || error.status === 409) {
      say(this.problem, `Run ${error.run ?? ""} is already training; one at a time. Cancel it or wait for its end.`);
    } else if (error.status === 401 || error.status === 403) {
      const link = h("a", { href: `${this.#signIn}?next=/` }, "Sign in");
      this.problem.replaceChildren("Only people with permission may train here. ", link, " and try again.");
    } else say(this.problem, inPlainWords(error));
  }

  #blame(field, error) {
    const id = `problem-${field.name}`;
    const words = error.message.replace(`${field.name}: `, "");
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", id);
    field.closest(".field").append(h("span", { class: "field-problem", id, role: "alert" }, words));
    field.focus();
  }

  #forgive(field) {
    if (!field.hasAttribute("aria-invalid")) return;
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
    field.closest(".field").querySelector(".field-problem")?.remove();
  }
}
