// Ignore a second click on the submit button. The server would refuse it.

const form = document.querySelector("[data-confirm]");
const setDisabled = (disabled) => {
  for (const button of form.querySelectorAll("[type=submit]")) button.disabled = disabled;
};

form?.addEventListener("submit", () => setDisabled(true));
window.addEventListener("pageshow", () => form && setDisabled(false)); // restored from the back-forward cache
