import { createServer } from 'node:http';
import type { Server } from 'node:http';
import express from 'express';
import type { Browser, Page } from 'playwright-core';
import { createIssuer } from '../../../simulator/issuer';
import { renderHome } from '../../../web/home';
import { PATIENCE_MS } from '../../patience';
import { describeInBrowser, launchChromium, overflow, seriousFindings, watchForTrouble } from './chromium';

type Answer = Readonly<Record<string, unknown>>;

describeInBrowser('the start page in a browser', () => {
  let browser: Browser;
  let page: Page;
  let servers: Server[];
  let requests: { method: string; path: string; authorization: string | undefined; body: unknown }[];
  let trouble: readonly string[];

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
  });
  afterEach(async () => {
    await page.close();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function listen(app: express.Express): Promise<string> {
    const server = createServer(app);
    servers.push(server);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return `http://127.0.0.1:${address.port}`;
  }

  /** The page beside a real issuer on another port, and an API whose call goes through `course`; the last state stays. */
  async function open(
    course: readonly Answer[],
    special: { refusal?: Answer; afterCancel?: Answer } = {},
  ): Promise<void> {
    servers = [];
    requests = [];
    let issuerUrl = '';
    const issuer = await createIssuer({ publicUrl: () => issuerUrl, audience: 'kindline' });
    issuerUrl = await listen(express().use(issuer.router));

    let looked = 0;
    let isCancelled = false;
    const api = express().use(express.json(), (req, _res, next) => {
      const { method, path, headers, body } = req;
      requests.push({ method, path, authorization: headers.authorization, body });
      next();
    });
    api.get('/', (_req, res) => {
      const links = { api: url, phones: issuerUrl, temporalUi: null, codec: null };
      const home = renderHome({ links, issuer: issuer.issuer });
      res.set('Content-Security-Policy', home.contentSecurityPolicy).type('html').send(home.html);
    });
    api.get('/consent-texts/mentor-call', (_req, res) => {
      const texts = ['en', 'es'].map((language) => ({ textVersion: '2026-11', language, text: `Text ${language}` }));
      res.json({ texts });
    });
    api.get('/disclosures', (_req, res) => {
      const languages = ['en', 'es'].map((language) => ({ language, disclosures: [{ text: `Told in ${language}` }] }));
      res.json({ languages });
    });
    api.post('/connect-mentor', (_req, res) => {
      if (special.refusal === undefined) res.status(202).json({ success: true, callId: 'c1', status: 'starting' });
      else res.status(422).json(special.refusal);
    });
    api.get('/mentor-calls/c1', (_req, res) => {
      res.json(isCancelled ? special.afterCancel : course[Math.min(looked++, course.length - 1)]);
    });
    api.delete('/mentor-calls/c1', (_req, res) => {
      isCancelled = true;
      res.json({ status: 'cancelled' });
    });
    const url = await listen(api);

    page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
    page.setDefaultTimeout(PATIENCE_MS);
    trouble = watchForTrouble(page, [url, issuerUrl]);
    await page.goto(`${url}/`);
    await page.getByText('Text en').waitFor();
  }

  it('shows a token of the chosen role with a command to try', async () => {
    await open([]);
    await page.getByRole('button', { name: 'admin' }).click();
    await page.getByRole('heading', { name: 'Signed in as admin' }).waitFor();
    const token = await page.getByLabel('Access token').inputValue();
    const command = await page.getByLabel('Try it').inputValue();
    expect(token).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(command).toContain(`/mentors' \\\n  -H 'authorization: Bearer ${token}'`);
    expect(trouble).toEqual([]);
  });

  it('asks for a call as the user and tells each step until it is over', async () => {
    await open([{ status: 'ringing-user' }, { status: 'connected' }, { status: 'completed' }]);
    await page.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Connect me' }).click();
    await page.getByRole('status').getByText('The call is over.').waitFor();
    const steps = await page.locator('#call-steps li').allInnerTexts();
    expect(steps.map((step) => step.replace(/^[\d:]+ /, ''))).toEqual([
      'Your phone rings in a moment. Answer it and press 1.',
      'Your phone is ringing. Answer it and press 1.',
      'You are connected with a mentor.',
      'The call is over.',
    ]);
    const asked = requests.find(({ method }) => method === 'POST');
    expect(asked?.authorization).toMatch(/^Bearer eyJ/);
    expect(asked?.body).toEqual({
      userPhoneNumber: '+14155550142',
      preferences: { languages: ['en'] },
      consent: { textVersion: '2026-11', language: 'en' },
    });
    expect(trouble).toEqual([]);
  });

  it('cancels a call that rings, and then says who else can help', async () => {
    const helplines = { crisis: { operator: 'A helpline', number: '988' }, emergency: null, psi: null };
    await open([{ status: 'ringing-user' }], { afterCancel: { status: 'cancelled', helplines } });
    await page.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Connect me' }).click();
    await page.getByText('Your phone is ringing. Answer it and press 1.').first().waitFor();
    await page.getByRole('button', { name: 'Cancel the call' }).click();
    await page.getByText('Who else can help: A helpline: 988').waitFor();
    expect(requests.some(({ method, path }) => method === 'DELETE' && path === '/mentor-calls/c1')).toBe(true);
  });

  it('asks for consent again when the language changes, because it is another text', async () => {
    await open([]);
    await page.getByRole('checkbox').check();
    await page.getByLabel('Language').selectOption('es');
    await page.getByText('Text es').waitFor();
    await page.getByText('Good to know before you call').click();
    await page.getByText('Told in es').waitFor();
    expect(await page.getByText('Told in en').count()).toBe(0);
    expect(await page.getByRole('checkbox').isChecked()).toBe(false);
  });

  it('shows what a refusal says and who else can help, and lets the person try again', async () => {
    const helplines = { crisis: { operator: 'A helpline', number: '988' }, emergency: null, psi: null };
    const refusal = { title: 'This number cannot be rung', errors: [{ detail: 'Use a number of the US.' }], helplines };
    await open([], { refusal });
    await page.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Connect me' }).click();
    const alert = page.getByRole('alert');
    await alert.getByText('This number cannot be rung. Use a number of the US.').waitFor();
    await alert.getByText('Who else can help: A helpline: 988').waitFor();
    expect(await page.getByRole('button', { name: 'Connect me' }).isEnabled()).toBe(true);
  });

  it('has no serious accessibility finding and no sideways scrolling, on a desk or on a phone of 360 pixels', async () => {
    await open([{ status: 'completed' }]);
    await page.getByRole('button', { name: 'user', exact: true }).click();
    await page.getByText('Good to know before you call').click();
    await page.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Connect me' }).click();
    await page.getByRole('status').getByText('The call is over.').waitFor();
    for (const width of [1100, 360]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await overflow(page)).toBe(0);
      expect(await seriousFindings(page)).toEqual([]);
      if (process.env.KINDLINE_LOOK_AT !== undefined) {
        await page.screenshot({ fullPage: true, path: `${process.env.KINDLINE_LOOK_AT}/home-${width}.png` });
      }
    }
  });
});
