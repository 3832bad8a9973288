// What people write on a run: its name, notes, tags and whether it is the baseline, shown and edited on its page.

import { button, finder, listen, setText } from "../../../recognition/js/dom.js";
import { describeError, patch, post } from "../../../recognition/js/http.js";
import { labelsOf } from "../runs/row.js";

export const splitWords = (text) => text.split(/[\s,]+/).filter(Boolean);

export class RunDescription {
  #form;
  #one;
  #run = null;

  /** `pages` is the URL of the runs' pages. */
  constructor(root, url, pages) {
    Object.assign(this, { root, url, pages });
    this.#one = finder(root.parentElement, "description-"); // the name is in the run's head
    this.#form = this.#one("form");
    this.#one("edit").addEventListener("click", () => this.#open());
    this.#one("baseline").addEventListener("click", () => this.#save({ baseline: !this.#run.baseline }));
    listen(this.#form, {
      submit: (event) => {
        event.preventDefault();
        const { name, notes, tags } = this.#form.elements;
        this.#save({ name: name.value, notes: notes.value, tags: splitWords(tags.value) });
      },
      reset: () => this.#close(),
    });
  }

  show(run) {
    this.#run = run;
    this.root.hidden = false;
    this.#one("name").replaceChildren(...[run.name, ...labelsOf(run, this.pages)].filter(Boolean));
    setText(this.#one("notes"), run.notes);
    setText(this.#one("baseline"), run.baseline ? "No longer the baseline" : "Make this the baseline");
    setText(this.#one("edit"), run.name || run.notes || run.tags.length ? "Edit name and notes" : "Add a name or notes");
  }

  #open() {
    const { name, notes, tags } = this.#form.elements;
    Object.assign(name, { value: this.#run.name });
    Object.assign(notes, { value: this.#run.notes });
    Object.assign(tags, { value: this.#run.tags.join(" ") });
    setText(this.#one("problem"), "");
    this.#form.hidden = false;
    this.#one("shown").hidden = true;
    name.focus();
  }

  #close() {
    this.#form.hidden = true;
    this.#one("shown").hidden = false;
    this.#one("edit").focus();
  }

  async #save(values) {
    setText(this.#one("problem"), "");
    try {
      this.show(await patch(this.url, values));
      if (!this.#form.hidden) this.#close();
    } catch (error) {
      setText(this.#one("problem"), describeError(error));
    }
  }
}

/** Return a button that cancels a waiting run, and calls `done(problem)` afterwards; the problem is "" if there was none. */
export function cancelButton(run, url, done) {
  return button("Cancel", async ({ currentTarget }) => {
    if (currentTarget.ariaDisabled) return;
    currentTarget.ariaDisabled = true;
    const problem = await post(url, { run: run.id }).then(() => "", describeError);
    currentTarget.ariaDisabled = null;
    done(problem);
  }, { "aria-label": `Cancel run ${run.id}`, class: "small" });
}
