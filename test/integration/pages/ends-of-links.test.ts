/**
 * What somebody reads whose link leads to a no, to an end, or to nothing: every such page of a buddy and of a contact, in
 * both languages, in a real browser as wide as a phone.
 */
import { randomUUID } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { noteContactLink } from '../../../db/registered-contacts';
import { linkHash, newLinkToken } from '../../../vault/link-tokens';
import { MARKED } from '../../marked-people';
import { PATIENCE_MS } from '../../patience';
import type { Who } from '../api/api-under-test';
import { asked, DAY, HOUR, invite } from '../buddies/buddies-under-test';
import { CheckInsUnderTest, newPhone } from '../buddies/check-in-world';
import { addAlert } from '../wellbeing/alert-rows';
import { describeInBrowser, launchChromium, overflow, seriousFindings, watchForTrouble } from './chromium';

const LANGUAGES = ['en', 'es'] as const;
type Language = (typeof LANGUAGES)[number];

interface End {
  readonly of: string;
  /** What it says, in English and in Spanish. */
  readonly says: readonly [string, string];
  /** Makes it come to that. @returns the path that leads there, and the buttons that are pressed on the way */
  readonly reach: (language: Language) => Promise<{ readonly path: string; readonly press?: readonly string[] }>;
}

describeInBrowser('at its end', () => {
  let world: CheckInsUnderTest;
  let browser: Browser;
  let origin: string;
  let trouble: readonly string[];
  const pages = new Map<Language, Page>();

  beforeAll(async () => {
    [browser, world] = await Promise.all([launchChromium(), CheckInsUnderTest.start()]);
    origin = `http://127.0.0.1:${world.api.port}`;
  });
  afterAll(async () => {
    await browser.close();
    await world.stop();
  });

  async function pageIn(language: Language): Promise<Page> {
    const context = await browser.newContext({ locale: language, viewport: { width: 375, height: 700 } });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    pages.set(language, page);
    return page;
  }

  const verify = (token: string, action = 'accept') => `/api/buddy/verify?token=${token}&action=${action}`;
  const button = (field: string, value: string) => `form:has(input[name=${field}][value=${value}]) button`;

  async function expired(language: Language, mails = 1): Promise<string> {
    const { who, buddyId } = await asked(world.api, { language });
    for (let version = 2; version <= mails; version += 1) {
      await world.api.buddies.timePasses(4 * DAY);
      expect((await invite(world.api, who, buddyId)).status).toBe(202);
    }
    await world.api.buddies.timePasses(7 * DAY);
    await world.api.buddies.steps.expireInvitation({ buddyId, version: mails });
    return verify(world.api.buddies.token(buddyId, mails));
  }

  const INVITATION: readonly End[] = [
    {
      of: 'an invitation that is to be declined',
      says: ['You can say no', 'Puede decir que no'],
      reach: async (language) => ({ path: verify((await asked(world.api, { language })).token, 'decline') }),
    },
    {
      of: 'an invitation that was declined',
      says: ['You have declined', 'Lo ha rechazado'],
      reach: async (language) => ({
        path: verify((await asked(world.api, { language })).token, 'decline'),
        press: [button('action', 'decline')],
      }),
    },
    {
      of: 'a link that has run out',
      says: ['Ask for a new link', 'Pedir un enlace nuevo'],
      reach: async (language) => ({ path: await expired(language) }),
    },
    {
      of: 'a link for which a new one was asked',
      says: ['We have passed it on', 'Lo hemos transmitido'],
      reach: async (language) => ({ path: await expired(language), press: [button('action', 'renew')] }),
    },
    {
      of: 'the last link',
      says: ['No new one can be sent', 'No se puede enviar otro'],
      reach: async (language) => ({ path: await expired(language, 3) }),
    },
    {
      of: 'a link that was replaced',
      says: ['There is a newer link', 'Hay un enlace más reciente'],
      reach: async (language) => {
        const { who, buddyId, token } = await asked(world.api, { language });
        await world.api.buddies.timePasses(HOUR);
        expect((await invite(world.api, who, buddyId)).status).toBe(202);
        return { path: verify(token) };
      },
    },
    {
      of: 'a link of somebody who has withdrawn',
      says: ['Nothing more comes from us', 'No le llegará nada más'],
      reach: async (language) => {
        const { token } = await asked(world.api, { language });
        await world.press(`/api/buddy/rights/${token}`, { step: 'withdraw' });
        return { path: verify(token) };
      },
    },
    {
      of: 'a link that is nobody’s',
      says: ['This link opens nothing', 'Este enlace no abre nada'],
      reach: async () => ({ path: verify(newLinkToken()) }),
    },
    {
      of: 'an address that was changed on its way',
      says: ['This address was changed', 'Esta dirección ha cambiado'],
      reach: async (language) => ({ path: verify((await asked(world.api, { language })).token, 'agree') }),
    },
  ];

  /** A check-in that came to its end. @returns the path of its page */
  async function closed(
    language: Language,
    state: 'answered' | 'unanswered' | 'ended',
    answer: Record<string, string> | null = null,
  ) {
    const requestId = await world.sent(await world.asking({ language }));
    const path = world.linkOf(requestId);
    if (answer !== null) expect((await world.press(path, { step: 'answer', ...answer })).status).toBe(200);
    await world.activities.closeCheckIn({ requestId, state, counts: true, at: new Date().toISOString() });
    return { path };
  }

  /** The page of an alert that is over. */
  async function decided(language: Language, by: 'this' | 'others' | 'nobody') {
    const asking = await world.asking({ language });
    const { requestId } = await world.alerted(asking);
    const path = world.linkOf(requestId, 'wellbeing-alert');
    if (by === 'this') expect((await world.press(path, { step: 'answer', response: 'called' })).status).toBe(200);
    const { owner } = world.api.database;
    const alertId = await addAlert(owner, asking.userId, {});
    await owner.query('UPDATE buddy_check_in_requests SET alert_id = $2 WHERE request_id = $1', [requestId, alertId]);
    await owner.query(
      `UPDATE wellbeing_alerts SET state = 'answered', decided_by = $2, ended_at = now(),
              end_reason = CASE WHEN $2::uuid IS NULL THEN 'nobody-answered' ELSE 'answered' END WHERE alert_id = $1`,
      [alertId, by === 'nobody' ? null : by === 'this' ? requestId : randomUUID()],
    );
    return { path };
  }

  const ASKED: readonly End[] = [
    {
      of: 'a check-in that was not answered in time',
      says: ['The time for an answer is over', 'El tiempo para responder ha terminado'],
      reach: (language) => closed(language, 'unanswered'),
    },
    {
      of: 'a check-in that was answered',
      says: ['we have your answer', 'tenemos su respuesta'],
      reach: (language) => closed(language, 'answered', { response: 'called' }),
    },
    {
      of: 'a check-in that was ended',
      says: ['You are not asked about this any more', 'Ya no se le pregunta por esto'],
      reach: (language) => closed(language, 'ended'),
    },
    {
      of: 'a text’s link that is nobody’s',
      says: ['Please use the whole link', 'Use el enlace entero'],
      reach: async () => ({ path: `/buddy/checkin/${newLinkToken()}` }),
    },
    {
      of: 'an alert that somebody else has decided',
      says: ['This has been decided', 'Esto ya está decidido'],
      reach: (language) => decided(language, 'others'),
    },
    {
      of: 'an alert that was decided by the answer given here',
      says: ['Your answer has counted', 'Su respuesta ha contado'],
      reach: (language) => decided(language, 'this'),
    },
    {
      of: 'an alert that nobody has answered',
      says: ['please get in touch with them all the same', 'póngase en contacto de todos modos'],
      reach: (language) => decided(language, 'nobody'),
    },
  ];

  /** Somebody who was named, and is being asked by an alert where that is wanted. @returns the path of their page */
  async function contact(language: Language, isAsked = false): Promise<string> {
    const who: Who = { role: 'user', subject: randomUUID() };
    const json = { name: MARKED.otherMentorName, phoneNumber: newPhone(), language };
    const { body } = await world.api.ask('PUT', '/api/users/me/registered-contact', { who, json });
    const token = newLinkToken();
    await noteContactLink(world.api.deps.pool, body.contactId, linkHash(token) ?? Buffer.alloc(0));
    if (!isAsked) return `/contact/${token}`;
    const { owner } = world.api.database;
    const of = 'SELECT user_id FROM registered_contacts WHERE contact_id = $1';
    const userId = (await owner.query(of, [body.contactId])).rows[0].user_id;
    const steps = [{ who: 'registered-contact', state: 'under-way' }] as const;
    const alertId = await addAlert(owner, userId, { steps });
    const begin =
      'UPDATE wellbeing_alert_steps SET begun_at = clock_timestamp(), ask_ids = ARRAY[gen_random_uuid()] WHERE alert_id = $1';
    await owner.query(begin, [alertId]);
    return `/contact/${token}`;
  }

  const CONTACT: readonly End[] = [
    {
      of: 'a contact whom an alert asks',
      says: ['They may be having a hard time', 'Quizá lo esté pasando mal'],
      reach: async (language) => ({ path: await contact(language, true) }),
    },
    {
      of: 'a contact who has answered',
      says: ['Thank you. We have noted it.', 'Gracias. Lo hemos anotado.'],
      reach: async (language) => ({
        path: await contact(language, true),
        press: ['label:has(input[value=called])', button('do', 'answer')],
      }),
    },
    {
      of: 'a contact who has refused',
      says: ['You have refused', 'Lo ha rechazado'],
      reach: async (language) => ({ path: await contact(language), press: [button('do', 'refuse')] }),
    },
    {
      of: 'a contact who is asked whether everything is to be erased',
      says: ['cannot be brought back', 'no se pueden recuperar'],
      reach: async (language) => ({ path: await contact(language), press: [button('do', 'erase')] }),
    },
    {
      of: 'a contact who has had everything erased',
      says: ['is erased', 'está borrado'],
      reach: async (language) => ({
        path: await contact(language),
        press: [button('do', 'erase'), button('sure', 'yes')],
      }),
    },
    {
      of: 'a contact’s link that opens nothing',
      says: ['This link opens nothing', 'Este enlace ya no abre nada'],
      reach: async () => ({ path: `/contact/${newLinkToken()}` }),
    },
  ];

  const ENDS = [...INVITATION, ...ASKED, ...CONTACT];

  it.each(ENDS.flatMap((end) => LANGUAGES.map((language) => ({ ...end, language }))))(
    '$of says so in $language, to everybody who reads it on a phone',
    async ({ says, reach, language }) => {
      const { path, press = [] } = await reach(language);
      const page = pages.get(language) ?? (await pageIn(language));
      page.removeAllListeners();
      trouble = watchForTrouble(page, [origin]);
      await page.goto(`${origin}${path}`);
      for (const pressed of press) await page.locator(pressed).click();
      await page
        .getByText(says[language === 'en' ? 0 : 1])
        .first()
        .waitFor();
      expect(await page.locator('html').getAttribute('lang')).toBe(language);
      expect(await page.locator('h1').count()).toBe(1);
      expect(await overflow(page)).toBe(0);
      expect(await seriousFindings(page)).toEqual([]);
      expect(await page.evaluate<string[]>(SMALL)).toEqual([]);
      // Of a link that opens nothing, a browser notes the status.
      expect(trouble.filter((each) => !/status of 4\d\d/.test(each))).toEqual([]);
    },
  );
});

/** What one presses and is lower than 44 pixels. */
const SMALL = `[...document.querySelectorAll('button, label.choice')]
  .filter((one) => one.getBoundingClientRect().height < 43.5).map((one) => one.outerHTML)`;
