// Numbers and states as people read them; nothing here touches the page.

const when = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const whenInFull = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" });
const counted = new Intl.NumberFormat("en");

export const STATES = {
  queued: "queued",
  in_progress: "in progress",
  completed: "completed",
  interrupted: "interrupted",
  error: "error",
};

const missing = (value) => value === null || value === undefined;

export const percent = (fraction, digits = 2) => (missing(fraction) ? "–" : `${(fraction * 100).toFixed(digits)}%`);
export const decimal = (value, digits = 4) => (missing(value) ? "–" : value.toFixed(digits));
export const count = (value) => (missing(value) ? "–" : counted.format(value));
export const rate = (value) => (missing(value) ? "–" : String(Number(value.toPrecision(3))));
export const moment = (iso) => (iso ? when.format(new Date(iso)) : "–");
export const momentInFull = (iso) => (iso ? whenInFull.format(new Date(iso)) : "");

export function duration(seconds) {
  if (missing(seconds) || Number.isNaN(seconds)) return "–";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function timeLeft(seconds) {
  if (seconds === null) return "";
  if (seconds < 5) return "a few seconds left";
  if (seconds < 90) return `about ${Math.round(seconds / 5) * 5 || 5} s left`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min left`;
  return `about ${(seconds / 3600).toFixed(1)} h left`;
}

export const took = (run) =>
  run.started_at && run.finished_at ? duration((Date.parse(run.finished_at) - Date.parse(run.started_at)) / 1000) : "–";
