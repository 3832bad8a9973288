// The page of all runs.

import { History } from "./table.js";

const main = document.getElementById("main");
new History(main.querySelector("[data-history]"), main.dataset, { remember: true }).refresh();
