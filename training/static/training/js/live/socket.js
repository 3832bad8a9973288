// A WebSocket that reconnects with exponential backoff and reports its state.
// Browsers do not report a dead network, so an idle connection is tested with a ping.

const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 15_000;
const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_MS = 15_000; // send a ping after this long without a message
const PONG_TIMEOUT_MS = 10_000;
const RECENT_MS = 5000; // a message this recent proves that the connection works
const TOO_MANY_STREAMS = 4029; // close code

export class LiveSocket extends EventTarget {
  #url;
  #socket = null;
  #backoff = FIRST_BACKOFF_MS;
  #reconnectTimer = 0;
  #connectTimer = 0;
  #idleTimer = 0;
  #lastMessageAt = 0;
  #isPinging = false;
  #closed = false;

  constructor(path) {
    super();
    this.#url = `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}${path}`;
    addEventListener("online", () => this.#reconnectNow());
    // Over a dead network a socket stays "open" for minutes.
    addEventListener("offline", () => this.#drop());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      if (!this.#socket) this.#reconnectNow();
      else if (performance.now() - this.#lastMessageAt > RECENT_MS) this.#ping();
    });
    // A page restored from the back-forward cache has no socket.
    addEventListener("pageshow", (event) => event.persisted && this.reopen());
  }

  open() {
    if (this.#closed) return;
    this.#clearTimers();
    this.#isPinging = false;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#connectTimer = setTimeout(() => this.#drop(), CONNECT_TIMEOUT_MS);
    socket.addEventListener("message", (event) => {
      if (socket === this.#socket) this.#receive(event.data);
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.#socket) this.#handleClose(event.code);
    });
  }

  /** Reconnect to get a fresh snapshot, with which every connection begins. */
  reopen() {
    const old = this.#socket;
    this.#socket = null;
    old?.close();
    this.open();
  }

  /** Close the socket and do not reconnect. */
  close() {
    const old = this.#socket;
    this.#socket = null;
    this.#closed = true;
    this.#clearTimers();
    old?.close();
  }

  #clearTimers() {
    for (const timer of [this.#reconnectTimer, this.#connectTimer, this.#idleTimer]) clearTimeout(timer);
  }

  #reconnectNow() {
    this.#backoff = FIRST_BACKOFF_MS;
    this.reopen();
  }

  #drop() {
    const old = this.#socket;
    if (!old) return;
    this.#handleClose();
    old.close();
  }

  /** Test an open connection. */
  #ping() {
    if (this.#isPinging || this.#socket.readyState !== WebSocket.OPEN) return;
    this.#isPinging = true;
    this.#socket.send('{"type": "ping"}');
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#drop(), PONG_TIMEOUT_MS);
  }

  #receive(data) {
    this.#isPinging = false;
    this.#lastMessageAt = performance.now();
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#ping(), IDLE_MS);
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    if (message.type === "snapshot") {
      clearTimeout(this.#connectTimer);
      this.#backoff = FIRST_BACKOFF_MS;
      this.#notify("state", { state: "live" });
    }
    if (message.type !== "pong") this.#notify("message", message);
  }

  #handleClose(code = 0) {
    this.#socket = null;
    this.#clearTimers();
    // Jitter spreads the viewers of a restarted server.
    const delay = this.#backoff * (0.75 + Math.random() / 2);
    this.#backoff = Math.min(this.#backoff * 2, MAX_BACKOFF_MS);
    this.#reconnectTimer = setTimeout(() => this.open(), delay);
    this.#notify("state", { state: "lost", delay, isFull: code === TOO_MANY_STREAMS });
  }

  #notify(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
