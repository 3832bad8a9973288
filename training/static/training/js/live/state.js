// What the page knows of the run being watched, and how each message from the server changes it.
// Pure: apply(state, message) gives a new state, or the same one when the message is stale.
// `lost` is set when something was missed and only a fresh snapshot can mend it.

export const ACTIVE = ["queued", "in_progress"];
const TRAIL_LIMIT = 600;
const PERSISTED = ["queued", "started", "epoch", "completed", "interrupted", "error"];

export const NOTHING = Object.freeze({ run: null, seq: 0, batch: null, phase: "", progress: null, trail: [], lost: false });

export const isActive = (run) => run !== null && ACTIVE.includes(run.status);

// Events carry the sender's clock in seconds, rows carry ISO 8601.
const iso = (time) => (typeof time === "number" ? new Date(time * 1000).toISOString() : time);

const lastEpoch = (run) => run.epochs.at(-1)?.epoch ?? 0;

function fromSnapshot(state, { run, seq }) {
  const fresh = { ...NOTHING, run, seq };
  if (!run || run.id !== state.run?.id || run.attempt !== state.run.attempt) return fresh;
  // The same run after a reconnection: what is drawn between epochs stays, so nothing flickers.
  const keepBatch = isActive(run) && state.batch?.epoch > lastEpoch(run);
  return { ...fresh, trail: state.trail, phase: state.phase, progress: state.progress, batch: keepBatch ? state.batch : null };
}

function emptyRun({ run, seq, time, ...rest }) {
  return {
    id: run, status: "queued", preset: rest.preset ?? "", parameters: rest.parameters ?? {},
    requested_by: rest.requested_by ?? "", queued_at: iso(time), started_at: null, finished_at: null,
    stop_requested_at: null, attempt: 0, resumed_after_epoch: null, max_epochs: rest.max_epochs ?? null, epochs: [],
    test_accuracy: null, confusion: null, model: null, in_service: false, error_code: "", error: "",
  };
}

function thinned(trail) {
  return trail.length > TRAIL_LIMIT ? trail.filter((_, index) => index % 2) : trail;
}

const CHANGES = {
  // Again: its worker was lost, and it waits for another.
  queued: ({ run, ...state }) => ({ ...state, run: { ...run, status: "queued" }, batch: null, phase: "" }),
  started: ({ run, ...state }, message) => ({
    ...state,
    run: {
      ...run, status: "in_progress", attempt: message.attempt, resumed_after_epoch: message.resumed_after_epoch ?? null,
      started_at: run.started_at ?? iso(message.time),
    },
    batch: null,
    phase: "",
    trail: state.trail.filter((point) => point.at <= lastEpoch(run)),
  }),
  epoch: ({ run, ...state }, message) => {
    const { epoch, loss, accuracy, val_loss, val_accuracy, objective, learning_rate, seconds } = message;
    const row = { epoch, loss, accuracy, val_loss, val_accuracy, objective, learning_rate, seconds };
    const epochs = [...run.epochs.filter((other) => other.epoch !== epoch), row].sort((a, b) => a.epoch - b.epoch);
    return { ...state, run: { ...run, status: "in_progress", epochs }, batch: null };
  },
  completed: (state, { test_accuracy, model, in_service }) => ended(state, { status: "completed", test_accuracy, model, in_service }),
  interrupted: (state) => ended(state, { status: "interrupted" }),
  error: (state, { error_code, error }) => ended(state, { status: "error", error_code, error }),
};

const ended = (state, facts) => ({ ...state, run: { ...state.run, ...facts }, batch: null, phase: "" });

function persisted(state, message) {
  if (message.seq <= state.seq) return state;
  const { run, ...rest } = CHANGES[message.type](state, message);
  const finished_at = isActive(run) ? run.finished_at : iso(message.time);
  return { ...rest, run: { ...run, finished_at }, seq: message.seq, lost: message.seq > state.seq + 1 };
}

function passing(state, message) {
  if (message.seq < state.seq || !isActive(state.run)) return state;
  if (message.type === "phase" && message.phase === "stopping") {
    return { ...state, run: { ...state.run, stop_requested_at: iso(message.time) } };
  }
  if (message.type === "phase") return { ...state, phase: message.phase, progress: message.progress ?? null };
  if (message.epoch <= lastEpoch(state.run)) return state;
  const { epoch, step, steps, loss, accuracy } = message;
  const point = { at: epoch - 1 + step / steps, loss, accuracy };
  const trail = thinned([...state.trail.filter((other) => other.at < point.at), point]);
  return { ...state, batch: { epoch, step, steps, loss, accuracy }, phase: "fitting", trail };
}

export function apply(state, message) {
  if (message.type === "snapshot") return fromSnapshot(state, message);
  const known = PERSISTED.includes(message.type);
  if (!known && !["batch", "phase"].includes(message.type)) return state;
  const current = state.run?.id ?? 0;
  if (message.run < current) return state;
  if (message.run === current) return known ? persisted(state, message) : passing(state, message);
  if (message.type === "queued") return { ...NOTHING, run: emptyRun(message), seq: message.seq };
  return { ...state, lost: true };
}

/** What GET /api/runs/<id>/ adds: it has no seq, so it may not move a run that is still going. */
export function enrich(state, details) {
  if (state.run?.id !== details.id) return state;
  if (!isActive(state.run) && !isActive(details)) return { ...state, run: details };
  const { preset, parameters, requested_by, queued_at, max_epochs } = details;
  return { ...state, run: { ...state.run, preset, parameters, requested_by, queued_at, max_epochs } };
}
