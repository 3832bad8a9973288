// The drift card of the admin's index page: figures by day as lines, shares of the digits as bars.

import { drawPairs } from "./bars.js";
import { drawSparkline } from "./sparkline.js";

for (const element of document.querySelectorAll("[data-drift-line]")) {
  element.append(drawSparkline(JSON.parse(element.dataset.driftLine), { width: 240, height: 48 }));
}
for (const element of document.querySelectorAll("[data-drift-bars]")) {
  element.append(drawPairs(JSON.parse(element.dataset.driftBars)));
}
