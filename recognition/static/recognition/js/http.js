// The one place that speaks HTTP: JSON in and out, the CSRF token, and errors as one kind of object.

export class ApiError extends Error {
  constructor(status, answer, retryAfter) {
    super(answer.message || answer.detail || "");
    this.status = status;
    this.code = answer.code || "";
    this.field = answer.field || "";
    this.run = answer.run ?? null;
    this.retryAfter = retryAfter;
  }
}

function csrfToken() {
  // The cookie is the newer of the two when somebody signed in from another tab.
  const cookie = document.cookie.match(/(?:^|;\s*)(?:__Host-)?csrftoken=([^;]+)/);
  return cookie ? decodeURIComponent(cookie[1]) : document.querySelector('meta[name="csrf-token"]')?.content;
}

async function send(url, options) {
  try {
    const response = await fetch(url, { credentials: "same-origin", ...options });
    // A proxy may answer HTML in the server's place; its words are no use to the reader.
    const answer = await response.json().catch((error) => {
      if (error.name === "AbortError") throw error;
      return {};
    });
    return { response, answer: answer ?? {} };
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { code: "unreachable" }, null);
  }
}

async function call(url, options) {
  const { response, answer } = await send(url, options);
  if (response.ok) return answer;
  const retryAfter = Number.parseFloat(response.headers.get("Retry-After"));
  throw new ApiError(response.status, answer, Number.isFinite(retryAfter) ? retryAfter : null);
}

export function get(url) {
  return call(url, { headers: { Accept: "application/json" } });
}

const RETRIES = 5;
const FIRST_RETRY = 500;
const LONGEST_RETRY = 15_000;

const mayPass = ({ status }) => status === 0 || status === 429 || status >= 500;

/**
 * `get`, again after a pause when the server or the network fails, for about 15 s in all.
 * `onRetry(error)` is called before each pause; the last error is thrown.
 */
export async function getWithRetry(url, onRetry = () => {}) {
  for (let retry = 0; ; retry += 1) {
    try {
      return await get(url);
    } catch (error) {
      if (retry === RETRIES || !mayPass(error)) throw error;
      onRetry(error);
      const pause = Math.max(FIRST_RETRY * 2 ** retry, Math.min((error.retryAfter ?? 0) * 1000, LONGEST_RETRY));
      // Spread out: every page that watched a run asks at its end.
      await new Promise((resolve) => setTimeout(resolve, pause * (0.75 + Math.random() / 2)));
    }
  }
}

/** `body` is a form, a file as it is, or anything that JSON can say. */
export function post(url, body) {
  const headers = { Accept: "application/json" };
  const token = csrfToken();
  if (token) headers["X-CSRFToken"] = token;
  if (body instanceof Blob) return call(url, { method: "POST", headers: { ...headers, "Content-Type": body.type }, body });
  if (body instanceof FormData) return call(url, { method: "POST", headers, body });
  headers["Content-Type"] = "application/json";
  return call(url, { method: "POST", headers, body: JSON.stringify(body) });
}

const PLAIN = {
  unreachable: "The server cannot be reached. Check the connection and try again.",
  model_unavailable: "No network can read drawings at the moment. Try again shortly, or train one below and put it into service.",
  queue_unavailable: "The queue for training is down, so no run was started. Try again in a little while.",
  corrupt_image: "That file is damaged and cannot be read as a picture.",
  unsupported_image: "That kind of file cannot be read. PNG, JPEG and WebP can.",
  image_too_large: "That picture is too large. At most 4096 × 4096 pixels can be read.",
  image_too_small: "That picture is too small. It needs at least 8 × 8 pixels.",
  payload_too_large: "That file is too big to send.",
};

export function inPlainWords(error) {
  if (error.status === 429 && error.code !== "cool_down") {
    const wait = error.retryAfter ? `in ${Math.ceil(error.retryAfter)} s` : "in a moment";
    return `Too many requests for now. Try again ${wait}.`;
  }
  if (PLAIN[error.code]) return PLAIN[error.code];
  if (error.message) return error.message;
  return error.status ? `The server could not do that (error ${error.status}).` : "Something went wrong.";
}
