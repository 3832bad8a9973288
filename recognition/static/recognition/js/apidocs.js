// The API documentation: Swagger UI with our schema, and the CSRF token in its requests.

const place = document.getElementById("document");

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
