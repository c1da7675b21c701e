import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { MARKED } from '../../marked-people';
import { ApiUnderTest } from '../api/api-under-test';
import { checkedIn, invited, nameBuddy } from '../rights/people';
import { PATIENCE_MS } from '../../patience';
import { describeInBrowser, launchChromium, overflow, seriousFindings, watchForTrouble } from './chromium';

describeInBrowser('the page of a buddy’s rights in a browser', () => {
  let browser: Browser;
  let api: ApiUnderTest;
  let context: BrowserContext;
  let page: Page;
  let trouble: readonly string[];

  beforeAll(async () => {
    browser = await launchChromium();
    api = await ApiUnderTest.start();
  });
  afterAll(async () => {
    await browser.close();
    await api.stop();
  });
  afterEach(() => context.close());

  async function openPage(javaScriptEnabled: boolean, language = 'en'): Promise<void> {
    const buddy = await nameBuddy(api.deps, { name: MARKED.otherMentorName, language });
    await invited(api.deps.pool, buddy.buddyId);
    // The link of a text: it opens what is of the phone, their notes among it.
    const { token: link } = await checkedIn(api.deps, buddy, { note: MARKED.replyWords });
    const origin = `http://127.0.0.1:${api.port}`;
    context = await browser.newContext({ javaScriptEnabled, viewport: { width: 375, height: 700 } });
    page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    trouble = watchForTrouble(page, [origin]);
    await page.goto(`${origin}/api/buddy/rights/${link}`);
  }

  it('lets somebody see, take along, withdraw and erase, without a script and by keyboard', async () => {
    await openPage(false);
    await page.getByRole('button', { name: 'Show me what you hold' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText(MARKED.otherMentorName).waitFor();
    await page.getByText(`Your note: ${MARKED.replyWords}`).waitFor();
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download my data' }).click();
    const file = await (await downloading).path();
    expect(JSON.parse(readFileSync(file, 'utf8')).parts.about.name).toBe(MARKED.otherMentorName);
    await page.getByRole('button', { name: 'Stop being a buddy' }).click();
    await page.getByRole('status').getByText('You are not asked any more').waitFor();
    await page.getByRole('button', { name: 'Delete my data' }).click();
    await page.getByRole('heading', { name: 'Your data is deleted' }).waitFor();
    expect(trouble).toEqual([]);
  });

  it.each(['en', 'es'])(
    'has in %s no serious accessibility finding, no sideways scrolling and no small target',
    async (language) => {
      await openPage(true, language);
      await look(`opened-${language}`);
      await page.locator('form:has(input[value=see]) button').click();
      await page.getByText(MARKED.replyWords).waitFor();
      await look(`seen-${language}`);
      await page.locator('form:has(input[value=block]) button').click();
      await page.getByRole('status').waitFor();
      await look(`blocked-${language}`);
      await page.locator('form:has(input[value=erase]) button').click();
      await page.locator('form').first().waitFor({ state: 'detached' });
      await look(`erased-${language}`);
      expect(trouble).toEqual([]);
    },
  );

  async function look(name: string): Promise<void> {
    for (const width of [375, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      expect([width, await overflow(page)]).toEqual([width, 0]);
      expect([width, await seriousFindings(page)]).toEqual([width, []]);
      const small = await page.evaluate<string[]>(
        `[...document.querySelectorAll('a, button')].filter((one) => one.getBoundingClientRect().height < 43.5).map((one) => one.outerHTML)`,
      );
      expect([width, small]).toEqual([width, []]);
      if (process.env.KINDLINE_LOOK_AT !== undefined) {
        await page.screenshot({
          fullPage: true,
          path: `${process.env.KINDLINE_LOOK_AT}/buddy-rights-${name}-${width}.png`,
        });
      }
    }
  }
});
