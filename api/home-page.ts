import { renderHome } from '../web/home';
import type { ApiDeps } from './deps';
import type { Routes } from './routes';

/**
 * `GET /`: what is running here. The buttons that sign anybody in as anyone are there only outside production, and only
 * when tokens come from the issuer that is part of the simulator.
 */
export function homePage(routes: Routes, { config }: ApiDeps): void {
  const isLocal = config.nodeEnv !== 'production';
  const simulator = isLocal ? config.twilio.apiBaseUrl : null;
  const hasLocalIssuer = simulator !== null && config.oidc.issuer === `${simulator}/oidc`;
  routes.open('GET /', (_req, res) => {
    const page = renderHome({
      links: {
        api: config.api.publicBaseUrl,
        phones: simulator,
        temporalUi: isLocal ? config.temporal.uiUrl : null,
        codec: isLocal ? config.codec.publicUrl : null,
      },
      privacyPolicyUrl: config.privacyPolicyUrl,
      issuer: hasLocalIssuer ? config.oidc.issuer : null,
    });
    res.set('Content-Security-Policy', page.contentSecurityPolicy).set('Cache-Control', 'no-store');
    res.type('html').send(page.html);
  });
}
