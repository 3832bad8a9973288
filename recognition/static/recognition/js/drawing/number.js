// The digits of a number as buttons: each opens its digit. Arrow keys move between them.

import { h, listen, setText } from "../dom.js";
import { describeButton, glyph, isReadable } from "./describe.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

export class NumberView {
  #root;
  #answer;
  #pad;

  constructor(root, answer, pad) {
    this.#root = root;
    this.#answer = answer;
    this.#pad = pad;
    listen(root, {
      click: (event) => {
        const button = event.target.closest("button");
        if (button) answer.open(this.#buttons.indexOf(button));
      },
      keydown: (event) => this.#step(event),
    });
    answer.onChange(() => this.#update());
  }

  get #buttons() {
    return [...this.#root.children];
  }

  #step(event) {
    const next = STEPS[event.key] && this.#buttons[this.#buttons.indexOf(event.target) + STEPS[event.key]];
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.click();
  }

  /** Buttons are reused, so that the focus stays. */
  #update() {
    const digits = this.#answer.isNumber ? this.#answer.shown.digits : [];
    // Removing the focused button would move the focus to the top of the page.
    if (this.#buttons.indexOf(document.activeElement) >= digits.length) this.#pad.canvas.focus({ preventScroll: true });
    this.#root.hidden = digits.length === 0;
    this.#root.dataset.length = digits.length > 10 ? "long" : digits.length > 5 ? "medium" : "short";
    for (const button of this.#buttons.slice(digits.length)) button.remove();
    while (this.#root.children.length < digits.length) this.#root.append(h("button", { type: "button" }));
    this.#buttons.forEach((button, index) => this.#show(button, digits[index], index));
  }

  #show(button, digit, index) {
    setText(button, glyph(digit));
    button.ariaLabel = describeButton(digit, index);
    button.ariaPressed = index === this.#answer.opened.index;
    button.toggleAttribute("data-uncertain", digit.uncertain && isReadable(digit));
    button.toggleAttribute("data-unreadable", !isReadable(digit));
  }
}
