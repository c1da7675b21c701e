import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { PATIENCE_MS } from '../../patience';
import { describeInBrowser, launchChromium, overflow, seriousFindings, watchForTrouble } from './chromium';
import { appToken, MENTOR, OUR_NUMBER, startMaskedCalls, USER } from './masked-call';
import type { MaskedCalls } from './masked-call';

const OUR_NUMBER_SHOWN = '+1 415 555 0100';

describeInBrowser('the phones page', () => {
  let browser: Browser;
  let calls: MaskedCalls;
  let page: Page;
  let trouble: readonly string[];

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
  });
  beforeEach(async () => {
    calls = await startMaskedCalls();
    page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    page.setDefaultTimeout(PATIENCE_MS);
    trouble = watchForTrouble(page, [calls.simulator.url]);
    await page.goto(`${calls.simulator.url}/`);
  });
  afterEach(async () => {
    await page.close();
    await calls.close();
  });

  const phone = (number: string): Locator => page.locator(`article[data-number="${number}"]`);
  const button = (number: string, name: string): Locator => phone(number).getByRole('button', { name, exact: true });
  const inState = (number: string, state: string): Promise<void> =>
    page.locator(`article[data-number="${number}"][data-state="${state}"]`).waitFor();
  const hears = (number: string, words: string): Promise<void> =>
    phone(number).getByRole('log').getByText(words).waitFor();

  /** From the first ring to two people talking, with nothing but what a person at the page can click. */
  async function connectBoth(): Promise<void> {
    await calls.ring(USER);
    await button(USER, 'Answer').click();
    await hears(USER, 'To go on, press 1.');
    await button(USER, 'Key 1').click();
    await button(MENTOR, 'Answer').click();
    await hears(MENTOR, 'To take it, press 1.');
    await button(MENTOR, 'Key 1').click();
    await inState(USER, 'connected');
    await inState(MENTOR, 'connected');
  }

  it('carries a masked call by clicks alone, and neither phone ever sees the other number', async () => {
    await connectBoth();
    const [user, mentor] = [await phone(USER).innerText(), await phone(MENTOR).innerText()];
    for (const [own, text] of [
      [USER, user],
      [MENTOR, mentor],
    ] as const) {
      expect(text).toContain(OUR_NUMBER_SHOWN);
      const numbers = [...text.matchAll(/\+[\d ]{8,}\d/g)].map(([number]) => number.replaceAll(' ', ''));
      expect([...new Set(numbers)].toSorted()).toEqual([OUR_NUMBER, own].toSorted());
    }
    await button(MENTOR, 'Hang up').click();
    await hears(USER, 'Goodbye.');
    await inState(USER, 'ended');
    await inState(MENTOR, 'ended');
    expect(trouble).toEqual([]);
  });

  it('calls from an app that has no number, by a token, and hangs up', async () => {
    const identity = '5f'.repeat(32);
    const app = `client:${identity}`;
    await page.getByText('Call from an app').click();
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByLabel('Voice token').fill(appToken(identity));
    await page.getByRole('button', { name: 'Call a mentor' }).click();
    await hears(app, 'We are looking for a mentor for you.');
    await button(MENTOR, 'Answer').click();
    await button(MENTOR, 'Key 1').click();
    await inState(app, 'connected');
    expect(await phone(app).innerText()).toContain('app 5f5f5f5f');
    expect(await phone(app).innerText()).not.toContain('Texts');
    expect(await phone(MENTOR).innerText()).toContain(OUR_NUMBER_SHOWN);
    await button(app, 'Hang up').click();
    await inState(app, 'ended');
    expect(trouble).toEqual([]);
  });

  it('says why a token is no good, and places no call', async () => {
    await page.getByText('Call from an app').click();
    await page.getByLabel('Voice token').fill('not-a-token');
    await page.getByRole('button', { name: 'Call a mentor' }).click();
    await page.getByRole('alert').getByText('20101: Invalid Access Token').waitFor();
    expect(await page.locator('article.phone').count()).toBe(0);
  });

  it('lists every call with the number it showed, whose phone rang and how it ended', async () => {
    await calls.ring(USER);
    await button(USER, 'Decline').click();
    await inState(USER, 'ended');
    const row = page.locator('#ledger-rows tr').filter({ hasText: 'busy' });
    await row.waitFor();
    expect(await row.locator('td').allInnerTexts()).toEqual([
      expect.stringMatching(/^\d\d:\d\d:\d\d$/),
      OUR_NUMBER_SHOWN,
      '+1 415 555 0142',
      'busy',
      '–',
    ]);
  });

  it('says what to do next while there are no phones', async () => {
    await page.getByRole('heading', { name: 'No phones yet' }).waitFor();
    expect(await page.locator('#no-phones').innerText()).toContain('Add a phone above, for example +1 415 555 0142.');
    expect(await seriousFindings(page)).toEqual([]);
  });

  it('adds a phone and lets it call the organisation', async () => {
    await page.getByLabel('Add a phone').fill('+1 (415) 555-0142');
    await page.getByRole('button', { name: 'Add' }).click();
    await inState(USER, 'idle');
    await page.getByLabel('Call from').selectOption(USER);
    await page.getByRole('button', { name: 'Call', exact: true }).click();
    await hears(USER, 'Thank you for calling.');
    expect(trouble).toEqual([]);
  });

  it('explains how a number is written instead of adding a wrong one', async () => {
    await page.getByLabel('Add a phone').fill('555 0142');
    await page.getByRole('button', { name: 'Add' }).click();
    await page.getByRole('alert').getByText('with + and the country code').waitFor();
    expect(calls.simulator.engine.handsets.views()).toEqual([]);
  });

  it('shows texts as a conversation that its owner can go on with', async () => {
    // What is there at the first look is not announced.
    await page.locator('body[data-connection="up"]').waitFor();
    await calls.text(USER, 'Are you well? https://example.org/answer?a=1');
    const log = phone(USER).getByRole('log', { name: 'Texts of +1 415 555 0142' });
    await log.getByText('Are you well?').waitFor();
    expect(await log.getByRole('link').getAttribute('href')).toBe('https://example.org/answer?a=1');
    await page
      .getByRole('status')
      .getByText(`+1 415 555 0142 has a text from ${OUR_NUMBER_SHOWN}.`)
      .waitFor({ state: 'attached' });
    await phone(USER).getByLabel('Text', { exact: true }).fill('Yes, 100 %\n<b>thanks</b>');
    await button(USER, 'Send text').click();
    await log.getByText('Thank you for writing').waitFor();
    expect(await log.locator('p').allInnerTexts()).toEqual([
      OUR_NUMBER_SHOWN,
      'Are you well? https://example.org/answer?a=1',
      `to ${OUR_NUMBER_SHOWN}`,
      'Yes, 100 %\n<b>thanks</b>',
      OUR_NUMBER_SHOWN,
      'Thank you for writing: https://example.org/help',
    ]);
    for (const width of [1200, 360]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await overflow(page)).toBe(0);
      expect(await seriousFindings(page)).toEqual([]);
    }
    expect(trouble).toEqual([]);
  });

  it('can be used from the keyboard: answer, type the key, hang up, with the focus kept in the phone', async () => {
    await calls.ring(USER);
    await button(USER, 'Answer').focus();
    await page.keyboard.press('Enter');
    await hears(USER, 'To go on, press 1.');
    const focused = await page.evaluate<string>('document.activeElement.textContent');
    expect(focused).toBe('Hang up');
    await page.keyboard.press('1');
    await hears(USER, 'We are looking for a mentor');
    await page.keyboard.press('Enter');
    await inState(USER, 'ended');
  });

  it('announces a ringing phone and its captions to screen readers', async () => {
    await calls.ring(USER);
    await page
      .getByRole('status')
      .getByText(`+1 415 555 0142 is ringing. It shows ${OUR_NUMBER_SHOWN}.`)
      .waitFor({ state: 'attached' });
    const log = phone(USER).getByRole('log', { name: 'Words heard on +1 415 555 0142' });
    expect(await log.getAttribute('aria-live')).toBe('polite');
    expect(await page.title()).toBe('(1 ringing) Simulated phones');
  });

  it('shows a caption as text, whatever it contains', async () => {
    calls.simulator.engine.handsets.add(USER, '<img src=x onerror="document.title=1">');
    await phone(USER).getByText('<img src=x').waitFor();
    expect(await phone(USER).locator('img').count()).toBe(0);
    expect(trouble).toEqual([]);
  });

  it('has no serious accessibility finding and no sideways scrolling, on a desk or on a phone of 360 pixels', async () => {
    await connectBoth();
    await calls.ring('+14155550173');
    await inState('+14155550173', 'ringing');
    for (const width of [1200, 360]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await overflow(page)).toBe(0);
      expect(await seriousFindings(page)).toEqual([]);
    }
  });

  it('says so when the simulator is gone', async () => {
    await page.locator('body[data-connection="up"]').waitFor();
    await calls.simulator.close();
    const notice = page.getByText('The simulator does not answer.');
    await notice.waitFor();
    expect(await notice.innerText()).toContain('tries again by itself');
  });

  /** `KINDLINE_UPDATE_IMAGES=1 npm test -- phones-page` takes the picture for the README. */
  it('is a picture worth showing: two phones in one call, one number on both screens', async () => {
    calls.simulator.engine.handsets.add(USER, 'Ana asked for a mentor');
    calls.simulator.engine.handsets.add(MENTOR, 'Ben is a mentor');
    calls.simulator.engine.handsets.add('+447700900173', 'Cleo is a mentor');
    await page.setViewportSize({ width: 1080, height: 800 });
    await connectBoth();
    const picture = await page.screenshot({ fullPage: true });
    expect(picture.byteLength).toBeLessThan(300_000);
    if (process.env.KINDLINE_UPDATE_IMAGES === '1') {
      await phone(MENTOR).getByText('0:07').waitFor();
      await page.screenshot({ fullPage: true, path: join(__dirname, '../../../docs/images/phones.png') });
    }
  });
});
