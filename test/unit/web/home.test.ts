import { DEMO_ROLES, renderHome } from '../../../web/home';
import { escapeHtml, renderPage } from '../../../web/layout';

const LINKS = {
  api: 'http://127.0.0.1:3000',
  phones: 'http://127.0.0.1:8055',
  temporalUi: 'http://127.0.0.1:8233',
  codec: 'http://127.0.0.1:3001',
};
const ISSUER = 'http://127.0.0.1:8055/oidc';

describe('the start page', () => {
  it('links everything that runs', () => {
    const { html } = renderHome({ links: LINKS, issuer: ISSUER });
    for (const address of [`${LINKS.api}/health`, LINKS.phones, LINKS.temporalUi, `${LINKS.codec}/health`]) {
      expect(html).toContain(`href="${address}"`);
    }
  });

  it('leaves out what does not run here', () => {
    const { html } = renderHome({ links: { ...LINKS, phones: null, temporalUi: null, codec: null }, issuer: null });
    expect(html).not.toContain('Simulated phones');
    expect(html).not.toContain('Temporal Web UI');
  });

  it.each(DEMO_ROLES.map(({ role }) => role))('has a button to sign in as %s', (role) => {
    expect(renderHome({ links: LINKS, issuer: ISSUER }).html).toContain(`data-role="${role}"`);
  });

  it('offers nobody a token when people sign in elsewhere', () => {
    const { html, contentSecurityPolicy } = renderHome({ links: LINKS, issuer: null });
    expect(html).not.toContain('data-role');
    expect(html).not.toContain('<script');
    expect(contentSecurityPolicy).toContain("connect-src 'self';");
  });

  it('may ask itself and the local issuer, and nobody else', () => {
    const { contentSecurityPolicy } = renderHome({ links: LINKS, issuer: ISSUER });
    expect(contentSecurityPolicy).toContain("default-src 'none'");
    expect(contentSecurityPolicy).toContain("connect-src 'self' http://127.0.0.1:8055;");
  });

  it('writes an address with markup in it as text', () => {
    const { html } = renderHome({ links: { ...LINKS, phones: 'http://x/"><script>alert(1)</script>' }, issuer: null });
    expect(html).not.toContain('<script>alert');
  });
});

describe('a page', () => {
  it('runs its own script and style by a nonce that no other answer has', () => {
    const pages = [1, 2].map(() => renderHome({ links: LINKS, issuer: ISSUER }));
    const nonces = pages.map(({ contentSecurityPolicy }) => /'nonce-([^']+)'/.exec(contentSecurityPolicy)?.[1]);
    expect(new Set(nonces).size).toBe(2);
    pages.forEach(({ html }, index) => {
      const used = [...html.matchAll(/<(?:script|style) nonce="([^"]+)"/g)].map(([, nonce]) => nonce);
      expect(used).toEqual([nonces[index], nonces[index]]);
    });
  });

  it('gives data to its script without letting it become markup', () => {
    const { html } = renderPage({
      title: '</title><b>',
      body: '',
      privacyPolicyUrl: null,
      data: { note: '"><img src=x>' },
    });
    expect(html).not.toContain('<img');
    expect(html).not.toContain('<b>');
  });

  it('escapes every character that means something in markup', () => {
    expect(escapeHtml(`<a href="x" id='y'>&</a>`)).not.toMatch(/[<>"']/);
  });
});
