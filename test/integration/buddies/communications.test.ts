/**
 * Everything that buddies, contacts, users and the organisation are sent because of buddies, held to the table of
 * docs/buddies.md: where the privacy policy is, and how to get no more of it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderContent, type RenderedForm } from '../../../db/rendering';
import { createSubject } from '../../../db/subjects';
import { findTemplate } from '../../../db/templates';
import type { Vault } from '../../../db/vault-records';
import { BUDDY_LANGUAGES, type BuddyLanguage } from '../../../domain/buddies';
import { BUDDY_NEWS, buddyNews } from '../../../domain/buddy-news';
import type { LinkUse } from '../../../domain/message-links';
import { sealableWords } from '../../../domain/message-words';
import { countSegments } from '../../../domain/segments';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { localRing, vaultOver } from '../db/people';

/** As long as addresses of organisations come. */
const BASE = 'https://buddies.organisation.example.org';
const POLICY = 'https://example.org/privacy';
const UNSUBSCRIBE = `${BASE}/unsubscribe/token`;
const ID = '8f14e45f-ceea-467f-a834-9bd1f4c3a001';
const STOP = { en: 'Reply STOP to opt out.', es: 'Responda STOP para darse de baja.' } as const;

interface Row {
  readonly template: string;
  readonly as: 'text' | 'e-mail' | 'call';
  readonly policy: string;
  readonly stop: string;
}

/** | `template` | to whom | as what | where the policy is | how to stop | */
const ROW = /^\| `([a-z.-]+)` \| [^|]+ \| (text|e-mail|call) \| ([^|]+) \| ([^|]+) \|$/gm;
const DOCS = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'buddies.md'), 'utf8');
const ROWS = [...DOCS.matchAll(ROW)].map(
  ([, template = '', as, policy = '', stop = '']): Row => ({ template, as: as as Row['as'], policy, stop }),
);

let database: TestDatabase;
let vault: Vault;
beforeAll(async () => {
  database = await createTestDatabase();
  vault = vaultOver(database.app, await localRing());
});
afterAll(async () => {
  await vault.close();
  await database.drop();
});

const LINKS: Readonly<Record<string, LinkUse>> = {
  'buddy.invitation': 'buddy-invitation',
  'buddy.check-in': 'buddy-check-in',
  'buddy.reminder': 'buddy-check-in',
  'buddy.alert': 'wellbeing-alert',
  'buddy.contact-named': 'registered-contact',
  'buddy.contact-alert': 'registered-contact',
  'buddy.contact-over': 'registered-contact',
};

/** With the longest values that come. */
async function rendered(name: string, language: BuddyLanguage, form: RenderedForm): Promise<string> {
  const template = await findTemplate(database.app, name, null);
  if (template === null) throw new Error(`${name} is missing`);
  const news = BUDDY_NEWS.map((each) => buddyNews(each, 'Maximilianaalexandra', language)).toSorted(
    (one, other) => other.length - one.length,
  );
  const values: Readonly<Record<string, string>> = { news: news[0] ?? '', reference: ID };
  const given = Object.entries(template.variables).flatMap(([variable, { type, max }]) => {
    if (type === 'link') return [];
    return [[variable, type === 'number' ? (max ?? 1) : (values[variable] ?? 'Maximilianaalexandra')] as const];
  });
  const subjectId = await createSubject(database.app, 'system');
  const variables = Object.fromEntries(given);
  const recordId = await vault.seal({ subjectId, kind: 'text', value: sealableWords({ variables }) });
  const use = LINKS[name];
  const link = use === undefined ? {} : { link: { use, id: ID, version: 1 } };
  const content = { templateId: template.templateId, templateVersion: template.version, recordId, ...link };
  const ownLinks = { linkKey: { version: 1, key: Buffer.alloc(32, 7) }, publicBaseUrl: BASE };
  // As each of them is written: a text knows no address of the policy's own.
  const isMail = form === 'html' || form === 'mail-text';
  const parts = {
    pool: database.app,
    vault,
    ownLinks: form === 'speech' ? null : ownLinks,
    privacyPolicyUrl: POLICY,
    ...(isMail ? { unsubscribeUrl: UNSUBSCRIBE } : {}),
  };
  return (await renderContent(parts, content, language, form)).value.expose();
}

test('each of them stands in the table', async () => {
  const { rows } = await database.app.query(
    `SELECT name FROM templates WHERE is_built_in AND (name LIKE 'buddy.%' OR name LIKE 'wellbeing.%') ORDER BY name`,
  );
  const named = new Set(ROWS.map(({ template }) => template));
  expect(rows.map(({ name }) => String(name))).toEqual([...named].toSorted());
});

const SENT = ROWS.flatMap((row) => BUDDY_LANGUAGES.map((language) => ({ ...row, language })));
const sentAs = (as: Row['as']) => SENT.filter((row) => row.as === as);

test.each(sentAs('text'))('$template as a text in $language', async ({ template, language, policy, stop }) => {
  const text = await rendered(template, language, 'text');
  const [, path] = /^the page `(\/[^`…]+)…?`$/.exec(policy) ?? [];
  expect(text).toContain(`${BASE}${path}`);
  expect(stop).toMatch(/^STOP/);
  expect(text.endsWith(`\n\n${STOP[language]}`)).toBe(true);
  const { encoding, segments } = countSegments(text);
  expect(encoding).toBe('gsm-7');
  expect(segments).toBeLessThanOrEqual(2);
});

test.each(sentAs('e-mail'))('$template as an e-mail in $language', async ({ template, language, policy, stop }) => {
  expect(policy).toMatch(/^at its end/);
  expect(stop).toMatch(/^“No more e-mail” at its end/);
  for (const form of ['html', 'mail-text'] as const) {
    const mail = await rendered(template, language, form);
    for (const url of [POLICY, UNSUBSCRIBE]) expect(mail).toContain(url);
    expect(mail).not.toContain('{{');
    expect(mail).not.toMatch(/STOP/);
  }
});

test.each(sentAs('call'))('$template as a call in $language spells no address', async ({ template, language }) => {
  expect(await rendered(template, language, 'speech')).not.toMatch(/http|STOP/);
});
