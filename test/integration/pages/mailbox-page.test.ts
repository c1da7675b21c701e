import { createServer, type Server } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { PATIENCE_MS } from '../../patience';
import { describeInBrowser, launchChromium, overflow, seriousFindings, watchForTrouble } from './chromium';
import { startMaskedCalls } from './masked-call';
import type { MaskedCalls } from './masked-call';

const HTML = [
  '<html><head><style>h1 { color: rgb(15, 92, 102) }</style></head><body><h1>Hello Ana</h1>',
  '<script>parent.document.title = "taken"</script><img src="http://127.0.0.1:9/seen.png" onerror="document.title=1">',
  '<a href="https://example.org/v/token">Accept</a><a href="javascript:alert(1)">No</a></body></html>',
].join('');

describeInBrowser('the mailbox page', () => {
  let browser: Browser;
  let calls: MaskedCalls;
  let page: Page;
  let trouble: readonly string[];

  beforeAll(async () => {
    browser = await launchChromium();
    calls = await startMaskedCalls();
  });
  afterAll(async () => {
    await browser.close();
    await calls.close();
  });
  beforeEach(async () => {
    calls.simulator.engine.reset();
    page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    page.setDefaultTimeout(PATIENCE_MS);
    trouble = watchForTrouble(page, [calls.simulator.url]);
    await page.goto(`${calls.simulator.url}/mailbox`);
  });
  afterEach(() => page.close());

  const receive = (subject: string, type: string, body: string) =>
    calls.simulator.engine.mailbox.receive(
      Buffer.from(
        `From: Kindline <no-reply@example.org>\r\nTo: ana@example.org\r\nSubject: ${subject}\r\n` +
          'List-Unsubscribe: <https://example.org/unsubscribe/token>\r\n' +
          `Message-ID: <1@example.org>\r\nContent-Type: ${type}; charset=utf-8\r\n\r\n${body}`,
      ),
      { from: 'no-reply@example.org', to: ['ana@example.org'] },
    );

  it('shows mails as they come, newest first, and one of them whole', async () => {
    await page.getByText('No mails yet.').waitFor();
    await receive('First', 'text/plain', 'Hello Ana, see https://example.org/a?b=c');
    await page.getByRole('heading', { name: 'First', exact: true }).waitFor();
    await receive('Second', 'text/plain', 'Hello again');
    const list = page.getByRole('list').first();
    await list.getByRole('button').nth(1).waitFor();
    expect(await list.getByRole('button').allInnerTexts()).toEqual([
      expect.stringMatching(/^Second/),
      expect.stringMatching(/^First/),
    ]);
    expect(await page.getByRole('article').innerText()).toContain('Hello Ana, see');
    expect(await page.getByRole('article').getByRole('listitem').allInnerTexts()).toEqual([
      'https://example.org/a?b=c',
      'https://example.org/unsubscribe/token (to unsubscribe)',
    ]);
    await list.getByRole('button').first().click();
    await page.getByRole('heading', { name: 'Second' }).waitFor();
    expect(trouble).toEqual([]);
  });

  it('shows HTML with its styles, while nothing in it runs, loads or leads anywhere', async () => {
    let asked = 0;
    const tracker = createServer((_req, res) => {
      asked += 1;
      res.end();
    });
    await new Promise<void>((resolve) => tracker.listen(0, '127.0.0.1', resolve));
    await receive('With HTML', 'text/html', HTML.replace('http://127.0.0.1:9', urlOf(tracker)));
    const frame = page.frameLocator('#html');
    await frame.getByText('Hello Ana').waitFor();
    expect(await page.locator('#html').getAttribute('sandbox')).toBe('');
    const source = await page.locator('#html').getAttribute('src');
    const answer = await page.request.get(`${calls.simulator.url}${source}`);
    expect(answer.headers()['content-security-policy']).toMatch(/^sandbox; default-src 'none'/);
    expect(await page.title()).toBe('Simulated mailbox');
    const links = await page.getByRole('article').getByRole('link').allInnerTexts();
    expect(links).toEqual(['https://example.org/v/token', 'https://example.org/unsubscribe/token']);
    // Which of them was which button.
    expect(await page.getByRole('article').getByRole('listitem').allInnerTexts()).toEqual([
      'https://example.org/v/token (Accept)',
      'https://example.org/unsubscribe/token (to unsubscribe)',
    ]);
    expect(asked).toBe(0);
    tracker.close();
  });

  it('shows the HTML of the mail whose head it shows, whichever way its reader goes', async () => {
    await receive('First', 'text/html', '<p>Words of the first</p>');
    await page.frameLocator('#html').getByText('Words of the first').waitFor();
    await receive('Second', 'text/html', '<p>Words of the second</p>');
    await page.getByRole('list').first().getByRole('button', { name: 'Second' }).click();
    await page.frameLocator('#html').getByText('Words of the second').waitFor();
    await page.goto(`${calls.simulator.url}/`);
    // One step: the mails that were looked at are no steps of their own.
    await page.goBack();
    await page.getByRole('heading', { name: 'Second', exact: true }).waitFor();
    await page.frameLocator('#html').getByText('Words of the second').waitFor();
    expect(await page.evaluate<number>('history.length')).toBe(3);
    expect(trouble).toEqual([]);
  });

  it('has no serious accessibility finding and no sideways scrolling, on a desk or on a phone of 360 pixels', async () => {
    await receive('A subject that is rather long and goes on for more than a line', 'text/html', '<p>Hello</p>');
    await page.frameLocator('#html').getByText('Hello').waitFor();
    for (const width of [1200, 360]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await overflow(page)).toBe(0);
      expect(await seriousFindings(page)).toEqual([]);
    }
    expect(trouble).toEqual([]);
  });
});

function urlOf(server: Server): string {
  const address = server.address();
  return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
}
