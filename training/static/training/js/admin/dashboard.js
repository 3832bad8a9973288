// The run in progress on the admin's front page, live.

import { say } from "../../../recognition/js/dom.js";
import { Live } from "../live/socket.js";
import { Pace } from "../live/eta.js";
import { apply, isActive, NOTHING } from "../live/state.js";
import { percent, STATES, timeLeft } from "../../../recognition/js/format.js";

const board = document.querySelector("[data-board]");

function words(run, batch, pace) {
  if (run.stop_requested_at && isActive(run)) return "is stopping.";
  if (run.status === "queued") return "waits for a worker.";
  if (run.status !== "in_progress") return `was the last: ${STATES[run.status]}${run.error ? `. ${run.error}` : "."}`;
  if (!batch) return `has finished ${run.epochs.length} of ${run.max_epochs} epochs.`;
  return `is in epoch ${batch.epoch} of ${run.max_epochs}, ${timeLeft(pace.left(run, batch)) || "just begun"}.`;
}

function show({ run, batch }, pace) {
  const one = (hook) => board.querySelector(`[data-board-${hook}]`);
  const link = one("run");
  link.hidden = !run;
  one("progress").hidden = !run || !isActive(run);
  if (!run) {
    say(one("figure"), "Idle");
    say(one("words"), "No run yet.");
    return;
  }
  const latest = batch ?? run.epochs.at(-1);
  say(link, `Run ${run.id}`);
  link.href = `${board.dataset.runPages}${run.id}/change/`;
  say(one("words"), words(run, batch, pace));
  say(one("figure"), !isActive(run) ? "Idle" : latest ? percent(latest.accuracy) : STATES[run.status]);
  one("progress").max = run.max_epochs ?? 1;
  one("progress").value = batch ? batch.epoch - 1 + batch.step / batch.steps : run.epochs.length;
}

function follow() {
  let state = NOTHING;
  const pace = new Pace();
  const live = new Live(board.dataset.socketPath);
  live.addEventListener("state", ({ detail }) => {
    say(board.querySelector("[data-board-connection]"), detail.state === "live" ? "" : "Disconnected. Trying again…");
  });
  live.addEventListener("message", ({ detail }) => {
    state = apply(state, detail);
    show(state, pace);
    if (state.lost) {
      state = { ...state, lost: false };
      live.reopen();
    }
  });
  live.open();
}

if (board) follow();
