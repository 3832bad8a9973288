// The state of the watched run, and how each message changes it.
// Pure: applyMessage(state, message) returns a new state, or the same one when the message is stale.
// `hasGap` is set when an event was missed, so that a fresh snapshot is needed. `batch` is the attempt's last batch, also
// when its epoch has finished. `model` is the one in service, undefined before the first snapshot.

const ACTIVE = ["queued", "in_progress"];
const MAX_BATCH_POINTS = 600;
const PERSISTED = ["queued", "started", "epoch", "completed", "interrupted", "error"];

export const EMPTY = Object.freeze({ run: null, seq: 0, batch: null, phase: "", progress: null, batches: [], model: undefined, hasGap: false });

export const isActive = (run) => run !== null && ACTIVE.includes(run.status);

// Events carry Unix time in seconds, rows carry ISO 8601.
const toIso = (time) => (typeof time === "number" ? new Date(time * 1000).toISOString() : time);

const lastEpoch = (run) => run.epochs.at(-1)?.epoch ?? 0;

function fromSnapshot(state, { run, seq, batches = [], model }) {
  const fresh = { ...EMPTY, run, seq, batches, model };
  if (!run || run.id !== state.run?.id || run.attempt !== state.run.attempt) return fresh;
  const keepBatch = isActive(run) && state.batch?.epoch >= lastEpoch(run);
  // The same run after a reconnect. Its thinned batches fill in what this page has missed.
  const last = state.batches.at(-1)?.at ?? 0;
  const merged = [...state.batches, ...batches.filter((point) => point.at > last)];
  return { ...fresh, batches: thin(merged), phase: state.phase, progress: state.progress, batch: keepBatch ? state.batch : null };
}

function emptyRun({ run, time, preset = "", parameters = {}, requested_by = "", max_epochs = null }) {
  return {
    id: run, status: "queued", preset, parameters, requested_by, max_epochs, epochs: [], attempt: 0, resumed_after_epoch: null,
    queued_at: toIso(time), started_at: null, finished_at: null, stop_requested_at: null,
    test_accuracy: null, confusion: null, model: null, in_service: false, error_code: "", error: "",
    base: null, corrections: null, comparison: null, not_activated: "",
  };
}

function thin(batches) {
  return batches.length > MAX_BATCH_POINTS ? batches.filter((_, index) => index % 2) : batches;
}

const CHANGES = {
  // Its worker was lost; it waits for another one.
  queued: ({ run, ...state }) => ({ ...state, run: { ...run, status: "queued" }, batch: null, phase: "" }),
  started: ({ run, ...state }, message) => ({
    ...state,
    run: {
      ...run, status: "in_progress", attempt: message.attempt, resumed_after_epoch: message.resumed_after_epoch ?? null,
      started_at: run.started_at ?? toIso(message.time),
    },
    batch: null,
    phase: "",
    batches: state.batches.filter((point) => point.at <= lastEpoch(run)),
  }),
  epoch: ({ run, ...state }, message) => {
    const { epoch, loss, accuracy, val_loss, val_accuracy, objective, learning_rate, seconds } = message;
    const row = { epoch, loss, accuracy, val_loss, val_accuracy, objective, learning_rate, seconds };
    const epochs = [...run.epochs.filter((other) => other.epoch !== epoch), row].sort((a, b) => a.epoch - b.epoch);
    // The epoch's last batch may have been thinned out.
    const batch = state.batch && { ...state.batch, epoch, step: state.batch.steps, loss, accuracy };
    return { ...state, run: { ...run, status: "in_progress", epochs }, batch };
  },
  completed: (state, { test_accuracy, model, in_service }) => {
    const ended = endRun(state, { status: "completed", test_accuracy, model, in_service });
    return in_service ? { ...ended, model } : ended;
  },
  interrupted: (state) => endRun(state, { status: "interrupted" }),
  error: (state, { error_code, error }) => endRun(state, { status: "error", error_code, error }),
};

const endRun = (state, facts) => ({ ...state, run: { ...state.run, ...facts }, batch: null, phase: "" });

function applyPersisted(state, message) {
  if (message.seq <= state.seq) return state;
  const { run, ...rest } = CHANGES[message.type](state, message);
  const finished_at = isActive(run) ? run.finished_at : toIso(message.time);
  return { ...rest, run: { ...run, finished_at }, seq: message.seq, hasGap: message.seq > state.seq + 1 };
}

function applyTransient(state, message) {
  if (message.seq < state.seq || !isActive(state.run)) return state;
  if (message.type === "phase" && message.phase === "stopping") {
    return { ...state, run: { ...state.run, stop_requested_at: toIso(message.time) } };
  }
  if (message.type === "phase") return { ...state, phase: message.phase, progress: message.progress ?? null };
  if (message.epoch <= lastEpoch(state.run)) return state;
  const { epoch, step, steps, loss, accuracy, seconds_left = null } = message;
  const point = { at: epoch - 1 + step / steps, loss, accuracy };
  const batches = thin([...state.batches.filter((other) => other.at < point.at), point]);
  return { ...state, batch: { epoch, step, steps, loss, accuracy, seconds_left }, phase: "fitting", batches };
}

/** Another model is in service. */
function activate(state, model) {
  const { run } = state;
  return { ...state, model, run: run && { ...run, in_service: run.model !== null && run.model === model } };
}

export function applyMessage(state, message) {
  if (message.type === "snapshot") return fromSnapshot(state, message);
  if (message.type === "activated") return activate(state, message.model);
  const isPersisted = PERSISTED.includes(message.type);
  if (!isPersisted && !["batch", "phase"].includes(message.type)) return state;
  const current = state.run?.id ?? 0;
  if (message.run < current) return state;
  if (message.run === current) return isPersisted ? applyPersisted(state, message) : applyTransient(state, message);
  if (message.type === "queued") return { ...EMPTY, run: emptyRun(message), seq: message.seq, model: state.model };
  return { ...state, hasGap: true };
}

/** How much of the run is done, 0 to 1. */
export function shareDone({ run, batch }) {
  const done = batch ? batch.epoch - 1 + batch.step / batch.steps : lastEpoch(run);
  return Math.min(1, done / (run.max_epochs || 1));
}

/** Merge the response of GET /api/runs/<id>/. It has no seq, so it must not change an active run's progress. */
export function mergeDetails(state, details) {
  if (state.run?.id !== details.id) return state;
  if (!isActive(state.run) && !isActive(details)) return { ...state, run: details };
  const { preset, parameters, requested_by, queued_at, max_epochs, name, tags } = details;
  return { ...state, run: { ...state.run, preset, parameters, requested_by, queued_at, max_epochs, name, tags } };
}
