// The API documentation: Swagger UI with our schema, the CSRF token in its requests, and its dark theme.

const place = document.getElementById("document");
const dark = matchMedia("(prefers-color-scheme: dark)");
const followScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);

followScheme();
dark.addEventListener("change", followScheme);

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
