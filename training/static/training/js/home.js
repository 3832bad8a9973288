// The page: drawing above, training below, past runs at the end. Whoever comes wants to draw, so that comes first; the rest
// is loaded behind it. Addresses come from the template's data attributes.

import { startDrawing } from "../../recognition/js/drawing/drawing.js";

const main = document.getElementById("main");
const drawing = startDrawing(main);

import("./training.js").then(({ startLearning }) => startLearning(main, drawing));
import("../../recognition/js/network/panel.js").then(({ NetworkView }) => new NetworkView(main.querySelector("[data-network]"), main.dataset.modelsUrl, drawing.reader));
