// Champion against challenger: how the model that a run began with and its own model predicted the same pictures.

import { finder, h, setText, table, th } from "../../../recognition/js/dom.js";
import { formatCount, formatProbability } from "../../../recognition/js/format.js";
import { describeError, getWithRetry } from "../../../recognition/js/http.js";

const NO_DIGIT = 10;
const SETS = {
  mnist_test: ["MNIST’s test digits", "misread"],
  held_out: ["Held-out corrections", "misread"],
  no_digits: ["Pictures of no digit", "not flagged as uncertain"],
};
const OUTCOMES = { better: "Significantly better", equal: "No significant difference", worse: "Significantly worse" };

const formatP = (p) => (p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`);

function describeVerdict({ champion, challenger, objections }, run) {
  if (objections.length) {
    const anyway = run.in_service ? " It was put into service anyway." : "";
    return `The comparison advises against replacing model ${champion} with model ${challenger}.${anyway}`;
  }
  return `The comparison allows model ${challenger} to replace model ${champion}.${run.in_service ? " It is in service." : ""}`;
}

function pairsTable(set, { champion, challenger }) {
  const cell = (value, kind) => h("td", { class: kind }, formatCount(value));
  return table("pairs", null, [h("td", { class: "corner" }), th("col", `Model ${challenger} right`), th("col", `Model ${challenger} wrong`)], [
    [th("row", `Model ${champion} right`), cell(set.both_right), cell(set.broken, "broken")],
    [th("row", `Model ${champion} wrong`), cell(set.fixed, "fixed"), cell(set.both_wrong)],
  ]);
}

const labelName = (label) => (label === NO_DIGIT ? "no digit" : String(label));

function tile(example, { champion, challenger }) {
  const { label, picture } = example;
  const alt = `${label === NO_DIGIT ? "No digit" : `A ${label}`}: model ${champion} predicted ${example.champion}, model ${challenger} ${example.challenger}`;
  return h("li", {},
    h("img", { src: picture, width: 56, height: 56, alt, loading: "lazy" }),
    h("span", { "aria-hidden": "true" }, labelName(label)),
    h("small", { "aria-hidden": "true" }, `${example.champion} → ${example.challenger}`),
    h("small", {}, `${formatProbability(example.champion_confidence)} → ${formatProbability(example.challenger_confidence)}`));
}

function examplesList(title, count, examples, comparison, heading) {
  if (!count) return null;
  const shown = examples.length < count ? ` (${examples.length} shown)` : "";
  return h("div", { class: "digits examples" },
    h(heading, {}, `${title}: ${formatCount(count)}${shown}`),
    h("ul", { tabindex: "0", "aria-label": title }, ...examples.map((example) => tile(example, comparison))));
}

function setPart(set, comparison, heading) {
  const [title, wrong] = SETS[set.name];
  const before = formatCount(set.fixed + set.both_wrong);
  const after = formatCount(set.broken + set.both_wrong);
  const inner = `h${Number(heading[1]) + 1}`;
  const examples = [
    examplesList("Fixed", set.fixed, set.fixed_examples ?? [], comparison, inner),
    examplesList("Broken", set.broken, set.broken_examples ?? [], comparison, inner),
  ].filter(Boolean);
  return h("article", { class: "set" },
    h("div", { class: "set-figures" },
      h(heading, {}, title),
      h("p", {}, h("strong", { class: `outcome ${set.outcome}` }, OUTCOMES[set.outcome]), ` (${formatP(set.p)})`),
      h("p", { class: "soft" }, `${before} of ${formatCount(set.count)} ${wrong} before, ${after} after.`),
      pairsTable(set, comparison)),
    examples.length ? h("div", { class: "set-examples" }, ...examples) : null);
}

export class ComparisonSection {
  #one;

  constructor(root, url) {
    this.root = root;
    this.#one = finder(root, "comparison-");
    this.url = url;
  }

  /** Show the run's comparison, then load the pictures. A run without one shows nothing. */
  async show(run) {
    const { comparison } = run;
    this.root.hidden = !comparison;
    if (!comparison) return;
    setText(this.#one("verdict"), describeVerdict(comparison, run));
    this.#one("verdict").classList.toggle("against", comparison.objections.length > 0);
    this.#one("objections").hidden = !comparison.objections.length;
    this.#one("objections").replaceChildren(...comparison.objections.map((text) => h("li", {}, text)));
    this.#fill(comparison);
    try {
      this.#fill(await getWithRetry(this.url));
    } catch (error) {
      setText(this.#one("problem"), `The pictures could not be loaded. ${describeError(error)}`);
    }
  }

  #fill(comparison) {
    const sets = comparison.sets.filter(({ count }) => count);
    this.#one("sets").replaceChildren(...sets.map((set) => setPart(set, comparison, this.root.dataset.subheading)));
  }
}
