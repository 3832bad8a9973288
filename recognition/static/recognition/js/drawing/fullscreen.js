// Pad and answer on the whole screen, for a projector. Where the browser can't do that, they fill the window.

const CLEAR_KEYS = ["Delete", "c", "C"];

export function connectFullScreen(section, button, pad) {
  const outside = document.querySelectorAll(".skip, .masthead, main > :not(.draw)");
  const isFull = () => section.hasAttribute("data-full");

  function show(full) {
    section.toggleAttribute("data-full", full);
    button.ariaPressed = full;
    for (const element of outside) element.inert = full;
  }

  async function toggle() {
    show(!isFull());
    // Some browsers refuse, some have neither.
    if (isFull()) await document.documentElement.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) await document.exitFullscreen();
  }

  button.addEventListener("click", toggle);
  document.addEventListener("fullscreenchange", () => show(document.fullscreenElement !== null));
  document.addEventListener("keydown", (event) => {
    const isOther = event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey;
    if (!isFull() || isOther || document.querySelector("dialog[open]")) return;
    if (CLEAR_KEYS.includes(event.key)) pad.clear();
    else if (event.key === "Escape") toggle();
    else return;
    event.preventDefault();
  });
}
