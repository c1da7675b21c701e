import { randomUUID } from 'node:crypto';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { noteFindings } from '../../../db/incidents';
import { inTransaction } from '../../../db/pool';
import { createSubject } from '../../../db/subjects';
import { openCall, updateCall } from '../../../db/calls';
import { releaseSlot } from '../../../db/mentor-slots';
import { stopLine } from '../../../db/provider-lines';
import { SealedValue } from '../../../domain/sealed';
import { MARKED } from '../../marked-people';
import { callInput } from '../api/api-under-test';
import { PagesUnderTest } from '../api/pages-under-test';
import { PATIENCE_MS } from '../../patience';
import { describeInBrowser, launchChromium, overflow, seriousFindings, watchForTrouble } from './chromium';
import { ALWAYS, reserveSlot } from '../db/people';
import { addAlert, type AlertWanted, endingAs } from '../wellbeing/alert-rows';

describeInBrowser('the pages of mentors and staff in a browser', () => {
  let browser: Browser;
  let pages: PagesUnderTest;
  let context: BrowserContext;
  let page: Page;
  let trouble: readonly string[];

  beforeAll(async () => {
    browser = await launchChromium();
    pages = await PagesUnderTest.start({ TEMPORAL_UI_URL: 'http://127.0.0.1:8233' });
  });
  afterAll(async () => {
    await browser.close();
    await pages.stop();
  });
  afterEach(() => context.close());

  /** @param javaScript false: as in a browser that runs none */
  async function openBrowser({ javaScript = false } = {}): Promise<void> {
    context = await browser.newContext({ javaScriptEnabled: javaScript, viewport: { width: 375, height: 700 } });
    page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    trouble = watchForTrouble(page, [pages.url, pages.issuerUrl]);
  }

  /** By the issuer's own page, as people do. */
  async function signIn(role: string, path: string, subject = ''): Promise<void> {
    await page.goto(`${pages.url}${path}`);
    await page.getByLabel('Another person of that role').fill(subject);
    await page.getByRole('button', { name: role, exact: true }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
  }

  async function alertOf(wanted: AlertWanted): Promise<string> {
    return addAlert(pages.api.database.owner, await createSubject(pages.api.deps.pool, 'system'), wanted);
  }

  async function ring(mentorId: string): Promise<void> {
    const { pool, vault } = pages.api.deps;
    const userId = await createSubject(pool, 'system');
    const value = SealedValue.of('phone', MARKED.userPhone);
    const recordId = await vault.seal({ subjectId: userId, kind: 'phone', value });
    const input = callInput(userId, recordId);
    await openCall(pool, input, { perUser: 100, perTarget: 1_000 });
    await reserveSlot(pool, { mentorId, callId: input.callId, step: 1, leaseMs: 60_000 });
    await releaseSlot(pool, { callId: input.callId, step: 1, result: 'no-answer' });
    await updateCall(pool, input.callId, { status: 'finding-mentor' });
  }

  it('lets a mentor join, switch off and tell of a bad time, without a script and by keyboard', async () => {
    const { mentorId } = await pages.addMentor({ windows: ALWAYS });
    const code = await pages.code(mentorId);
    await ring(mentorId);
    await openBrowser();
    await signIn('mentor', '/mentor/join', randomUUID());
    await page.getByLabel('Invitation code').focus();
    await page.keyboard.type(code.toLowerCase());
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText('Welcome.').waitFor();
    await page.getByText('You are switched on', { exact: true }).waitFor();

    await page.getByRole('button', { name: 'Switch me off' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('You are switched off', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'I was rung while busy' }).click();
    await page.getByRole('status').getByText('Noted.').waitFor();
    // A reload repeats nothing.
    await page.reload();
    expect(await page.getByRole('button', { name: 'I was rung while busy' }).count()).toBe(0);

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    await page.goto(`${pages.url}/mentor`);
    await page.getByRole('heading', { name: 'Sign in as' }).waitFor();
    expect(trouble).toEqual([]);
  });

  it('says where it was typed that a code does not count', async () => {
    await openBrowser();
    await signIn('mentor', '/mentor/join', randomUUID());
    await page.getByLabel('Invitation code').fill('AAAA-BBBB-CCCC');
    await page.getByRole('button', { name: 'Join' }).click();
    await page.getByRole('alert').getByText('This code does not count.').waitFor();
    expect(await page.getByLabel('Invitation code').getAttribute('aria-invalid')).toBe('true');
  });

  it('lets an admin see how things stand, invite, and note what was seen, without a script', async () => {
    const { mentorId } = await pages.addMentor({ windows: ALWAYS, languages: ['en', 'es'] });
    await pages.api.database.owner.query(
      'INSERT INTO mentor_ring_notes (mentor_id, rung_at) VALUES ($1, clock_timestamp())',
      [mentorId],
    );
    await openBrowser();
    await signIn('admin', '/staff');
    await page
      .getByRole('button', { name: `Seen: ${MARKED.mentorName}` })
      .first()
      .waitFor();
    await page.waitForLoadState();
    const before = await page.getByRole('button', { name: /^Seen: / }).count();
    await page
      .getByRole('button', { name: /^Seen: / })
      .first()
      .click();
    await page.getByRole('heading', { name: 'Staff' }).waitFor();
    await page.waitForLoadState();
    expect(await page.getByRole('button', { name: /^Seen: / }).count()).toBe(before - 1);

    await page.getByRole('link', { name: 'Mentors' }).click();
    await page
      .getByRole('button', { name: `: ${MARKED.mentorName}` })
      .first()
      .click();
    await page.getByText(/^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/).waitFor();
    await page.getByRole('link', { name: 'Calls', exact: true }).click();
    await page.getByRole('heading', { name: 'Newest first' }).waitFor();
    expect(trouble).toEqual([]);
  });

  it('lets staff decide about an alert that waits, from the overview on, without a script and by keyboard', async () => {
    const alertId = await alertOf({ steps: [{ who: 'emergency', state: 'awaiting-human' }] });
    pages.api.wellbeing.onConfirm = async () => 'confirmed';
    pages.api.wellbeing.onClose = endingAs(pages.api.database.owner, ['escalated', 'taken-over']);
    await openBrowser();
    await signIn('staff', '/staff');
    await page
      .getByRole('link', { name: /^Details: Wellbeing alerts that wait/ })
      .first()
      .click();
    await page.getByRole('button', { name: `Confirm: ring those on call for alert ${alertId}` }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText('Those on call are being rung.').waitFor();
    expect(pages.api.wellbeing.confirmed.at(-1)).toMatchObject({ alertId });
    await page.getByRole('button', { name: `I see to it: close alert ${alertId}` }).click();
    await page.getByRole('status').getByText('Closed.').waitFor();
    expect(trouble).toEqual([]);
  });

  it('shows in words that somebody is not allowed here, and where they may go', async () => {
    await openBrowser();
    await page.goto(`${pages.url}/staff`);
    await page.getByRole('button', { name: 'user', exact: true }).click();
    await page.getByRole('heading', { name: 'Your role may not do this' }).waitFor();
    await page.getByRole('link', { name: 'Mentor’s page' }).waitFor();
    // With the wrong account: out, and in again with another.
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: 'Staff page' }).click();
    await page.getByRole('button', { name: 'staff', exact: true }).click();
    await page.getByRole('heading', { name: 'Staff', exact: true }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/staff');
  });

  it('has no serious accessibility finding, no sideways scrolling and no small target, on a phone and on a desk', async () => {
    const { mentorId } = await pages.addMentor({ windows: ALWAYS });
    const code = await pages.code(mentorId);
    await ring(mentorId);
    await inTransaction(pages.api.deps.pool, (tx) => stopLine(tx, 'twilio', '20003'));
    const finding = { kind: 'user-calls', key: mentorId, holdMs: 0, counts: { calls: 7 } } as const;
    await noteFindings(pages.api.deps.pool, [finding], { calmMs: 0, channels: { emails: 0, webhook: false } });
    await openBrowser({ javaScript: true });
    await page.goto(`${pages.url}/mentor/join`);
    await look('sign-in');
    await signIn('mentor', '/mentor/join', `look-${mentorId}`);
    await look('join');
    await page.getByLabel('Invitation code').fill('nonsense');
    await page.getByRole('button', { name: 'Join' }).click();
    await page.getByRole('alert').waitFor();
    await look('join-problem');
    await page.getByLabel('Invitation code').fill(code);
    await page.getByRole('button', { name: 'Join' }).click();
    await page.getByRole('status').waitFor();
    await look('mentor');
    await page.goto(`${pages.url}/staff`);
    await look('not-allowed');
    await page.goto(`${pages.url}/mentor`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await look('signed-out');
    await alertOf({ steps: [{ who: 'emergency', state: 'awaiting-human' }] });
    await alertOf({ steps: [{ who: 'buddies', state: 'under-way' }] });
    await alertOf({ daysAgo: 0.5, end: ['closed', 'nobody-answered'] });
    await signIn('admin', '/staff');
    await look('staff');
    const alerts = ['/staff/alerts', '/staff/alerts?done=closed', '/staff/alerts?done=not-closed'];
    for (const path of ['/staff/calls', '/staff/mentors', ...alerts]) {
      await page.goto(`${pages.url}${path}`);
      await look(path.slice(1).replaceAll(/[^a-z]/g, '-'));
    }
    await page.goto(`${pages.url}/staff`);
    await page
      .getByRole('link', { name: /^Details: One user/ })
      .first()
      .click();
    await page.getByRole('button', { name: 'I look after it' }).waitFor();
    await look('staff-incident');
    await page.goto(`${pages.url}/staff/mentors`);
    await page
      .getByRole('button', { name: /^Invite/ })
      .first()
      .click();
    await page.getByText('This code is shown once.').waitFor();
    await look('invitation');
    expect(trouble.filter((line) => !line.includes('status of 4'))).toEqual([]);
  });

  async function look(name: string): Promise<void> {
    for (const width of [375, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      expect([name, width, await overflow(page)]).toEqual([name, width, 0]);
      expect([name, width, await seriousFindings(page)]).toEqual([name, width, []]);
      expect([name, width, await smallTargets()]).toEqual([name, width, []]);
      if (process.env.KINDLINE_LOOK_AT !== undefined) {
        await page.screenshot({ fullPage: true, path: `${process.env.KINDLINE_LOOK_AT}/${name}-${width}.png` });
      }
    }
  }

  /** What one presses and is lower than 44 pixels. */
  function smallTargets(): Promise<string[]> {
    return page.evaluate<string[]>(
      `[...document.querySelectorAll('a, button, select, input:not([type=hidden])')]
         .filter((one) => one.getBoundingClientRect().height < 43.5).map((one) => one.outerHTML)`,
    );
  }
});
