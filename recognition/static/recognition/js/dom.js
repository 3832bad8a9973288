// Build elements without innerHTML.

const SVG = "http://www.w3.org/2000/svg";

/** Set attributes and append children. True sets an attribute without a value; false, null and undefined set none. */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const h = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);

export const svg = (name, attributes = {}, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

/** Return a function that finds an element of `root` by the end of its data attribute. */
export const finder = (root, prefix = "") => (hook) => root.querySelector(`[data-${prefix}${hook}]`);

export function button(text, onClick, attributes = {}) {
  const element = h("button", { type: "button", ...attributes }, text);
  element.addEventListener("click", onClick);
  return element;
}

export const th = (scope, ...content) => h("th", { scope }, ...content);

/** Return a table: `head` are the cells of its first row, `rows` those of the others. */
export function table(name, caption, head, rows) {
  const row = (cells) => h("tr", {}, ...cells);
  return h("table", { class: name }, caption, h("thead", {}, row(head)), h("tbody", {}, ...rows.map(row)));
}

/** Add listeners: `handlers` by the type of the event. */
export function listen(target, handlers) {
  for (const [type, handler] of Object.entries(handlers)) target.addEventListener(type, handler);
}

export async function loadImage(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

/** Change the text only when it differs, so that a live region announces it once. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Return a link to sign in and come back, as the head of the page has one; null for somebody who has signed in. */
export function signInLink() {
  const link = document.querySelector('.masthead a[href^="/sign-in/"]');
  return link && h("a", { href: link.getAttribute("href") }, "Sign in");
}
