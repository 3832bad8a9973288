// The wall of corrections in the admin: decide on pictures by mouse or by single keys, without loading the page anew.

import { setText } from "../dom.js";
import { describeError, post } from "../http.js";
import { Selection } from "./selection.js";

const wall = document.querySelector("[data-wall]");
const bar = document.querySelector("[data-wall-bar]");
const form = document.querySelector("#changelist-form");
if (bar) start();

function start() {
  const part = (name) => bar.querySelector(`[data-wall-${name}]`);
  const all = part("all").querySelector("input");
  const across = part("across");
  const selection = new Selection(wall, showCount);
  const tiles = new Map(selection.tiles.map((tile) => [Number(tile.dataset.tile), tile]));
  let queue = Promise.resolve(); // decisions reach the server in the order in which they are made

  for (const name of ["all", "line"]) part(name).hidden = false;
  all.addEventListener("change", () => selection.setAll(all.checked));
  form.addEventListener("submit", (event) => {
    if (event.submitter?.name !== "decision" || across?.checked) return;
    event.preventDefault();
    decide(event.submitter.value);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const isElsewhere = event.target !== document.body && !wall.contains(event.target);
    const button = bar.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (button) decide(button.value);
    else if (isElsewhere || !selection.move(event.key, event.shiftKey)) return;
    event.preventDefault();
  });

  function showCount() {
    const count = selection.selected.length;
    all.checked = count === selection.tiles.length;
    all.indeterminate = count > 0 && !all.checked;
    setText(part("count"), count ? `${count} selected` : "Select all");
  }

  function say(text, level = "success") {
    setText(part("status"), text);
    part("status").className = level;
  }

  function decide(decision) {
    const isUndo = decision === "undo";
    const targets = isUndo ? [] : selection.targets;
    if (!isUndo && targets.length === 0) return say("Select pictures first.", "warning");
    const body = new FormData();
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    body.append("decision", decision);
    for (const tile of targets) {
      body.append("_selected_action", tile.dataset.tile);
      tile.classList.add("sending", "decided");
    }
    if (!isUndo) moveOn(targets);
    queue = queue
      .then(() => post(bar.dataset.url, body))
      .then((answer) => show(answer, isUndo))
      .catch((error) => {
        for (const tile of targets) tile.classList.remove("decided");
        say(describeError(error), "error");
      })
      .finally(() => {
        for (const tile of targets) tile.classList.remove("sending");
        part("next").hidden = selection.tiles.some((tile) => !tile.classList.contains("decided"));
      });
  }

  /** Clear the selection, and move the focus to the next picture without a decision. */
  function moveOn(targets) {
    const isFocused = wall.contains(document.activeElement);
    const rest = selection.tiles.slice(selection.tiles.indexOf(targets.at(-1)) + 1);
    const next = rest.find((tile) => !tile.classList.contains("decided"));
    selection.setAll(false);
    if (isFocused && next) selection.focus(next);
  }

  function show(answer, isUndo) {
    if (!answer.tiles) return location.reload(); // the session has ended
    for (const { id, state, label } of answer.tiles) {
      const tile = tiles.get(id);
      if (!tile) continue;
      tile.classList.remove("pending", "accepted", "rejected");
      tile.classList.add(state);
      tile.classList.toggle("decided", !isUndo);
      setText(tile.querySelector("[data-tile-label]"), label);
      setText(tile.querySelector("[data-tile-state]"), state === "pending" ? "" : state);
    }
    const first = isUndo && tiles.get(answer.tiles[0]?.id);
    if (first) selection.focus(first);
    say(answer.message, answer.level);
  }
}

function isTyping(element) {
  return element.matches("textarea, select, input:not([type=checkbox])");
}
