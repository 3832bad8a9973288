// Numbers, times and names as the pages show them.

const parts = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
const dateTime = new Intl.DateTimeFormat("en-GB", parts);
const dateTimeOfAnotherYear = new Intl.DateTimeFormat("en-GB", { ...parts, year: "numeric" });
const fullDateTime = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" });
const integer = new Intl.NumberFormat("en");

export const STATUSES = {
  waiting: "waiting",
  queued: "queued",
  in_progress: "in progress",
  completed: "completed",
  interrupted: "stopped",
  error: "failed",
  cancelled: "cancelled",
};

const isMissing = (value) => value === null || value === undefined;

export const formatPercent = (fraction, digits = 2) => (isMissing(fraction) ? "–" : `${(fraction * 100).toFixed(digits)}%`);
export const formatDecimal = (value, digits = 4) => (isMissing(value) ? "–" : value.toFixed(digits));
export const formatCount = (value) => (isMissing(value) ? "–" : integer.format(value));
export const formatRate = (value) => (isMissing(value) ? "–" : String(Number(value.toPrecision(3))));
export const formatFullTime = (iso) => (iso ? fullDateTime.format(new Date(iso)) : "");

/** "30 Nov, 05:24" in the reader's time zone, with the year unless it is this one */
export function formatTime(iso) {
  if (!iso) return "–";
  const time = new Date(iso);
  return (time.getFullYear() === new Date().getFullYear() ? dateTime : dateTimeOfAnotherYear).format(time);
}

/** "Times in Europe/Berlin (UTC+1)" */
export function describeZone() {
  const format = new Intl.DateTimeFormat("en", { timeZoneName: "shortOffset" });
  const offset = format.formatToParts().find(({ type }) => type === "timeZoneName").value.replace(/GMT(\+0$)?/, "UTC");
  const { timeZone } = format.resolvedOptions();
  return `Times in ${timeZone === offset ? timeZone : `${timeZone} (${offset})`}`;
}

export function formatDuration(seconds) {
  if (isMissing(seconds) || Number.isNaN(seconds)) return "–";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function formatTimeLeft(seconds) {
  if (seconds === null) return "";
  if (seconds < 5) return "a few seconds left";
  if (seconds < 90) return `about ${Math.round(seconds / 5) * 5 || 5} s left`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min left`;
  return `about ${(seconds / 3600).toFixed(1)} h left`;
}

const REQUESTERS = { anonymous: "a visitor", shipped: "shipped with Digits" };

export const formatRequester = (name) => REQUESTERS[name] ?? name;

/** "Requested by a visitor" or "Shipped with Digits" */
export function formatOrigin(name) {
  const origin = formatRequester(name);
  return origin.startsWith("shipped") ? formatName(origin) : `Requested by ${origin}`;
}

const CHANNELS = { page: "on the page", api: "through the API", admin: "in the admin", command: "at the terminal" };
const UNNAMED = { command: "an operator", admin: "a deleted account" };

/** "ada"; "" if nobody stopped the run */
export function formatStopper({ stopped_by, stopped_via }) {
  if (!stopped_via) return "";
  if (stopped_via === "time_limit") return "the time limit";
  return (stopped_by === "anonymous" && UNNAMED[stopped_via]) || formatRequester(stopped_by);
}

/** "ada, through the API"; "" if nobody stopped the run */
export const describeStop = (run) => [formatStopper(run), CHANNELS[run.stopped_via]].filter(Boolean).join(", ");

/** "batch_size" -> "Batch size" */
export function formatName(name) {
  const words = name.replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
}

/** A probability with one decimal; 100% only when it is exactly 1. */
export function formatProbability(probability) {
  const rounded = Math.round(probability * 1000) / 10;
  return `${(probability < 1 ? Math.min(rounded, 99.9) : 100).toFixed(probability < 1 ? 1 : 0)}%`;
}

export const formatRunTime = (run) =>
  run.started_at && run.finished_at ? formatDuration((Date.parse(run.finished_at) - Date.parse(run.started_at)) / 1000) : "–";
