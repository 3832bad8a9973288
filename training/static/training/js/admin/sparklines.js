// The accuracy of each run in the admin's list, as a sparkline.

import { accuracyHeight, drawSparkline } from "./sparkline.js";

for (const element of document.querySelectorAll("[data-sparkline]")) {
  element.append(drawSparkline(JSON.parse(element.dataset.sparkline), { heightOf: accuracyHeight }));
}
