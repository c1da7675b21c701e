/**
 * Temporal's own Web UI in a browser, as an operator has it with `npm start`: what it shows of a call comes through the
 * codec server. `KINDLINE_UPDATE_SCREENSHOTS=1` writes the pictures of docs/web-ui.md.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';
import { AppUser, addMentor, READY_MENTOR, READY_USER } from '../calls/people';
import { describeInBrowser, launchChromium } from '../pages/chromium';

const IMAGES = join(__dirname, '..', '..', '..', 'docs', 'images');
/** A page asks for forty payloads one by one, and the machine may be busy (ms). */
const PATIENCE = 60_000;
const COLUMNS = ['Status', 'Workflow ID', 'KindlineState', 'KindlineSince', 'KindlineCountry'];

jest.setTimeout(2 * PATIENCE + 30_000);

describeInBrowser('the Temporal Web UI', () => {
  let stack: TestStack;
  let browser: Browser;
  let page: Page;
  let over: AppUser;
  let talking: AppUser;

  beforeAll(async () => {
    stack = await startStack({ webUi: true });
    browser = await launchChromium();
    await stack.sim.settings({ wordMs: 2 });
    await addMentor(stack, MARKED.mentorPhone);
    await stack.sim.script(MARKED.mentorPhone, READY_MENTOR);
    await stack.sim.script(MARKED.userPhone, { ...READY_USER, hangUp: { after: 'bridged', ms: 200 } });
    over = await asked();
    await over.end();
    await stack.sim.script(MARKED.userPhone, READY_USER);
    talking = await asked();
    await talking.status('connected');
    page = await browser.newPage({ viewport: { width: 1_280, height: 720 } });
    // What the wheel below the list does.
    const columns = JSON.stringify({ default: COLUMNS.map((label) => ({ label })) });
    await page.addInitScript(`localStorage.setItem('namespace-workflow-table-columns', '${columns}')`);
  });

  afterAll(async () => {
    await talking?.cancel();
    await browser?.close();
    await stack?.stop();
  });

  async function asked(): Promise<AppUser> {
    const user = new AppUser(stack, MARKED.userPhone);
    await user.start();
    return user;
  }

  async function open(path: string): Promise<void> {
    await page.goto(`${stack.webUi?.url}/namespaces/default/workflows${path}`);
  }

  /** Opens a call and then one of its tabs: their addresses hold the run's id. */
  async function openTab(user: AppUser, tab: string): Promise<void> {
    await open(`/mentor-call:${user.callId}`);
    await page
      .getByRole('tab', { name: tab })
      .or(page.getByRole('link', { name: tab }))
      .first()
      .click();
  }

  async function shown(...texts: readonly string[]): Promise<string> {
    return shownWithin(PATIENCE, ...texts);
  }
  async function shownWithin(ms: number, ...texts: readonly string[]): Promise<string> {
    return eventually(async () => {
      const text = await page.locator('#content').innerText();
      for (const expected of texts) expect(text).toContain(expected);
      return text;
    }, ms);
  }

  async function picture(name: string, height: number): Promise<void> {
    if (process.env.KINDLINE_UPDATE_SCREENSHOTS !== '1') return;
    mkdirSync(IMAGES, { recursive: true });
    const clip = { x: 64, y: 48, width: 1_216, height };
    await page.screenshot({ path: join(IMAGES, `web-ui-${name}.png`), clip });
  }

  it('shows in the list what an operator must always see, with nothing decoded', async () => {
    const row = (user: AppUser) => page.locator('tr', { hasText: user.callId }).innerText();
    // The list is written after the call has ended, and a page that is open is not.
    const text = await eventually(async () => {
      await open(`?query=${encodeURIComponent('WorkflowType="mentorCall"')}`);
      const columns = ['KindlineState', 'KindlineSince', 'KindlineCountry'];
      const all = await shownWithin(10_000, talking.callId, over.callId, ...columns);
      expect(await row(over)).toMatch(/Completed[^]*ended[^]*20\d\d-[^]*US/);
      expect(await row(talking)).toMatch(/Running[^]*running[^]*20\d\d-[^]*US/);
      return all;
    });
    expect(text).not.toContain(talking.who.subject);
    await page.getByLabel('Collapse saved views').click();
    await picture('list', 262);
  });

  it('shows input and result of a call decoded, and an entry says so', async () => {
    await open(`/mentor-call:${over.callId}`);
    const text = await shown(`"callId"`, over.callId, '"recipientToken"', '"endReason": "bridge-over"');
    expect(text).not.toContain(MARKED.userPhone);
    await picture('payloads', 672);
    const { rows } = await stack.pool.query(
      `SELECT DISTINCT actor, purpose, outcome FROM audit_entries WHERE action = 'payload.decoded'`,
    );
    expect(rows).toEqual([{ actor: 'local-operator', purpose: 'web-ui', outcome: 'done' }]);
  });

  it('tells in sentences what a call is, and how it goes', async () => {
    await openTab(talking, 'User Metadata');
    await shown('Summary', 'Current Details', 'Ring the user');
    // The Web UI renders both as Markdown, each in a frame of its own.
    await eventually(async () => {
      const frames = await Promise.all(page.frames().map((frame) => frame.locator('body').innerText()));
      expect(frames.slice(1).map((text) => text.trim())).toEqual([
        'A masked call between a user and a mentor',
        'The user is on the line.',
      ]);
    }, PATIENCE);
    await picture('details', 660);
  });

  it('shows what Temporal stores, and no word of it, when the codec server is down', async () => {
    stack.kill('codec', 'SIGKILL');
    await open(`/mentor-call:${over.callId}`);
    const text = await shown(Buffer.from('binary/encrypted').toString('base64'));
    expect(text).not.toContain('recipientToken');
    await stack.restart('codec');
    await page.reload();
    await shown('"recipientToken"');
  });

  it('was never refused by the codec server, and left no line that is not for logs', async () => {
    const log = stack.logs()['codec'] ?? '';
    expect(log).toContain('"msg":"payloads decoded"');
    expect(log).not.toMatch(/"httpStatus":(4|5)/);
    expect(log).not.toContain('recipientToken');
  });
});
