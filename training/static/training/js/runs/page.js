// The runs page, live.

import { RunTable } from "./table.js";
import { RunWatcher } from "../live/watcher.js";

const main = document.getElementById("main");
const table = new RunTable(main.querySelector("[data-history]"), main.dataset, { remember: true });
table.follow(new RunWatcher(main, null));
table.refresh();
