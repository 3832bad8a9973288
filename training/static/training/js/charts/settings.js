// How charts are drawn, the same for all and remembered by the browser. Dispatches "change".

const KEY = "digits.charts";
export const MAX_SMOOTHING = 0.95;

function stored() {
  try {
    const { log, smoothing } = JSON.parse(localStorage.getItem(KEY)) ?? {};
    return { log: log === true, smoothing: smoothing >= 0 && smoothing <= MAX_SMOOTHING ? smoothing : 0 };
  } catch {
    return { log: false, smoothing: 0 };
  }
}

export const settings = Object.assign(new EventTarget(), stored());

export function changeSettings(changes) {
  const { log, smoothing } = Object.assign(settings, changes);
  try {
    localStorage.setItem(KEY, JSON.stringify({ log, smoothing }));
  } catch {
    // Without storage, they last as long as the page.
  }
  settings.dispatchEvent(new Event("change"));
}
