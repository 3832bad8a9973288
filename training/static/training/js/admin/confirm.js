// A second click sends nothing. The server refuses it anyway; this spares people the refusal.

const form = document.querySelector("[data-confirm]");
const setDisabled = (disabled) => {
  for (const button of form.querySelectorAll("[type=submit]")) button.disabled = disabled;
};

form?.addEventListener("submit", () => setDisabled(true));
window.addEventListener("pageshow", () => form && setDisabled(false)); // gone back to
