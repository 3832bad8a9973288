// A run's page in the admin: the same charts, tables and test digits as on the run's own page.

import { ComparisonSection } from "../run/comparison.js";
import { TestDigits } from "../run/digits.js";
import { RunResults } from "../run/results.js";

const root = document.querySelector("[data-results]");
const one = (hook) => root.querySelector(`[data-${hook}]`);
const run = JSON.parse(document.getElementById("run-data").textContent);
const { digitsUrl, comparisonUrl } = root.dataset;

new RunResults(one("charts")).show(run);
new ComparisonSection(one("comparison"), comparisonUrl).show(run);
if (run.confusion) new TestDigits(one("mistakes"), digitsUrl).show();
