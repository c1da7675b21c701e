import { escapeHtml, privacyLink } from './layout';
import type { Page } from './layout';

/**
 * The page that shows the OpenAPI document and lets one try it. Everything comes from our own origin, and nothing
 * inline runs: swagger-ui sets its styles through the DOM, which the policy allows, and asks only this API.
 */
export function renderDocs(privacyPolicyUrl: string | null): Page {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml('Kindline API')}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/docs.css">
</head>
<body>
<main id="swagger-ui"></main>
<noscript><p>The same as JSON: <a href="/openapi.json">openapi.json</a></p></noscript>
${privacyLink(privacyPolicyUrl)}
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/docs.js"></script>
</body>
</html>
`;
  const contentSecurityPolicy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return { html, contentSecurityPolicy };
}
