// The API documentation: Swagger UI with our schema, the CSRF token in its requests, its dark theme, and repairs.

const place = document.getElementById("document");
const dark = matchMedia("(prefers-color-scheme: dark)");
const followScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);

followScheme();
dark.addEventListener("change", followScheme);

// What Swagger UI lacks for screen readers and keyboards: [selector, attribute, value or function of the element].
const REPAIRS = [
  [".information-container", "role", "region"],
  [".information-container", "aria-label", "About this API"],
  [".opblock-tag", "aria-level", "2"],
  [".opblock h4, .models h4", "aria-level", "3"],
  [".opblock h5", "aria-level", "4"],
  [".body-param__text", "aria-label", "Request body"],
  ["tr[data-param-name] :is(input, select)", "aria-label", (field) => field.closest("tr").dataset.paramName],
  ["select:not([aria-label], [id])", "aria-label", "Media type"],
  [".microlight", "tabindex", "0"], // it scrolls
  [".responses-table[role]", "role", null], // a region without a name
  [".opblock-summary-control a", "href", null], // a link in a button
];

function repair() {
  for (const [selector, name, value] of REPAIRS) {
    for (const element of place.querySelectorAll(selector)) {
      const wanted = typeof value === "function" ? value(element) : value;
      if (wanted === null) element.removeAttribute(name);
      else if (element.getAttribute(name) !== wanted) element.setAttribute(name, wanted);
    }
  }
}

new MutationObserver(repair).observe(place, { childList: true, subtree: true });

window.SwaggerUIBundle({
  url: place.dataset.url,
  domNode: place,
  deepLinking: true,
  validatorUrl: null, // no badge from another host
  requestInterceptor: (request) => {
    if (request.method !== "GET" && request.method) {
      request.headers["X-CSRFToken"] = document.querySelector('meta[name="csrf-token"]').content;
    }
    return request;
  },
});
