import type { Browser, Page } from 'playwright-core';
import { RULES } from '../../../api/authorisation';
import { openapiDocument } from '../../../api/openapi';
import { ApiUnderTest } from '../api/api-under-test';
import { PATIENCE_MS } from '../../patience';
import { describeInBrowser, launchChromium, watchForTrouble } from './chromium';

describeInBrowser('the page of the API in a browser', () => {
  let api: ApiUnderTest;
  let browser: Browser;
  let page: Page;
  let trouble: readonly string[];
  let origin: string;

  beforeAll(async () => {
    api = await ApiUnderTest.start();
    browser = await launchChromium();
    origin = `http://127.0.0.1:${api.port}`;
  });
  afterAll(async () => {
    await browser.close();
    await api.stop();
  });
  beforeEach(async () => {
    page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    // The page draws thirty operations: seconds where everything else runs at the same time.
    page.setDefaultTimeout(PATIENCE_MS);
    // Nothing but our own origin answers here, so a request to anybody else is seen and fails.
    trouble = watchForTrouble(page, [origin]);
    await page.goto(`${origin}/docs`);
    await page.getByText('Kindline API').first().waitFor();
  });
  afterEach(() => page.close());

  it('shows every operation, with nothing from elsewhere and nothing blocked', async () => {
    await page.locator('.opblock-tag').first().waitFor();
    const shown: string[] = [];
    for (const group of await page.locator('.opblock-tag').all()) {
      await group.click();
      await page.locator('.opblock').first().waitFor();
      shown.push(...(await page.locator('.opblock-summary-path').allInnerTexts()));
      await group.click();
      await page.locator('.opblock').first().waitFor({ state: 'detached' });
    }
    expect(shown).toHaveLength(Object.keys(RULES).length);
    // swagger-ui puts invisible breaks into long paths.
    const paths = new Set(shown.map((path) => path.replaceAll('\u200B', '').trim()));
    expect(paths).toEqual(new Set(Object.keys(Object(openapiDocument()['paths']))));
    await page.locator('#operations-tag-Calls').click();
    await page.locator('#operations-Calls-connectMentor .opblock-summary-control').click();
    await page.locator('#operations-Calls-connectMentor').getByText('token-required').first().waitFor();
    expect(trouble).toEqual([]);
    const { KINDLINE_LOOK_AT: pictures } = process.env;
    if (pictures !== undefined) await page.screenshot({ fullPage: true, path: `${pictures}/docs.png` });
  });

  it('tries a request with a token that is typed in, and shows the answer', async () => {
    await page.getByRole('button', { name: 'Authorize' }).first().click();
    await page.getByLabel('auth-bearer-value').fill(await api.token({ role: 'user' }));
    await page.getByRole('button', { name: 'Apply credentials' }).first().click();
    await page.getByRole('button', { name: 'Close' }).first().click();
    await page.locator('#operations-tag-Calls').click();
    const operation = page.locator('#operations-Calls-listMentorCalls');
    await operation.locator('.opblock-summary-control').click();
    await operation.getByRole('button', { name: 'Execute' }).click();
    await operation.locator('.live-responses-table').getByText('mentorCalls').first().waitFor();
    expect(trouble).toEqual([]);
    // What was typed is gone with the page.
    const kept = await page.evaluate<number>('localStorage.length + sessionStorage.length');
    expect(kept).toBe(0);
  });
});
