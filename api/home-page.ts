import type { ApiDeps } from './deps';
import type { Routes } from './routes';

/** What `web/` makes the home page of. */
export function homePage(routes: Routes, deps: ApiDeps): void {
  routes.open('GET /', (_req, res) => {
    res.type('html').send(`<!doctype html><title>Kindline</title>${deps.config.nodeEnv}`);
  });
}
