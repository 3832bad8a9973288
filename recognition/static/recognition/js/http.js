// HTTP requests: JSON in and out, the CSRF token, retries, and errors as ApiError.

class ApiError extends Error {
  constructor(status, body, retryAfter) {
    super(body.message || body.detail || "");
    this.status = status;
    this.code = body.code || "";
    this.field = body.field || "";
    this.run = body.run ?? null;
    this.retryAfter = retryAfter;
  }
}

function csrfToken() {
  // After a sign-in in another tab only the cookie is current.
  const cookie = document.cookie.match(/(?:^|;\s*)(?:__Host-)?csrftoken=([^;]+)/);
  return cookie ? decodeURIComponent(cookie[1]) : document.querySelector('meta[name="csrf-token"]')?.content;
}

const TIMEOUT_MS = 30_000; // on a dead network a request never fails by itself

async function send(url, options) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), ...options });
    // A proxy may respond with HTML in the server's place; ignore it.
    const body = await response.json().catch((error) => {
      if (!(error instanceof SyntaxError)) throw error; // cut off
      return {};
    });
    return { response, body: body ?? {} };
  } catch {
    throw new ApiError(0, { code: "unreachable" }, null);
  }
}

async function call(url, options) {
  const { response, body } = await send(url, options);
  if (response.ok) return body;
  throw new ApiError(response.status, body, Number.parseFloat(response.headers.get("Retry-After")) || null);
}

const JSON_ONLY = { Accept: "application/json" };

export function get(url) {
  return call(url, { headers: JSON_ONLY });
}

const RETRIES = 5;
const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 15_000;

export const isTransient = ({ status }) => status === 0 || status === 429 || status >= 500;

/**
 * Send a GET request and retry it with exponential backoff, for about 15 s, while the server or the network fails.
 * `onRetry(error)` is called before each pause; the last error is thrown.
 */
export async function getWithRetry(url, onRetry = () => {}) {
  for (let retry = 0; ; retry += 1) {
    try {
      return await get(url);
    } catch (error) {
      if (retry === RETRIES || !isTransient(error)) throw error;
      onRetry(error);
      const backoff = Math.max(FIRST_BACKOFF_MS * 2 ** retry, Math.min((error.retryAfter ?? 0) * 1000, MAX_BACKOFF_MS));
      // With jitter: every page that watches a run sends this request when the run ends.
      await new Promise((resolve) => setTimeout(resolve, backoff * (0.75 + Math.random() / 2)));
    }
  }
}

function unsafeHeaders() {
  const token = csrfToken();
  return { ...JSON_ONLY, ...(token && { "X-CSRFToken": token }) };
}

/** Send a POST request. `body` is a FormData, a Blob, or a value to send as JSON. */
export function post(url, body) {
  const headers = unsafeHeaders();
  const isFile = body instanceof Blob;
  const isForm = body instanceof FormData; // whose type the browser adds
  if (!isForm) headers["Content-Type"] = isFile ? body.type : "application/json";
  return call(url, { method: "POST", headers, body: isFile || isForm ? body : JSON.stringify(body) });
}

/** Send a PATCH request with JSON. */
export function patch(url, body) {
  return call(url, { method: "PATCH", headers: { ...unsafeHeaders(), "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

export const del = (url) => call(url, { method: "DELETE", headers: unsafeHeaders() });

const MESSAGES = {
  unreachable: "The server can't be reached. Check your connection and try again.",
  model_unavailable: "No model is in service. Train one below and put it into service.",
  queue_unavailable: "The training queue is unavailable, so no run was started. Try again later.",
  corrupt_image: "This file is damaged. Choose another picture.",
  image_too_small: "This picture is too small. It needs at least 8 × 8 pixels.",
  payload_too_large: "This file is too large to send.",
};

/** Return what went wrong, and what to do, as a sentence for the page. */
export function describeError(error) {
  if (error.status === 429 && error.code !== "cool_down") {
    const wait = error.retryAfter ? `in ${Math.ceil(error.retryAfter)} s` : "in a moment";
    return `Too many requests. Try again ${wait}.`;
  }
  if (MESSAGES[error.code]) return MESSAGES[error.code];
  if (error.message) return error.message;
  return error.status ? `The server could not complete the request (error ${error.status}).` : "Something went wrong.";
}
