// A token that is typed in stays in this page's memory: it is neither stored nor sent to anybody but this API.
globalThis.addEventListener('DOMContentLoaded', () => {
  globalThis.SwaggerUIBundle({
    url: '/openapi.json',
    dom_id: '#swagger-ui',
    presets: [globalThis.SwaggerUIBundle.presets.apis],
    deepLinking: true,
    persistAuthorization: false,
    tryItOutEnabled: true,
    // A group is drawn when it is opened: all operations at once take a browser minutes.
    docExpansion: 'none',
    defaultModelsExpandDepth: 0,
    // Otherwise the document would be sent to a server of swagger.io.
    validatorUrl: null,
  });
});
