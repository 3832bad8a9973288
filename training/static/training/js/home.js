// The home page: drawing first; the choice of models, training, runs and the network panel load after it.
// URLs come from the template's data attributes.

import { startDrawing } from "../../recognition/js/drawing/drawing.js";

const main = document.getElementById("main");
const drawing = startDrawing(main);

import("../../recognition/js/drawing/models.js").then(({ ModelChoice }) => new ModelChoice(main.querySelector("[data-models]"), main.dataset.modelsUrl, drawing));
import("../../recognition/js/explanation/panel.js").then(({ ExplanationPanel }) => new ExplanationPanel(main.querySelector("[data-why]"), main.querySelector("[data-evidence]"), main.dataset.drawingUrl, drawing));
import("./training.js").then(({ startTraining }) => startTraining(main, drawing));
import("../../recognition/js/network/panel.js").then(({ NetworkPanel }) => new NetworkPanel(main.querySelector("[data-network]"), main.dataset.modelsUrl, drawing.answer));
