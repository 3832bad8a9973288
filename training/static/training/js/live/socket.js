// The WebSocket: connects, connects again with back-off when it breaks, and says how it stands.
// A browser does not tell a page that a network has died in silence, so a quiet connection is tested with a ping.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const OPENING_LIMIT = 10_000;
const QUIET = 15_000; // after this long without a message, send a ping
const PONG_LIMIT = 10_000; // after this long without an answer, the connection is dead
const RECENT = 5000; // a message this recent shows that the connection works
const TOO_MANY_STREAMS = 4029;

export class Live extends EventTarget {
  #url;
  #socket = null;
  #wait = FIRST_WAIT;
  #retry = 0;
  #opening = 0;
  #quiet = 0;
  #heardAt = 0;
  #isPinging = false;
  #closed = false;

  constructor(path) {
    super();
    this.#url = `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}${path}`;
    addEventListener("online", () => this.#now());
    // A socket over a dead network stays "open" for minutes; the browser knows earlier.
    addEventListener("offline", () => this.#drop());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      if (!this.#socket) this.#now();
      else if (performance.now() - this.#heardAt > RECENT) this.#ping();
    });
    // A page kept in the back-forward cache comes back without its socket.
    addEventListener("pageshow", (event) => event.persisted && this.reopen());
  }

  open() {
    if (this.#closed) return;
    clearTimeout(this.#retry);
    clearTimeout(this.#quiet);
    this.#isPinging = false;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    clearTimeout(this.#opening);
    this.#opening = setTimeout(() => this.#drop(), OPENING_LIMIT);
    socket.addEventListener("message", (event) => {
      if (socket === this.#socket) this.#heard(event.data);
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.#socket) this.#lost(event.code);
    });
  }

  /** Ask for a fresh snapshot: a new connection always begins with one. */
  reopen() {
    const old = this.#socket;
    this.#socket = null;
    old?.close();
    this.open();
  }

  /** For good. */
  close() {
    const old = this.#socket;
    this.#socket = null;
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#opening);
    clearTimeout(this.#quiet);
    old?.close();
  }

  #now() {
    this.#wait = FIRST_WAIT;
    this.reopen();
  }

  #drop() {
    const old = this.#socket;
    if (!old) return;
    this.#lost();
    old.close();
  }

  /** Ask the server whether it is still there. Does nothing while the connection is being opened. */
  #ping() {
    if (this.#isPinging || this.#socket.readyState !== WebSocket.OPEN) return;
    this.#isPinging = true;
    this.#socket.send('{"type": "ping"}');
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.#drop(), PONG_LIMIT);
  }

  #heard(data) {
    this.#isPinging = false;
    this.#heardAt = performance.now();
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.#ping(), QUIET);
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    if (message.type === "snapshot") {
      clearTimeout(this.#opening);
      this.#wait = FIRST_WAIT;
      this.#tell("state", { state: "live" });
    }
    if (message.type !== "pong") this.#tell("message", message);
  }

  #lost(code = 0) {
    this.#socket = null;
    clearTimeout(this.#opening);
    clearTimeout(this.#quiet);
    clearTimeout(this.#retry);
    // Spread out, so that a restarted server does not meet all its viewers in one instant.
    const wait = this.#wait * (0.75 + Math.random() / 2);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
    this.#retry = setTimeout(() => this.open(), wait);
    this.#tell("state", { state: "lost", wait, crowded: code === TOO_MANY_STREAMS });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
