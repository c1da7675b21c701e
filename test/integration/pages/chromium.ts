import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { source as axeSource } from 'axe-core';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The browser on this machine: `CHROMIUM_PATH`, else the first known name on the PATH; null when there is none. */
function findChromium(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = [
    process.env.CHROMIUM_PATH,
    ...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))),
  ];
  return candidates.find((path): path is string => path !== undefined && isExecutable(path)) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const executablePath = findChromium();

/** `describe` where a browser is installed. Elsewhere the suite is skipped, and says so where nobody overlooks it. */
export const describeInBrowser: jest.Describe = executablePath === null ? describe.skip : describe;
if (executablePath === null) {
  process.stderr.write(
    '\n*** No Chromium found: the pages are NOT tested in a browser. `apt-get install chromium`, or set CHROMIUM_PATH. ***\n\n',
  );
}

/** @throws Error when there is no browser; `describeInBrowser` suites do not get here then */
export async function launchChromium(): Promise<Browser> {
  if (executablePath === null) throw new Error('there is no Chromium on this machine');
  // Without a sandbox because containers run as root; the pages are our own.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/** What a page should never have: errors in its console, requests to anybody else, scripts that were blocked. */
export function watchForTrouble(page: Page, allowedOrigins: readonly string[]): readonly string[] {
  const trouble: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') trouble.push(message.text());
  });
  page.on('pageerror', (error) => trouble.push(error.message));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== 'data:' && !allowedOrigins.includes(origin)) trouble.push(`asked ${origin}`);
  });
  return trouble;
}

/** @returns `rule: what it says` for every serious or critical finding of axe */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const findings = await page.evaluate<{ id: string; impact: string; help: string; nodes: { html: string }[] }[]>(
    "axe.run(document, { resultTypes: ['violations'] }).then((report) => report.violations)",
  );
  return findings
    .filter((finding) => ['serious', 'critical'].includes(finding.impact))
    .map((finding) => `${finding.id}: ${finding.help} (${finding.nodes[0]?.html ?? ''})`);
}

/** Width by which a page is too wide for its window, in pixels. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
}
