/** Call every operation through openapi-fetch and the types that openapi-typescript makes: node calls.js URL TOKEN. */
import createClient from "openapi-fetch";
import { readFileSync } from "node:fs";
import type { paths } from "./schema.js";

const [url, token, picture] = process.argv.slice(2) as [string, string, string];
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Token ${token}` } });
const drawing = "data:image/png;base64," + readFileSync(picture).toString("base64");

/** Print the operation, the status and what the caller makes of the typed answer. */
function told<Data, Failure>(
  name: string,
  { data, error, response }: { data?: Data; error?: Failure; response: Response },
  use: (data: Data) => unknown = () => "",
): Data | undefined {
  console.log(name, response.status, data === undefined ? JSON.stringify(error ?? null).slice(0, 80) : use(data));
  return data;
}

const id = { params: { path: { id: 1 } } };
const binary = { ...id, parseAs: "arrayBuffer" } as const;
const size = (data: unknown) => (data as ArrayBuffer).byteLength > 0;

told("predictDrawing", await client.POST("/api/drawing/", { body: { drawing }, params: { query: { preview: "1" } } }), (data) => data.prediction);
told("predictNumber", await client.POST("/api/number/", { body: { drawing } }), (data) => data.number);
told("predictDrawings", await client.POST("/api/drawings/", { body: { drawings: [drawing, drawing] } }), (data) => data.results.length);
const sent = told("createCorrection", await client.POST("/api/corrections/", { body: { drawing, label: 7 } }), (data) => data.label);
told("getCorrectionSummary", await client.GET("/api/corrections/summary/"), (data) => data.accepted["7"]);
told("listCorrections", await client.GET("/api/corrections/", { params: { query: { label: "7" } } }), (data) => data.count);
told("deleteCorrection", await client.DELETE("/api/corrections/{id}/", { params: { path: { id: sent?.id ?? 0 } } }));
told("deleteCorrectionsOfAccount", await client.DELETE("/api/corrections/", { params: { query: { account: "nobody" } } }), (data) => data.deleted);
told("listPresets", await client.GET("/api/presets/"), (data) => data.results[0]?.name);
told("checkModelStatus", await client.GET("/api/check_model_status/"), (data) => data.model_status);
told("getModelAccuracy", await client.GET("/api/model_accuracy/"), (data) => data.accuracy);
told("getSchema", await client.GET("/api/schema/"), (data) => Object.keys(data).length);
told("getDocs", await client.GET("/api/docs/", { parseAs: "text" }), (data) => data.length > 0);
const started = told("retrainModel", await client.POST("/api/retrain_model/", { body: { preset: "original", samples: 600, epochs: 50 } }), (data) => data.message);
told("getTrainingProgress", await client.GET("/api/training_progress/"), (data) => data.max_epochs);
told("stopTraining", await client.POST("/api/stop_training/", { body: { run: started?.run } }), (data) => data.run === started?.run);
told("streamProgress", await client.GET("/api/progress/", { parseAs: "text" }), (data) => data.includes("close"));
told("listRuns", await client.GET("/api/runs/", { params: { query: { include: "epochs", page_size: 5 } } }), (data) => data.results[0]?.epochs?.length);
told("getRun", await client.GET("/api/runs/{id}/", id), (data) => data.epochs.length);
told("describeRun", await client.PATCH("/api/runs/{id}/", { ...id, body: { tags: ["shipped"], baseline: true } }), (data) => data.tags.length);
told("listRunDigits", await client.GET("/api/runs/{id}/digits/", { params: { path: { id: 1 }, query: { limit: 3 } } }), (data) => data.results.length);
told("getRunComparison", await client.GET("/api/runs/{id}/comparison/", id), (data) => data.sets.length);
told("listModels", await client.GET("/api/models/"), (data) => data.results.length);
told("getModel", await client.GET("/api/models/{id}/", id), (data) => data.sha256.length);
told("getModelONNX", await client.GET("/api/models/{id}/onnx/", binary), size);
told("getModelKeras", await client.GET("/api/models/{id}/keras/", binary), size);
told("getModelFilters", await client.GET("/api/models/{id}/filters/", binary), size);
told("getModelDense", await client.GET("/api/models/{id}/dense/", binary), size);
told("activateModel", await client.POST("/api/models/{id}/activate/", { ...id, body: { reason: "again" } }), (data) => data.in_service);
