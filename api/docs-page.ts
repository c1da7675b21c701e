import { dirname, join } from 'node:path';
import { renderDocs } from '../web/docs';
import { assetFile } from '../web/layout';
import { openapiDocument } from './openapi';
import { Problem } from './problems';
import type { Routes } from './routes';

/** Where swagger-ui lies, found by Node: beside us here, elsewhere in a container. */
const SWAGGER_UI = dirname(require.resolve('swagger-ui-dist/package.json'));

/** The files the page needs, by name: nothing else of that folder is served, and no name is ever made into a path. */
const ASSETS: ReadonlyMap<string, string> = new Map([
  ['swagger-ui.css', join(SWAGGER_UI, 'swagger-ui.css')],
  ['swagger-ui-bundle.js', join(SWAGGER_UI, 'swagger-ui-bundle.js')],
  ['docs.css', assetFile('docs.css')],
  ['docs.js', assetFile('docs.js')],
]);

/** `GET /openapi.json`, and `GET /docs` to read and try it, with nothing from anybody else's server. */
export function docsPage(routes: Routes, privacyPolicyUrl: string | null): void {
  const document = JSON.stringify(openapiDocument());
  const { html, contentSecurityPolicy } = renderDocs(privacyPolicyUrl);

  routes.open('GET /openapi.json', (_req, res) => {
    res.set('Cache-Control', 'no-cache').type('application/json').send(document);
  });
  routes.open('GET /docs', (_req, res) => {
    res.set('Content-Security-Policy', contentSecurityPolicy).set('Cache-Control', 'no-cache');
    res.type('html').send(html);
  });
  routes.open('GET /docs/:asset', async (req, res) => {
    const name = req.params['asset'];
    const file = typeof name === 'string' ? ASSETS.get(name) : undefined;
    if (file === undefined) throw new Problem('not-found');
    await new Promise<void>((resolve, reject) => {
      // Whoever goes away in the middle is no failure of ours.
      res.sendFile(file, { maxAge: 3_600_000, dotfiles: 'allow' }, (error) =>
        error === undefined || res.headersSent ? resolve() : reject(error),
      );
    });
  });
}
