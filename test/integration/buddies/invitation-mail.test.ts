/** The e-mail that asks somebody to be a buddy, word for word, through the renderer that sends it. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderContent } from '../../../db/rendering';
import { createSubject } from '../../../db/subjects';
import { findTemplate } from '../../../db/templates';
import { sealableWords } from '../../../domain/message-words';
import { DispatchWorld } from '../dispatch/dispatch-world';

let world: DispatchWorld;
beforeAll(async () => {
  world = await DispatchWorld.open();
});
afterAll(() => world.end());

/** Any id, always the same: the links are made from it. */
const BUDDY = '2b1f0a52-7a0c-4f0e-9d0c-3f5b1f1a9c22';
const GOLDEN = join(__dirname, 'golden');
const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
/** Those that are configured where nobody says otherwise. */
const TIMES = {
  buddies: { checkIn: { spacingMs: DAY, reminderAfterMs: 2 * HOUR } },
  wellbeing: { alertSpacingMs: 3 * DAY },
  retention: { unverifiedBuddy: 30 * DAY },
};

/** Written anew with `KINDLINE_UPDATE_GOLDEN=1`; read the difference before it is committed. */
function expectGolden(name: string, written: string): void {
  const file = join(GOLDEN, name);
  if (process.env['KINDLINE_UPDATE_GOLDEN'] !== undefined) {
    mkdirSync(GOLDEN, { recursive: true });
    writeFileSync(file, `${written}\n`);
  }
  expect(existsSync(file) ? readFileSync(file, 'utf8') : '').toBe(`${written}\n`);
}

async function written(
  language: 'en' | 'es',
  form: 'html' | 'mail-text',
  names = { buddy: 'Thessaly', user: 'Zoë' },
  times = TIMES,
) {
  const { pool, vault, mail } = world.deps;
  const subjectId = await createSubject(pool, 'system');
  const value = sealableWords({ variables: { ...names, days: 7 } });
  const recordId = await vault.seal({ subjectId, kind: 'text', value });
  const template = await findTemplate(pool, 'buddy.invitation', null);
  if (template === null) throw new Error('there is no such template');
  const parts = {
    pool,
    vault,
    ownLinks: mail,
    askingTimes: times,
    privacyPolicyUrl: 'https://example.org/privacy',
    unsubscribeUrl: 'https://api.example.org/unsubscribe/token',
  };
  const { templateId, version: templateVersion } = template;
  const link = { use: 'buddy-invitation', id: BUDDY, version: 1 } as const;
  return renderContent(parts, { templateId, templateVersion, recordId, link }, language, form);
}

describe.each(['en', 'es'] as const)('an invitation in %s', (language) => {
  test('reads as it has been agreed on, as text', async () => {
    const { value, subject } = await written(language, 'mail-text');
    expectGolden(`invitation-${language}.txt`, `${subject?.expose()}\n\n${value.expose()}`);
  });

  test('and as HTML', async () => {
    expectGolden(`invitation-${language}.html`, (await written(language, 'html')).value.expose());
  });

  test('says both ways to answer, how to stop, what is held, and where the policy is', async () => {
    for (const form of ['html', 'mail-text'] as const) {
      const text = (await written(language, form)).value.expose();
      for (const link of ['action=accept', 'action=decline', '/api/buddy/rights/', '/unsubscribe/', '/privacy']) {
        expect(text).toContain(link);
      }
      expect(text).not.toContain('{{');
    }
  });

  test('promises no time but those that are configured', async () => {
    const times = {
      buddies: { checkIn: { spacingMs: 36 * HOUR, reminderAfterMs: 45 * MINUTE } },
      wellbeing: { alertSpacingMs: 5 * DAY },
      retention: { unverifiedBuddy: 60 * DAY },
    };
    const text = (await written(language, 'mail-text', undefined, times)).value.expose();
    const said = text.match(/\d+ [a-zí]+/g);
    expect(said?.map((time) => Number.parseInt(time, 10))).toEqual([36, 5, 45, 60, 7]);
  });

  test('has a language, a title and buttons that say what they do, and fetches nothing', async () => {
    const html = (await written(language, 'html')).value.expose();
    expect(html).toContain(`<html lang="${language}">`);
    expect(html).toMatch(/<title>[^<]+<\/title>/);
    expect(html).not.toMatch(/<img|<script|<link|src=|background-image/);
    for (const [, text] of html.matchAll(/<a [^>]*>([^<]*)<\/a>/g)) expect(text?.trim()).not.toBe('');
  });

  test('shows a name as text, whatever it holds', async () => {
    const names = { buddy: 'A<b>"\'&', user: `Z${randomUUID().slice(0, 4)}<i>` };
    const html = (await written(language, 'html', names)).value.expose();
    expect(html).toContain('A&lt;b&gt;&quot;&#39;&amp;');
    expect(html).not.toContain('<i>');
  });
});
