/** Every text that buddies get, and users because of them, through the real renderer: word for word, and how long. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSubject } from '../../../db/subjects';
import { renderContent } from '../../../db/rendering';
import { findTemplate } from '../../../db/templates';
import type { Vault } from '../../../db/vault-records';
import { BUDDY_LANGUAGES, type BuddyLanguage } from '../../../domain/buddies';
import { BUDDY_NEWS, buddyNews } from '../../../domain/buddy-news';
import { firstNameForText } from '../../../domain/first-name';
import type { MessageLink } from '../../../domain/message-links';
import { sealableWords } from '../../../domain/message-words';
import { countSegments } from '../../../domain/segments';
import type { VariableValues } from '../../../domain/templates';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { localRing, vaultOver } from '../db/people';

const GOLDEN = join(__dirname, '..', '..', 'golden', 'buddy-texts.txt');
/** As long as addresses of organisations come. */
const BASE = 'https://buddies.organisation.example.org';
const LINK_KEY = { version: 1, key: Buffer.alloc(32, 7) };
const ID = '8f14e45f-ceea-467f-a834-9bd1f4c3a001';
/** Longer than any that is written whole. */
const NAMES = { buddy: 'Maximiliana-Konstanze Quillfeather', user: 'Wilhelmina-Theodorina Brookwater' };
const SHORT = { buddy: 'Ana Ruiz', user: 'Zoë Marsh' };

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

async function rendered(name: string, language: string, variables: VariableValues, link?: MessageLink) {
  const template = await findTemplate(database.app, name, null);
  if (template === null) throw new Error(`${name} is missing`);
  const subjectId = await createSubject(database.app, 'system');
  const recordId = await vault.seal({ subjectId, kind: 'text', value: sealableWords({ variables }) });
  const { templateId, version: templateVersion } = template;
  const content = { templateId, templateVersion, recordId, ...(link === undefined ? {} : { link }) };
  const links = { privacyPolicyUrl: null, unsubscribeUrl: null };
  const parts = { pool: database.app, vault, ownLinks: { linkKey: LINK_KEY, publicBaseUrl: BASE }, ...links };
  return (await renderContent(parts, content, language, 'text')).value.expose();
}

type Names = typeof NAMES;

function asking(template: 'buddy.check-in' | 'buddy.reminder' | 'buddy.alert', language: BuddyLanguage, names: Names) {
  const isAlert = template === 'buddy.alert';
  const variables = {
    buddy: firstNameForText(names.buddy, language, 'buddy'),
    user: firstNameForText(names.user, language, 'user'),
    ...(isAlert ? { days: 14 } : {}),
  };
  const use = isAlert ? 'wellbeing-alert' : 'buddy-check-in';
  return rendered(template, language, variables, { use, id: ID, version: 1 });
}

const TEXTS = (['buddy.check-in', 'buddy.reminder', 'buddy.alert'] as const).flatMap((template) =>
  BUDDY_LANGUAGES.map((language) => ({ template, language })),
);

describe.each(TEXTS)('$template in $language', ({ template, language }) => {
  test('fits into two segments with the longest names, and says how to get no more', async () => {
    const text = await asking(template, language, NAMES);
    expect(countSegments(text)).toMatchObject({ encoding: 'gsm-7' });
    expect(countSegments(text).segments).toBeLessThanOrEqual(2);
    expect(text).toMatch(language === 'en' ? /Reply STOP to opt out\.$/ : /Responda STOP para darse de baja\.$/);
    expect(text).toMatch(/https:\/\/\S+\/buddy\/(checkin|alert)\/[\w-]{64}(\s|$)/);
  });

  test('has first names only, and no word of why', async () => {
    const text = await asking(template, language, NAMES);
    expect(text).not.toMatch(/Quillfeather|Brookwater|score|risk|kindline|crisis|suicid|depress/i);
  });

  test('names nobody whose name is in no letters of a text', async () => {
    const text = await asking(template, language, { buddy: '山田', user: '花子' });
    expect(text).toContain(language === 'en' ? 'your friend' : 'su amigo');
    expect(countSegments(text).encoding).toBe('gsm-7');
  });
});

test.each(BUDDY_LANGUAGES)('news in %s are one or two segments', async (language) => {
  for (const news of BUDDY_NEWS) {
    const name = firstNameForText(NAMES.buddy, language, 'buddy');
    const text = await rendered('buddy.news', language, { news: buddyNews(news, name, language) });
    expect(countSegments(text)).toMatchObject({ encoding: 'gsm-7' });
    expect(countSegments(text).segments).toBeLessThanOrEqual(2);
  }
});

test('the words are those of the golden file', async () => {
  const parts: string[] = [];
  for (const { template, language } of TEXTS) {
    const text = await asking(template, language, SHORT);
    const { segments, characters } = countSegments(text);
    parts.push(`== ${template} ${language}: ${segments} segments, ${characters} characters\n${text}\n`);
  }
  for (const language of BUDDY_LANGUAGES) {
    const [first = '', ...others] = BUDDY_NEWS.map((each) => buddyNews(each, 'Ana', language));
    const text = await rendered('buddy.news', language, { news: first });
    parts.push(
      `== buddy.news ${language}\n${text}\n`,
      `== buddy.news ${language}, what else it says\n${others.join('\n')}\n`,
    );
  }
  const written = parts.join('\n');
  // After a change of words: KINDLINE_UPDATE_GOLDEN=1 npm test -- buddy-texts
  if (process.env['KINDLINE_UPDATE_GOLDEN']) writeFileSync(GOLDEN, written);
  expect(readFileSync(GOLDEN, 'utf8')).toBe(written);
});
