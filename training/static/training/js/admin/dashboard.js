// The training card of the admin's index page, live.

import { setText } from "../../../recognition/js/dom.js";
import { LiveSocket } from "../live/socket.js";
import { applyMessage, EMPTY, isActive, shareDone } from "../live/state.js";
import { STATUSES, formatPercent, formatTimeLeft } from "../../../recognition/js/format.js";

const board = document.querySelector("[data-board]");

/** Continue the sentence that the link "Run 7" or "Last run: 7" begins. */
function describe(run, batch) {
  if (!isActive(run)) return `, ${STATUSES[run.status]}.${run.error ? ` ${run.error}` : ""}`;
  if (run.stop_requested_at) return " is stopping.";
  if (run.status === "queued") return " is waiting for a worker.";
  if (!batch) return ` has finished ${run.epochs.length} of ${run.max_epochs} epochs.`;
  return ` is in epoch ${batch.epoch} of ${run.max_epochs}, ${formatTimeLeft(batch.seconds_left) || "just started"}.`;
}

function show({ run, batch }) {
  const one = (hook) => board.querySelector(`[data-board-${hook}]`);
  const link = one("run");
  link.hidden = !run;
  one("progress").hidden = !run || !isActive(run);
  if (!run) {
    setText(one("figure"), "Idle");
    setText(one("text"), "No runs yet.");
    return;
  }
  const latest = batch ?? run.epochs.at(-1);
  setText(link, isActive(run) ? `Run ${run.id}` : `Last run: ${run.id}`);
  link.href = `${board.dataset.runPages}${run.id}/change/`;
  setText(one("text"), describe(run, batch));
  setText(one("figure"), !isActive(run) ? "Idle" : latest ? formatPercent(latest.accuracy) : STATUSES[run.status]);
  one("progress").value = shareDone({ run, batch });
}

function follow() {
  let state = EMPTY;
  const live = new LiveSocket(board.dataset.socketPath);
  live.addEventListener("state", ({ detail }) => {
    setText(board.querySelector("[data-board-connection]"), detail.state === "live" ? "" : "Disconnected. Reconnecting…");
  });
  live.addEventListener("message", ({ detail }) => {
    state = applyMessage(state, detail);
    show(state);
    if (state.hasGap) {
      state = { ...state, hasGap: false };
      live.reopen();
    }
  });
  live.open();
}

if (board) follow();
