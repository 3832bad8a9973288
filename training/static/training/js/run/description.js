// What people write on a run: its name, notes, tags and whether it is the baseline, shown and edited on its page.

import { button, finder, h, listen, setText } from "../../../recognition/js/dom.js";
import { describeError, patch } from "../../../recognition/js/http.js";

const splitWords = (text) => text.split(/[\s,]+/).filter(Boolean);

export class RunDescription {
  #one;
  #run = null;

  constructor(root, url) {
    Object.assign(this, { root, url });
    this.#one = finder(root, "description-");
    this.form = this.#one("form");
    this.#one("edit").addEventListener("click", () => this.#open());
    this.#one("baseline").addEventListener("click", () => this.#save({ baseline: !this.#run.baseline }));
    listen(this.form, {
      submit: (event) => {
        event.preventDefault();
        const { name, notes, tags } = this.form.elements;
        this.#save({ name: name.value, notes: notes.value, tags: splitWords(tags.value) });
      },
      reset: () => this.#close(),
    });
  }

  show(run) {
    this.#run = run;
    this.root.hidden = false;
    setText(this.#one("name"), run.name);
    setText(this.#one("notes"), run.notes);
    this.#one("tags").replaceChildren(...run.tags.map((tag) => h("span", { class: "label" }, tag)));
    this.#one("mark").hidden = !run.baseline;
    setText(this.#one("baseline"), run.baseline ? "No longer the baseline" : "Make this the baseline");
    setText(this.#one("edit"), run.name || run.notes || run.tags.length ? "Edit name and notes" : "Add a name or notes");
  }

  #open() {
    const { name, notes, tags } = this.form.elements;
    Object.assign(name, { value: this.#run.name });
    Object.assign(notes, { value: this.#run.notes });
    Object.assign(tags, { value: this.#run.tags.join(" ") });
    setText(this.#one("problem"), "");
    this.form.hidden = false;
    this.#one("shown").hidden = true;
    name.focus();
  }

  #close() {
    this.form.hidden = true;
    this.#one("shown").hidden = false;
    this.#one("edit").focus();
  }

  async #save(values) {
    setText(this.#one("problem"), "");
    try {
      this.show(await patch(this.url, values));
      if (!this.form.hidden) this.#close();
    } catch (error) {
      setText(this.#one("problem"), describeError(error));
    }
  }
}

/** Return a button that cancels a waiting run, and calls `done` afterwards. */
export function cancelButton(run, cancel, done) {
  return button("Cancel", async ({ currentTarget }) => {
    currentTarget.setAttribute("aria-disabled", "true");
    await cancel(run.id).catch(() => {});
    done();
  }, { "aria-label": `Cancel run ${run.id}`, class: "small" });
}
