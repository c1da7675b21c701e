/**
 * Every text that buddies and contacts get, and users and the organisation because of them, through the real renderer: word
 * for word, and how long. And their e-mails, but the invitation, which has a file of its own (`invitation-mail.test.ts`).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSubject } from '../../../db/subjects';
import { renderContent, type RenderedForm } from '../../../db/rendering';
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

const GOLDEN = join(__dirname, '..', '..', 'golden');
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

async function rendered(
  name: string,
  language: string,
  variables: VariableValues,
  link?: MessageLink,
  form: RenderedForm = 'text',
) {
  const template = await findTemplate(database.app, name, null);
  if (template === null) throw new Error(`${name} is missing`);
  const subjectId = await createSubject(database.app, 'system');
  const recordId = await vault.seal({ subjectId, kind: 'text', value: sealableWords({ variables }) });
  const { templateId, version: templateVersion } = template;
  const content = { templateId, templateVersion, recordId, ...(link === undefined ? {} : { link }) };
  const links =
    form === 'text'
      ? { privacyPolicyUrl: null, unsubscribeUrl: null }
      : { privacyPolicyUrl: 'https://example.org/privacy', unsubscribeUrl: `${BASE}/unsubscribe/token` };
  const parts = { pool: database.app, vault, ownLinks: { linkKey: LINK_KEY, publicBaseUrl: BASE }, ...links };
  const { value, subject } = await renderContent(parts, content, language, form);
  return form === 'mail-text' ? `${subject?.expose()}\n\n${value.expose()}` : value.expose();
}

/** After a change of words: KINDLINE_UPDATE_GOLDEN=1 npm test -- buddy-texts, and read the difference. */
function expectGolden(name: string, parts: readonly string[]): void {
  const [file, written] = [join(GOLDEN, name), parts.join('\n')];
  if (process.env['KINDLINE_UPDATE_GOLDEN']) writeFileSync(file, written);
  expect(readFileSync(file, 'utf8')).toBe(written);
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

const titled = (title: string, text: string): string => {
  const { segments, characters } = countSegments(text);
  return `== ${title}: ${segments} segments, ${characters} characters\n${text}\n`;
};

test('the words are those of the golden file', async () => {
  const parts: string[] = [];
  for (const { template, language } of TEXTS) {
    parts.push(titled(`${template} ${language}`, await asking(template, language, SHORT)));
  }
  for (const language of BUDDY_LANGUAGES) {
    const [first = '', ...others] = BUDDY_NEWS.map((each) => buddyNews(each, 'Ana', language));
    const text = await rendered('buddy.news', language, { news: first });
    parts.push(
      `== buddy.news ${language}\n${text}\n`,
      `== buddy.news ${language}, what else it says\n${others.join('\n')}\n`,
    );
  }
  expectGolden('buddy-texts.txt', parts);
});

test('so are those of texts to a contact, and to the organisation', async () => {
  const parts: string[] = [];
  const names = { contact: 'Ana', user: 'Zoe' };
  const link = { use: 'registered-contact', id: ID, version: 1 } as const;
  for (const language of BUDDY_LANGUAGES) {
    for (const [template, variables] of [
      ['buddy.contact-named', names],
      ['buddy.contact-alert', { ...names, days: 4 }],
      ['buddy.contact-over', names],
    ] as const) {
      parts.push(titled(`${template} ${language}`, await rendered(template, language, variables, link)));
    }
    for (const [template, variables] of [
      ['wellbeing.service', { reference: ID }],
      ['wellbeing.service-over', { reference: ID }],
      ['wellbeing.on-call', {}],
      ['wellbeing.emergency', {}],
    ] as const) {
      parts.push(titled(`${template} ${language}`, await rendered(template, language, variables)));
    }
  }
  expectGolden('alert-texts.txt', parts);
});

test('and those of e-mails, as text and as HTML', async () => {
  const parts: string[] = [];
  for (const language of BUDDY_LANGUAGES) {
    for (const [template, variables] of [
      ['buddy.news', { news: buddyNews('accepted', 'Ana', language) }],
      ['wellbeing.service', { reference: ID }],
      ['wellbeing.service-over', { reference: ID }],
    ] as const) {
      for (const form of ['mail-text', 'html'] as const) {
        const mail = await rendered(template, language, variables, undefined, form);
        parts.push(`== ${template} ${language} as ${form}\n${mail}\n`);
      }
    }
  }
  expectGolden('buddy-mails.txt', parts);
});
