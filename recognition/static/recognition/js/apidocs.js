// The page of the API: Swagger UI over our own document, with the CSRF token for what it sends.

const place = document.getElementById("document");

window.SwaggerUIBundle({
  url: place.dataset.url,
  domNode: place,
  deepLinking: true,
  validatorUrl: null, // else a badge from another host
  requestInterceptor: (request) => {
    if (request.method !== "GET" && request.method) {
      request.headers["X-CSRFToken"] = document.querySelector('meta[name="csrf-token"]').content;
    }
    return request;
  },
});
