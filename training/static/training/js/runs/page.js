// The runs page.

import { RunTable } from "./table.js";

const main = document.getElementById("main");
new RunTable(main.querySelector("[data-history]"), main.dataset, { remember: true }).refresh();
